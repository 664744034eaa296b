/** The attempts of one request, counted over its whole chain, and the waits it has spent. */

export interface Attempts {
  /** Attempts started so far. */
  readonly used: () => number;
  /** Counts an attempt that is about to be sent: its number, from 1; null when the limit is reached. */
  readonly start: () => number | null;
  /** Whether a retry or a hedge may be added: it must leave one attempt for each candidate still to come. */
  readonly allowsExtra: () => boolean;
  /** Candidates still to come after the current one. */
  readonly candidatesLeft: () => number;
  /** Told by the walk along the chain as it goes on. */
  readonly setCandidatesLeft: (count: number) => void;
  /** Milliseconds spent waiting for Retry-After so far. */
  readonly waitedMs: () => number;
  readonly addWaitMs: (waitMs: number) => void;
}

class Counter implements Attempts {
  readonly #max: number;
  #used = 0;
  #left: number;
  #waitedMs = 0;

  constructor(max: number, left: number) {
    this.#max = max;
    this.#left = left;
  }

  used(): number {
    return this.#used;
  }

  start(): number | null {
    if (this.#used >= this.#max) return null;
    this.#used += 1;
    return this.#used;
  }

  allowsExtra(): boolean {
    return this.#max - this.#used > this.#left;
  }

  candidatesLeft(): number {
    return this.#left;
  }

  setCandidatesLeft(count: number): void {
    this.#left = count;
  }

  waitedMs(): number {
    return this.#waitedMs;
  }

  addWaitMs(waitMs: number): void {
    this.#waitedMs += waitMs;
  }
}

/** Creates the counter of a request that may make `maxAttempts` over a chain of which `candidatesLeft` follow the first. */
export function createAttempts(maxAttempts: number, candidatesLeft: number): Attempts {
  return new Counter(maxAttempts, candidatesLeft);
}
