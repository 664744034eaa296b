/** JSON schemas that bind an answer, in both formats: what each vendor's constrained decoding can express. */
import { isArray, isObject, isRawNumber, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { isRecursive } from "./schema-references.ts";

/** A schema rewritten to what Claude's structured outputs accept. */
export interface TransformedSchema {
  readonly schema: JsonObject;
  /** A constraint survives only as words in a description. */
  readonly lossy: boolean;
}

const STRING_FORMATS: ReadonlySet<Json> = new Set<Json>([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
]);

/** Keywords that constrain nothing: turning them into words loses nothing. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
  "$id",
  "$anchor",
]);

const VARIANTS = ["anyOf", "oneOf", "allOf"] as const;

interface Transformation {
  lossy: boolean;
  /** The schema has no equivalent; what was built so far is thrown away. */
  failed: boolean;
}

/**
 * Rewrites a JSON schema by the rules of Anthropic's SDK helper: objects are closed, keywords that the constrained
 * decoder does not know become words of the description, `oneOf` becomes `anyOf`, draft-07 `definitions` become
 * `$defs`. Null when the schema cannot be expressed: it needs open objects, refers to itself or to another document,
 * or leaves a type open.
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs (read 2026-11-24)
 */
export function transformSchema(schema: JsonObject): TransformedSchema | null {
  if (isRecursive(schema)) return null;
  const state: Transformation = { lossy: false, failed: false };
  const transformed = transformNode(schema, state);
  return state.failed ? null : { schema: transformed, lossy: state.lossy };
}

function transformNode(node: Json, state: Transformation): JsonObject {
  if (!isObject(node) || isRawNumber(node)) {
    state.failed = true;
    return {};
  }
  const out: [string, Json][] = [];
  const defs = own(node, "$defs") ?? own(node, "definitions");
  if (isObject(defs)) out.push(["$defs", transformMap(defs, state)]);
  const ref = own(node, "$ref");
  if (isString(ref)) {
    out.push(["$ref", ref.replace(/^#\/definitions\//, "#/$defs/")]);
    return Object.fromEntries(out);
  }
  const type = own(node, "type");
  const isLiteral = isPrimitiveList(own(node, "enum")) || isPrimitive(own(node, "const"));
  const hasVariants = VARIANTS.some((keyword) => isArray(own(node, keyword)));
  if (type === undefined && !isLiteral && !hasVariants) state.failed = true;
  if (isType(type, "object") && !isClosedEnough(node)) state.failed = true;

  const words: string[] = [];
  let description: string | null = null;
  for (const [key, value] of Object.entries(node)) {
    if (key === "$schema" || key === "$defs" || key === "definitions" || key === "additionalProperties") continue;
    if (key === "description" && isString(value)) description = value;
    const kept = transformKeyword(key, value, type, state);
    if (kept !== null) out.push(kept);
    else {
      words.push(`${key}: ${JSON.stringify(value)}`);
      if (!ANNOTATIONS.has(key)) state.lossy = true;
    }
  }
  if (isType(type, "object")) {
    if (own(node, "properties") === undefined) out.push(["properties", {}]);
    out.push(["additionalProperties", false]);
  }
  if (words.length > 0) {
    const text = `{${words.join(", ")}}`;
    const full = description === null || description === "" ? text : `${description}\n\n${text}`;
    const at = out.findIndex(([key]) => key === "description");
    if (at < 0) out.push(["description", full]);
    else out[at] = ["description", full];
  }
  return Object.fromEntries(out);
}

/** The keyword as it may be sent; null when it can only be put into words. */
function transformKeyword(
  key: string,
  value: Json,
  type: Json | undefined,
  state: Transformation,
): [string, Json] | null {
  switch (key) {
    case "type":
    case "title":
    case "description":
      return [key, value];
    case "properties":
      return isType(type, "object") && isObject(value) ? [key, transformMap(value, state)] : null;
    case "required":
      return isType(type, "object") ? [key, value] : null;
    case "items":
      return isType(type, "array") ? [key, transformNode(value, state)] : null;
    case "minItems":
      return isType(type, "array") && (value === 0 || value === 1) ? [key, value] : null;
    case "format":
      return isType(type, "string") && STRING_FORMATS.has(value) ? [key, value] : null;
    case "enum":
      return isPrimitiveList(value) ? [key, value] : null;
    case "const":
      return isPrimitive(value) ? [key, value] : null;
    case "anyOf":
    case "oneOf":
      return isArray(value) ? ["anyOf", value.map((variant) => transformNode(variant, state))] : null;
    case "allOf":
      return isArray(value) ? [key, value.map((variant) => transformNode(variant, state))] : null;
    default:
      return null;
  }
}

/** Object.fromEntries defines own properties, also one called `__proto__`. */
function transformMap(map: JsonObject, state: Transformation): JsonObject {
  return Object.fromEntries(Object.entries(map).map(([name, node]) => [name, transformNode(node, state)]));
}

function isType(type: Json | undefined, name: string): boolean {
  return type === name || (isArray(type) && type.includes(name));
}

function isPrimitive(value: Json | undefined): boolean {
  return value !== undefined && (value === null || typeof value !== "object" || isRawNumber(value));
}

function isPrimitiveList(value: Json | undefined): boolean {
  return isArray(value) && value.length > 0 && value.every(isPrimitive);
}

/** False for objects that are meant to hold keys of any name: closing them would leave only `{}`. */
function isClosedEnough(node: JsonObject): boolean {
  const additional = own(node, "additionalProperties");
  if (own(node, "patternProperties") !== undefined) return false;
  if (additional === true || isObject(additional)) return false;
  return additional === false || isObject(own(node, "properties")) || hasVariantList(node);
}

function hasVariantList(node: JsonObject): boolean {
  return VARIANTS.some((keyword) => isArray(own(node, keyword)));
}

/** Keywords that OpenAI's strict mode refuses. */
const REFUSED_BY_STRICT = [
  "oneOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "prefixItems",
  "unevaluatedProperties",
] as const;
const STRICT_MAX_DEPTH = 10;

/**
 * Whether OpenAI takes `schema` with `strict: true`: an object at the root, every object closed with all its
 * properties required, no combinator but `anyOf`, at most 10 levels.
 * @see https://platform.openai.com/docs/guides/structured-outputs (read 2026-11-24)
 */
export function fitsStrictSubset(schema: JsonObject): boolean {
  return own(schema, "type") === "object" && !hasVariantList(schema) && fitsStrictNode(schema, 1);
}

function fitsStrictNode(node: Json, depth: number): boolean {
  if (!isObject(node) || depth > STRICT_MAX_DEPTH) return false;
  if (REFUSED_BY_STRICT.some((keyword) => Object.hasOwn(node, keyword))) return false;
  const every = (map: Json | undefined): boolean =>
    !isObject(map) || Object.values(map).every((child) => fitsStrictNode(child, depth + 1));
  if (!every(own(node, "$defs")) || !every(own(node, "definitions"))) return false;
  if (isString(own(node, "$ref"))) return true;
  const anyOf = own(node, "anyOf");
  if (isArray(anyOf)) return anyOf.every((variant) => fitsStrictNode(variant, depth));
  const type = own(node, "type");
  if (type === undefined) return own(node, "enum") !== undefined || own(node, "const") !== undefined;
  if (isType(type, "array")) {
    const items = own(node, "items");
    if (items === undefined || !fitsStrictNode(items, depth + 1)) return false;
  }
  if (!isType(type, "object")) return true;
  const properties = own(node, "properties");
  const required = own(node, "required");
  if (own(node, "additionalProperties") !== false || !every(properties)) return false;
  const names = isObject(properties) ? Object.keys(properties) : [];
  return names.length === 0 || (isArray(required) && names.every((name) => required.includes(name)));
}

/** OpenAI's `response_format` for the schema of an Anthropic `output_config.format`. */
export function renderResponseFormat(schema: JsonObject): JsonObject {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"));
  const strict = fitsStrictSubset(kept);
  return { type: "json_schema", json_schema: { name: "response", schema: kept, strict } };
}
