/** Recent latencies of one upstream, for the delay before a hedge. */
import type { Clock } from "../base/clock.ts";

export interface LatencyWindowSettings {
  readonly windowMs: number;
  /** Fewer samples give no quantile. */
  readonly minSamples: number;
  /** Oldest samples go first beyond this. */
  readonly maxSamples: number;
}

/** Ten minutes, as hedging reads it. */
export const HEDGE_WINDOW: LatencyWindowSettings = { windowMs: 600_000, minSamples: 50, maxSamples: 1024 };

export interface LatencyWindow {
  readonly record: (latencyMs: number) => void;
  /** The `fraction` quantile (nearest rank) in ms; null with too few samples. */
  readonly quantile: (fraction: number) => number | null;
}

/** A quantile is computed at most this often: it sorts the window. */
const FRESH_MS = 1_000;

export function createLatencyWindow(settings: LatencyWindowSettings, clock: Clock): LatencyWindow {
  const values = new Float64Array(settings.maxSamples);
  const times = new Float64Array(settings.maxSamples);
  let first = 0;
  let count = 0;
  let sorted = new Float64Array(0);
  let sortedAtMs = Number.NEGATIVE_INFINITY;

  const expire = (nowMs: number): void => {
    while (count > 0 && (times[first] ?? 0) <= nowMs - settings.windowMs) {
      first = (first + 1) % settings.maxSamples;
      count--;
    }
  };
  return {
    record: (latencyMs) => {
      const nowMs = clock.nowMs();
      expire(nowMs);
      if (count === settings.maxSamples) first = (first + 1) % settings.maxSamples;
      else count++;
      const index = (first + count - 1) % settings.maxSamples;
      values[index] = latencyMs;
      times[index] = nowMs;
    },
    quantile: (fraction) => {
      const nowMs = clock.nowMs();
      if (nowMs - sortedAtMs >= FRESH_MS) {
        expire(nowMs);
        sorted = Float64Array.from(
          { length: count },
          (_, offset) => values[(first + offset) % settings.maxSamples] ?? 0,
        );
        sorted.sort();
        sortedAtMs = nowMs;
      }
      if (sorted.length < settings.minSamples) return null;
      return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? null;
    },
  };
}
