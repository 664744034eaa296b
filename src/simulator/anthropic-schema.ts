/** The JSON Schema that structured outputs and strict tools take. @see https://docs.claude.com/en/docs/build-with-claude/structured-outputs (read 2026-11-22) */
import { isArray, isObject, own, type Json } from "../base/json.ts";
import { refuse } from "./anthropic-checks.ts";
import { firstOf, type Refusal } from "./refusal.ts";

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  string: ["minLength", "maxLength"],
  array: ["maxItems", "uniqueItems", "prefixItems", "contains"],
  object: ["patternProperties", "propertyNames", "minProperties", "maxProperties"],
};
const FORMATS: ReadonlySet<string> = new Set([
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

/** Refuses keywords that the vendor's grammar compiler does not know. */
export function checkSchema(path: string, schema: Json | undefined): Refusal | null {
  return isObject(schema)
    ? checkNode(path, schema, new Set(), schema)
    : refuse(`${path}: Input should be a valid dictionary`);
}

function checkNode(path: string, node: Json, above: ReadonlySet<string>, root: Json): Refusal | null {
  if (!isObject(node)) return null;
  const type = own(node, "type");
  const types = isArray(type)
    ? type.filter((name) => typeof name === "string")
    : typeof type === "string"
      ? [type]
      : [];
  for (const name of types) {
    const keyword = (REFUSED[name] ?? []).find((one) => own(node, one) !== undefined);
    if (keyword !== undefined) return refuse(`${path}: For '${name}' type, property '${keyword}' is not supported`);
  }
  if (types.includes("object") && own(node, "additionalProperties") !== false) {
    return refuse(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
  }
  const least = own(node, "minItems");
  if (typeof least === "number" && least > 1)
    return refuse(`${path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  const format = own(node, "format");
  if (typeof format === "string" && !FORMATS.has(format))
    return refuse(`${path}: String format '${format}' is not supported`);
  if (own(node, "oneOf") !== undefined) return refuse(`${path}: Schema type 'oneOf' is not supported`);
  const known = ["type", "$ref", "anyOf", "allOf", "enum", "const"].some((keyword) => own(node, keyword) !== undefined);
  if (!known) return refuse(`${path}: Schema must have a 'type'`);
  return checkReference(path, node, above, root) ?? checkChildren(path, node, above, root);
}

function checkReference(path: string, node: Json, above: ReadonlySet<string>, root: Json): Refusal | null {
  const reference = own(node, "$ref");
  if (typeof reference !== "string") return null;
  if (!reference.startsWith("#/")) return refuse(`${path}: External schema references are not supported`);
  if (above.has(reference)) return refuse(`${path}: Recursive schemas are not supported`);
  let target: Json | undefined = root;
  for (const step of reference.slice(2).split("/")) target = own(target, step);
  return target === undefined
    ? refuse(`${path}: Could not resolve reference '${reference}'`)
    : checkNode(path, target, new Set([...above, reference]), root);
}

function checkChildren(path: string, node: Json, above: ReadonlySet<string>, root: Json): Refusal | null {
  const properties = own(node, "properties");
  // Definitions are looked at where they are used, so that a recursion is found on its own path.
  const maps = isObject(properties) ? Object.values(properties) : [];
  const lists = ["anyOf", "allOf"].flatMap((keyword) => {
    const list = own(node, keyword);
    return isArray(list) ? list : [];
  });
  const items = own(node, "items");
  return firstOf([...maps, ...lists, ...(items === undefined ? [] : [items])], (child) =>
    checkNode(path, child, above, root),
  );
}
