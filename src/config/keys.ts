/** Kinds of configuration values: what is read, what is allowed, how the default and the JSON Schema are written. */
import { MAX_DURATION_MS, parseDurationMs, renderDurationMs } from "../base/duration.ts";
import { isArray, isObject, isString, type Json, type JsonObject } from "../base/json.ts";
import type { Secret } from "../base/secret.ts";

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

interface KeyParts<Value> {
  readonly read: (json: Json) => Read<Value>;
  readonly default: Value;
  readonly defaultToml: string | null;
  readonly type: string;
  readonly jsonSchema: JsonObject;
  readonly role?: TextRole;
}

function key<Value, Suffix extends "" | "Ms">(
  parts: KeyParts<Value>,
  suffix: Suffix,
  doc: string,
  marks: Marks,
): Key<Value, Suffix> {
  const { restart = false, overridable = false, perProvider = false } = marks;
  return { node: "key", role: "plain", ...parts, suffix, doc, restart, overridable, perProvider };
}

const plural = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(", ");

/** Makes a key unset by default: null then. An empty string unsets it too, as container setups cannot leave out a variable. */
function optional<Value, Suffix extends "" | "Ms">(of: Key<Value, Suffix>): Key<Value | null, Suffix> {
  return {
    ...of,
    read: (json) => (json === "" ? { value: null } : of.read(json)),
    jsonSchema: of.jsonSchema.type === "string" ? { type: "string" } : of.jsonSchema,
    default: null,
    defaultToml: null,
  };
}

/** A string that is not empty. */
export function text(initial: string, doc: string, marks: Marks = {}): Key<string> {
  return key(
    {
      read: (json) => (isString(json) && json !== "" ? { value: json } : { allowed: "a string that is not empty" }),
      default: initial,
      defaultToml: JSON.stringify(initial),
      type: "string",
      jsonSchema: { type: "string", minLength: 1 },
    },
    "",
    doc,
    marks,
  );
}

export function optionalText(doc: string, marks: Marks = {}): Key<string | null> {
  return optional(text("", doc, marks));
}

/** A string that `pattern` fits; `allowed` says it in words. */
export function patternText(initial: string, pattern: RegExp, allowed: string, doc: string, marks: Marks = {}): Key<string> {
  return {
    ...text(initial, doc, marks),
    read: (json) => (isString(json) && pattern.test(json) ? { value: json } : { allowed }),
    jsonSchema: { type: "string", pattern: `${pattern.source}|\\$\\{` },
  };
}

export function optionalPatternText(pattern: RegExp, allowed: string, doc: string, marks: Marks = {}): Key<string | null> {
  return optional(patternText("", pattern, allowed, doc, marks));
}

/** A file or folder; relative ones start at the folder of the file that names them. */
export function path(doc: string, marks: Marks = {}): Key<string | null> {
  return { ...optionalText(doc, marks), role: "path", type: "path" };
}

/** An http(s) address without query or fragment. */
export function url(initial: string, doc: string, marks: Marks = {}): Key<string> {
  return {
    ...text(initial, doc, marks),
    read: (json) => (isString(json) && isHttpUrl(json) ? { value: json } : { allowed: "an http:// or https:// URL without query" }),
    type: "URL",
  };
}

export function optionalUrl(doc: string, marks: Marks = {}): Key<string | null> {
  return optional(url("", doc, marks));
}

/** A key or password. The text is wrapped by the loader, which alone sees it. */
export function secret(doc: string): Key<Secret | null> {
  const base = optionalText(doc);
  return { ...base, read: (json) => base.read(json) as unknown as Read<Secret | null>, default: null, role: "secret", type: "secret" };
}

export function flag(initial: boolean, doc: string, marks: Marks = {}): Key<boolean> {
  return key(
    {
      read: (json) => (typeof json === "boolean" ? { value: json } : { allowed: "true or false" }),
      default: initial,
      defaultToml: String(initial),
      type: "boolean",
      jsonSchema: { type: "boolean" },
    },
    "",
    doc,
    marks,
  );
}

/** A whole number of at least `min` and at most `max`. */
export function count(initial: number, range: { min: number; max?: number }, doc: string, marks: Marks = {}): Key<number> {
  const { min, max } = range;
  const allowed = max === undefined ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  return key(
    {
      read: (json) =>
        typeof json === "number" && Number.isSafeInteger(json) && json >= min && json <= (max ?? Number.MAX_SAFE_INTEGER)
          ? { value: json }
          : { allowed },
      default: initial,
      defaultToml: String(initial),
      type: "integer",
      jsonSchema: { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
    },
    "",
    doc,
    marks,
  );
}

export function optionalCount(min: number, doc: string, marks: Marks = {}): Key<number | null> {
  return optional(count(min, { min }, doc, marks));
}

/** A number of at least 0 and at most `max` (1 unless told). */
export function ratio(initial: number, doc: string, marks: Marks = {}, max = 1): Key<number> {
  return key(
    {
      read: (json) =>
        typeof json === "number" && json >= 0 && json <= max ? { value: json } : { allowed: `a number from 0 to ${max}` },
      default: initial,
      defaultToml: Number.isInteger(initial) ? initial.toFixed(1) : String(initial),
      type: "number",
      jsonSchema: { type: "number", minimum: 0, maximum: max },
    },
    "",
    doc,
    marks,
  );
}

/** A variable may stand for all of it. */
const DURATION_PATTERN = "^[0-9]{1,9}(\\.[0-9]{1,9})?(ms|s|m|h)$|\\$\\{";

/** Milliseconds, written `250ms`, `2s`, `5m` or `1h`. `max` is such a text too. */
export function duration(initial: string, doc: string, marks: Marks = {}, max?: string): Key<number, "Ms"> {
  const maxMs = max === undefined ? MAX_DURATION_MS : toMs(max);
  const allowed = `a duration such as "250ms", "2s" or "5m", at most ${renderDurationMs(maxMs)}`;
  return key(
    {
      read: (json) => {
        const value = isString(json) ? parseDurationMs(json) : null;
        return value !== null && value <= maxMs ? { value } : { allowed };
      },
      default: toMs(initial),
      defaultToml: JSON.stringify(initial),
      type: "duration",
      jsonSchema: { type: "string", pattern: DURATION_PATTERN },
    },
    "Ms",
    doc,
    marks,
  );
}

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
      default: initial as number | Word,
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
      default: initial as Word,
      defaultToml: JSON.stringify(initial),
      type: spelled,
      jsonSchema: { enum: words },
    },
    "",
    doc,
    marks,
  );
}

/** A whole number of at least 1, or `word`. */
export function countOr<const Word extends string>(initial: number, word: Word, doc: string, marks: Marks = {}): Key<number | Word> {
  const whole = count(initial, { min: 1 }, doc, marks);
  return {
    ...whole,
    read: (json) => {
      const read = whole.read(json);
      if (json === word) return { value: word };
      return "value" in read ? read : { allowed: `${read.allowed}, or "${word}"` };
    },
    type: `integer, or "${word}"`,
    jsonSchema: { anyOf: [whole.jsonSchema, { const: word }] },
  };
}

/** A list of strings; of `words` only, when given. */
export function list<const Word extends string = string>(
  initial: readonly NoInfer<Word>[],
  doc: string,
  marks: Marks = {},
  words?: readonly Word[],
): Key<readonly Word[]> {
  const fits = (item: Json): boolean => isString(item) && item !== "" && (words === undefined || words.some((word) => word === item));
  return key(
    {
      read: (json) => {
        const allowed = words === undefined ? "a list of strings" : `a list of ${plural(words)}`;
        if (!isArray(json)) return { allowed };
        const index = json.findIndex((item) => !fits(item));
        return index < 0 ? { value: json as readonly Word[] } : { allowed, index, words: words ?? [] };
      },
      default: initial as readonly Word[],
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
    default: initial as Word | readonly string[],
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

function toMs(spelled: string): number {
  const milliseconds = parseDurationMs(spelled);
  if (milliseconds === null) throw new Error(`not a duration: ${spelled}`);
  return milliseconds;
}

function isHttpUrl(value: string): boolean {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === "" && parsed.hash === "";
}
