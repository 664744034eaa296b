/** Going away without cutting anybody off (docs/resilience.md, drain). */
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";

export interface Drain {
  /** False once the gateway is going away: new connections are told to close. */
  readonly isServing: () => boolean;
  /** Aborts what is still in flight when its time is up; the reason is a `draining` error. */
  readonly signal: AbortSignal;
  /** Counts a request in; the returned function counts it out and is safe to call again. */
  readonly enter: () => () => void;
  readonly inFlight: () => number;
  /** Stops accepting as configured, waits for what is in flight; true when nothing was cut. Only the first call counts. */
  readonly run: (stopListening: () => void, options: DrainTimes) => Promise<boolean>;
}

export interface DrainTimes {
  /** Keeps accepting this long, so that load balancers notice. */
  readonly delayMs: number;
  /** For requests in flight. */
  readonly timeoutMs: number;
}

/** How long streams get to tell their clients after they were ended. */
const LAST_WORDS_MS = 500;

export function createDrain(clock: Clock): Drain {
  const abort = new AbortController();
  let serving = true;
  let count = 0;
  let idle: (() => void) | null = null;
  let running: Promise<boolean> | null = null;

  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const untilIdle = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      if (count === 0) {
        resolve(true);
        return;
      }
      const cancel = clock.after(ms, () => resolve(false));
      idle = () => {
        cancel();
        resolve(true);
      };
    });

  const drain = async (stopListening: () => void, { delayMs, timeoutMs }: DrainTimes): Promise<boolean> => {
    serving = false;
    if (delayMs > 0) await wait(delayMs);
    stopListening();
    if (await untilIdle(timeoutMs)) return true;
    abort.abort(new GatewayError("draining", "the gateway is shutting down; try again"));
    await untilIdle(LAST_WORDS_MS);
    return false;
  };

  return {
    isServing: () => serving,
    signal: abort.signal,
    enter: () => {
      count += 1;
      let isIn = true;
      return () => {
        if (!isIn) return;
        isIn = false;
        count -= 1;
        if (count === 0) idle?.();
      };
    },
    inFlight: () => count,
    run: (stopListening, times) => (running ??= drain(stopListening, times)),
  };
}
