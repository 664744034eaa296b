/** How long to wait before trying the same upstream again. Pure: chance is passed in. */

/** The delays of `[retry]`, in ms. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly capMs: number;
  /** Where the upstream asked for less load without saying how long to wait. */
  readonly throttleBaseMs: number;
  readonly throttleCapMs: number;
}

/**
 * Backoff before retry `retry` (from 1), in ms: full jitter, `random(0, d)`, which spreads clients best; equal jitter,
 * `d/2 + random(0, d/2)`, where the upstream asked for less load and an early retry would be unkind.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (read 2026-11-24)
 */
export function computeBackoffMs(
  settings: BackoffSettings,
  retry: number,
  lessLoad: boolean,
  random: () => number,
): number {
  const [baseMs, capMs] = lessLoad
    ? [settings.throttleBaseMs, settings.throttleCapMs]
    : [settings.baseMs, settings.capMs];
  const delayMs = Math.min(capMs, baseMs * 2 ** (retry - 1));
  return lessLoad ? delayMs / 2 + random() * (delayMs / 2) : random() * delayMs;
}

/** The wait for an upstream's Retry-After, in ms: never earlier than it asked, up to 10 % later so that clients spread. */
export function honouredWaitMs(retryAfterMs: number, random: () => number): number {
  return retryAfterMs + random() * 0.1 * retryAfterMs;
}

/** Limits on waiting for a Retry-After, in ms. */
export interface PatienceSettings {
  /** Longest wait while another candidate remains. */
  readonly patienceMs: number;
  /** Sum of the waits of one request when none remains. */
  readonly capMs: number;
}

/** Whether to wait for a Retry-After of `retryAfterMs`, when `waitedMs` have been spent so before and `candidatesLeft` could be asked instead. */
export function isWorthWaiting(
  settings: PatienceSettings,
  retryAfterMs: number,
  waitedMs: number,
  candidatesLeft: number,
): boolean {
  return candidatesLeft > 0 ? retryAfterMs <= settings.patienceMs : waitedMs + retryAfterMs <= settings.capMs;
}
