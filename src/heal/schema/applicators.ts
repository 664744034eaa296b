/** Keywords that apply other schemas to the same value, and what they leave unevaluated. */
import { isArray, isObject, isString, type JsonObject, own } from "../../base/json.ts";
import type { Compiler } from "./compile.ts";
import { type Check, createSeen, mergeSeen, notValidated, type Run, type Seen } from "./run.ts";

export function compileReferences(schema: JsonObject, compiler: Compiler): Check[] {
  const { document } = compiler;
  const checks: Check[] = [];
  const resource = document.resourceOf(schema);
  const reference = own(schema, "$ref");
  if (isString(reference)) {
    const target = document.resolve(reference, resource);
    checks.push(target === null ? unresolved() : compiler.compileTarget(target.schema, target.resource));
  }
  const dynamic = document.draft === "2020-12" ? own(schema, "$dynamicRef") : undefined;
  if (isString(dynamic)) {
    const target = document.resolve(dynamic, resource);
    if (target === null) checks.push(unresolved());
    else {
      const { dynamicAnchor } = target;
      const fallback = compiler.compileTarget(target.schema, target.resource);
      checks.push(dynamicAnchor === null ? fallback : compileDynamic(dynamicAnchor, fallback, compiler));
    }
  }
  return checks;
}

function unresolved(): Check {
  return () => {
    throw notValidated("a reference leads out of the schema");
  };
}

/** The outermost resource in scope that has the anchor decides. */
function compileDynamic(anchor: string, fallback: Check, compiler: Compiler): Check {
  return (value, run, seen) => {
    for (const resource of run.scope) {
      run.spend(1);
      const schema = resource.dynamicAnchors.get(anchor);
      if (schema !== undefined) return compiler.compileTarget(schema, resource)(value, run, seen);
    }
    return fallback(value, run, seen);
  };
}

export function compileCombiners(schema: JsonObject, compiler: Compiler): Check[] {
  const checks: Check[] = [];
  const allOf = own(schema, "allOf");
  if (isArray(allOf)) {
    const parts = allOf.map(compiler.compile);
    checks.push((value, run, seen) => parts.every((check) => check(value, run, seen)));
  }
  const anyOf = own(schema, "anyOf");
  if (isArray(anyOf)) checks.push(compileAnyOf(anyOf.map(compiler.compile)));
  const oneOf = own(schema, "oneOf");
  if (isArray(oneOf)) checks.push(compileOneOf(oneOf.map(compiler.compile)));
  const not = own(schema, "not");
  if (not !== undefined) {
    const check = compiler.compile(not);
    checks.push((value, run) => {
      // The inner schema may use `unevaluated…` of its own, but nothing it looked at counts outside.
      return !run.quietlyTurning(() => check(value, run, null)) || run.fail("must not be of the excluded kind");
    });
  }
  const condition = own(schema, "if");
  if (condition !== undefined) {
    const then = own(schema, "then");
    const otherwise = own(schema, "else");
    checks.push(
      compileIf(
        compiler.compile(condition),
        then === undefined ? null : compiler.compile(then),
        otherwise === undefined ? null : compiler.compile(otherwise),
      ),
    );
  }
  return checks;
}

/** Tries a branch; what it looked at counts only if it holds. */
function tryBranch(
  quietly: Run["quietly"],
  check: Check,
  value: Parameters<Check>[0],
  run: Run,
  seen: Seen | null,
): boolean {
  if (seen === null) return quietly(() => check(value, run, null));
  const branchSeen = createSeen();
  if (!quietly(() => check(value, run, branchSeen))) return false;
  mergeSeen(seen, branchSeen);
  return true;
}

function compileAnyOf(branches: readonly Check[]): Check {
  return (value, run, seen) => {
    let isValid = false;
    for (const branch of branches) {
      if (tryBranch(run.quietly, branch, value, run, seen)) isValid = true;
      // With notes to take, every branch that holds has to take its own.
      if (isValid && seen === null) return true;
    }
    return isValid || run.fail("matches none of the kinds allowed");
  };
}

function compileOneOf(branches: readonly Check[]): Check {
  return (value, run, seen) => {
    let count = 0;
    for (const branch of branches) {
      if (tryBranch(run.quietlyTurning, branch, value, run, seen)) count++;
      if (count > 1) return run.fail("matches more than one of the kinds allowed");
    }
    return count === 1 || run.fail("matches none of the kinds allowed");
  };
}

function compileIf(condition: Check, then: Check | null, otherwise: Check | null): Check {
  return (value, run, seen) => {
    const branch = tryBranch(run.quietlyTurning, condition, value, run, seen) ? then : otherwise;
    return branch === null || branch(value, run, seen);
  };
}

/** `unevaluatedItems` and `unevaluatedProperties`: run last, over the notes that the rest of the schema took. */
export function compileAnnotated(schema: JsonObject, compiler: Compiler): Check[] {
  const checks: Check[] = [];
  const items = own(schema, "unevaluatedItems");
  if (items !== undefined) {
    const check = compiler.compile(items);
    checks.push((value, run, seen) => {
      if (!isArray(value) || seen === null) return true;
      for (let index = seen.itemsTo; index < value.length; index++) {
        if (!seen.items.has(index) && !run.descend(index, check, value[index] ?? null)) return false;
      }
      seen.itemsTo = value.length;
      return true;
    });
  }
  const properties = own(schema, "unevaluatedProperties");
  if (properties !== undefined) {
    const check = compiler.compile(properties);
    checks.push((value, run, seen) => {
      if (!isObject(value) || seen === null) return true;
      for (const key of Object.keys(value)) {
        if (seen.keys.has(key)) continue;
        if (!run.descend(null, check, value[key] ?? null)) return false;
        seen.keys.add(key);
      }
      return true;
    });
  }
  return checks;
}
