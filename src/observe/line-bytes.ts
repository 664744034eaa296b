/**
 * JSON written straight into bytes that are used again for each line. Nothing is made for a line: with a text for each of its parts
 * and for their sum, lines were a fifth of all that a request left to the garbage collector.
 */
import { isArray, type Json, type JsonObject } from "../base/json.ts";

/** One line at a time. */
export interface LineBytes {
  /** Those of the line are the first {@link LineBytes.length}. Another object after the line has grown. */
  readonly bytes: Buffer;
  readonly length: number;
  /** Whether no text of the line had anything to escape, or anything but ASCII; false too where a writer says so. */
  isPlain: boolean;
  /** Begins a new line; the one before is gone. */
  readonly reset: () => void;
  /** Leaves the first `length` bytes. */
  readonly cut: (length: number) => void;
  /** As it is. ASCII only. */
  readonly plain: (text: string) => void;
  /** As it is. */
  readonly raw: (bytes: Uint8Array) => void;
  /** As JSON, as the next ones. */
  readonly text: (value: string | null) => void;
  readonly number: (value: number | null) => void;
  readonly flag: (value: boolean) => void;
  readonly texts: (values: readonly string[]) => void;
  readonly json: (value: Json) => void;
  /** Milliseconds since the epoch as RFC 3339 in UTC, without quotes. */
  readonly time: (wallMs: number) => void;
  /** The line as a text. */
  readonly toText: () => string;
}

const FIRST_BYTES = 16 * 1024;
/** What a line with a body in it took is not kept. */
const MAX_KEPT_BYTES = 256 * 1024;
/** Most bytes of a number that is written digit by digit. */
const MAX_NUMBER_BYTES = 24;
/** Of a UTF-16 unit in UTF-8. */
const MAX_UNIT_BYTES = 3;
/** More bytes than these are quicker moved by the runtime. */
const MAX_SHORT_BYTES = 48;

const UTF8 = new TextEncoder();

const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const POINT = 0x2e;
const LAST_PRINTED = 0x7e;

/** Integers up to here are written digit by digit. */
const MAX_COUNT = 999_999_999;
const PICO = 1e12;
const MICRO = 1e6;
/** Places behind the point of a number that has no more than two, and of one that has up to twelve. */
const CENT_PLACES = 2;
const MICRO_PLACES = 6;

class ReusedLine implements LineBytes {
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;
  isPlain = true;
  #second = Number.NaN;
  #secondText = "";

  reset(): void {
    this.length = 0;
    this.isPlain = true;
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  cut(length: number): void {
    this.length = length;
  }

  plain(text: string): void {
    const { length } = text;
    const target = this.#room(length);
    const start = this.length;
    for (let index = 0; index < length; index++) target[start + index] = text.charCodeAt(index);
    this.length = start + length;
  }

  raw(added: Uint8Array): void {
    const { length } = added;
    const target = this.#room(length);
    const start = this.length;
    if (length > MAX_SHORT_BYTES) target.set(added, start);
    else for (let index = 0; index < length; index++) target[start + index] = added[index] as number;
    this.length = start + length;
  }

  text(value: string | null): void {
    if (value === null) {
      this.plain("null");
      return;
    }
    const { length } = value;
    const target = this.#room(length + 2);
    let at = this.length;
    target[at++] = QUOTE;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code < 0x20 || code > LAST_PRINTED || code === QUOTE || code === BACKSLASH) {
        this.#encode(JSON.stringify(value));
        return;
      }
      target[at++] = code;
    }
    target[at++] = QUOTE;
    this.length = at;
  }

  flag(value: boolean): void {
    this.plain(value ? "true" : "false");
  }

  /** What `JSON.stringify` writes. The shortest form of a number that is one of few digits is that decimal. */
  number(value: number | null): void {
    if (value === null) {
      this.plain("null");
      return;
    }
    const size = value < 0 ? -value : value;
    if (size <= MAX_COUNT) {
      const whole = Math.floor(size);
      if (whole === size) {
        this.#sign(value);
        this.#digits(whole);
        return;
      }
      const cents = Math.round(size * 100);
      if (cents / 100 === size) {
        this.#sign(value);
        this.#digits(whole);
        this.#places(cents - whole * 100, 0, CENT_PLACES);
        return;
      }
      const pico = Math.round(size * PICO);
      if (size >= 1 / MICRO && size < 1000 && pico / PICO === size) {
        const places = pico - whole * PICO;
        const upper = Math.floor(places / MICRO);
        this.#sign(value);
        this.#digits(whole);
        this.#places(upper, places - upper * MICRO, MICRO_PLACES);
        return;
      }
    }
    this.plain(JSON.stringify(value));
  }

  texts(values: readonly string[]): void {
    this.plain("[");
    for (let index = 0; index < values.length; index++) {
      if (index > 0) this.plain(",");
      this.text(values[index] as string);
    }
    this.plain("]");
  }

  json(value: Json): void {
    if (typeof value === "string") this.text(value);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "boolean") this.flag(value);
    else if (value === null) this.plain("null");
    else if (isArray(value)) this.#list(value);
    // A number in the words that it was sent in is such an object too.
    else if (Object.getPrototypeOf(value) === null) this.#encode(JSON.stringify(value));
    else this.#object(value);
  }

  time(wallMs: number): void {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#secondText = new Date(second * 1000).toISOString().slice(0, "2026-11-24T12:00:00.".length);
      this.#second = second;
    }
    this.plain(this.#secondText);
    const milliseconds = Math.floor(wallMs) - second * 1000;
    const target = this.#room(4);
    target[this.length++] = ZERO + Math.floor(milliseconds / 100);
    target[this.length++] = ZERO + (Math.floor(milliseconds / 10) % 10);
    target[this.length++] = ZERO + (milliseconds % 10);
    target[this.length++] = "Z".charCodeAt(0);
  }

  toText(): string {
    return this.bytes.toString("utf8", 0, this.length);
  }

  #list(values: readonly Json[]): void {
    this.plain("[");
    for (let index = 0; index < values.length; index++) {
      if (index > 0) this.plain(",");
      this.json(values[index] ?? null);
    }
    this.plain("]");
  }

  #object(value: JsonObject): void {
    let isFirst = true;
    this.plain("{");
    for (const name in value) {
      const item = value[name];
      if (item === undefined) continue;
      if (!isFirst) this.plain(",");
      isFirst = false;
      this.text(name);
      this.plain(":");
      this.json(item);
    }
    this.plain("}");
  }

  /** The bytes, with room for `count` more. */
  #room(count: number): Buffer {
    return this.length + count <= this.bytes.length ? this.bytes : this.#grow(this.length + count);
  }

  #grow(least: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, least));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    return grown;
  }

  #encode(text: string): void {
    this.isPlain = false;
    const target = this.#room(text.length * MAX_UNIT_BYTES);
    this.length += UTF8.encodeInto(text, target.subarray(this.length)).written;
  }

  #sign(value: number): void {
    if (value < 0) this.#room(1)[this.length++] = MINUS;
  }

  /** An integer from 0 to {@link MAX_COUNT}. */
  #digits(count: number): void {
    const target = this.#room(MAX_NUMBER_BYTES);
    let size = 1;
    for (let power = 10; power <= count; power *= 10) size += 1;
    let left = count | 0;
    for (let at = this.length + size - 1; at >= this.length; at--) {
      const rest = (left / 10) | 0;
      target[at] = ZERO + left - rest * 10;
      left = rest;
    }
    this.length += size;
  }

  /** What is behind a point: `upper` in so many places, then `lower` in as many, without the zeros at the end. Not both are 0. */
  #places(upper: number, lower: number, places: number): void {
    const target = this.#room(MAX_NUMBER_BYTES);
    const start = this.length;
    target[start] = POINT;
    let left = upper | 0;
    for (let at = start + places; at > start; at--) {
      const rest = (left / 10) | 0;
      target[at] = ZERO + left - rest * 10;
      left = rest;
    }
    let end = start + places;
    if (lower > 0) {
      left = lower | 0;
      end += places;
      for (let at = end; at > start + places; at--) {
        const rest = (left / 10) | 0;
        target[at] = ZERO + left - rest * 10;
        left = rest;
      }
    }
    while (target[end] === ZERO) end -= 1;
    this.length = end + 1;
  }
}

export function createLineBytes(): LineBytes {
  return new ReusedLine();
}
