/** A key of the configuration: what is read, what is allowed, how its default and its JSON Schema are written. */
import type { Json, JsonObject } from "../base/json.ts";

/** A value that was accepted, or what would have been. */
export type Read<Value> = { readonly value: Value } | Refused;

export interface Refused {
  /** In words, to be put behind "must be". */
  readonly allowed: string;
  /** Words that the value may have been meant to be. */
  readonly words?: readonly string[];
  /** Which item of a list is wrong; all of the value when absent. */
  readonly index?: number;
}

/** How strings of a key are treated before they are read. */
export type TextRole = "plain" | "path" | "secret";

export interface Key<Value, Suffix extends "" | "Ms" = ""> {
  readonly node: "key";
  readonly read: (json: Json) => Read<Value>;
  readonly default: Value;
  /** Spelling of the default in TOML; null: unset. */
  readonly defaultToml: string | null;
  /** What the documentation calls its type, such as `duration`. */
  readonly type: string;
  readonly jsonSchema: JsonObject;
  readonly role: TextRole;
  /** Put behind the camelCase name: durations are milliseconds. */
  readonly suffix: Suffix;
  readonly doc: string;
  /** A change needs a restart (R). */
  readonly restart: boolean;
  /** A rule of the policy or a header may override it (†). */
  readonly overridable: boolean;
  /** May be given for one provider too (P). */
  readonly perProvider: boolean;
}

/** Marks of a key: R, † and P of the documentation. */
export interface Marks {
  readonly restart?: boolean;
  readonly overridable?: boolean;
  readonly perProvider?: boolean;
}

export interface KeyParts<Value> {
  readonly read: (json: Json) => Read<Value>;
  readonly default: Value;
  readonly defaultToml: string | null;
  readonly type: string;
  readonly jsonSchema: JsonObject;
  readonly role?: TextRole;
}

export function key<Value, Suffix extends "" | "Ms">(
  parts: KeyParts<Value>,
  suffix: Suffix,
  doc: string,
  marks: Marks,
): Key<Value, Suffix> {
  const { restart = false, overridable = false, perProvider = false } = marks;
  return { node: "key", role: "plain", ...parts, suffix, doc, restart, overridable, perProvider };
}

export const plural = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(", ");

/** Makes a key unset by default: null then. An empty string unsets it too, as container setups cannot leave out a variable. */
export function optional<Value, Suffix extends "" | "Ms">(of: Key<Value, Suffix>): Key<Value | null, Suffix> {
  return {
    ...of,
    read: (json) => (json === "" ? { value: null } : of.read(json)),
    jsonSchema: of.jsonSchema.type === "string" ? { type: "string" } : of.jsonSchema,
    default: null,
    defaultToml: null,
  };
}
