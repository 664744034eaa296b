/** Permits per upstream: one that hangs cannot use up what the others need. */
import { followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { type Call, type Classified, type Combinator, whenEnded } from "./dispatch.ts";

export interface BulkheadSettings {
  /** Permits. */
  readonly limit: number;
  readonly queueDepth: number;
  readonly queueTimeoutMs: number;
}

/** Gives the permit back; calling it again does nothing. */
export type Release = () => void;

/** Why no permit was given. */
export type BulkheadRefusal = "busy" | "queue-full" | "queue-timeout" | "aborted";

export type Admission =
  { readonly ok: true; readonly release: Release } | { readonly ok: false; readonly reason: BulkheadRefusal };

export interface Bulkhead {
  /** A permit now, or null. Those who queue come first. */
  readonly tryAcquire: () => Release | null;
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
  const waiters = new Set<(release: Release) => void>();

  const createPermit = (): Release => {
    inFlight++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      inFlight--;
      admitWaiters();
    };
  };
  const admitWaiters = (): void => {
    for (const admit of waiters) {
      if (inFlight >= settings().limit) return;
      waiters.delete(admit);
      admit(createPermit());
    }
  };
  const tryAcquire = (): Release | null => (waiters.size === 0 && inFlight < settings().limit ? createPermit() : null);

  return {
    tryAcquire,
    acquire: (signal) => {
      if (signal.aborted) return { ok: false, reason: "aborted" };
      const release = tryAcquire();
      if (release !== null) return { ok: true, release };
      const { queueDepth, queueTimeoutMs } = settings();
      if (waiters.size >= queueDepth) return { ok: false, reason: "queue-full" };
      return new Promise((resolve) => {
        const leave = (admission: Admission): void => {
          waiters.delete(admit);
          cancelTimer();
          letGo();
          resolve(admission);
        };
        const admit = (permit: Release): void => leave({ ok: true, release: permit });
        const cancelTimer = clock.after(queueTimeoutMs, () => leave({ ok: false, reason: "queue-timeout" }));
        const letGo = followAbort(signal, () => leave({ ok: false, reason: "aborted" }));
        waiters.add(admit);
      });
    },
    inFlight: () => inFlight,
    queued: () => waiters.size,
    load: () => inFlight / settings().limit,
  };
}

export interface BulkheadLayerOptions<Request, Result> {
  readonly bulkheadOf: (request: Request) => Bulkhead;
  /** Whether to queue for a permit: only when no other candidate could be asked instead. */
  readonly mayQueue: (request: Request, call: Call) => boolean;
  /** The result of a call that got no permit (class `local`, or `aborted`). */
  readonly refuse: (request: Request, reason: BulkheadRefusal) => Result;
}

/** The layer that holds a permit from before the call until the end of the result's body. */
export function createBulkheadLayer<Request, Result extends Classified>(
  options: BulkheadLayerOptions<Request, Result>,
): Combinator<Request, Result> {
  const { bulkheadOf, mayQueue, refuse } = options;
  const admit = (request: Request, call: Call): Admission | Promise<Admission> => {
    const bulkhead = bulkheadOf(request);
    if (mayQueue(request, call)) return bulkhead.acquire(call.signal);
    const release = bulkhead.tryAcquire();
    return release === null ? { ok: false, reason: "busy" } : { ok: true, release };
  };
  return (next) => async (request, call) => {
    const asked = admit(request, call);
    // Waited for only where one has to stand in line: each wait is a turn of the event loop's queue.
    const admission = asked instanceof Promise ? await asked : asked;
    if (!admission.ok) return refuse(request, admission.reason);
    try {
      const result = await next(request, call);
      whenEnded(result, admission.release);
      return result;
    } catch (error) {
      admission.release();
      throw error;
    }
  };
}
