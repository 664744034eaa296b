/** Weekday and time of day in a zone, for `time` conditions. */

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export interface LocalTime {
  /** Index into {@link DAYS}. */
  readonly day: number;
  /** Minutes since midnight, 0–1439. */
  readonly minute: number;
}

const MINUTE_MS = 60_000;

/** Whether the runtime knows `zone` as an IANA time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const readers = new Map<string, (wallMs: number) => LocalTime>();

/**
 * The reader of local time in `zone`, one per zone: making its formatter is the expensive part.
 * @throws RangeError when the zone is not known
 */
export function localTimeIn(zone: string): (wallMs: number) => LocalTime {
  const known = readers.get(zone);
  if (known !== undefined) return known;
  const reader = createLocalTime(zone);
  readers.set(zone, reader);
  return reader;
}

/**
 * A reader of local time in `zone`. Asking Intl costs microseconds, so the answer is kept for the minute: zone offsets
 * are whole minutes.
 */
function createLocalTime(zone: string): (wallMs: number) => LocalTime {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  let keptMinute = Number.NaN;
  let kept: LocalTime = { day: 0, minute: 0 };
  return (wallMs) => {
    const minute = Math.floor(wallMs / MINUTE_MS);
    if (minute === keptMinute) return kept;
    const parts = new Map(format.formatToParts(wallMs).map((part) => [part.type, part.value]));
    const day = DAYS.findIndex((name) => name === parts.get("weekday")?.toLowerCase());
    kept = { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
    keptMinute = minute;
    return kept;
  };
}
