/** Deterministic JSON documents for a JSON Schema: what a model that obeys would answer. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";

const MAX_DEPTH = 12;

/** Texts for the formats that structured outputs know. */
const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-11-22T12:00:00Z",
  date: "2026-11-22",
  time: "12:00:00Z",
  duration: "PT1H",
  email: "someone@example.com",
  hostname: "example.com",
  uri: "https://example.com/",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/**
 * A document valid for `schema`, with `hint` as the text of free strings. Knows types, enum, const, $ref into the same document,
 * anyOf, oneOf, allOf, required and optional properties, items, prefixItems, numeric and length bounds and the usual formats; a
 * `pattern` it cannot read is answered with `hint`.
 */
export function sampleFor(schema: Json | undefined, hint: string): Json {
  return sample(schema, { root: schema, hint, depth: 0 });
}

interface Context {
  readonly root: Json | undefined;
  readonly hint: string;
  readonly depth: number;
}

function sample(schema: Json | undefined, context: Context): Json {
  if (!isObject(schema)) return context.hint;
  const deeper = { ...context, depth: context.depth + 1 };
  const reference = own(schema, "$ref");
  if (typeof reference === "string" && context.depth < MAX_DEPTH)
    return sample(resolve(reference, context.root), deeper);
  const constant = own(schema, "const");
  if (constant !== undefined) return constant;
  const options = own(schema, "enum");
  if (isArray(options) && options[0] !== undefined) return options[0];
  for (const keyword of ["anyOf", "oneOf"]) {
    const branches = own(schema, keyword);
    if (isArray(branches) && branches.length > 0) {
      // A recursive schema ends in the branch that does not recurse, usually the null.
      const branch =
        context.depth < 4
          ? branches[0]
          : (branches.find((one) => own(one, "$ref") === undefined && own(one, "type") !== "object") ?? branches[0]);
      return sample(branch, deeper);
    }
  }
  const all = own(schema, "allOf");
  if (isArray(all) && all.length > 0) return sample(mergeAll(schema, all, context.root), deeper);
  const type = own(schema, "type");
  return sampleOf(isArray(type) ? type[0] : type, schema, deeper);
}

function sampleOf(type: Json | undefined, schema: JsonObject, context: Context): Json {
  switch (type) {
    case "string":
      return sampleString(schema, context.hint);
    case "integer":
    case "number":
      return sampleNumber(schema, type === "integer");
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return sampleArray(schema, context);
    case "object":
      return sampleObject(schema, context);
    default:
      if (own(schema, "properties") !== undefined) return sampleObject(schema, context);
      return own(schema, "items") === undefined ? context.hint : sampleArray(schema, context);
  }
}

function sampleString(schema: JsonObject, hint: string): string {
  const format = own(schema, "format");
  const known = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  const text = known ?? hint;
  const least = numberIn(schema, "minLength", 0);
  const most = numberIn(schema, "maxLength", Number.POSITIVE_INFINITY);
  return text.padEnd(least, "x").slice(0, most);
}

function sampleNumber(schema: JsonObject, whole: boolean): number {
  const least = Math.max(
    numberIn(schema, "minimum", Number.NEGATIVE_INFINITY),
    numberIn(schema, "exclusiveMinimum", Number.NEGATIVE_INFINITY) + 1,
  );
  const most = Math.min(
    numberIn(schema, "maximum", Number.POSITIVE_INFINITY),
    numberIn(schema, "exclusiveMaximum", Number.POSITIVE_INFINITY) - 1,
  );
  const step = numberIn(schema, "multipleOf", 0);
  const wanted = Math.min(Math.max(1, least), most);
  if (step > 0) return Math.ceil(wanted / step) * step;
  return whole ? Math.ceil(wanted) : wanted;
}

function sampleArray(schema: JsonObject, context: Context): Json {
  const tuple = own(schema, "prefixItems");
  const head = isArray(tuple) ? tuple.map((item) => sample(item, context)) : [];
  const items = own(schema, "items");
  const least = numberIn(schema, "minItems", 0);
  const wanted = context.depth > MAX_DEPTH ? least : Math.max(least, head.length === 0 && isObject(items) ? 1 : 0);
  while (head.length < wanted) head.push(sample(items, context));
  return head;
}

function sampleObject(schema: JsonObject, context: Context): Json {
  const properties = own(schema, "properties");
  const required = own(schema, "required");
  const names = isObject(properties) ? Object.keys(properties) : [];
  const needed = new Set(isArray(required) ? required : []);
  const entries = names
    .filter((name) => context.depth < 4 || needed.has(name))
    .map((name): [string, Json] => [name, sample(own(properties, name), context)]);
  return Object.fromEntries(entries);
}

function numberIn(schema: JsonObject, keyword: string, fallback: number): number {
  const value = own(schema, keyword);
  return typeof value === "number" ? value : fallback;
}

function resolve(reference: string, root: Json | undefined): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  let at = root;
  for (const step of reference
    .slice(1)
    .split("/")
    .filter((part) => part !== "")) {
    at = own(at, decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return at;
}

/** Properties and required names of every part; the other keywords of the later part win. */
function mergeAll(schema: JsonObject, parts: readonly Json[], root: Json | undefined): Json {
  const { allOf: _, ...rest } = schema;
  const resolved = parts.map((part) => {
    const reference = own(part, "$ref");
    return typeof reference === "string" ? resolve(reference, root) : part;
  });
  const objects = [rest, ...resolved].filter(isObject);
  const properties = Object.fromEntries(
    objects.flatMap((one) =>
      Object.entries(isObject(own(one, "properties")) ? (own(one, "properties") as JsonObject) : {}),
    ),
  );
  const required = objects.flatMap((one) => {
    const names = own(one, "required");
    return isArray(names) ? names : [];
  });
  const others = Object.fromEntries(objects.flatMap((one) => Object.entries(one)));
  return {
    ...others,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}
