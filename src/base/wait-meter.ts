/** Measures how long a request waited for others, so that its own time is known. Overlapping waits count once. */
import type { Clock } from "./clock.ts";

export interface WaitMeter {
  /** Counts the time that `promise` takes as waiting. */
  readonly during: <T>(promise: Promise<T>) => Promise<T>;
  /** Counts a wait that is known beforehand, in ms. */
  readonly add: (waitMs: number) => void;
  /** Milliseconds waited so far. */
  readonly waitedMs: () => number;
}

export function createWaitMeter(clock: Clock): WaitMeter {
  let open = 0;
  let sinceMs = 0;
  let totalMs = 0;
  return {
    during: async (promise) => {
      if (open === 0) sinceMs = clock.nowMs();
      open += 1;
      try {
        return await promise;
      } finally {
        open -= 1;
        if (open === 0) totalMs += clock.nowMs() - sinceMs;
      }
    },
    add: (waitMs) => {
      totalMs += waitMs;
    },
    waitedMs: () => (open === 0 ? totalMs : totalMs + clock.nowMs() - sinceMs),
  };
}
