/** The one absolute instant by which a request has to be answered. */
import type { Clock } from "../base/clock.ts";

export interface Deadline {
  /** On `clock.nowMs()`; Infinity without a limit. */
  readonly atMs: number;
  /** Never negative. */
  remainingMs(): number;
  isSpent(): boolean;
  /** Disarms it: `onSpent` will not be called any more. Calling it again does nothing. */
  clear(): void;
}

class OpenDeadline implements Deadline {
  readonly atMs: number;
  readonly #clock: Clock;
  #cancel: (() => void) | null;

  constructor(clock: Clock, totalMs: number, onSpent: () => void) {
    this.#clock = clock;
    this.atMs = totalMs > 0 ? clock.nowMs() + totalMs : Number.POSITIVE_INFINITY;
    this.#cancel = totalMs > 0 ? clock.after(totalMs, onSpent) : null;
  }

  remainingMs(): number {
    return Math.max(0, this.atMs - this.#clock.nowMs());
  }

  isSpent(): boolean {
    return this.#clock.nowMs() >= this.atMs;
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}

/** Starts a deadline `totalMs` from now (0 = none) that calls `onSpent` once when it passes. */
export function createDeadline(clock: Clock, totalMs: number, onSpent: () => void): Deadline {
  return new OpenDeadline(clock, totalMs, onSpent);
}
