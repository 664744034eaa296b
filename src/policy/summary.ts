/** A decision as plain JSON in the words of the policy file: ledger, trace header, dry run, tests and `explain --json`. */
import { renderDurationMs } from "../base/duration.ts";
import type { DecisionSummary } from "../base/events.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { DEFAULT_FALLBACK_ON } from "./decision.ts";
import type { ChainEntry, Decision, HealSettings, ParamsBlock, RetryOverrides, TimeoutOverrides } from "./decision.ts";
import { compact } from "./containers.ts";
import type { Then } from "./then.ts";

/** An object, or undefined when nothing is in it. */
function filled(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}

function duration(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : renderDurationMs(milliseconds);
}

function paramsJson({ set, cap, drop }: ParamsBlock): JsonObject {
  return compact({ set: filled(set), cap: filled(cap), drop: drop.length === 0 ? undefined : drop });
}

function timeoutJson({ totalMs, ttftMs, responseMs, idleMs }: TimeoutOverrides): JsonObject {
  return compact({
    total: duration(totalMs),
    ttft: duration(ttftMs),
    response: duration(responseMs),
    idle: duration(idleMs),
  });
}

function retryJson({ max, baseMs, capMs, onTimeout }: RetryOverrides): JsonObject {
  return compact({ max, base: duration(baseMs), cap: duration(capMs), on_timeout: onTimeout });
}

function healJson({ hold, preflushBytes, feedback }: HealSettings): JsonObject {
  return compact({ hold, preflush_bytes: preflushBytes, feedback });
}

function hedgeJson(hedge: Then["hedge"]): Json | undefined {
  if (hedge === undefined) return undefined;
  if (hedge === null) return "off";
  return compact({ after: hedge.after === "p95" ? "p95" : duration(hedge.after), model: hedge.model });
}

function entryJson({ model, params, timeout }: ChainEntry): Json {
  if (params === undefined && timeout === undefined) return model;
  return compact({
    model,
    params: params === undefined ? undefined : paramsJson(params),
    timeout: timeout === undefined ? undefined : timeoutJson(timeout),
  });
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word));
}

/** Of decisions that many requests share. */
const summaries = new WeakMap<Decision, DecisionSummary>();

/** What was decided, in the keys of `then`; what is as it is without a policy is left out, but for `model`. */
export function summarizeDecision(decision: Decision): DecisionSummary {
  let summary = summaries.get(decision);
  if (summary === undefined) {
    summary = summarize(decision);
    summaries.set(decision, summary);
  }
  return summary;
}

function summarize(decision: Decision): DecisionSummary {
  const { block } = decision;
  return compact({
    model: decision.model,
    validate: decision.validate.length === 0 ? undefined : decision.validate,
    fallback_chain: decision.fallbackChain.length === 0 ? undefined : decision.fallbackChain.map(entryJson),
    fallback_on: sameWords(decision.fallbackOn, DEFAULT_FALLBACK_ON) ? undefined : decision.fallbackOn,
    heal: filled(healJson(decision.heal)),
    hedge: hedgeJson(decision.hedge),
    retry: filled(retryJson(decision.retry)),
    timeout: filled(timeoutJson(decision.timeout)),
    params: filled(paramsJson(decision.params)),
    tags: filled(decision.tags),
    block: block === null ? undefined : { status: block.status, message: block.message },
  });
}

/** What a rule asks for beside its model, chain, validators and block, in the keys of `then`. */
export function summarizeSettings({ fallbackOn, heal, hedge, retry, timeout, params, tags }: Then): JsonObject {
  return compact({
    fallback_on: fallbackOn,
    heal: heal === undefined ? undefined : filled(healJson(heal)),
    hedge: hedgeJson(hedge),
    retry: retry === undefined ? undefined : filled(retryJson(retry)),
    timeout: timeout === undefined ? undefined : filled(timeoutJson(timeout)),
    params: params === undefined ? undefined : filled(paramsJson(params)),
    tags: tags === undefined ? undefined : filled(tags),
  });
}

/** The summary with the rule and policy that led to it: `x-arouter-trace` and `x-arouter-dry-run`. */
export function describeDecision(decision: Decision): DecisionSummary {
  return {
    rule: decision.rule,
    policy: decision.policy,
    model_requested: decision.modelRequested,
    model_asked: decision.modelAsked,
    ...summarizeDecision(decision),
  };
}
