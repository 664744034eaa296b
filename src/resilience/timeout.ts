/** Limits on one phase of an attempt. */
import { type AbortFollower, type AbortLink, type ChildAbort, createChildAbort, followAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { type Call, type Classified, type Combinator, type Dispatch, whenEnded } from "./dispatch.ts";

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
  const { clock, limitMs } = options;
  return (next) => (request, call) => {
    if (call.signal.aborted) return Promise.resolve(options.stopped(request, "aborted", 0));
    const timed = new TimedCall(options, request, call, clock.nowMs(), limitMs(request, call));
    return new Promise<Result>((resolve, reject) => timed.run(next, resolve, reject));
  };
}

/** One attempt on the clock. It is told of its caller's abort, and of its own end by whichever comes first. */
class TimedCall<Request, Result extends Classified> implements AbortFollower {
  readonly #options: TimeoutOptions<Request, Result>;
  readonly #request: Request;
  readonly #call: Call;
  readonly #startMs: number;
  readonly #waitMs: number;
  readonly #isPhase: boolean;
  readonly #attempt: ChildAbort;
  readonly #link: AbortLink;
  #cancelTimer: (() => void) | null = null;
  #resolve: ((result: Result) => void) | null = null;

  constructor(
    options: TimeoutOptions<Request, Result>,
    request: Request,
    call: Call,
    startMs: number,
    phaseMs: number,
  ) {
    const remainingMs = Math.max(0, call.deadlineMs - startMs);
    this.#options = options;
    this.#request = request;
    this.#call = call;
    this.#startMs = startMs;
    this.#isPhase = phaseMs > 0 && phaseMs <= remainingMs;
    this.#waitMs = this.#isPhase ? phaseMs : remainingMs;
    this.#attempt = createChildAbort(call.signal);
    this.#link = followAbort(call.signal, this);
  }

  run(next: Dispatch<Request, Result>, resolve: (result: Result) => void, reject: (error: unknown) => void): void {
    this.#resolve = resolve;
    if (Number.isFinite(this.#waitMs)) {
      const reason = this.#isPhase ? "limit" : "deadline";
      this.#cancelTimer = this.#options.clock.after(this.#waitMs, () => this.#stop(reason));
    }
    const { deadlineMs, retry, leg, afterStale = false } = this.#call;
    next(this.#request, { signal: this.#attempt.signal, deadlineMs, retry, leg, afterStale }).then(
      (result) => {
        if (!this.#settle()) {
          this.#options.discard(result);
          return;
        }
        releaseAtEnd(result, this.#attempt);
        resolve(result);
      },
      (error: unknown) => {
        if (!this.#settle()) return;
        this.#attempt.release();
        reject(error);
      },
    );
  }

  onAbort(): void {
    this.#stop("aborted");
  }

  #stop(reason: StopReason): void {
    const resolve = this.#resolve;
    if (!this.#settle()) return;
    const { clock, stopped } = this.#options;
    const { signal } = this.#call;
    this.#attempt.abort(signal.aborted ? signal.reason : new DOMException("attempt stopped", "TimeoutError"));
    resolve?.(stopped(this.#request, reason, clock.nowMs() - this.#startMs));
  }

  /** Whether this is the first end that it comes to. */
  #settle(): boolean {
    if (this.#resolve === null) return false;
    this.#resolve = null;
    this.#cancelTimer?.();
    this.#link.release();
    return true;
  }
}

/**
 * A body still obeys its attempt's signal, which follows the request until the body's end. Apart, so that what waits for that end
 * holds the attempt and nothing else of the call.
 */
function releaseAtEnd(result: Classified, attempt: ChildAbort): void {
  whenEnded(result, () => attempt.release());
}
