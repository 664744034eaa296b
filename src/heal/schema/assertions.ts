/** Keywords about a value itself: `type`, `enum`, `const`, and those of numbers and strings. */
import { isArray, isObject, isString, type Json, type JsonObject, own } from "../../base/json.ts";
import { compilePattern, type Pattern, type PatternLimits } from "../pattern.ts";
import { isMultipleOf, renderCanonical } from "./canonical.ts";
import type { Compiler } from "./compile.ts";
import type { Check, Run } from "./run.ts";

const NO_SPEND = (): void => undefined;

export function compileValues(schema: JsonObject): Check[] {
  const checks: Check[] = [];
  const type = own(schema, "type");
  const types = isArray(type) ? type.filter(isString) : isString(type) ? [type] : null;
  if (types !== null) {
    checks.push(
      (value, run) => types.some((name) => hasType(value, name)) || run.fail(`must be ${types.join(" or ")}`),
    );
  }
  const options = own(schema, "enum");
  if (isArray(options)) {
    checks.push(compileOptions(options, (run) => run.fail(`must be one of ${describeOptions(options)}`)));
  }
  if (Object.hasOwn(schema, "const")) {
    const constant = schema["const"] ?? null;
    checks.push(compileOptions([constant], (run) => run.fail(`must be ${describeOptions([constant])}`)));
  }
  return checks;
}

/** Whether `value` is of the JSON Schema type `name`; 1.0 is an integer. Unknown names fit nothing. */
export function hasType(value: Json, name: string): boolean {
  switch (name) {
    case "null":
      return value === null;
    case "boolean":
    case "string":
      return typeof value === name;
    case "number":
      return typeof value === "number";
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "array":
      return isArray(value);
    case "object":
      return isObject(value);
    default:
      return false;
  }
}

/** A set lookup however many options there are; built on first use. */
function compileOptions(options: readonly Json[], fail: (run: Run) => false): Check {
  let primitives: Set<Json> | null = null;
  const composites = new Set<string>();
  return (value, run) => {
    if (primitives === null) {
      primitives = new Set();
      run.spend(options.length);
      for (const option of options) {
        if (typeof option === "object" && option !== null) composites.add(renderCanonical(option, run.spend));
        else primitives.add(option);
      }
    }
    if (typeof value !== "object" || value === null) return primitives.has(value) || fail(run);
    return (composites.size > 0 && composites.has(renderCanonical(value, run.spend))) || fail(run);
  };
}

function describeOptions(options: readonly Json[]): string {
  const shown = options.slice(0, 8).map((option) => renderCanonical(option, NO_SPEND).slice(0, 60));
  return shown.join(", ") + (options.length > shown.length ? ", …" : "");
}

export function compileNumbers(schema: JsonObject): Check[] {
  const checks: Check[] = [];
  const add = (keyword: string, isValid: (value: number, limit: number) => boolean, words: string): void => {
    const limit = own(schema, keyword);
    if (typeof limit !== "number") return;
    checks.push((value, run) => typeof value !== "number" || isValid(value, limit) || run.fail(`${words} ${limit}`));
  };
  add("minimum", (value, limit) => value >= limit, "must be at least");
  add("maximum", (value, limit) => value <= limit, "must be at most");
  add("exclusiveMinimum", (value, limit) => value > limit, "must be greater than");
  add("exclusiveMaximum", (value, limit) => value < limit, "must be less than");
  add("multipleOf", (value, limit) => limit <= 0 || isMultipleOf(value, limit), "must be a multiple of");
  return checks;
}

export function compileStrings(schema: JsonObject, { patternLimits }: Compiler): Check[] {
  const checks: Check[] = [];
  const minLength = own(schema, "minLength");
  if (typeof minLength === "number") {
    checks.push(
      (value, run) =>
        typeof value !== "string" ||
        countPoints(value, run) >= minLength ||
        run.fail(`must have at least ${minLength} characters`),
    );
  }
  const maxLength = own(schema, "maxLength");
  if (typeof maxLength === "number") {
    checks.push(
      (value, run) =>
        typeof value !== "string" ||
        countPoints(value, run) <= maxLength ||
        run.fail(`must have at most ${maxLength} characters`),
    );
  }
  const source = own(schema, "pattern");
  if (isString(source)) {
    const pattern = openPattern(source, patternLimits);
    checks.push((value, run) => {
      if (typeof value !== "string") return true;
      const compiled = pattern(run);
      if (compiled === null) return run.skipPattern();
      return matches(compiled, value, run) || run.fail(`must match the pattern ${source.slice(0, 80)}`);
    });
  }
  return checks;
}

/** Length in code points. */
function countPoints(text: string, run: Run): number {
  run.spend(text.length / 256);
  let pairs = 0;
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const low = text.charCodeAt(at + 1);
    if (low >= 0xdc00 && low <= 0xdfff) {
      pairs++;
      at++;
    }
  }
  return text.length - pairs;
}

/** A pattern compiled on first use; null when it cannot be checked. */
export function openPattern(source: string, limits: PatternLimits): (run: Run) => Pattern | null {
  let compiled: Pattern | null | undefined;
  return (run) => {
    if (compiled === undefined) {
      run.spend(COMPILE_STEPS);
      compiled = compilePattern(source, limits);
    }
    return compiled;
  };
}

/** Compiling a usual pattern takes some 100 µs. */
const COMPILE_STEPS = 400;
/** Instructions that a linear matcher makes in the time of one step. */
const INSTRUCTIONS_PER_STEP = 100;

export function matches(pattern: Pattern, text: string, run: Run): boolean {
  run.spend(1 + (text.length * pattern.size) / INSTRUCTIONS_PER_STEP);
  return pattern.test(text);
}
