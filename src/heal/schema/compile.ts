/**
 * Turns schemas into checks. Each schema is compiled when it is first reached and kept, so that what a document does not
 * use costs nothing, and recursion ends by itself.
 */
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import type { PatternLimits } from "../pattern.ts";
import { compileAnnotated, compileCombiners, compileReferences } from "./applicators.ts";
import { compileArrays } from "./arrays.ts";
import { compileNumbers, compileStrings, compileValues } from "./assertions.ts";
import type { Resource, SchemaDocument } from "./document.ts";
import { compileObjects } from "./objects.ts";
import { type Check, createSeen, mergeSeen } from "./run.ts";

/** What the keyword compilers are given. */
export interface Compiler {
  readonly document: SchemaDocument;
  readonly patternLimits: PatternLimits;
  /** The check of a subschema; compiled when it first runs. */
  readonly compile: (schema: Json) => Check;
  /** The same for the target of a reference, entering its resource's scope. */
  readonly compileTarget: (schema: Json, resource: Resource) => Check;
}

/** Compiles a document. The check must be run through `run.nest`. */
export function compileDocument(document: SchemaDocument, patternLimits: PatternLimits): Check {
  const compiled = new Map<JsonObject, Check>();

  const compile = (schema: Json): Check => {
    if (schema === true) return () => true;
    if (!isObject(schema)) return (_value, run) => run.fail("is not allowed here");
    return (value, run, seen) => {
      let check = compiled.get(schema);
      if (check === undefined) {
        run.spend(4 + Object.keys(schema).length);
        check = compileSchema(schema, compiler);
        compiled.set(schema, check);
      }
      return run.nest(check, value, seen);
    };
  };
  const compiler: Compiler = {
    document,
    patternLimits,
    compile,
    compileTarget: (schema, resource) => {
      const check = compile(schema);
      return document.hasDynamicRef ? inScope(check, resource) : check;
    },
  };
  return compiler.compileTarget(document.root, rootResource(document));
}

function rootResource(document: SchemaDocument): Resource {
  return document.resourceOf(isObject(document.root) ? document.root : {});
}

function inScope(check: Check, resource: Resource): Check {
  return (value, run, seen) => {
    run.scope.push(resource);
    const isValid = check(value, run, seen);
    run.scope.pop();
    return isValid;
  };
}

function compileSchema(schema: JsonObject, compiler: Compiler): Check {
  const { document } = compiler;
  if (document.draft === "draft-07" && Object.hasOwn(schema, "$ref")) {
    // Before 2019 a reference stands for the whole schema: its siblings are ignored.
    return conjunction(compileReferences(schema, compiler));
  }
  const checks = [
    ...compileValues(schema),
    ...compileNumbers(schema),
    ...compileStrings(schema, compiler),
    ...compileArrays(schema, compiler),
    ...compileObjects(schema, compiler),
    ...compileReferences(schema, compiler),
    ...compileCombiners(schema, compiler),
  ];
  const resource = document.resourceOf(schema);
  const isResourceRoot = document.hasDynamicRef && resource.root === schema;
  // `unevaluated…` sees what its own schema has looked at, not what the schemas around it have.
  const last = document.draft === "draft-07" ? [] : compileAnnotated(schema, compiler);
  const check = last.length === 0 ? conjunction(checks) : withOwnSeen(conjunction([...checks, ...last]));
  return isResourceRoot ? inScope(check, resource) : check;
}

function conjunction(checks: readonly Check[]): Check {
  const [only] = checks;
  if (only === undefined) return () => true;
  if (checks.length === 1) return only;
  return (value, run, seen) => {
    for (const check of checks) {
      if (!check(value, run, seen)) return false;
    }
    return true;
  };
}

function withOwnSeen(check: Check): Check {
  return (value, run, seen) => {
    const ownSeen = createSeen();
    if (!check(value, run, ownSeen)) return false;
    if (seen !== null) mergeSeen(seen, ownSeen);
    return true;
  };
}
