/** Generated schemas, and documents made to fit them. */
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { isArray, isObject, own } from "../../src/base/json.ts";

const KEYS = ["a", "ab", "name", "ä", "", "__proto__", "x y"];
const WORDS = ["red", "rose", "ro", "", 'é"\\', "😀b"];

function leaf(): fc.Arbitrary<Json> {
  return fc.oneof(
    fc.constantFrom<Json>(
      true,
      {},
      { type: "string" },
      { type: "integer" },
      { type: "number" },
      { type: "boolean" },
      { type: "null" },
    ),
    fc.constantFrom<Json>({ type: ["string", "null"] }, { type: "array" }, { type: "object" }),
    fc.record({
      enum: fc.uniqueArray(fc.constantFrom<Json>(...WORDS, 1, 2.5, null, true, false), { minLength: 1, maxLength: 4 }),
    }),
    fc.constantFrom(...WORDS).map((word) => ({ const: word })),
    fc.record({
      type: fc.constant("integer"),
      minimum: fc.integer({ min: -3, max: 3 }),
      maximum: fc.integer({ min: 3, max: 9 }),
    }),
    fc.record({ type: fc.constant("number"), exclusiveMinimum: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ type: fc.constant("string"), minLength: fc.nat(2), maxLength: fc.integer({ min: 2, max: 5 }) }),
    fc.constant({ $ref: "#" }),
    fc.constant({ $ref: "#/$defs/shared" }),
  );
}

function node(inner: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const members = fc.dictionary(fc.constantFrom(...KEYS), inner, { maxKeys: 3 });
  return fc.oneof(
    fc
      .record({
        members,
        closed: fc.constantFrom<Json>(false, true, { type: "integer" }),
        required: fc.subarray(KEYS.slice(0, 3)),
      })
      .map(({ members: properties, closed, required }) => ({
        type: "object",
        properties,
        required: required.filter((key) => closed !== false || Object.hasOwn(properties, key)),
        additionalProperties: closed,
      })),
    fc.record({
      type: fc.constant("array"),
      items: inner,
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc.record({
      prefixItems: fc.array(inner, { minLength: 1, maxLength: 2 }),
      items: fc.constantFrom<Json>(false, true),
    }),
    fc.record({ anyOf: fc.array(inner, { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(inner, { minLength: 1, maxLength: 2 }) }),
    fc.record({ allOf: fc.array(inner, { minLength: 1, maxLength: 2 }) }),
    fc.record({ patternProperties: fc.record({ "^a": inner }), additionalProperties: fc.constant(false) }),
    fc.record({ if: inner, then: inner }),
    fc.record({ not: inner }),
  );
}

/** Schemas up to three levels deep that refer to themselves and to a shared definition now and then. */
export function schemaArbitrary(): fc.Arbitrary<JsonObject> {
  const two = node(fc.oneof(leaf(), node(leaf())));
  return fc.tuple(two, leaf()).map(([root, shared]) => {
    const isReference = own(shared, "$ref") !== undefined;
    return { ...(root as JsonObject), $defs: { shared: isReference ? true : shared } };
  });
}

/**
 * A document for `schema`, by the numbers that `choose` gives; most fit, the caller checks. undefined where the schema
 * allows nothing that is easily found.
 */
export function documentOf(
  schema: Json,
  choose: () => number,
): { readonly json: Json; readonly indent: number } | undefined {
  const json = valueOf(schema, schema, choose, 0);
  return json === undefined ? undefined : { json, indent: choose() % 3 };
}

const SAMPLES: readonly Json[] = [
  "red",
  "",
  'é"\\',
  0,
  -1,
  2.5,
  1e21,
  7,
  true,
  false,
  null,
  [],
  {},
  { a: 1, name: "x" },
  [1, "two"],
  { ab: [null] },
];

function valueOf(schema: Json, root: Json, choose: () => number, depth: number): Json | undefined {
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[choose() % Math.max(1, items.length)];
  if (schema === false) return undefined;
  if (!isObject(schema) || depth > 6) return pick(SAMPLES);
  const options = own(schema, "enum");
  if (isArray(options)) return pick(options);
  if (Object.hasOwn(schema, "const")) return schema["const"];
  const reference = own(schema, "$ref");
  if (reference === "#") return valueOf(root, root, choose, depth + 1);
  if (reference === "#/$defs/shared")
    return valueOf(own(own(root, "$defs"), "shared") ?? true, root, choose, depth + 1);
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const branches = own(schema, keyword);
    if (isArray(branches)) return valueOf(pick(branches) ?? true, root, choose, depth + 1);
  }
  const items = own(schema, "items");
  const placed = own(schema, "prefixItems");
  if (isArray(placed)) return placed.map((item) => valueOf(item, root, choose, depth + 1) ?? null);
  if (own(schema, "type") === "array" && items !== undefined) {
    const length = Number(own(schema, "minItems") ?? 0) + (choose() % 2);
    return Array.from({ length }, () => valueOf(items, root, choose, depth + 1) ?? null);
  }
  const members = own(schema, "properties");
  if (isObject(members)) {
    const required = own(schema, "required");
    const value: Record<string, Json> = {};
    const put = (key: string, member: Json): void => {
      Object.defineProperty(value, key, { value: member, enumerable: true, configurable: true, writable: true });
    };
    for (const key of [...Object.keys(members), ...(isArray(required) ? required.map(String) : [])]) {
      const isNeeded = isArray(required) && required.includes(key);
      if (!isNeeded && choose() % 2 === 0) continue;
      const member = valueOf(own(members, key) ?? own(schema, "additionalProperties") ?? true, root, choose, depth + 1);
      if (member !== undefined) put(key, member);
    }
    return value;
  }
  switch (own(schema, "type")) {
    case "string":
      return pick(["red", "ab", "éé", "😀😀", "abcde"]);
    case "integer":
    case "number":
      return pick([0, 1, 3, -2, 5, 1e3]);
    case "boolean":
      return pick([true, false]);
    case "null":
      return null;
    case "object":
      return pick([{}, { a: 1 }]);
    case "array":
      return pick([[], [1]]);
    default:
      return pick(SAMPLES);
  }
}
