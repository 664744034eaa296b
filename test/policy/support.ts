/** Requests and rules for tests of the policy: what is not said is as plain as can be. */
import type { Facts } from "../../src/wire/format.ts";
import type { PolicyInput } from "../../src/policy/context.ts";
import { NO_OVERRIDES } from "../../src/policy/overrides.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import { stringify } from "yaml";

export const PLAIN_FACTS: Facts = {
  format: "chat",
  model: "gpt-6-sol",
  stream: false,
  tokensInput: 100,
  maxTokens: null,
  messages: 1,
  toolNames: [],
  toolChoice: null,
  inToolLoop: false,
  hasImage: false,
  hasDocument: false,
  hasAudio: false,
  responseFormatType: "text",
  jsonSchema: null,
  toolSchemas: new Map(),
  reasoning: false,
  reasoningEffort: null,
  hasCacheControl: false,
  metadata: {},
  user: null,
  systemText: "",
  promptText: "",
  choices: 1,
  replayable: true,
  streamUsage: false,
};

export interface InputParts extends Omit<Partial<PolicyInput>, "facts" | "headers"> {
  readonly facts?: Partial<Facts>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Tuesday 2026-11-24, 12:00 UTC. */
export const NOON_MS = Date.UTC(2026, 10, 24, 12);

export function inputOf({ facts = {}, headers = {}, ...parts }: InputParts = {}): PolicyInput {
  return {
    facts: { ...PLAIN_FACTS, ...facts },
    headers: new Headers(headers),
    client: null,
    key: null,
    providerOf: (model) => (model.startsWith("claude") ? "anthropic" : "openai"),
    providerState: {},
    requestId: "req_1",
    wallMs: NOON_MS,
    overrides: NO_OVERRIDES,
    ...parts,
  };
}

/** The policy in `text`; fails the test when it does not load. */
export function policyOf(text: string): Policy {
  const result = parsePolicy([{ name: "policies.yaml", text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(renderDiagnostic).join("\n"));
  return result.policy;
}

/** A policy given as data. */
export function policyFrom(data: unknown): Policy {
  return policyOf(stringify(data));
}

/** What is wrong with `text`, one rendered line each. */
export function mistakesIn(text: string): readonly string[] {
  const result = parsePolicy([{ name: "p.yaml", text }]);
  return result.ok ? [] : result.diagnostics.map(renderDiagnostic);
}
