/** One line of a ledger under a policy: the decision that it would get now. */
import { GatewayError } from "../base/errors.ts";
import { isObject, isString, own, type Json } from "../base/json.ts";
import { FORMAT_NAMES, type FormatName, type ProviderName } from "../base/names.ts";
import type { LedgerEntry } from "../observe/ledger-read.ts";
import { createContext, type PolicyInput } from "../policy/context.ts";
import { decide } from "../policy/decide.ts";
import type { Decision } from "../policy/decision.ts";
import { hasLedgerFacts, inputFromLedger } from "../policy/ledger-facts.ts";
import type { Policy } from "../policy/policy.ts";
import { summarizeDecision } from "../policy/summary.ts";
import { formatByName } from "../wire/formats.ts";
import type { Facts } from "../wire/format.ts";

export type Replayed =
  /** Nothing was decided then: refused before it came to that, or a route without decisions. */
  | { readonly kind: "none" }
  | { readonly kind: "undecided"; readonly why: string }
  | {
      readonly kind: "decided";
      readonly decision: Decision;
      /** `same`: rule and decision as they were; `moved`: another model, or blocked, or no longer; else `changed`. */
      readonly result: "same" | "changed" | "moved";
    };

const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };

/** Decides entries again under `policy`; `providerOf` answers for models that the entry does not tell about. */
export function createReplayer(
  policy: Policy,
  providerOf: (model: string) => ProviderName | null,
): (entry: LedgerEntry) => Replayed {
  const decideFromBody = createBodyRecall(policy);
  return (entry) => {
    const format = FORMAT_NAMES.find((name) => name === entry.format);
    if (format === undefined || entry.decision === null || !hasLedgerFacts(entry.facts ?? undefined))
      return { kind: "none" };
    const { facts } = entry;
    if (facts === null) return { kind: "none" };
    const recordedModel = own(facts, "model");
    // No provider on record means that none served the model then, whatever this machine's configuration says now.
    const wasUnserved = !isString(own(facts, "provider"));
    try {
      const { id, stream, wallMs } = entry;
      const input = inputFromLedger({ id, format, stream, wallMs, facts }, (model) =>
        wasUnserved && model === recordedModel ? null : providerOf(model),
      );
      const body = entry.request === null ? null : readBody(format, entry.request);
      const { decision, undecided } = decide(policy, body === null ? input : decideFromBody(input, body));
      if (undecided !== null) return { kind: "undecided", why: undecided };
      return { kind: "decided", decision, result: compare(entry, decision) };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return { kind: "undecided", why: "the request forced a rule that the policy does not have" };
    }
  };
}

function compare(entry: LedgerEntry, decision: Decision): "same" | "changed" | "moved" {
  const now = summarizeDecision(decision);
  const then = entry.decision ?? {};
  if (entry.rule === decision.rule && JSON.stringify(now) === JSON.stringify(then)) return "same";
  const isMoved = own(then, "model") !== decision.model || isObject(own(then, "block")) !== (decision.block !== null);
  return isMoved ? "moved" : "changed";
}

function readBody(format: FormatName, body: string): Facts | null {
  try {
    const wire = formatByName(format);
    return wire.facts(wire.parseRequest(Buffer.from(body), LIMITS));
  } catch {
    return null;
  }
}

/**
 * Where the body was kept, conditions on its texts and names are tested anew when their outcome is not on record. Headers
 * are never kept: a condition on one stays open.
 */
function createBodyRecall(policy: Policy): (input: PolicyInput, body: Facts) => PolicyInput {
  const fromBody = new Map(
    policy.recorded.filter(({ key }) => !needsHeader(key)).map((condition) => [condition.key, condition]),
  );
  return (input, body) => {
    const { systemText, promptText, metadata, user } = body;
    const facts: Facts = { ...input.facts, systemText, promptText, metadata, user };
    const { recall, ...rest } = input;
    const context = createContext(policy, { ...rest, facts });
    return {
      ...input,
      facts,
      recall: (key) => recall?.(key) ?? fromBody.get(key)?.test(context) ?? null,
    };
  };
}

function needsHeader(key: string): boolean {
  const json = JSON.parse(key) as Json;
  if (own(json, "header") !== undefined) return true;
  const by = own(own(json, "percent"), "by");
  return isString(by) && by.startsWith("header:");
}
