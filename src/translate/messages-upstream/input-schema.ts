/** Schemas of tools as Claude takes them. */
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import { transformSchema } from "../maps/response-format.ts";
import type { Draft } from "./draft.ts";

/** A tool's parameters as `input_schema`; `wrapped` when they had to become the property `value` of an object. */
export interface InputSchema {
  readonly schema: JsonObject;
  readonly wrapped: boolean;
}

/** Anthropic wants an object at the root, without combinators. Definitions stay at the root, where `$ref` looks. */
export function renderInputSchema(parameters: Json | undefined): InputSchema {
  if (!isObject(parameters) || Object.keys(parameters).length === 0) {
    return { schema: { type: "object", properties: {} }, wrapped: false };
  }
  const type = own(parameters, "type");
  const combines = ["anyOf", "oneOf", "allOf"].some((keyword) => isArray(own(parameters, keyword)));
  if (combines || (type !== undefined && type !== null && type !== "object")) {
    const isDefinition = ([key]: readonly [string, Json]): boolean => key === "$defs" || key === "definitions";
    const entries = Object.entries(parameters);
    const value = Object.fromEntries(entries.filter((entry) => !isDefinition(entry)));
    const definitions = Object.fromEntries(entries.filter(isDefinition));
    const schema = { type: "object", properties: { value }, required: ["value"], ...definitions };
    return { schema, wrapped: true };
  }
  return { schema: type === "object" ? parameters : { ...parameters, type: "object" }, wrapped: false };
}

/**
 * `schema` and `strict` for a tool that asked for strict arguments; `strict` is null where the model has no such thing.
 */
export function renderStrict(
  draft: Draft,
  schema: JsonObject,
  path: string,
): { schema: JsonObject; strict: boolean | null } {
  if (!draft.model.capabilities.structuredOutputs) {
    draft.report.adapt(`${path}.strict`, "false");
    return { schema, strict: null };
  }
  const transformed = transformSchema(schema);
  if (transformed === null || transformed.lossy) {
    draft.report.adapt(`${path}.strict`, "false");
    return { schema: withoutDialect(schema), strict: false };
  }
  return { schema: transformed.schema, strict: true };
}

function withoutDialect(schema: JsonObject): JsonObject {
  return Object.hasOwn(schema, "$schema")
    ? Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"))
    : schema;
}
