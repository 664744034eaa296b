/**
 * What a schema says that a prefix can be held against, as alternatives: a value fits the schema only if it fits one of
 * them. Whatever is not understood is left out, which only ever allows more.
 */
import { isArray, isObject, isString, type Json, type JsonObject, own } from "../base/json.ts";
import type { SchemaDocument } from "./schema/document.ts";

/** Kinds of JSON value, as bits. */
export const KIND = { null: 1, true: 2, false: 4, number: 8, string: 16, array: 32, object: 64 } as const;
const ALL_KINDS = 127;

/** One schema without its references and combiners. */
export interface Shape {
  /** Kinds allowed. */
  readonly kinds: number;
  /** Strings allowed, sorted by UTF-16 units; null = any. */
  readonly strings: readonly string[] | null;
  readonly numbers: ReadonlySet<number> | null;
  readonly isInteger: boolean;
  readonly minimum: number;
  readonly maximum: number;
  readonly exclusiveMinimum: number;
  readonly exclusiveMaximum: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly properties: ReadonlyMap<string, Json>;
  /** Keys allowed, sorted; null = any. */
  readonly keys: readonly string[] | null;
  /** Schema of properties not named; true where patterns may claim them. */
  readonly additional: Json;
  readonly required: readonly string[];
  readonly minProperties: number;
  readonly maxProperties: number;
  readonly placed: readonly Json[];
  readonly rest: Json;
  readonly minItems: number;
  readonly maxItems: number;
}

/** Shapes that hold together; without any, everything is allowed. */
export type Alternative = readonly Shape[];

/** Everything is allowed. */
export const ANYTHING: readonly Alternative[] = [[]];

/** More alternatives than this are given up: everything is allowed. */
export const MAX_ALTERNATIVES = 64;
const MAX_REFERENCES_DEEP = 16;

export interface Shapes {
  /** The alternatives of a subschema of the document; none: nothing is allowed. */
  readonly expand: (schema: Json) => readonly Alternative[];
}

/** Reads shapes from a document, each schema once. `spend` is told of the work. */
export function createShapes(document: SchemaDocument, spend: (steps: number) => void): Shapes {
  const known = new Map<JsonObject, readonly Alternative[]>();
  const isModern = document.draft === "2020-12";

  const expandAt = (schema: Json, depth: number): readonly Alternative[] => {
    if (schema === false) return [];
    if (!isObject(schema) || depth > MAX_REFERENCES_DEEP) return ANYTHING;
    const before = known.get(schema);
    if (before !== undefined) return before;
    spend(4 + Object.keys(schema).length);
    const expanded = expandObject(schema, depth);
    // Deep inside, a result may be cut short: only what was read from the top is kept.
    if (depth === 0) known.set(schema, expanded);
    return expanded;
  };

  const expandObject = (schema: JsonObject, depth: number): readonly Alternative[] => {
    const reference = own(schema, "$ref");
    const target = isString(reference) ? document.resolve(reference, document.resourceOf(schema)) : null;
    const referred = target === null ? ANYTHING : expandAt(target.schema, depth + 1);
    if (reference !== undefined && !isModern) return referred;
    let result: readonly Alternative[] = conjoin([[readShape(schema, isModern)]], referred);
    const allOf = own(schema, "allOf");
    for (const part of isArray(allOf) ? allOf : []) result = conjoin(result, expandAt(part, depth + 1));
    for (const keyword of ["anyOf", "oneOf"]) {
      const branches = own(schema, keyword);
      if (!isArray(branches) || branches.length > MAX_ALTERNATIVES) continue;
      const union = branches.flatMap((branch) => expandAt(branch, depth + 1));
      if (union.length <= MAX_ALTERNATIVES) result = conjoin(result, union);
    }
    spend(result.length);
    return result;
  };

  return { expand: (schema) => expandAt(schema, 0) };
}

/** Both hold. Where that makes too many alternatives, `extra` is left out. */
export function conjoin(base: readonly Alternative[], extra: readonly Alternative[]): readonly Alternative[] {
  if (base.length * extra.length > MAX_ALTERNATIVES) return base;
  return base.flatMap((one) => extra.map((other) => [...one, ...other]));
}

function readShape(schema: JsonObject, isModern: boolean): Shape {
  const count = (keyword: string, otherwise: number): number => {
    const value = own(schema, keyword);
    return typeof value === "number" ? value : otherwise;
  };
  const options = Object.hasOwn(schema, "const") ? [schema["const"] ?? null] : own(schema, "enum");
  const listed = isArray(options) ? options : null;
  const types = typesOf(schema);
  const properties = own(schema, "properties");
  const patterns = own(schema, "patternProperties");
  const hasPatterns = isObject(patterns) && Object.keys(patterns).length > 0;
  const named = new Map(Object.entries(isObject(properties) ? properties : {}));
  const additional = hasPatterns ? true : (own(schema, "additionalProperties") ?? true);
  const items = own(schema, "items");
  const prefixItems = isModern ? own(schema, "prefixItems") : undefined;
  const required = own(schema, "required");
  return {
    kinds:
      types.kinds & (listed === null ? ALL_KINDS : listed.reduce<number>((bits, value) => bits | kindOf(value), 0)),
    strings: listed === null ? null : listed.filter(isString).sort(byUnits),
    numbers: listed === null ? null : new Set(listed.filter((value) => typeof value === "number")),
    isInteger: types.isInteger,
    minimum: count("minimum", Number.NEGATIVE_INFINITY),
    maximum: count("maximum", Number.POSITIVE_INFINITY),
    exclusiveMinimum: count("exclusiveMinimum", Number.NEGATIVE_INFINITY),
    exclusiveMaximum: count("exclusiveMaximum", Number.POSITIVE_INFINITY),
    minLength: count("minLength", 0),
    maxLength: count("maxLength", Number.POSITIVE_INFINITY),
    properties: named,
    keys: additional === false ? [...named.keys()].sort(byUnits) : null,
    additional,
    required: isArray(required) ? required.filter(isString) : [],
    minProperties: count("minProperties", 0),
    maxProperties: count("maxProperties", Number.POSITIVE_INFINITY),
    placed: isArray(items) ? items : isArray(prefixItems) ? prefixItems : [],
    rest: (isArray(items) ? own(schema, "additionalItems") : items) ?? true,
    minItems: count("minItems", 0),
    maxItems: count("maxItems", Number.POSITIVE_INFINITY),
  };
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function kindOf(value: Json): number {
  if (value === null) return KIND.null;
  if (value === true) return KIND.true;
  if (value === false) return KIND.false;
  if (typeof value === "number") return KIND.number;
  if (typeof value === "string") return KIND.string;
  return isArray(value) ? KIND.array : KIND.object;
}

const KINDS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["null", KIND.null],
  ["boolean", KIND.true | KIND.false],
  ["number", KIND.number],
  ["integer", KIND.number],
  ["string", KIND.string],
  ["array", KIND.array],
  ["object", KIND.object],
]);

function typesOf(schema: JsonObject): { readonly kinds: number; readonly isInteger: boolean } {
  const type = own(schema, "type");
  const names = isString(type) ? [type] : isArray(type) ? type.filter(isString) : null;
  if (names === null) return { kinds: ALL_KINDS, isInteger: false };
  return {
    kinds: names.reduce((bits, name) => bits | (KINDS_OF_TYPE.get(name) ?? 0), 0),
    isInteger: names.includes("integer") && !names.includes("number"),
  };
}
