/**
 * Along the chain: try a candidate, judge it, go on or commit. The last attempt made always wins, also over an earlier one
 * that looks better, and is delivered as it came.
 */
import type { Signal } from "../base/abort.ts";
import type { FallbackReason, OutcomeClass, ProviderName } from "../base/names.ts";
import { renderFeedback } from "../heal/feedback.ts";
import type { Decision } from "../policy/decision.ts";
import { createAttempts } from "../resilience/attempts.ts";
import type { Call } from "../resilience/dispatch.ts";
import type { ThinkingStore } from "../translate/translator.ts";
import { createCandidates, type NextWish, type Prepared } from "./candidates.ts";
import type { Candidate } from "./candidate.ts";
import type { Exchange } from "./exchange.ts";
import { type Judged, type JudgeSettings } from "./judge.ts";
import type { Plan } from "./plan.ts";
import type { SummaryMemory } from "./summary-memory.ts";
import { openTurn, type Turn } from "./turn.ts";

export interface WalkOptions {
  readonly decision: Decision;
  readonly plan: Plan;
  readonly strict: boolean;
  readonly thinkingStore: ThinkingStore | null;
  readonly summaries: SummaryMemory;
  readonly judge: JudgeSettings;
  /** Aborts when the client leaves or the deadline passes. */
  readonly signal: Signal;
  /** On `clock.nowMs()`. */
  readonly deadlineMs: number;
}

const NO_WISH: NextWish = { notProvider: null, feedback: null };

/**
 * Walks the chain and gives what is to be delivered.
 * @throws GatewayError when nothing could be sent: the request's own fault, or every candidate was passed over
 */
export async function walk(exchange: Exchange, options: WalkOptions): Promise<Judged> {
  const { record } = exchange;
  const { decision } = options;
  const { settings } = exchange.snapshot;
  const isTold = (decision.heal.feedback ?? settings.heal.feedback) === "errors";
  const { entries } = options.plan;
  const candidates = createCandidates(exchange, entries, options);
  const attempts = createAttempts(settings.limits.maxAttempts, entries.length - 1);
  const reasons: string[] = [];
  let last: Judged | null = null;
  let prepared = candidates.next(NO_WISH);

  while (prepared !== null) {
    attempts.setCandidatesLeft(candidates.left());
    const call: Call = { signal: options.signal, deadlineMs: options.deadlineMs, retry: 0, leg: "primary" };
    const turn: Turn = openTurn(exchange, options, attempts, prepared, call);
    const judging: Promise<Judged> | Judged = turn.judge(await turn.ask(last));
    const judged: Judged = judging instanceof Promise ? await judging : judging;
    const { candidate } = judged;
    const outcome = candidate.classification.class;
    if (outcome === "local" && candidate.kind === "failed" && candidate.error.kind !== "deadline") {
      // Refused by a layer of ours (breaker, permits, attempts): passed over, not tried.
      candidates.passOver(candidate.error);
      prepared = candidates.next({ notProvider: blamed(last), feedback: null });
      continue;
    }
    record.chain.push({ model: prepared.target.entry.model, result: outcome });
    const reason = fallbackReason(candidate);
    // What may have left something behind at the provider is not asked for again.
    const isSafe = exchange.facts.replayable || candidate.classification.unsent;
    const mayMove = isSafe && reason !== null && decision.fallbackOn.includes(reason) && !options.signal.aborted;
    if (judged.reason !== null) reasons.push(judged.reason);
    const next: Prepared | null = mayMove
      ? candidates.next({
          notProvider: blamed(judged),
          feedback: isTold && reasons.length > 0 ? renderFeedback(reasons) : null,
        })
      : null;
    if (next === null || reason === null) return judged;
    drop(judged);
    record.fallbackReason = outcome;
    record.fallbacks.push(reason);
    exchange.emit({
      type: "candidate-rejected",
      record,
      model: candidate.target.entry.model,
      class: outcome,
      reason: judged.reason ?? outcome,
    });
    last = judged;
    prepared = next;
  }
  // Every candidate after it was passed over: it is delivered after all, unless it was given up halfway.
  if (last !== null && !last.isPartial) return last;
  throw candidates.refusal();
}

/** The provider whose key or quota the last answer blames: asking it again with another model would not help. */
function blamed(judged: Judged | null): ProviderName | null {
  if (judged === null) return null;
  const { classification, target } = judged.candidate;
  return classification.class === "quota" || classification.class === "auth" ? target.provider.name : null;
}

const REASONS: Partial<Record<OutcomeClass, FallbackReason>> = {
  stale_conn: "error",
  connect: "error",
  server: "error",
  broken: "error",
  no_model: "error",
  quota: "error",
  auth: "error",
  timeout: "timeout",
  rate: "rate_limit",
  context: "context_length",
  invalid: "validation",
  policy: "refusal",
};

/** The word of `fallback_on` under which a candidate is left; null when it is delivered whatever the rule says. */
export function fallbackReason(candidate: Candidate): FallbackReason | null {
  const { classification } = candidate;
  const isOverloaded =
    classification.class === "server" &&
    candidate.kind === "error" &&
    (candidate.attempt.status === 503 || candidate.attempt.status === 529);
  return isOverloaded ? "overloaded" : (REASONS[classification.class] ?? null);
}

/** Lets go of an answer that is not delivered. */
function drop({ candidate }: Judged): void {
  if (candidate.kind !== "stream") return;
  candidate.attempt.usage = candidate.stream.spent()?.usage ?? null;
  candidate.stream.cancel(candidate.classification);
}
