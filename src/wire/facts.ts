/** Readings that every format's facts share. */
import { isObject, isString, own } from "../base/json.ts";
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
  return EFFORTS.find((effort) => effort === value) ?? null;
}

export function readObject(value: Json | undefined): JsonObject | null {
  return isObject(value) ? value : null;
}

/** The members of `metadata` that are strings, numbers or booleans, as strings. */
export function readMetadata(value: Json | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(readObject(value) ?? {}).flatMap(([name, each]): [string, string][] =>
    isString(each) || typeof each === "number" || typeof each === "boolean" ? [[name, String(each)]] : [],
  );
  return Object.fromEntries(entries);
}

/** Text of a content: the string itself, or its parts' `text`, joined by a line end. */
export function readText(content: Json | undefined): string {
  if (isString(content)) return content;
  if (!Array.isArray(content)) return "";
  const texts: string[] = [];
  for (const part of content) {
    const text = own(part as Json, "text");
    if (isString(text)) texts.push(text);
  }
  return texts.join("\n");
}
