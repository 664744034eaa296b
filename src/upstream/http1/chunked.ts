/**
 * The chunked coding, read byte by byte where it is framing and in bulk where it is data, so that any split of the bytes
 * gives the same.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1 (read 2026-11-24)
 */
import { COLON, CR, IS_NAME, IS_VALUE, LF, SEMICOLON } from "./characters.ts";
import { failure, INVALID_ANSWER } from "./failure.ts";

/** Who is given a body. */
export interface BodyListener {
  onBody(bytes: Uint8Array): void;
}

export interface ChunkedReader {
  /**
   * Takes bytes and gives where the body ended in them, -1 when it goes on. The data of all chunks in them is moved together
   * in place, and given at once.
   * @throws Error `HTTP_INVALID_ANSWER`
   */
  push(bytes: Uint8Array, from: number, listener: BodyListener): number;
}

/** 2^52 and more bytes are nobody's chunk. */
const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16_384;

type State =
  | "size"
  | "extension"
  | "size-end"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "last-lf";

function invalid(what: string): Error {
  return failure(INVALID_ANSWER, `the upstream's chunked body has ${what}`);
}

function expectByte(byte: number, expected: number): void {
  if (byte !== expected) throw invalid("a line that does not end as it must");
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

class Chunked implements ChunkedReader {
  #state: State = "size";
  /** Of the chunk, what is still to come. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #nameLength = 0;

  push(bytes: Uint8Array, from: number, listener: BodyListener): number {
    const { length } = bytes;
    let at = from;
    let start = -1;
    let end = -1;
    let isLast = false;
    while (at < length && !isLast) {
      if (this.#state !== "data") {
        isLast = this.#readFraming(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const taken = Math.min(this.#left, length - at);
      if (start < 0) {
        start = at;
        end = at;
      } else {
        bytes.copyWithin(end, at, at + taken);
      }
      end += taken;
      at += taken;
      this.#left -= taken;
      if (this.#left === 0) this.#state = "data-cr";
    }
    if (end > start) listener.onBody(bytes.subarray(start, end));
    return isLast ? at : -1;
  }

  /** One byte of framing; true after the last one of the body. */
  #readFraming(byte: number): boolean {
    switch (this.#state) {
      case "size":
        this.#readSize(byte);
        return false;
      case "extension":
        this.#extensionBytes += 1;
        if (this.#extensionBytes > MAX_EXTENSION_BYTES) throw invalid("a chunk extension that is too long");
        if (byte === CR) this.#state = "size-end";
        else if (IS_VALUE[byte] !== 1) throw invalid("a control character in an extension");
        return false;
      case "size-end":
        expectByte(byte, LF);
        this.#state = this.#left === 0 ? "trailer-name" : "data";
        this.#nameLength = 0;
        return false;
      case "data-cr":
        expectByte(byte, CR);
        this.#state = "data-lf";
        return false;
      case "data-lf":
        expectByte(byte, LF);
        this.#state = "size";
        this.#left = 0;
        this.#digits = 0;
        this.#extensionBytes = 0;
        return false;
      case "trailer-name":
      case "trailer-value":
      case "trailer-lf":
        this.#readTrailer(byte);
        return false;
      case "last-lf":
        expectByte(byte, LF);
        return true;
      case "data":
        return false;
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      if (this.#digits > MAX_SIZE_DIGITS) throw invalid("a chunk of an impossible size");
      this.#left = this.#left * 16 + digit;
    } else if (this.#digits === 0) throw invalid("a chunk without a size");
    else if (byte === CR) this.#state = "size-end";
    else if (byte === SEMICOLON) this.#state = "extension";
    else throw invalid("a chunk size that is no number");
  }

  /** Trailers are checked and dropped. */
  #readTrailer(byte: number): void {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) throw invalid("trailers that are too long");
    if (this.#state === "trailer-name") {
      if (this.#nameLength === 0 && byte === CR) this.#state = "last-lf";
      else if (this.#nameLength > 0 && byte === COLON) this.#state = "trailer-value";
      else if (IS_NAME[byte] === 1) this.#nameLength += 1;
      else throw invalid("a trailer that is no header");
    } else if (this.#state === "trailer-value") {
      if (byte === CR) this.#state = "trailer-lf";
      else if (IS_VALUE[byte] !== 1) throw invalid("a forbidden character in a trailer");
    } else {
      expectByte(byte, LF);
      this.#state = "trailer-name";
      this.#nameLength = 0;
    }
  }
}

export function createChunkedReader(): ChunkedReader {
  return new Chunked();
}
