/** Gates that stay shut while an upstream has asked to be left alone. */
import type { Clock } from "../base/clock.ts";
import type { Classification } from "./dispatch.ts";

export interface ThrottleGates {
  /** Reads an outcome: a 429 with a Retry-After of a second or more shuts the gate of `key`. */
  readonly observe: (key: string, classification: Classification) => void;
  /** Milliseconds until the gate of `key` opens; 0 when it is open. */
  readonly remainingMs: (key: string) => number;
}

const SHUT_FROM_MS = 1_000;
const SHUT_AT_MOST_MS = 60_000;
const SWEEP_ABOVE = 256;

/** Creates the gates, one per key, all open. Keys that are open cost nothing. */
export function createThrottleGates(clock: Clock): ThrottleGates {
  const shutUntil = new Map<string, number>();
  const sweep = (nowMs: number): void => {
    for (const [key, untilMs] of shutUntil) if (untilMs <= nowMs) shutUntil.delete(key);
  };
  return {
    observe: (key, { class: outcome, retryAfterMs }) => {
      if (outcome !== "rate" || retryAfterMs === null || retryAfterMs < SHUT_FROM_MS) return;
      const nowMs = clock.nowMs();
      if (shutUntil.size >= SWEEP_ABOVE) sweep(nowMs);
      const untilMs = nowMs + Math.min(retryAfterMs, SHUT_AT_MOST_MS);
      shutUntil.set(key, Math.max(untilMs, shutUntil.get(key) ?? 0));
    },
    remainingMs: (key) => {
      const untilMs = shutUntil.get(key);
      if (untilMs === undefined) return 0;
      const remainingMs = untilMs - clock.nowMs();
      if (remainingMs > 0) return remainingMs;
      shutUntil.delete(key);
      return 0;
    },
  };
}
