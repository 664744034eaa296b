/**
 * Parses a JSON body of which long strings stay in its bytes (long-text.ts): what is parsed is the body with a mark in the place
 * of each, and then every mark becomes a property that reads its string when it is asked for.
 */
import { isObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { createStringTest } from "./json-string.ts";
import { createLongText, createLongTexts } from "./long-text.ts";
import type { LongText, LongTexts } from "./long-text.ts";

/**
 * Marks begin with a lone surrogate, and their number follows. As UTF-8 cannot spell one, a string of the client's begins so by
 * an escape only, which is looked for.
 */
const MARK_UNIT = 0xd800;
const MARK = String.raw`\ud800`;
const MARK_LIKE = /\\ud800/gi;

/** JSON with marks in the place of its long strings. */
export interface SparseJson {
  readonly json: JsonObject;
  /** Makes each mark the string that it stands for. */
  readonly settle: () => LongTexts;
}

/**
 * Parses `source`, which is UTF-8. `strings` are the offsets of the long strings' contents, start and end by turns, in order; each
 * is the value of an object's member.
 * @returns null when they cannot be left out; then `source` need not be JSON
 */
export function parseSparse(source: Uint8Array, strings: readonly number[]): SparseJson | null {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const isString = createStringTest(bytes);
  const texts: LongText[] = [];
  let text = "";
  let from = 0;
  for (let at = 0; at < strings.length; at += 2) {
    const start = strings[at] ?? 0;
    const end = strings[at + 1] ?? 0;
    if (!isString(start, end)) return null;
    text += bytes.toString("utf8", from, start) + MARK + String(texts.length);
    texts.push(createLongText(bytes, start, end));
    from = end;
  }
  text += bytes.toString("utf8", from);
  if (text.match(MARK_LIKE)?.length !== texts.length) return null;
  const json = parseObject(text);
  return json === null ? null : { json, settle: () => settleMarks(json, texts) };
}

function parseObject(text: string): JsonObject | null {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : null;
  } catch {
    return null;
  }
}

/** Goes through all of `root`, which is small without its long strings. */
function settleMarks(root: JsonObject, texts: readonly LongText[]): LongTexts {
  const found = createLongTexts();
  const waiting: Json[] = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (Array.isArray(value)) {
      for (const each of value as readonly Json[]) if (typeof each === "object" && each !== null) waiting.push(each);
      continue;
    }
    const holder = value as JsonObject;
    for (const key of Object.keys(holder)) {
      const member = holder[key];
      if (typeof member === "object" && member !== null) waiting.push(member);
      else if (typeof member === "string" && member.charCodeAt(0) === MARK_UNIT) {
        const text = texts[Number(member.slice(1))];
        if (text !== undefined) found.put(holder, key, text);
      }
    }
  }
  return found;
}
