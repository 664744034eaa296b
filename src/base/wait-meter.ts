/** Measures how long a request waited for others, so that its own time is known. Overlapping waits count once. */
import type { Clock } from "./clock.ts";

export interface WaitMeter {
  /** A wait begins, and ends: what {@link during} does, without a promise of its own. */
  readonly begin: () => void;
  readonly end: () => void;
  /** Counts the time that `promise` takes as waiting. */
  readonly during: <T>(promise: Promise<T>) => Promise<T>;
  /** Counts a wait that is known beforehand, in ms. */
  readonly add: (waitMs: number) => void;
  /** Milliseconds waited so far. */
  readonly waitedMs: () => number;
}

class Meter implements WaitMeter {
  readonly #clock: Clock;
  #open = 0;
  #sinceMs = 0;
  #totalMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): void {
    if (this.#open === 0) this.#sinceMs = this.#clock.nowMs();
    this.#open += 1;
  }

  end(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#totalMs += this.#clock.nowMs() - this.#sinceMs;
  }

  async during<T>(promise: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await promise;
    } finally {
      this.end();
    }
  }

  add(waitMs: number): void {
    this.#totalMs += waitMs;
  }

  waitedMs(): number {
    return this.#open === 0 ? this.#totalMs : this.#totalMs + this.#clock.nowMs() - this.#sinceMs;
  }
}

export function createWaitMeter(clock: Clock): WaitMeter {
  return new Meter(clock);
}
