/** Keys that choose among words, and keys that hold lists and tables. */
import { parseDurationMs } from "../base/duration.ts";
import { isArray, isObject, isString, type Json, type JsonObject } from "../base/json.ts";
import { key, plural, type Key, type Marks, type Read } from "./key.ts";
import { DURATION_PATTERN } from "./scalar-keys.ts";

/** A duration, or one of `words`, which stand for themselves in the value. */
export function durationOr<const Word extends string>(
  initial: Word,
  words: readonly Word[],
  doc: string,
  marks: Marks = {},
): Key<number | Word> {
  const allowed = `${plural(words)} or a duration such as "800ms"`;
  return key(
    {
      read: (json) => {
        const word = words.find((candidate) => candidate === json);
        const value = word ?? (isString(json) ? parseDurationMs(json) : null);
        return value === null ? { allowed, words } : { value };
      },
      default: initial,
      defaultToml: JSON.stringify(initial),
      type: `duration, or ${plural(words)}`,
      jsonSchema: { anyOf: [{ enum: words }, { type: "string", pattern: DURATION_PATTERN }] },
    },
    "",
    doc,
    marks,
  );
}

/** One of `words`: strings, numbers or booleans. */
export function oneOf<const Word extends string | number | boolean>(
  initial: NoInfer<Word>,
  words: readonly Word[],
  doc: string,
  marks: Marks = {},
): Key<Word> {
  const spelled = words.map((word) => JSON.stringify(word)).join(", ");
  return key(
    {
      read: (json) => {
        const value = words.find((word) => word === json);
        return value === undefined ? { allowed: `one of ${spelled}`, words: words.map(String) } : { value };
      },
      default: initial,
      defaultToml: JSON.stringify(initial),
      type: spelled,
      jsonSchema: { enum: words },
    },
    "",
    doc,
    marks,
  );
}

/** A list of strings; of `words` only, when given. */
export function list<const Word extends string = string>(
  initial: readonly NoInfer<Word>[],
  doc: string,
  marks: Marks = {},
  words?: readonly Word[],
): Key<readonly Word[]> {
  const fits = (item: Json): boolean =>
    isString(item) && item !== "" && (words === undefined || words.some((word) => word === item));
  return key(
    {
      read: (json) => {
        const allowed = words === undefined ? "a list of strings" : `a list of ${plural(words)}`;
        if (!isArray(json)) return { allowed };
        const index = json.findIndex((item) => !fits(item));
        return index < 0 ? { value: json as readonly Word[] } : { allowed, index, words: words ?? [] };
      },
      default: initial,
      defaultToml: `[${initial.map((item) => JSON.stringify(item)).join(", ")}]`,
      type: "list of strings",
      jsonSchema: { type: "array", items: words === undefined ? { type: "string" } : { enum: words } },
    },
    "",
    doc,
    marks,
  );
}

/** One of `words`, or a list of `items`. */
export function wordOrList<const Word extends string>(
  initial: NoInfer<Word>,
  words: readonly Word[],
  items: readonly string[],
  doc: string,
): Key<Word | readonly string[]> {
  const choice = oneOf<Word>(initial, words, doc);
  const several = list<string>([], doc, {}, items);
  return {
    ...choice,
    default: initial,
    read: (json) => {
      const read: Read<Word | readonly string[]> = isArray(json) ? several.read(json) : choice.read(json);
      return "value" in read ? read : { ...read, allowed: `${plural(words)}, or a list of ${plural(items)}` };
    },
    type: `${plural(words)}, or list of strings`,
    jsonSchema: { anyOf: [choice.jsonSchema, several.jsonSchema] },
  };
}

/** A table of strings by name. */
export function textTable(doc: string, marks: Marks = {}): Key<Readonly<Record<string, string>>> {
  return key(
    {
      read: (json) =>
        isObject(json) && Object.values(json).every(isString)
          ? { value: json as Readonly<Record<string, string>> }
          : { allowed: "a table of strings" },
      default: {},
      defaultToml: "{}",
      type: "table of strings",
      jsonSchema: { type: "object", additionalProperties: { type: "string" } },
    },
    "",
    doc,
    marks,
  );
}

/** A table that another part of the program reads. */
export function rawTable(doc: string, jsonSchema: JsonObject): Key<JsonObject> {
  return key(
    {
      read: (json) => (isObject(json) ? { value: json } : { allowed: "a table" }),
      default: {},
      defaultToml: null,
      type: "table",
      jsonSchema,
    },
    "",
    doc,
    {},
  );
}
