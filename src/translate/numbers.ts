/** Numbers that parsing may have changed. */
import { isArray, type Json } from "../base/json.ts";

/** Decimal digits that a double always gives back. */
const SAFE_DIGITS = 15;

function isAtRisk(value: number): boolean {
  if (Number.isInteger(value)) return !Number.isSafeInteger(value) || Object.is(value, -0);
  return !Number.isFinite(value) || String(value).length > SAFE_DIGITS;
}

/**
 * Whether some number in `value` may be spelled in the source in a way that its double does not give back: large
 * integers, long fractions, numbers out of range.
 */
export function hasNumberAtRisk(value: Json | undefined): boolean {
  if (typeof value === "number") return isAtRisk(value);
  if (typeof value !== "object" || value === null) return false;
  // Most of a body is strings; they are passed over without a call.
  if (isArray(value)) {
    for (const item of value) if (typeof item !== "string" && hasNumberAtRisk(item)) return true;
    return false;
  }
  for (const key in value) {
    const item = value[key];
    if (typeof item !== "string" && hasNumberAtRisk(item)) return true;
  }
  return false;
}
