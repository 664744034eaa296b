/** Schema checks whose errors a client can act on: they name the field by its JSON path and say what belongs there. */
import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { TypeCheck } from "@sinclair/typebox/compiler";
import { Errors, ValueErrorType } from "@sinclair/typebox/errors";
import type { ValueError } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import { invalidRequest } from "../base/errors.ts";
import type { GatewayError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";

declare module "@sinclair/typebox" {
  interface SchemaOptions {
    /** What belongs here, as the end of the sentence "… must be …". */
    expected?: string;
  }
}

/** A JSON pointer as people write paths: `/messages/2/content` is `messages[2].content`. */
export function renderPath(pointer: string): string {
  let path = "";
  for (const token of pointer.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (/^\d+$/.test(name)) path += `[${name}]`;
    else path += path === "" ? name : `.${name}`;
  }
  return path;
}

/** The error that explains most: of a union, the one in the variant that got furthest. */
function deepest(error: ValueError): ValueError {
  let best = error;
  for (const variant of error.errors) {
    const first = variant.First();
    if (first === undefined) continue;
    const candidate = deepest(first);
    if (candidate.path.length > best.path.length) best = candidate;
  }
  return best;
}

function explain(error: ValueError): GatewayError {
  const found = deepest(error);
  const path = renderPath(found.path);
  if (found.type === ValueErrorType.ObjectRequiredProperty || found.value === undefined) {
    return invalidRequest(`missing required parameter: ${path}`, path, "missing_required_parameter");
  }
  const expected = found.schema.expected ?? `of type ${String(found.schema["type"])}`;
  return invalidRequest(`invalid value for ${path}: must be ${expected}`, path);
}

/** Bodies that are checked without compiling: that takes several ms, which the first request after a start need not wait for. */
const INTERPRETED = 16;

/**
 * Makes a check of a parsed body from `schema`, compiled once it is asked often: formats that nobody uses cost nothing.
 * The returned function throws GatewayError `invalid-request`, code `missing_required_parameter` or `invalid_value`.
 */
export function createCheck(schema: TSchema): (json: JsonObject) => void {
  let asked = 0;
  let compiled: TypeCheck<TSchema> | null = null;
  const isRight = (json: JsonObject): boolean => {
    if (compiled !== null) return compiled.Check(json);
    asked += 1;
    if (asked <= INTERPRETED) return Check(schema, json);
    compiled = TypeCompiler.Compile(schema);
    return compiled.Check(json);
  };
  return (json) => {
    if (isRight(json)) return;
    const error = Errors(schema, [], json).First();
    if (error !== undefined) throw explain(error);
  };
}
