/** JSON values as the wire has them. Client objects are read by own property only, never merged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A JSON object under construction. */
export type MutableJsonObject = { [key: string]: Json | undefined };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === "string";
}

export function isArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The own property `key` of `value`, or undefined: `__proto__` and `toString` are plain data here. */
export function own(value: unknown, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * A number whose spelling in the source a double would not give back (20-digit integers, `1e400`, `1.0`).
 * `JSON.stringify` writes it as it was spelled.
 * @see https://github.com/tc39/proposal-json-parse-with-source (read 2026-11-24)
 */
interface RawJsonApi {
  rawJSON(text: string): Json;
  isRawJSON(value: unknown): boolean;
}
const raw = JSON as unknown as RawJsonApi;

const MAYBE_LOSSY = /\d{16,}|\d\.\d*0(?!\d)|\d[eE]|-0(?!\d|\.)/;

/** Whether a number in `text` may be spelled otherwise once parsed and stringified. One scan; strings count too. */
export function mayLoseNumbers(text: string): boolean {
  return MAYBE_LOSSY.test(text);
}

/**
 * Parses JSON so that stringifying it again spells every number as the source did.
 * Costs one regular-expression scan when no number is at risk.
 * @throws SyntaxError when `text` is not JSON
 */
export function parseLossless(text: string): Json {
  if (!mayLoseNumbers(text)) return JSON.parse(text) as Json;
  const reviver = (_key: string, value: unknown, context: { source?: string }): unknown =>
    typeof value === "number" && context.source !== undefined && String(value) !== context.source
      ? raw.rawJSON(context.source)
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Json;
}

/** Whether `value` is a number kept by its spelling (see {@link parseLossless}). */
export function isRawNumber(value: unknown): boolean {
  return raw.isRawJSON(value);
}
