/**
 * Long strings of a large request, left in its bytes until somebody reads them. A request that passes through is mostly text
 * that nobody reads: to decode that and to parse it into strings costs more than all else that is done with the request.
 */
import type { JsonObject } from "../base/json.ts";

/** A string as it stands in a JSON text: without its quotes, with its escapes. It is valid. */
export interface LongText {
  /** Bytes. */
  readonly length: number;
  readonly byteAt: (at: number) => number;
  /** Bytes of it as Latin-1. */
  readonly latin1: (from: number, to: number) => string;
  /** The string that it spells; decoded on first call. */
  readonly read: () => string;
}

/** The long texts of a request, by the objects that hold them. */
export interface LongTexts {
  /** Makes `text` the member `key` of `holder`, read when it is asked for. */
  readonly put: (holder: JsonObject, key: string, text: LongText) => void;
  /** The member `key` of `holder`, unread; null when it is no long text. */
  readonly find: (holder: unknown, key: string) => LongText | null;
}

class StringInBytes implements LongText {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly length: number;
  #text: string | null = null;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.length = end - start;
  }

  byteAt(at: number): number {
    return this.#bytes[this.#start + at] ?? 0;
  }

  latin1(from: number, to: number): string {
    return this.#bytes.toString("latin1", this.#start + from, this.#start + to);
  }

  read(): string {
    this.#text ??= this.#decode();
    return this.#text;
  }

  #decode(): string {
    const text = this.#bytes.toString("utf8", this.#start, this.#start + this.length);
    return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
  }
}

/** The text whose quotes stand around the bytes from `start` to `end`. */
export function createLongText(bytes: Buffer, start: number, end: number): LongText {
  return new StringInBytes(bytes, start, end);
}

class TextsByHolder implements LongTexts {
  readonly #holders = new Map<unknown, Map<string, LongText>>();

  put(holder: JsonObject, key: string, text: LongText): void {
    Object.defineProperty(holder, key, { get: () => text.read(), enumerable: true, configurable: true });
    const members = this.#holders.get(holder);
    if (members === undefined) this.#holders.set(holder, new Map([[key, text]]));
    else members.set(key, text);
  }

  find(holder: unknown, key: string): LongText | null {
    return this.#holders.get(holder)?.get(key) ?? null;
  }
}

export function createLongTexts(): LongTexts {
  return new TextsByHolder();
}
