/** Keywords of arrays. */
import { isArray, type JsonObject, own } from "../../base/json.ts";
import { renderCanonical } from "./canonical.ts";
import type { Compiler } from "./compile.ts";
import type { Check } from "./run.ts";

export function compileArrays(schema: JsonObject, compiler: Compiler): Check[] {
  const checks: Check[] = [];
  const minimum = own(schema, "minItems");
  if (typeof minimum === "number") {
    checks.push(
      (value, run) => !isArray(value) || value.length >= minimum || run.fail(`must have at least ${minimum} items`),
    );
  }
  const maximum = own(schema, "maxItems");
  if (typeof maximum === "number") {
    checks.push(
      (value, run) => !isArray(value) || value.length <= maximum || run.fail(`must have at most ${maximum} items`),
    );
  }
  if (own(schema, "uniqueItems") === true) {
    checks.push((value, run) => {
      if (!isArray(value)) return true;
      const distinct = new Set<string>();
      for (const item of value) distinct.add(renderCanonical(item, run.spend));
      return distinct.size === value.length || run.fail("must not have two equal items");
    });
  }
  const items = compileItems(schema, compiler);
  if (items !== null) checks.push(items);
  const contains = compileContains(schema, compiler);
  if (contains !== null) checks.push(contains);
  return checks;
}

/** The first items by place and the rest alike, in either spelling: `prefixItems` + `items`, or `items` + `additionalItems`. */
function compileItems(schema: JsonObject, compiler: Compiler): Check | null {
  const items = own(schema, "items");
  const prefixItems = compiler.document.draft === "2020-12" ? own(schema, "prefixItems") : undefined;
  const placed = isArray(items) ? items : isArray(prefixItems) ? prefixItems : [];
  const rest = isArray(items) ? own(schema, "additionalItems") : items;
  if (placed.length === 0 && rest === undefined) return null;
  const placedChecks = placed.map(compiler.compile);
  const restCheck = rest === undefined ? null : compiler.compile(rest);
  return (value, run, seen) => {
    if (!isArray(value)) return true;
    const last = restCheck === null ? Math.min(value.length, placedChecks.length) : value.length;
    for (let index = 0; index < last; index++) {
      const check = placedChecks[index] ?? restCheck;
      if (check !== null && !run.descend(index, check, value[index] ?? null)) return false;
    }
    if (seen !== null) seen.itemsTo = Math.max(seen.itemsTo, last);
    return true;
  };
}

function compileContains(schema: JsonObject, compiler: Compiler): Check | null {
  const contains = own(schema, "contains");
  if (contains === undefined) return null;
  const isModern = compiler.document.draft === "2020-12";
  const minimum = isModern ? own(schema, "minContains") : undefined;
  const maximum = isModern ? own(schema, "maxContains") : undefined;
  const atLeast = typeof minimum === "number" ? minimum : 1;
  const atMost = typeof maximum === "number" ? maximum : Number.POSITIVE_INFINITY;
  const check = compiler.compile(contains);
  return (value, run, seen) => {
    if (!isArray(value)) return true;
    let count = 0;
    value.forEach((item, index) => {
      if (!run.quietlyTurning(() => check(item, run, null))) return;
      count++;
      if (isModern) seen?.items.add(index);
    });
    if (count < atLeast) return run.fail(`must contain at least ${atLeast} items of the kind asked for`);
    return count <= atMost || run.fail(`must contain at most ${atMost} items of the kind asked for`);
  };
}
