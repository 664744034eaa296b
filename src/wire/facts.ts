/** Readings that every format's facts share. */
import { isArray, isObject, isString, own } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { EFFORTS } from "../base/names.ts";
import type { Effort } from "../base/names.ts";

export function readNumber(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

export function readString(value: Json | undefined): string | null {
  return isString(value) ? value : null;
}

export function readEffort(value: Json | undefined): Effort | null {
  for (const effort of EFFORTS) if (effort === value) return effort;
  return null;
}

export function readObject(value: Json | undefined): JsonObject | null {
  return isObject(value) ? value : null;
}

const NONE: readonly Json[] = [];

/** The elements of an array; of anything else none. */
export function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : NONE;
}

const NO_METADATA: Readonly<Record<string, string>> = {};

/** The members of `metadata` that are strings, numbers or booleans, as strings. */
export function readMetadata(value: Json | undefined): Readonly<Record<string, string>> {
  if (!isObject(value)) return NO_METADATA;
  const entries = Object.entries(value).flatMap(([name, each]): [string, string][] =>
    isString(each) || typeof each === "number" || typeof each === "boolean" ? [[name, String(each)]] : [],
  );
  return Object.fromEntries(entries);
}

/** Text of a content: the string itself, or its parts' `text`, joined by a line end. */
export function readText(content: Json | undefined): string {
  if (isString(content)) return content;
  return joinLines(list(content), readPartText);
}

function readPartText(part: Json): string | null {
  return readString(own(part, "text"));
}

/** The texts that `read` finds in `values`, joined by line ends; null is none. */
export function joinLines(values: readonly Json[], read: (value: Json) => string | null): string {
  let lines: string | null = null;
  for (const value of values) {
    const text = read(value);
    if (text !== null) lines = lines === null ? text : `${lines}\n${text}`;
  }
  return lines ?? "";
}
