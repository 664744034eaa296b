/** A clock that stands still until a test moves it, and chance that repeats. */
import type { Clock } from "../../src/base/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on, running what falls due in order, and lets promises settle before and after each. */
  readonly advance: (ms: number) => Promise<void>;
  /** Moves time on by `ms`, running what falls due, without letting promises settle. */
  readonly jump: (ms: number) => void;
  /** Timers still armed. */
  readonly pending: () => number;
}

export interface FakeClockOptions {
  /** Monotonic start, ms. */
  readonly startMs?: number;
  /** Epoch at the start, ms. */
  readonly wallStartMs?: number;
  /** Chance; a fixed number is given back each time. Default: a repeatable sequence. */
  readonly random?: number | (() => number);
}

export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  const { startMs = 1_000, wallStartMs = Date.UTC(2026, 10, 22, 12), random = createSequence(42) } = options;
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  const nextDue = (untilMs: number) => {
    let next: { readonly atMs: number; readonly run: () => void } | null = null;
    for (const timer of timers) {
      if (timer.atMs <= untilMs && (next === null || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  };
  const runNext = (untilMs: number): boolean => {
    const timer = nextDue(untilMs);
    if (timer === null) return false;
    timers.delete(timer);
    nowMs = Math.max(nowMs, timer.atMs);
    timer.run();
    return true;
  };
  return {
    nowMs: () => nowMs,
    wallMs: () => wallStartMs + nowMs - startMs,
    random: typeof random === "number" ? () => random : random,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      while (runNext(untilMs)) await settle();
      nowMs = untilMs;
    },
    jump: (ms) => {
      const untilMs = nowMs + ms;
      while (runNext(untilMs));
      nowMs = untilMs;
    },
    pending: () => timers.size,
  };
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Mulberry32: small, repeatable, good enough to spread. */
export function createSequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
