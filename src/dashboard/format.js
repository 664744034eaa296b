/** Numbers as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value) {
  return Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value);
}

/** Short enough for an axis. */
export function short(value) {
  return Math.abs(value) < 1 && value !== 0 ? String(Number(value.toPrecision(2))) : compact.format(value);
}

/** US dollars with two places, or as many as show two digits of a small amount. */
export function dollars(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const places = size === 0 || size >= 1 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(size)) + 1);
  const text = `$${size.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, places) })}`;
  return value < 0 ? `−${text}` : text;
}

export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** Time that has passed, in its largest unit and the next. */
export function elapsed(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(" ");
}

export function clock(time, withSeconds = true) {
  const options = { hour: "2-digit", minute: "2-digit", hour12: false };
  return new Date(time).toLocaleTimeString("en", withSeconds ? { ...options, second: "2-digit" } : options);
}
