/** What an upstream says about when to come back. */

/** The part of `Headers` that is read. */
export interface HeaderReader {
  readonly get: (name: string) => string | null;
}

/**
 * The wait an answer asks for, in ms: `retry-after-ms`, then `retry-after` as decimal seconds, then as HTTP-date, taken
 * relative to the answer's own `date` (else to `wallMs`) so that a wrong clock does no harm. null without a usable
 * value: negative, in the past or unreadable; Infinity for one beyond every number.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 (read 2026-11-24)
 */
export function parseRetryAfter(headers: HeaderReader, wallMs: number): number | null {
  const milliseconds = parseDuration(headers.get("retry-after-ms"));
  if (milliseconds !== null) return milliseconds;
  const text = headers.get("retry-after");
  const seconds = parseDuration(text);
  if (seconds !== null) return seconds * 1000;
  const at = parseHttpDate(text);
  if (at === null) return null;
  const waitMs = at - (parseHttpDate(headers.get("date")) ?? wallMs);
  return waitMs < 0 ? null : waitMs;
}

const DECIMAL = /^\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^\+?inf(?:inity)?$/i;

function parseDuration(text: string | null): number | null {
  const trimmed = text?.trim() ?? "";
  if (INFINITE.test(trimmed)) return Number.POSITIVE_INFINITY;
  return DECIMAL.test(trimmed) ? Number(trimmed) : null;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const IMF_FIXDATE = /^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/i;
const RFC_850 = /^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/i;
const ASCTIME = /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/i;

/**
 * Milliseconds since the epoch of an HTTP-date in any of its three spellings; null for anything else.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 (read 2026-11-24)
 */
export function parseHttpDate(text: string | null): number | null {
  const trimmed = text?.trim() ?? "";
  const parts = (IMF_FIXDATE.exec(trimmed) ?? RFC_850.exec(trimmed) ?? ASCTIME.exec(trimmed))?.groups;
  if (parts === undefined) return null;
  const month = MONTHS.indexOf((parts["month"] ?? "").toLowerCase());
  if (month < 0) return null;
  const digits = parts["year"] ?? "";
  const year = Number(digits) + (digits.length > 2 ? 0 : Number(digits) < 70 ? 2000 : 1900);
  const [hours = 0, minutes = 0, seconds = 0] = (parts["time"] ?? "").split(":").map(Number);
  return Date.UTC(year, month, Number(parts["day"]), hours, minutes, seconds);
}
