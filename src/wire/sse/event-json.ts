/**
 * JSON of a stream's events. Most of them repeat the one before but for a few strings and counts: a token's text, padding, a
 * sequence number. Where two neighbours differ is learned once; what follows is told from its text in a few comparisons, and only
 * what differs is read. The value is what `JSON.parse` would give: anything else is handed to it.
 */
import type { Json, JsonObject } from "../../base/json.ts";

export interface EventJson {
  /** Reads one text. @throws SyntaxError when it is not JSON */
  parse(text: string): Json;
}

/** A whole string or integer of a JSON text, without the quotes. */
interface Token {
  readonly start: number;
  readonly end: number;
  readonly isString: boolean;
}

/** What slots hold. */
type Values = readonly (string | number)[];

/** A value that is made anew: the slot that it is, or the parts of it that are. */
type Varying = number | Part;

/** A part of an object or a list that is made anew; all that has none is shared. */
interface Part {
  /** The object or list as it was learned; the same in all of its parts. */
  readonly whole: JsonObject | readonly Json[];
  /** Its field, or the index of its element. */
  readonly key: string;
  readonly value: Varying;
  /** The next part of the same one. */
  readonly next: Part | null;
}

/** Texts that are the same but for their slots. */
interface Shape {
  /** What stands before each slot, and behind the last one. */
  readonly constants: readonly string[];
  /** Of each slot, whether it is a string. */
  readonly isString: readonly boolean[];
  readonly varying: Varying;
  /** What the slots of the text at hand hold. */
  readonly values: (string | number)[];
}

/** Longer texts are not learned from. */
const MAX_LEARNED = 4096;
const MAX_SLOTS = 4;
/** Shapes kept: a stream writes text, reasoning and the arguments of a call or two in turns. */
const MAX_SHAPES = 4;
/** Neighbours without a shape in common after which no more are compared. */
const MAX_FAILURES = 8;
/** Digits of an integer that a double holds as it is written. */
const MAX_DIGITS = 15;

const QUOTE = 0x22;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** Creates the parser of one stream. */
export function createEventJson(): EventJson {
  return new Learner();
}

class Learner implements EventJson {
  readonly #shapes: Shape[] = [];
  #previous = "";
  #failures = 0;

  parse(text: string): Json {
    for (const shape of this.#shapes) if (fits(shape, text)) return make(shape.varying, shape.values);
    const json = JSON.parse(text) as Json;
    if (this.#failures <= MAX_FAILURES && text.length <= MAX_LEARNED) this.#learn(text, json);
    return json;
  }

  #learn(text: string, json: Json): void {
    const previous = this.#previous;
    this.#previous = text;
    const shape = previous === "" ? null : findShape(previous, text);
    if (shape === null || !isTrue(shape, text, json)) {
      this.#failures += 1;
      return;
    }
    this.#failures = 0;
    this.#shapes.unshift(shape);
    if (this.#shapes.length > MAX_SHAPES) this.#shapes.pop();
  }
}

/** Whether the shape gives for its own text what the parser gave. */
function isTrue(shape: Shape, text: string, json: Json): boolean {
  return fits(shape, text) && JSON.stringify(make(shape.varying, shape.values)) === JSON.stringify(json);
}

/** Whether `text` has this shape; the values of its slots are then in it. */
function fits({ constants, isString, values }: Shape, text: string): boolean {
  let at = 0;
  for (let slot = 0; slot < values.length; slot += 1) {
    const constant = constants[slot] as string;
    if (!text.startsWith(constant, at)) return false;
    at += constant.length;
    const end = isString[slot] === true ? takeString(text, at, values, slot) : takeInteger(text, at, values, slot);
    if (end < 0) return false;
    at = end;
  }
  const last = constants[values.length] as string;
  return text.length - at === last.length && text.endsWith(last);
}

/** Reads the string whose text begins at `start`; gives where its closing quote is, or -1. */
function takeString(text: string, start: number, values: (string | number)[], slot: number): number {
  let isPlain = true;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      if (isPlain) values[slot] = text.slice(start, at);
      else {
        const value = unescape(text.slice(start - 1, at + 1));
        if (value === null) return -1;
        values[slot] = value;
      }
      return at;
    }
    if (code < 0x20) return -1;
    if (code === BACKSLASH) {
      isPlain = false;
      at += 1;
    }
  }
  return -1;
}

/** The string that `literal` writes, or null. */
function unescape(literal: string): string | null {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}

/** Reads the integer that begins at `start`; gives where it ends, or -1. */
function takeInteger(text: string, start: number, values: (string | number)[], slot: number): number {
  let at = start;
  let value = 0;
  while (at < text.length && isDigit(text.charCodeAt(at))) {
    value = value * 10 + text.charCodeAt(at) - ZERO;
    at += 1;
  }
  if (at === start || at - start > MAX_DIGITS || (at - start > 1 && text.charCodeAt(start) === ZERO)) return -1;
  values[slot] = value;
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** The shape that two JSON texts have in common; null when they have none. */
function findShape(earlier: string, later: string): Shape | null {
  const before = readTokens(earlier);
  const after = readTokens(later);
  if (before.length !== after.length) return null;
  const slots: Token[] = [];
  let fromEarlier = 0;
  let fromLater = 0;
  for (let at = 0; at <= after.length; at += 1) {
    const old = before[at];
    const token = after[at];
    const between = later.slice(fromLater, token?.start);
    if (earlier.slice(fromEarlier, old?.start) !== between) return null;
    if (old === undefined || token === undefined) break;
    if (earlier.slice(old.start, old.end) !== later.slice(token.start, token.end)) slots.push(token);
    fromEarlier = old.end;
    fromLater = token.end;
  }
  return slots.length === 0 || slots.length > MAX_SLOTS ? null : openShape(later, slots);
}

/** Strings and unsigned integers of a JSON text, in order. */
function readTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const start = at;
    at += 1;
    if (code === QUOTE) {
      while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
      tokens.push({ start: start + 1, end: at, isString: true });
      at += 1;
    } else if (isDigit(code)) {
      while (isDigit(text.charCodeAt(at))) at += 1;
      if (isWholeNumber(text, start, at)) tokens.push({ start, end: at, isString: false });
    }
  }
  return tokens;
}

/** Whether the digits are all that the number consists of. */
function isWholeNumber(text: string, start: number, end: number): boolean {
  return !isNumberPart(text.charCodeAt(start - 1)) && !isNumberPart(text.charCodeAt(end)) && end - start <= MAX_DIGITS;
}

/** Sign, point or exponent. */
function isNumberPart(code: number): boolean {
  return code === MINUS || code === PLUS || code === DOT || (code | 0x20) === 0x65;
}

/**
 * The shape of `text` with these slots. Their places in the value are found by parsing the text with marks in place of what
 * they hold: a name of a field, or a field that a later one of its name replaces, shows no mark, and there is no shape then. Nor
 * is there one where something between the slots is escaped by its number: that could spell a mark in another way.
 */
function openShape(text: string, slots: readonly Token[]): Shape | null {
  const constants: string[] = [];
  const marks = new Map<Json, number>();
  let marked = "";
  let from = 0;
  slots.forEach(({ start, end, isString }, slot) => {
    const constant = text.slice(from, start);
    const mark = isString ? freeText(text, slot) : freeInteger(text, slot);
    marks.set(mark, slot);
    constants.push(constant);
    marked += constant + String(mark);
    from = end;
  });
  constants.push(text.slice(from));
  if (constants.some((constant) => constant.includes("\\u"))) return null;
  const base = JSON.parse(marked + text.slice(from)) as Json;
  const varying = findVarying(base, marks);
  if (varying === null || marks.size > 0) return null;
  return { constants, isString: slots.map(({ isString }) => isString), varying, values: slots.map(() => 0) };
}

/** A text that `text` does not have, unless in escapes. */
function freeText(text: string, slot: number): string {
  let mark = `slot${slot}`;
  while (text.includes(mark)) mark += "*";
  return mark;
}

/** An integer whose digits `text` does not have. */
function freeInteger(text: string, slot: number): number {
  let mark = 100_000_000 + slot;
  while (text.includes(String(mark))) mark += MAX_SLOTS;
  return mark;
}

/**
 * What is made anew of `value`: where there are `marks` in it. The marks found are taken from the map. null: there are none, or one
 * stands where a value cannot be set by its key.
 */
function findVarying(value: Json, marks: Map<Json, number>): Varying | null {
  const slot = marks.get(value);
  if (slot !== undefined) {
    marks.delete(value);
    return slot;
  }
  if (typeof value !== "object" || value === null) return null;
  let part: Part | null = null;
  for (const [key, inner] of Object.entries(value)) {
    const varying = findVarying(inner, marks);
    if (varying === null) continue;
    if (key === "__proto__") return null;
    part = { whole: value, key, value: varying, next: part };
  }
  return part;
}

function make(varying: Varying, values: Values): Json {
  if (typeof varying === "number") return values[varying] as Json;
  const { whole } = varying;
  if (Array.isArray(whole)) return makeList(whole as readonly Json[], varying, values);
  const copy: { [key: string]: Json } = { ...(whole as JsonObject) };
  for (let part: Part | null = varying; part !== null; part = part.next) copy[part.key] = make(part.value, values);
  return copy;
}

function makeList(whole: readonly Json[], varying: Part, values: Values): Json {
  if (whole.length === 1) return [make(varying.value, values)];
  const copy = [...whole];
  for (let part: Part | null = varying; part !== null; part = part.next) {
    copy[Number(part.key)] = make(part.value, values);
  }
  return copy;
}
