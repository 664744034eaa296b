/** Keys that hold flags, counts, ratios and durations. */
import { MAX_DURATION_MS, parseDurationMs, renderDurationMs } from "../base/duration.ts";
import { isString } from "../base/json.ts";
import { key, optional, type Key, type Marks } from "./key.ts";

export function flag(initial: boolean, doc: string, marks: Marks = {}): Key<boolean> {
  return key(
    {
      read: (json) => (typeof json === "boolean" ? { value: json } : { allowed: "true or false" }),
      default: initial,
      defaultToml: String(initial),
      type: "boolean",
      jsonSchema: { type: "boolean" },
    },
    "",
    doc,
    marks,
  );
}

/** A whole number of at least `min` and at most `max`. */
export function count(
  initial: number,
  range: { min: number; max?: number },
  doc: string,
  marks: Marks = {},
): Key<number> {
  const { min, max } = range;
  const allowed = max === undefined ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  return key(
    {
      read: (json) =>
        typeof json === "number" &&
        Number.isSafeInteger(json) &&
        json >= min &&
        json <= (max ?? Number.MAX_SAFE_INTEGER)
          ? { value: json }
          : { allowed },
      default: initial,
      defaultToml: String(initial),
      type: "integer",
      jsonSchema: { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
    },
    "",
    doc,
    marks,
  );
}

export function optionalCount(min: number, doc: string, marks: Marks = {}): Key<number | null> {
  return optional(count(min, { min }, doc, marks));
}

/** A number of at least 0 and at most `max` (1 unless told). */
export function ratio(initial: number, doc: string, marks: Marks = {}, max = 1): Key<number> {
  return key(
    {
      read: (json) =>
        typeof json === "number" && json >= 0 && json <= max
          ? { value: json }
          : { allowed: `a number from 0 to ${max}` },
      default: initial,
      defaultToml: Number.isInteger(initial) ? initial.toFixed(1) : String(initial),
      type: "number",
      jsonSchema: { type: "number", minimum: 0, maximum: max },
    },
    "",
    doc,
    marks,
  );
}

/** A variable may stand for all of it. */
export const DURATION_PATTERN = "^[0-9]{1,9}(\\.[0-9]{1,9})?(ms|s|m|h)$|\\$\\{";

/** Milliseconds, written `250ms`, `2s`, `5m` or `1h`. `max` is such a text too. */
export function duration(initial: string, doc: string, marks: Marks = {}, max?: string): Key<number, "Ms"> {
  const maxMs = max === undefined ? MAX_DURATION_MS : toMs(max);
  const allowed = `a duration such as "250ms", "2s" or "5m", at most ${renderDurationMs(maxMs)}`;
  return key(
    {
      read: (json) => {
        const value = isString(json) ? parseDurationMs(json) : null;
        return value !== null && value <= maxMs ? { value } : { allowed };
      },
      default: toMs(initial),
      defaultToml: JSON.stringify(initial),
      type: "duration",
      jsonSchema: { type: "string", pattern: DURATION_PATTERN },
    },
    "Ms",
    doc,
    marks,
  );
}

export function toMs(spelled: string): number {
  const milliseconds = parseDurationMs(spelled);
  if (milliseconds === null) throw new Error(`not a duration: ${spelled}`);
  return milliseconds;
}

/** A whole number of at least 1, or `word`. */
export function countOr<const Word extends string>(
  initial: number,
  word: Word,
  doc: string,
  marks: Marks = {},
): Key<number | Word> {
  const whole = count(initial, { min: 1 }, doc, marks);
  return {
    ...whole,
    read: (json) => {
      const read = whole.read(json);
      if (json === word) return { value: word };
      return "value" in read ? read : { allowed: `${read.allowed}, or "${word}"` };
    },
    type: `integer, or "${word}"`,
    jsonSchema: { anyOf: [whole.jsonSchema, { const: word }] },
  };
}
