/** Time and chance, passed in so that tests drive both. The only file that reads the process's own. */
import { followAbort, type Signal } from "./abort.ts";

export interface Clock {
  /** Milliseconds since the epoch, for stamps. */
  readonly wallMs: () => number;
  /** Monotonic milliseconds with a fraction, for durations and deadlines. */
  readonly nowMs: () => number;
  /** Calls `run` after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  after: (delayMs, run) => {
    // setTimeout fires at once for delays past 2^31-1 ms.
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), 2_147_483_647));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Sleeps `delayMs`; rejects with the signal's reason as soon as `signal` aborts. Leaves no timer or listener. */
export function sleep(clock: Clock, delayMs: number, signal: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const cancel = clock.after(delayMs, () => {
      link.release();
      resolve();
    });
    const link = followAbort(signal, {
      onAbort: (reason) => {
        cancel();
        reject(reason);
      },
    });
  });
}
