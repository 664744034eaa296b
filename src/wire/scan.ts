/**
 * One linear pass over a JSON body: before it is parsed, for its depth and size, or for where its top-level fields are.
 *
 * It is no validator. Text that is not JSON may pass here and is then refused by the parser; JSON is always read right.
 */
import { isUtf8 } from "node:buffer";
import { invalidRequest } from "../base/errors.ts";
import type { ParseLimits } from "./format.ts";

/** A top-level field of a JSON object, as byte offsets: `key` includes its quotes, ends are exclusive. */
export interface FieldSpan {
  /** Unescaped name. */
  readonly name: string;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** Where the parts of a top-level JSON object are; fields in source order, duplicates included. */
export interface ObjectSpans {
  readonly fields: readonly FieldSpan[];
  /** Offset of the opening brace. */
  readonly open: number;
  /** Offset of the closing brace. */
  readonly close: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Short strings are cheaper to walk than to hand to the runtime's search. */
const WALK_BYTES = 24;

/** Offset of the quote that ends the string whose first character is at `from`; the length when there is none. */
function endOfString(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let at = from;
  for (;;) {
    const walkEnd = Math.min(length, at + WALK_BYTES);
    while (at < walkEnd) {
      const byte = bytes[at];
      if (byte === QUOTE) return at;
      at += byte === BACKSLASH ? 2 : 1;
    }
    if (at >= length) return length;
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return length;
    let run = quote;
    while (run > at && bytes[run - 1] === BACKSLASH) run -= 1;
    if ((quote - run) % 2 === 0) return quote;
    at = quote + 1;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function skipSpaceBack(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at > 0 && isSpace(bytes[at - 1])) at -= 1;
  return at;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function readKey(bytes: Uint8Array, start: number, end: number): string {
  const raw = decoder.decode(bytes.subarray(start, end));
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

/**
 * Finds the top-level fields of the JSON object that starts at the first non-blank byte at or after `from`.
 * @returns null when no object starts there, or it does not end
 */
export function scanObject(bytes: Uint8Array, from = 0): ObjectSpans | null {
  const { length } = bytes;
  const open = skipSpace(bytes, from);
  if (bytes[open] !== OPEN_BRACE) return null;
  const fields: FieldSpan[] = [];
  let depth = 1;
  let keyStart = -1;
  let keyEnd = -1;
  let valueStart = -1;
  const closeField = (at: number): void => {
    if (valueStart < 0) return;
    fields.push({
      name: readKey(bytes, keyStart + 1, keyEnd),
      keyStart,
      valueStart,
      valueEnd: skipSpaceBack(bytes, at),
    });
    keyStart = -1;
    valueStart = -1;
  };
  for (let at = open + 1; at < length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = endOfString(bytes, at + 1);
      if (depth === 1 && keyStart < 0) {
        keyStart = at;
        keyEnd = end;
      }
      at = end;
    } else if (byte === COMMA) {
      if (depth === 1) closeField(at);
    } else if (byte === COLON) {
      if (depth === 1 && keyStart >= 0 && valueStart < 0) valueStart = skipSpace(bytes, at + 1);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) {
        closeField(at);
        return { fields, open, close: at };
      }
    }
  }
  return null;
}

function tooDeep({ jsonDepth }: ParseLimits): Error {
  return invalidRequest(`request body is nested deeper than ${jsonDepth} levels; flatten it`);
}

function tooMany({ jsonNodes }: ParseLimits): Error {
  return invalidRequest(`request body holds more than ${jsonNodes} JSON values; send less at once`);
}

/** What is known of a request body before it is parsed. */
export interface RequestBounds {
  /** Top-level fields, repeated ones included. */
  readonly fields: number;
  /**
   * Of a large body that is mostly long strings, these: where each starts and ends without its quotes, by turns. They are values
   * of object members. Else none.
   */
  readonly longStrings: readonly number[];
}

const NO_STRINGS: readonly number[] = [];
/** Bodies from here on may have long strings, which are those of so many bytes. */
const LARGE_BODY_BYTES = 16_384;
const LONG_STRING_BYTES = 1024;
/** Share of a body that long strings make up, at least: what is left is gone through once more. */
const MOSTLY = 0.75;

/**
 * Bounds a request body before it is parsed: UTF-8 without a byte order mark, one JSON object, its depth and number of values.
 * @throws GatewayError `invalid-request`, code `invalid_json` or `invalid_value`
 */
export function boundRequest(bytes: Uint8Array, limits: ParseLimits): RequestBounds {
  if (!isUtf8(bytes))
    throw invalidRequest("request body is not valid UTF-8; encode it as UTF-8", undefined, "invalid_json");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw invalidRequest("request body starts with a byte order mark; send it without one", undefined, "invalid_json");
  }
  const bounds = measureObject(bytes, limits);
  if (bounds === null) throw invalidRequest("request body is not one whole JSON object", undefined, "invalid_json");
  return bounds;
}

/** Nodes are every container, and every element or member beyond the first of each. */
function measureObject(bytes: Uint8Array, limits: ParseLimits): RequestBounds | null {
  const { length } = bytes;
  const { jsonDepth, jsonNodes } = limits;
  const open = skipSpace(bytes, 0);
  if (bytes[open] !== OPEN_BRACE) return null;
  const longFrom = length < LARGE_BODY_BYTES ? length : LONG_STRING_BYTES;
  let longStrings: number[] | null = null;
  let longBytes = 0;
  let fields = 0;
  let depth = 1;
  let nodes = 1;
  for (let at = open + 1; at < length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = endOfString(bytes, at + 1);
      if (end - at > longFrom && bytes[skipSpaceBack(bytes, at) - 1] === COLON) {
        (longStrings ??= []).push(at + 1, end);
        longBytes += end - at;
      }
      at = end;
    } else if (byte === COMMA) {
      nodes += 1;
      if (nodes > jsonNodes) throw tooMany(limits);
    } else if (byte === COLON) {
      if (depth === 1) fields += 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      nodes += 1;
      if (depth > jsonDepth) throw tooDeep(limits);
      if (nodes > jsonNodes) throw tooMany(limits);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth > 0) continue;
      return { fields, longStrings: longStrings !== null && longBytes > MOSTLY * length ? longStrings : NO_STRINGS };
    }
  }
  return null;
}

/**
 * Refuses a body in which a field of `unique` occurs twice at the top level.
 * @throws GatewayError `invalid-request`, code `invalid_value`
 */
export function refuseRepeated(bytes: Uint8Array, unique: ReadonlySet<string>): void {
  const seen = new Set<string>();
  for (const { name } of scanObject(bytes)?.fields ?? []) {
    if (!unique.has(name)) continue;
    if (seen.has(name)) throw invalidRequest(`field occurs twice: ${name}; send it once`, name);
    seen.add(name);
  }
}

/** Bytes from `start` to `end`, which is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the elements of the JSON array that starts at the first non-blank byte at or after `from` are; null: none starts there, or it does not end. */
export function scanArray(bytes: Uint8Array, from: number): readonly Span[] | null {
  const open = skipSpace(bytes, from);
  if (bytes[open] !== OPEN_BRACKET) return null;
  const items: Span[] = [];
  let depth = 1;
  let start = skipSpace(bytes, open + 1);
  for (let at = open + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1);
    } else if (byte === COMMA && depth === 1) {
      items.push({ start, end: skipSpaceBack(bytes, at) });
      start = skipSpace(bytes, at + 1);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth > 0) continue;
      if (start < at) items.push({ start, end: skipSpaceBack(bytes, at) });
      return items;
    }
  }
  return null;
}

/** The elements' end in the array at `start`…`end`: where an element may be appended, and whether it is the first. */
export function arrayTail(bytes: Uint8Array, start: number, end: number): { at: number; empty: boolean } | null {
  if (bytes[start] !== OPEN_BRACKET || bytes[end - 1] !== CLOSE_BRACKET) return null;
  const at = skipSpaceBack(bytes, end - 1);
  return { at, empty: at === start + 1 };
}
