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

/** Creates the counter of a request that may make `maxAttempts` over a chain of which `candidatesLeft` follow the first. */
export function createAttempts(maxAttempts: number, candidatesLeft: number): Attempts {
  let used = 0;
  let left = candidatesLeft;
  let waitedMs = 0;
  return {
    used: () => used,
    start: () => (used < maxAttempts ? ++used : null),
    allowsExtra: () => maxAttempts - used > left,
    candidatesLeft: () => left,
    setCandidatesLeft: (count) => {
      left = count;
    },
    waitedMs: () => waitedMs,
    addWaitMs: (waitMs) => {
      waitedMs += waitMs;
    },
  };
}
