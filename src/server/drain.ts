/** Going away without cutting anybody off (docs/resilience.md, drain). */
import { createChildAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";

export interface Drain {
  /** False once the gateway is going away: new connections are told to close. */
  readonly isServing: () => boolean;
  /** Aborts what is still in flight when its time is up; the reason is a `draining` error. */
  readonly signal: Signal;
  /** Counts a request in. */
  readonly enter: () => void;
  /** Counts it out again, once. */
  readonly leave: () => void;
  readonly inFlight: () => number;
  /** Stops accepting as configured, waits for what is in flight; true when nothing was cut. Only the first call counts. */
  readonly run: (listener: Listener, options: DrainTimes) => Promise<boolean>;
}

/** What listens for connections. */
export interface Listener {
  /** Refuses new connections; those open go on. */
  readonly stopListening: () => void;
  /** Requests whose answers are not wholly written yet. */
  readonly pending: () => number;
}

export interface DrainTimes {
  /** Keeps accepting this long, so that load balancers notice. */
  readonly delayMs: number;
  /** For requests in flight. */
  readonly timeoutMs: number;
}

/** How long streams get to tell their clients after they were ended. */
const LAST_WORDS_MS = 500;
/** How often it is looked whether everything has been written. */
const LOOK_MS = 10;

export function createDrain(clock: Clock): Drain {
  const abort = createChildAbort();
  let serving = true;
  let count = 0;
  let running: Promise<boolean> | null = null;

  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  /** Whether nothing is in flight any more, within `ms`: requests are over, and their answers have left. */
  const untilIdle = async (listener: Listener, ms: number): Promise<boolean> => {
    const endMs = clock.nowMs() + ms;
    for (;;) {
      if (count === 0 && listener.pending() === 0) return true;
      if (clock.nowMs() >= endMs) return false;
      await wait(LOOK_MS);
    }
  };

  const drain = async (listener: Listener, { delayMs, timeoutMs }: DrainTimes): Promise<boolean> => {
    serving = false;
    if (delayMs > 0) await wait(delayMs);
    listener.stopListening();
    if (await untilIdle(listener, timeoutMs)) return true;
    abort.abort(new GatewayError("draining", "the gateway is shutting down; try again"));
    await untilIdle(listener, LAST_WORDS_MS);
    return false;
  };

  return {
    isServing: () => serving,
    signal: abort.signal,
    enter: () => {
      count += 1;
    },
    leave: () => {
      count -= 1;
    },
    inFlight: () => count,
    run: (listener, times) => (running ??= drain(listener, times)),
  };
}
