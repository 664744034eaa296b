/** The one retry loop: the same request to the same upstream, before any byte has reached the client. */
import type { Signal } from "../base/abort.ts";
import { type Clock, sleep } from "../base/clock.ts";
import type { Attempts } from "./attempts.ts";
import { type BackoffSettings, computeBackoffMs, honouredWaitMs, isWorthWaiting } from "./backoff.ts";
import type { Budget } from "./budget.ts";
import type { Call, Classification, Classified, Combinator } from "./dispatch.ts";

export interface RetrySettings extends BackoffSettings {
  /** Tries after the first. */
  readonly maxRetries: number;
  readonly isTimeoutRetried: boolean;
  readonly retryAfterPatienceMs: number;
  readonly retryAfterCapMs: number;
}

/** How a candidate's first try stands to the budget, once it was sent. */
export type Entry =
  /** Deposits. */
  | "offered"
  /** A fallback to the same provider after it failed: takes a token if there is one, and is never refused. */
  | "charged";

export interface RetryNotice {
  /** From 1. */
  readonly retry: number;
  readonly waitMs: number;
  readonly classification: Classification;
}

export interface RetryOptions<Request, Result> {
  readonly clock: Clock;
  readonly settings: (request: Request) => RetrySettings;
  /** The provider's budget. */
  readonly budget: (request: Request) => Budget;
  readonly attempts: (request: Request) => Attempts;
  readonly entry: (request: Request) => Entry;
  /** False: sent again only when nothing can have arrived. */
  readonly isReplayable: (request: Request) => boolean;
  readonly onRetry: (request: Request, notice: RetryNotice) => void;
  /** Told when nothing but the empty budget stood in the way of another try. */
  readonly onBudgetEmpty?: (request: Request) => void;
  /** Lets go of a result that another one supersedes. */
  readonly discard: (result: Result) => void;
}

/**
 * The layer that tries again. A result that may be retried must not hold a connection: it is kept during the backoff and
 * is the answer when no later try is sent. A connection that was stale is tried again once, at once, beside the limit and
 * the budget.
 */
export function createRetry<Request, Result extends Classified>(
  options: RetryOptions<Request, Result>,
): Combinator<Request, Result> {
  const { clock } = options;

  /** The wait before one more try of `request`, in ms; null when there is to be none. Takes the budget's token. */
  const planWait = (request: Request, call: Call, classification: Classification, retries: number): number | null => {
    const settings = options.settings(request);
    const attempts = options.attempts(request);
    const isRetryable =
      classification.retry !== "no" || (classification.class === "timeout" && settings.isTimeoutRetried);
    if (!isRetryable || call.signal.aborted || !attempts.allowsExtra()) return null;
    if (!classification.unsent && !options.isReplayable(request)) return null;
    if (classification.retry === "at-once" && call.afterStale !== true) return 0;
    if (retries >= settings.maxRetries) return null;
    const waitMs = waitFor(settings, attempts, classification, retries + 1);
    if (waitMs === null || waitMs > call.deadlineMs - clock.nowMs()) return null;
    if (!options.budget(request).withdraw()) {
      options.onBudgetEmpty?.(request);
      return null;
    }
    if (classification.retryAfterMs !== null) attempts.addWaitMs(classification.retryAfterMs);
    return waitMs;
  };

  const waitFor = (
    settings: RetrySettings,
    attempts: Attempts,
    { retryAfterMs, lessLoad }: Classification,
    retry: number,
  ): number | null => {
    if (retryAfterMs === null) return computeBackoffMs(settings, retry, lessLoad, clock.random);
    const patience = { patienceMs: settings.retryAfterPatienceMs, capMs: settings.retryAfterCapMs };
    return isWorthWaiting(patience, retryAfterMs, attempts.waitedMs(), attempts.candidatesLeft())
      ? honouredWaitMs(retryAfterMs, clock.random)
      : null;
  };

  return (next) => async (request, firstCall) => {
    let call = firstCall;
    let retries = 0;
    let result = await next(request, call);
    if (result.classification.class !== "local") {
      const budget = options.budget(request);
      if (options.entry(request) === "offered") budget.deposit();
      else budget.withdraw();
    }
    for (;;) {
      const { classification } = result;
      const waitMs = planWait(request, call, classification, retries);
      if (waitMs === null) return result;
      const isAtOnce = classification.retry === "at-once" && call.afterStale !== true;
      if (!isAtOnce) retries++;
      call = { ...call, retry: call.retry + 1, afterStale: isAtOnce };
      options.onRetry(request, { retry: call.retry, waitMs, classification });
      if (!isAtOnce && !(await slept(clock, waitMs, call.signal))) return result;
      const later = await next(request, call);
      // A try that was never sent (breaker open, no permit) says nothing of the upstream: the last real answer stands.
      if (later.classification.class === "local") {
        options.discard(later);
        return result;
      }
      options.discard(result);
      result = later;
    }
  };
}

async function slept(clock: Clock, waitMs: number, signal: Signal): Promise<boolean> {
  try {
    await sleep(clock, waitMs, signal);
    return true;
  } catch {
    return false;
  }
}
