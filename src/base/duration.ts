/** Durations as configuration, policies and headers write them: `250ms`, `2s`, `1.5m`, `1h`; `0s` is none. */

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** Longest duration accepted, in ms: a day. */
export const MAX_DURATION_MS = 86_400_000;

/** Milliseconds of `text`; null when it is not a duration or longer than a day. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text);
  if (match === null) return null;
  const [, amount = "", unit = ""] = match;
  const milliseconds = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return milliseconds <= MAX_DURATION_MS ? milliseconds : null;
}

/** The shortest exact spelling in one unit: 90000 is `90s`, 1500 is `1500ms`. */
export function renderDurationMs(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  if (milliseconds % UNIT_MS.h === 0) return `${milliseconds / UNIT_MS.h}h`;
  if (milliseconds % UNIT_MS.m === 0) return `${milliseconds / UNIT_MS.m}m`;
  if (milliseconds % UNIT_MS.s === 0) return `${milliseconds / UNIT_MS.s}s`;
  return `${milliseconds}ms`;
}
