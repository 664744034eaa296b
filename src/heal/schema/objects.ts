/** Keywords of objects. Keys are own keys only: `toString` is required like any other. */
import { isArray, isObject, isString, type Json, type JsonObject, own } from "../../base/json.ts";
import { matches, openPattern } from "./assertions.ts";
import type { Compiler } from "./compile.ts";
import type { Check, Run } from "./run.ts";

export function compileObjects(schema: JsonObject, compiler: Compiler): Check[] {
  const isModern = compiler.document.draft === "2020-12";
  const checks: Check[] = [];
  const onObjects = (check: (value: JsonObject, run: Run, seen: Parameters<Check>[2]) => boolean): void => {
    checks.push((value, run, seen) => !isObject(value) || check(value, run, seen));
  };

  const minimum = own(schema, "minProperties");
  const maximum = own(schema, "maxProperties");
  if (typeof minimum === "number" || typeof maximum === "number") {
    onObjects((value, run) => {
      const count = Object.keys(value).length;
      if (typeof minimum === "number" && count < minimum) return run.fail(`must have at least ${minimum} properties`);
      return typeof maximum !== "number" || count <= maximum || run.fail(`must have at most ${maximum} properties`);
    });
  }
  const required = own(schema, "required");
  if (isArray(required)) {
    const keys = required.filter(isString);
    onObjects((value, run) => requireKeys(value, keys, run));
  }
  const dependentRequired = isModern ? own(schema, "dependentRequired") : undefined;
  if (isObject(dependentRequired)) onObjects(compileDependentRequired(dependentRequired));
  const dependencies = own(schema, "dependencies");
  if (isObject(dependencies)) {
    onObjects(compileDependentRequired(dependencies));
    checks.push(compileDependentSchemas(dependencies, compiler));
  }
  const dependentSchemas = isModern ? own(schema, "dependentSchemas") : undefined;
  if (isObject(dependentSchemas)) checks.push(compileDependentSchemas(dependentSchemas, compiler));
  const names = own(schema, "propertyNames");
  if (names !== undefined) {
    const check = compiler.compile(names);
    onObjects((value, run) => Object.keys(value).every((key) => run.descend(null, check, key)));
  }
  const members = compileMembers(schema, compiler);
  if (members !== null) checks.push(members);
  return checks;
}

function requireKeys(value: JsonObject, keys: readonly string[], run: Run): boolean {
  run.spend(keys.length / 8);
  for (const key of keys) {
    if (!Object.hasOwn(value, key)) return run.fail(`lacks the required property ${JSON.stringify(key.slice(0, 64))}`);
  }
  return true;
}

function compileDependentRequired(map: JsonObject): (value: JsonObject, run: Run) => boolean {
  const entries = Object.entries(map).flatMap(([key, keys]) =>
    isArray(keys) ? [{ key, keys: keys.filter(isString) }] : [],
  );
  return (value, run) => {
    run.spend(entries.length / 8);
    return entries.every(({ key, keys }) => !Object.hasOwn(value, key) || requireKeys(value, keys, run));
  };
}

function compileDependentSchemas(map: JsonObject, compiler: Compiler): Check {
  const entries = Object.entries(map).flatMap(([key, schema]) =>
    isArray(schema) ? [] : [{ key, check: compiler.compile(schema) }],
  );
  return (value, run, seen) => {
    if (!isObject(value)) return true;
    run.spend(entries.length / 8);
    return entries.every(({ key, check }) => !Object.hasOwn(value, key) || check(value, run, seen));
  };
}

/** `properties`, `patternProperties` and `additionalProperties` together: the last is about what the others leave. */
function compileMembers(schema: JsonObject, compiler: Compiler): Check | null {
  const properties = own(schema, "properties");
  const patterns = own(schema, "patternProperties");
  const additional = own(schema, "additionalProperties");
  if (!isObject(properties) && !isObject(patterns) && additional === undefined) return null;

  const named = new Map<string, Check>();
  for (const [key, member] of Object.entries(isObject(properties) ? properties : {}))
    named.set(key, compiler.compile(member));
  const patterned = Object.entries(isObject(patterns) ? patterns : {}).map(([source, member]) => ({
    pattern: openPattern(source, compiler.patternLimits),
    check: compiler.compile(member),
  }));
  const rest = additional === undefined ? null : compiler.compile(additional);
  const isClosed = additional === false;

  /** Whether a pattern claims the key; null when one of its members is wrong. A pattern that cannot be checked may claim it. */
  const checkPatterned = (key: string, member: Json, run: Run): boolean | null => {
    let isClaimed = false;
    for (const { pattern, check } of patterned) {
      const compiled = pattern(run);
      if (compiled === null) isClaimed = run.skipPattern();
      else if (matches(compiled, key, run)) {
        isClaimed = true;
        if (!run.descend(null, check, member)) return null;
      }
    }
    return isClaimed;
  };

  return (value, run, seen) => {
    if (!isObject(value)) return true;
    const keys = Object.keys(value);
    run.spend(keys.length / 4);
    for (const key of keys) {
      const member = value[key] ?? null;
      const check = named.get(key);
      if (check !== undefined && !run.descend(key, check, member)) return false;
      const isPatterned = patterned.length > 0 ? checkPatterned(key, member, run) : false;
      if (isPatterned === null) return false;
      if (check === undefined && !isPatterned) {
        if (rest === null) continue;
        if (isClosed) return run.fail("has a property that is not allowed");
        if (!run.descend(null, rest, member)) return false;
      }
      seen?.keys.add(key);
    }
    return true;
  };
}
