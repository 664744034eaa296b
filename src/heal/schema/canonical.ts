/** JSON values compared as JSON Schema compares them: numbers by value, objects whatever the order of their keys. */
import { isArray, isObject, type Json } from "../../base/json.ts";

/** A text that two values share exactly when they are equal. `spend` is told of each part, so that size can be bounded. */
export function renderCanonical(value: Json, spend: (steps: number) => void): string {
  if (typeof value === "string") {
    spend(1 + value.length / 64);
    return JSON.stringify(value);
  }
  spend(1);
  if (isArray(value)) return `[${value.map((item) => renderCanonical(item, spend)).join(",")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${renderCanonical(value[key] ?? null, spend)}`).join(",")}}`;
  }
  // -0 equals 0.
  return value === 0 ? "0" : String(value);
}

/** Whether `value` is a whole multiple of `divisor` (> 0), in decimal arithmetic: 0.3 is a multiple of 0.1. */
export function isMultipleOf(value: number, divisor: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  const a = toDecimal(value);
  const b = toDecimal(divisor);
  const exponent = Math.min(a.exponent, b.exponent);
  const scaledA = a.digits * 10n ** BigInt(a.exponent - exponent);
  const scaledB = b.digits * 10n ** BigInt(b.exponent - exponent);
  return scaledA % scaledB === 0n;
}

/** `digits × 10^exponent`, exactly as the shortest spelling of the double reads. */
function toDecimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}
