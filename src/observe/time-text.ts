/** Points in time as lines write them. */

/** Between the seconds and the end of a time in RFC 3339. */
const TO_SECONDS = 20;

/**
 * Renders milliseconds since the epoch as RFC 3339 in UTC, as `Date.toISOString` does. Lines that are written one after the
 * other share all but their milliseconds.
 */
export function createTimeText(): (wallMs: number) => string {
  let second = Number.NaN;
  let start = "";
  return (wallMs) => {
    const whole = Math.floor(wallMs / 1000);
    if (whole !== second) {
      start = new Date(whole * 1000).toISOString().slice(0, TO_SECONDS);
      second = whole;
    }
    const milliseconds = Math.floor(wallMs) - whole * 1000;
    return `${start}${milliseconds < 100 ? (milliseconds < 10 ? "00" : "0") : ""}${milliseconds}Z`;
  };
}
