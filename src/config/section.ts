/** Tables of keys: the nodes that the schema is made of. */
import type { Key } from "./key.ts";

/** A table of the file. */
export interface Section<Keys extends Fields> {
  readonly node: "section";
  readonly doc: string;
  readonly keys: Keys;
}

/** A table that is null when it is left out, and needs all its keys when it is not. */
export interface OptionalSection<Keys extends Fields> {
  readonly node: "optional-section";
  readonly doc: string;
  readonly keys: Keys;
}

export interface Fields {
  readonly [name: string]: SchemaNode;
}

// The `unknown` lets keys of every value type stand in one table.
export type SchemaNode = Key<unknown, "" | "Ms"> | Section<Fields> | OptionalSection<Fields>;

/** A table that is always there. */
export function section<Keys extends Fields>(doc: string, keys: Keys): Section<Keys> {
  return { node: "section", doc, keys };
}
