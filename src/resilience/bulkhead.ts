/** Permits per upstream: one that hangs cannot use up what the others need. */
import { followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Call, Classified } from "./dispatch.ts";
import { type Guard, type Pass, type Refusal, refuseWith } from "./guard.ts";

export interface BulkheadSettings {
  /** Permits. */
  readonly limit: number;
  readonly queueDepth: number;
  readonly queueTimeoutMs: number;
}

/** A place in flight; a call that holds it gives it back when its result's body has ended. */
export interface Permit extends Pass<Classified> {
  readonly ok: true;
  /** Gives it back; calling it again does nothing. */
  release(): void;
}

/** Why no permit was given. */
export type BulkheadRefusal = "busy" | "queue-full" | "queue-timeout" | "aborted";

export type Admission = Permit | { readonly ok: false; readonly reason: BulkheadRefusal };

export interface Bulkhead {
  /** A permit now, or null. Those who queue come first. */
  readonly tryAcquire: () => Permit | null;
  /** A permit at once where one is free, else waiting in line for it at most the queue timeout and until `signal` aborts. */
  readonly acquire: (signal: Signal) => Admission | Promise<Admission>;
  readonly inFlight: () => number;
  readonly queued: () => number;
  /** In-flight divided by the limit. */
  readonly load: () => number;
}

/** Creates a bulkhead. `settings` is read at each use, so that a reload may change it. */
export function createBulkhead(settings: () => BulkheadSettings, clock: Clock): Bulkhead {
  let inFlight = 0;
  // Insertion-ordered, so the first is who has waited longest; leaving from the middle is cheap.
  const waiters = new Set<(permit: Permit) => void>();

  const onRelease = (): void => {
    inFlight--;
    admitWaiters();
  };
  const createPermit = (): Permit => {
    inFlight++;
    return new HeldPermit(onRelease);
  };
  const admitWaiters = (): void => {
    for (const admit of waiters) {
      if (inFlight >= settings().limit) return;
      waiters.delete(admit);
      admit(createPermit());
    }
  };
  const tryAcquire = (): Permit | null => (waiters.size === 0 && inFlight < settings().limit ? createPermit() : null);

  const standInLine = (signal: Signal): Promise<Admission> =>
    new Promise((resolve) => {
      const leave = (admission: Admission): void => {
        waiters.delete(admit);
        cancelTimer();
        link.release();
        resolve(admission);
      };
      const admit = (permit: Permit): void => leave(permit);
      const cancelTimer = clock.after(settings().queueTimeoutMs, () => leave({ ok: false, reason: "queue-timeout" }));
      const link = followAbort(signal, { onAbort: () => leave({ ok: false, reason: "aborted" }) });
      waiters.add(admit);
    });

  return {
    tryAcquire,
    acquire: (signal) => {
      if (signal.aborted) return { ok: false, reason: "aborted" };
      const permit = tryAcquire();
      if (permit !== null) return permit;
      return waiters.size < settings().queueDepth ? standInLine(signal) : { ok: false, reason: "queue-full" };
    },
    inFlight: () => inFlight,
    queued: () => waiters.size,
    load: () => inFlight / settings().limit,
  };
}

class HeldPermit implements Permit {
  readonly ok = true;
  #onRelease: (() => void) | null;

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  release(): void {
    const onRelease = this.#onRelease;
    this.#onRelease = null;
    onRelease?.();
  }

  onResult(result: Classified): void {
    if (result.onEnd === undefined) this.release();
    else this.#followBody(result);
  }

  #followBody(result: Classified): void {
    result.onEnd?.(() => this.release());
  }

  onThrow(): void {
    this.release();
  }
}

export interface BulkheadGuardOptions<Request, Result> {
  readonly bulkheadOf: (request: Request) => Bulkhead;
  /** Whether to queue for a permit: only when no other candidate could be asked instead. */
  readonly mayQueue: (request: Request, call: Call) => boolean;
  /** The result of a call that got no permit (class `local`, or `aborted`). */
  readonly refuse: (request: Request, reason: BulkheadRefusal) => Result;
}

/** The guard that holds a permit from before the call until the end of the result's body. */
export function createBulkheadGuard<Request, Result extends Classified>(
  options: BulkheadGuardOptions<Request, Result>,
): Guard<Request, Result> {
  const { bulkheadOf, mayQueue, refuse } = options;
  const enter = (request: Request, admission: Admission): Pass<Result> | Refusal<Result> =>
    admission.ok ? admission : refuseWith(refuse(request, admission.reason));
  const enterLater = async (request: Request, asked: Promise<Admission>): Promise<Pass<Result> | Refusal<Result>> =>
    enter(request, await asked);
  return {
    enter: (request, call) => {
      const bulkhead = bulkheadOf(request);
      if (!mayQueue(request, call)) return bulkhead.tryAcquire() ?? refuseWith(refuse(request, "busy"));
      const asked = bulkhead.acquire(call.signal);
      return asked instanceof Promise ? enterLater(request, asked) : enter(request, asked);
    },
  };
}
