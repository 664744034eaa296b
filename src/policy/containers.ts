/** Readers of lists and mappings, made of other readers. */
import { nearest } from "../base/diagnostic.ts";
import type { Json, JsonObject, MutableJsonObject } from "../base/json.ts";
import { refuse } from "./readers.ts";
import type { Reader } from "./readers.ts";
import { quote } from "./source.ts";
import type { Resolved, Source, Written } from "./source.ts";
import { isMap, isScalar, isSeq } from "./yaml-nodes.ts";

/** Deepest JSON value that a policy may hold (`params.set`, a test's request). */
const MAX_JSON_DEPTH = 64;

/** A list of at least `minItems` and at most `maxItems`. */
export function list<Value>(item: Reader<Value>, minItems = 1, maxItems = 256): Reader<readonly Value[]> {
  const expects = `a list, each ${item.expects}`;
  return {
    expects,
    schema: { type: "array", items: item.schema, minItems, maxItems },
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      if (!isSeq(resolved)) {
        const hint = isScalar(resolved) && resolved.value !== null ? `; write [${resolved.source ?? ""}]` : "";
        return refuse(source, node, resolved, label, expects, hint);
      }
      const count = resolved.items.length;
      if (count < minItems || count > maxItems) {
        source.report(node, `${label}: expected ${minItems} to ${maxItems} entries, found ${count}`);
        return undefined;
      }
      return all(resolved.items, (entry) => item.read(source, entry, label));
    },
  };
}

/** One value, or a list of them; always read as a list. */
export function oneOrMany<Value>(item: Reader<Value>): Reader<readonly Value[]> {
  const many = list(item);
  return {
    expects: `${item.expects}, or a list of them`,
    schema: { anyOf: [item.schema, many.schema] },
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      if (isSeq(resolved)) return many.read(source, node, label);
      const value = item.read(source, node, label);
      return value === undefined ? undefined : [value];
    },
  };
}

/** `first` for scalars, `rest` for what is none (or, the other way round, whatever `isFirst` says). */
export function either<A, B>(isFirst: (node: Resolved) => boolean, first: Reader<A>, rest: Reader<B>): Reader<A | B> {
  return {
    expects: `${first.expects}; or ${rest.expects}`,
    schema: { anyOf: [first.schema, rest.schema] },
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      return isFirst(resolved) ? first.read(source, node, label) : rest.read(source, node, label);
    },
  };
}

/** `reader`, its value turned into another. */
export function mapped<A, B>(reader: Reader<A>, turn: (value: A) => B): Reader<B> {
  return {
    expects: reader.expects,
    schema: reader.schema,
    read: (source, node, label) => {
      const value = reader.read(source, node, label);
      return value === undefined ? undefined : turn(value);
    },
  };
}

/** A mapping of free names: `name` checks each key, `value` each value. */
export function dictionary<Value>(
  name: { readonly expects: string; readonly pattern: RegExp; readonly turn?: (key: string) => string },
  value: Reader<Value>,
  maxEntries = 64,
): Reader<ReadonlyMap<string, Value>> {
  const expects = `a mapping from ${name.expects} to ${value.expects}`;
  return {
    expects,
    schema: {
      type: "object",
      minProperties: 1,
      maxProperties: maxEntries,
      propertyNames: { pattern: name.pattern.source },
      additionalProperties: value.schema,
    },
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      if (!isMap(resolved)) return refuse(source, node, resolved, label, expects);
      const entries = source.entries(resolved, `${label}: `);
      if (entries.length === 0 || entries.length > maxEntries) {
        source.report(node, `${label}: expected 1 to ${maxEntries} entries, found ${entries.length}`);
        return undefined;
      }
      const pairs = all(entries, (entry): readonly [string, Value] | undefined => {
        if (!name.pattern.test(entry.key)) {
          source.report(entry.keyNode, `${label}: expected ${name.expects}, found ${quote(entry.key)}`);
          return undefined;
        }
        const read = value.read(source, entry.value, `${label}.${entry.key}`);
        return read === undefined ? undefined : [name.turn?.(entry.key) ?? entry.key, read];
      });
      return pairs === undefined ? undefined : new Map(pairs);
    },
  };
}

/** One key of a {@link record}. */
export interface Field<Value> {
  readonly reader: Reader<Value>;
  readonly doc: string;
}

export type Fields = { readonly [key: string]: Field<unknown> };
/** What a record of `F` reads: every key may be missing. */
export type ReadFields<F extends Fields> = {
  readonly [Key in keyof F]?: F[Key] extends Field<infer Value> ? Value : never;
};

/** A mapping with known keys. Unknown ones are named with the nearest known; `noun` says what a key is called. */
export function record<F extends Fields>(
  fields: F,
  options: { readonly noun?: string; readonly required?: readonly (keyof F & string)[] } = {},
): Reader<ReadFields<F>> {
  const { noun = "key", required = [] } = options;
  const names = Object.keys(fields);
  const properties = Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, { description: field.doc, ...field.reader.schema }]),
  );
  const expects = names.length > 8 ? "a mapping" : `a mapping of ${names.join(", ")}`;
  return {
    expects,
    schema: { type: "object", properties, additionalProperties: false, ...(required.length > 0 ? { required } : {}) },
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      if (!isMap(resolved)) return refuse(source, node, resolved, label, expects);
      const read = new Map<string, unknown>();
      let whole = true;
      const present = new Set<string>();
      for (const { key, keyNode, value } of source.entries(resolved, `${label}: `)) {
        present.add(key);
        const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
        const result = field?.reader.read(source, value, `${label}: ${key}`);
        if (field === undefined) source.report(keyNode, `${label}: ${unknownKey(noun, key, names)}`);
        if (result === undefined) whole = false;
        else read.set(key, result);
      }
      for (const key of required) {
        if (present.has(key)) continue;
        source.report(node, `${label}: ${noun} "${key}" is missing`);
        whole = false;
      }
      return whole ? (Object.fromEntries(read) as ReadFields<F>) : undefined;
    },
  };
}

/** `unknown NOUN "KEY"` with the nearest known one, else with all that are allowed, as `listed` has them. */
export function unknownKey(noun: string, key: string, names: readonly string[], listed = names.join(", ")): string {
  const near = nearest(key, names);
  const head = `unknown ${noun} ${quote(key)}`;
  if (key === "<<")
    return `${head}; merge keys are not part of YAML 1.2: name the block with an anchor and use its alias`;
  if (near !== null) return `${head}; did you mean "${near}"?`;
  return `${head}; allowed: ${listed}`;
}

/** Any JSON value. */
export const json: Reader<Json> = {
  expects: "a value",
  schema: {},
  read: (source, node, label) => readJson(source, node, label, MAX_JSON_DEPTH),
};

function readJson(source: Source, node: Written, label: string, depth: number): Json | undefined {
  const resolved = source.resolve(node);
  if (resolved === undefined) return undefined;
  if (depth === 0) {
    source.report(node, `${label}: nested deeper than ${MAX_JSON_DEPTH}`);
    return undefined;
  }
  if (isSeq(resolved)) return all(resolved.items, (item) => readJson(source, item, label, depth - 1));
  if (isMap(resolved)) {
    const pairs = all(source.entries(resolved, `${label}: `), ({ key, value }) => {
      const read = readJson(source, value, label, depth - 1);
      return read === undefined ? undefined : ([key, read] as const);
    });
    return pairs === undefined ? undefined : Object.fromEntries(pairs);
  }
  const value: unknown = resolved?.value ?? null;
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(source, node, resolved, label, "a JSON value");
}

/** `read` over all of `items`, every mistake reported; undefined as soon as one is undefined. */
function all<Item, Value>(
  items: readonly Item[],
  read: (item: Item) => Value | undefined,
): readonly Value[] | undefined {
  const values: Value[] = [];
  let whole = true;
  for (const item of items) {
    const value = read(item);
    if (value === undefined) whole = false;
    else values.push(value);
  }
  return whole ? values : undefined;
}

/** A JSON object under construction from entries that may be undefined. */
export function compact(object: MutableJsonObject): JsonObject {
  const whole: Record<string, Json> = {};
  for (const name in object) {
    const value = object[name];
    if (value !== undefined) whole[name] = value;
  }
  return whole;
}
