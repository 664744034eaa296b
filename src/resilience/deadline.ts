/** The one absolute instant by which a request has to be answered. */
import type { Clock } from "../base/clock.ts";

export interface Deadline {
  /** On `clock.nowMs()`; Infinity without a limit. */
  readonly atMs: number;
  /** Never negative. */
  readonly remainingMs: () => number;
  readonly isSpent: () => boolean;
  /** Disarms it: `onSpent` will not be called any more. Calling it again does nothing. */
  readonly clear: () => void;
}

/** Starts a deadline `totalMs` from now (0 = none) that calls `onSpent` once when it passes. */
export function createDeadline(clock: Clock, totalMs: number, onSpent: () => void): Deadline {
  const atMs = totalMs > 0 ? clock.nowMs() + totalMs : Number.POSITIVE_INFINITY;
  const cancel = totalMs > 0 ? clock.after(totalMs, onSpent) : (): void => undefined;
  return {
    atMs,
    remainingMs: () => Math.max(0, atMs - clock.nowMs()),
    isSpent: () => clock.nowMs() >= atMs,
    clear: cancel,
  };
}
