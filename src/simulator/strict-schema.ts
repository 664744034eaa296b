/** OpenAI's strict subset of JSON Schema. @see https://platform.openai.com/docs/guides/structured-outputs#supported-schemas (read 2026-11-22) */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";

/** Keywords the subset has; any other is refused as "not permitted". */
const PERMITTED: ReadonlySet<string> = new Set([
  "$defs",
  "$ref",
  "$schema",
  "additionalProperties",
  "anyOf",
  "const",
  "default",
  "definitions",
  "description",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "items",
  "maximum",
  "maxItems",
  "maxLength",
  "minimum",
  "minItems",
  "minLength",
  "multipleOf",
  "pattern",
  "properties",
  "required",
  "title",
  "type",
]);
const FORMATS: ReadonlySet<string> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uuid",
]);
const MAX_DEPTH = 10;
const MAX_PROPERTIES = 5000;

/** Why a schema is not in the subset, as the vendor words it (`In context=…, …`); null when it is. */
export function strictSchemaProblem(schema: Json | undefined): string | null {
  if (!isObject(schema)) return "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.";
  if (own(schema, "type") !== "object") {
    const type = own(schema, "type");
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof type === "string" ? type : "None"}"'.`;
  }
  const count = { properties: 0 };
  return (
    nodeProblem(schema, [], 0, count) ??
    (count.properties > MAX_PROPERTIES ? `schema exceeds the limit of ${MAX_PROPERTIES} properties.` : null)
  );
}

function nodeProblem(node: Json, path: readonly string[], depth: number, count: { properties: number }): string | null {
  const at = `In context=(${path.map((step) => `'${step}'`).join(", ")}${path.length === 1 ? "," : ""})`;
  if (!isObject(node)) return `${at}, schema must be an object.`;
  const extra = Object.keys(node).find((keyword) => !PERMITTED.has(keyword));
  if (extra !== undefined) return `${at}, '${extra}' is not permitted.`;
  if (own(node, "$ref") !== undefined) {
    // Siblings of $ref other than annotations are refused.
    const sibling = Object.keys(node).find(
      (keyword) => !["$ref", "description", "title", "default", "$defs", "definitions"].includes(keyword),
    );
    return sibling === undefined ? null : `${at}, $ref cannot have keywords {'${sibling}'}.`;
  }
  const format = own(node, "format");
  if (typeof format === "string" && !FORMATS.has(format)) return `${at}, '${format}' is not a valid format.`;
  if (
    own(node, "type") === undefined &&
    own(node, "anyOf") === undefined &&
    own(node, "enum") === undefined &&
    own(node, "const") === undefined
  ) {
    return `${at}, schema must have a 'type' key.`;
  }
  if (depth > MAX_DEPTH) return `${at}, schema exceeds the nesting limit of ${MAX_DEPTH}.`;
  return objectProblem(node, at) ?? childProblem(node, path, depth, count);
}

function objectProblem(node: JsonObject, at: string): string | null {
  const type = own(node, "type");
  const isArrayType = type === "array" || (isArray(type) && type.includes("array"));
  if (isArrayType && own(node, "items") === undefined) return `${at}, array schema missing items.`;
  if (type !== "object" && !(isArray(type) && type.includes("object"))) return null;
  if (own(node, "additionalProperties") !== false)
    return `${at}, 'additionalProperties' is required to be supplied and to be false.`;
  const properties = own(node, "properties");
  const names = isObject(properties) ? Object.keys(properties) : [];
  const required = own(node, "required");
  const needed: readonly Json[] = isArray(required) ? required : [];
  const left = names.find((name) => !needed.includes(name));
  if (left !== undefined) {
    return `${at}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${left}'.`;
  }
  const stray = needed.find((name) => typeof name !== "string" || !names.includes(name));
  return stray === undefined
    ? null
    : `${at}, 'required' is required to be supplied and to be an array including every key in properties. Extra required key '${String(stray)}' supplied.`;
}

function childProblem(
  node: JsonObject,
  path: readonly string[],
  depth: number,
  count: { properties: number },
): string | null {
  for (const [keyword, deeper] of [
    ["properties", 1],
    ["$defs", 0],
    ["definitions", 0],
  ] as const) {
    const map = own(node, keyword);
    if (!isObject(map)) continue;
    for (const [name, child] of Object.entries(map)) {
      if (keyword === "properties") count.properties += 1;
      const problem = nodeProblem(child, [...path, keyword, name], depth + deeper, count);
      if (problem !== null) return problem;
    }
  }
  const items = own(node, "items");
  if (items !== undefined) {
    const problem = nodeProblem(items, [...path, "items"], depth + 1, count);
    if (problem !== null) return problem;
  }
  const branches = own(node, "anyOf");
  if (!isArray(branches)) return null;
  for (const [index, branch] of branches.entries()) {
    const problem = nodeProblem(branch, [...path, "anyOf", String(index)], depth, count);
    if (problem !== null) return problem;
  }
  return null;
}
