/** Limits on one phase of an attempt, and on the silence within a stream. */
import { createChildAbort, followAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { type Call, type Classified, type Combinator, whenEnded } from "./dispatch.ts";

/** Why an attempt was stopped before it gave a result. */
export type StopReason = "limit" | "deadline" | "aborted";

export interface TimeoutOptions<Request, Result> {
  readonly clock: Clock;
  /** Time for the phase until the result is there, in ms; 0 = none. */
  readonly limitMs: (request: Request, call: Call) => number;
  /** The result in place of the one that did not come. */
  readonly stopped: (request: Request, reason: StopReason, afterMs: number) => Result;
  /** Lets go of a result that came too late. */
  readonly discard: (result: Result) => void;
}

/**
 * The layer that ends an attempt at its limit, at the request's deadline or on abort, whichever is first. It answers at
 * that moment, even if the attempt below is slow to obey its signal.
 */
export function createTimeout<Request, Result extends Classified>(
  options: TimeoutOptions<Request, Result>,
): Combinator<Request, Result> {
  const { clock, limitMs, stopped, discard } = options;
  return (next) => (request, call) => {
    const startMs = clock.nowMs();
    const phaseMs = limitMs(request, call);
    const remainingMs = Math.max(0, call.deadlineMs - startMs);
    const isPhase = phaseMs > 0 && phaseMs <= remainingMs;
    const waitMs = isPhase ? phaseMs : remainingMs;

    return new Promise<Result>((resolve, reject) => {
      if (call.signal.aborted) {
        resolve(stopped(request, "aborted", 0));
        return;
      }
      const attempt = createChildAbort(call.signal);
      let isOver = false;
      const settle = (): void => {
        isOver = true;
        cancelTimer();
        letGo();
      };
      const stop = (reason: StopReason): void => {
        settle();
        attempt.abort(call.signal.aborted ? call.signal.reason : new DOMException("attempt stopped", "TimeoutError"));
        resolve(stopped(request, reason, clock.nowMs() - startMs));
      };
      const cancelTimer = Number.isFinite(waitMs)
        ? clock.after(waitMs, () => stop(isPhase ? "limit" : "deadline"))
        : (): void => undefined;
      const letGo = followAbort(call.signal, () => stop("aborted"));
      next(request, { ...call, signal: attempt.signal }).then(
        (result) => {
          if (isOver) {
            discard(result);
            return;
          }
          settle();
          // The body still obeys the attempt's signal: it follows the request until the body's end.
          whenEnded(result, attempt.release);
          resolve(result);
        },
        (error: unknown) => {
          if (isOver) return;
          settle();
          attempt.release();
          reject(error);
        },
      );
    });
  };
}

export interface Watchdog {
  /** Puts the alarm off: something was heard. Costs a clock reading, no timer. */
  readonly touch: () => void;
  /** Calling it again does nothing. */
  readonly stop: () => void;
}

/** Calls `onSilence` once when `silenceMs` have passed without a touch; 0 = never. */
export function createWatchdog(clock: Clock, silenceMs: number, onSilence: () => void): Watchdog {
  if (silenceMs <= 0) return { touch: () => undefined, stop: () => undefined };
  let heardMs = clock.nowMs();
  const look = (): void => {
    const leftMs = heardMs + silenceMs - clock.nowMs();
    if (leftMs <= 0) onSilence();
    else cancel = clock.after(leftMs, look);
  };
  let cancel = clock.after(silenceMs, look);
  return {
    touch: () => {
      heardMs = clock.nowMs();
    },
    stop: () => cancel(),
  };
}
