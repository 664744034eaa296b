/** The gateway as it is measured: everything on, a policy of 20 rules of which the last one matches. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECOND_MODELS } from "./workloads.ts";

const RULES = 20;

/**
 * Conditions of all kinds that the benchmark's requests do not meet, so that every rule is tried; each with values of its own
 * in every `round` of them.
 */
const NEVER: readonly ((round: number) => string)[] = [
  (round) => `{ tokens_input_gt: ${50_000_000 + round} }`,
  (round) => `{ has_tools: true, tools_gt: ${round} }`,
  (round) => `{ has_image: true, stream: true, messages_gt: ${round} }`,
  (round) => `{ response_format_type: json_object, messages_gt: ${round} }`,
  (round) => `{ model: ["o9-${round}-*", "gpt-2-${round}*"] }`,
  (round) => `{ header: { x-team: research-${round} } }`,
  (round) => `{ client: "claude-code-${round}" }`,
  (round) => `{ system_contains: ["text ${round} is nowhere", "nor is text ${round}"] }`,
  (round) => `{ prompt_contains: ["nor is text ${round} in any prompt"] }`,
  (round) => `{ messages_gt: ${4000 + round} }`,
  (round) => `{ user: "intern-${round}-*" }`,
  (round) => `{ metadata: { tier: "free-${round}" } }`,
  (round) => `{ reasoning_effort: [high, xhigh], messages_gt: ${round} }`,
  (round) => `{ max_tokens_gt: ${100_000 + round} }`,
  (round) => `{ provider_state: { openai: open, anthropic: open }, messages_gt: ${round} }`,
  (round) => `{ any_of: [{ has_audio: true }, { has_document: true }, { header: { x-batch: "${round}" } }] }`,
  (round) => `{ percent: { value: 50, by: "header:x-session-${round}" } }`,
  (round) => `{ all_of: [{ provider: openai }, { tool_choice: required }], messages_gt: ${round} }`,
  (round) => `{ not: { tokens_input_lt: ${90_000_000 + round} } }`,
];

/** Their requests want an answer that fits a schema: the first model's does not, in the benchmark. */
const HEALED: readonly string[] = (["chat", "messages"] as const).map((format) => {
  const chain = `validate: [json_schema], fallback_chain: [${SECOND_MODELS[format]}]`;
  return `  - { name: healed_${format}, when: { response_format_type: json_schema, format: ${format} }, then: { ${chain} } }`;
});

/** `rules` rules of which the last one takes every request; from three on, the two before it heal. */
export function policyYaml(rules = RULES): string {
  const healed = rules > HEALED.length ? HEALED : [];
  const lines = Array.from({ length: rules - 1 - healed.length }, (_, at) => {
    const when = NEVER[at % NEVER.length]?.(Math.floor(at / NEVER.length)) ?? "";
    return `  - { name: never_${at + 1}, when: ${when}, then: { model: gpt-5.4-nano } }`;
  });
  const all = "  - { name: all, then: { tags: { team: bench } } }";
  return `version: 1\nrules:\n${[...lines, ...healed, all].join("\n")}\n`;
}

/** What differs between the gateways of a run. */
export interface GatewayFiles {
  readonly policy?: string;
  /** What the paths of OpenAI's upstream begin with. */
  readonly upstreamPath?: string;
  /** Further sections of the configuration. */
  readonly sections?: string;
}

/** Writes `arouter.toml` and its policy into `folder`; returns the configuration's path. */
export function writeGatewayFiles(folder: string, upstreamPort: number, files: GatewayFiles = {}): string {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "arouter.toml");
  writeFileSync(join(folder, "policy.yaml"), files.policy ?? policyYaml());
  writeFileSync(
    config,
    `[router]
policy_file = ${JSON.stringify(join(folder, "policy.yaml"))}
[providers.openai]
base_url = "http://127.0.0.1:${upstreamPort}${files.upstreamPath ?? ""}/v1"
surface = "chat"
[providers.anthropic]
base_url = "http://127.0.0.1:${upstreamPort}"
[ledger]
file = ${JSON.stringify(join(folder, "ledger.jsonl"))}
[drain]
delay = "0s"
timeout = "2s"
${files.sections ?? ""}`,
  );
  return config;
}

/** The names of `count` models, for the catalog. */
export function modelNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `bench-${at + 1}`);
}

/** Puts models of these names into the catalog. */
export function modelSections(names: readonly string[]): string {
  return names.map((name) => `[catalog.models."${name}"]\nprovider = "openai"\nkind = "chat"\n`).join("");
}

/** Traces of a tenth of the requests, sent to the benchmark's upstream. */
export function tracedSections(upstreamPort: number): string {
  return `[telemetry]\notlp_endpoint = "http://127.0.0.1:${upstreamPort}"\nsample_ratio = 0.1\n`;
}
