/** Keys that hold strings: names, paths, addresses, secrets. */
import { isString } from "../base/json.ts";
import type { Secret } from "../base/secret.ts";
import { key, optional, type Key, type Marks, type Read } from "./key.ts";

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
export function patternText(
  initial: string,
  pattern: RegExp,
  allowed: string,
  doc: string,
  marks: Marks = {},
): Key<string> {
  return {
    ...text(initial, doc, marks),
    read: (json) => (isString(json) && pattern.test(json) ? { value: json } : { allowed }),
    jsonSchema: { type: "string", pattern: `${pattern.source}|\\$\\{` },
  };
}

export function optionalPatternText(
  pattern: RegExp,
  allowed: string,
  doc: string,
  marks: Marks = {},
): Key<string | null> {
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
    read: (json) =>
      isString(json) && isHttpUrl(json) ? { value: json } : { allowed: "an http:// or https:// URL without query" },
    type: "URL",
  };
}

export function optionalUrl(doc: string, marks: Marks = {}): Key<string | null> {
  return optional(url("", doc, marks));
}

/** A key or password. The text is wrapped by the loader, which alone sees it. */
export function secret(doc: string): Key<Secret | null> {
  const base = optionalText(doc);
  return {
    ...base,
    read: (json) => base.read(json) as unknown as Read<Secret | null>,
    default: null,
    role: "secret",
    type: "secret",
  };
}

function isHttpUrl(value: string): boolean {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === "" && parsed.hash === "";
}
