/**
 * The chunked coding, read byte by byte where it is framing and in bulk where it is data, so that any split of the bytes
 * gives the same.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1 (read 2026-11-24)
 */
import { COLON, CR, IS_NAME, IS_VALUE, LF, SEMICOLON } from "./characters.ts";
import { failure, INVALID_ANSWER } from "./failure.ts";

export interface ChunkedReader {
  /**
   * Takes bytes and gives where the body ended in them, -1 when it goes on. The data of all chunks in them is moved together
   * in place, and given at once.
   * @throws Error `HTTP_INVALID_ANSWER`
   */
  readonly push: (bytes: Uint8Array, from: number, onData: (data: Uint8Array) => void) => number;
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

export function createChunkedReader(): ChunkedReader {
  let state: State = "size";
  /** Of the chunk, what is still to come. */
  let left = 0;
  let digits = 0;
  let extensionBytes = 0;
  let trailerBytes = 0;
  let nameLength = 0;

  /** One byte of framing; true after the last one of the body. */
  const readFraming = (byte: number): boolean => {
    switch (state) {
      case "size": {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          digits += 1;
          if (digits > MAX_SIZE_DIGITS) throw invalid("a chunk of an impossible size");
          left = left * 16 + digit;
        } else if (digits === 0) throw invalid("a chunk without a size");
        else if (byte === CR) state = "size-end";
        else if (byte === SEMICOLON) state = "extension";
        else throw invalid("a chunk size that is no number");
        return false;
      }
      case "extension":
        extensionBytes += 1;
        if (extensionBytes > MAX_EXTENSION_BYTES) throw invalid("a chunk extension that is too long");
        if (byte === CR) state = "size-end";
        else if (IS_VALUE[byte] !== 1) throw invalid("a control character in an extension");
        return false;
      case "size-end":
        expectByte(byte, LF);
        state = left === 0 ? "trailer-name" : "data";
        nameLength = 0;
        return false;
      case "data-cr":
        expectByte(byte, CR);
        state = "data-lf";
        return false;
      case "data-lf":
        expectByte(byte, LF);
        state = "size";
        left = 0;
        digits = 0;
        extensionBytes = 0;
        return false;
      case "trailer-name":
      case "trailer-value":
      case "trailer-lf":
        readTrailer(byte);
        return false;
      case "last-lf":
        expectByte(byte, LF);
        return true;
      case "data":
        return false;
    }
  };

  /** Trailers are checked and dropped. */
  const readTrailer = (byte: number): void => {
    trailerBytes += 1;
    if (trailerBytes > MAX_TRAILER_BYTES) throw invalid("trailers that are too long");
    if (state === "trailer-name") {
      if (nameLength === 0 && byte === CR) state = "last-lf";
      else if (nameLength > 0 && byte === COLON) state = "trailer-value";
      else if (IS_NAME[byte] === 1) nameLength += 1;
      else throw invalid("a trailer that is no header");
    } else if (state === "trailer-value") {
      if (byte === CR) state = "trailer-lf";
      else if (IS_VALUE[byte] !== 1) throw invalid("a forbidden character in a trailer");
    } else {
      expectByte(byte, LF);
      state = "trailer-name";
      nameLength = 0;
    }
  };

  return {
    push: (bytes, from, onData) => {
      const { length } = bytes;
      let at = from;
      let start = -1;
      let end = -1;
      let isLast = false;
      while (at < length && !isLast) {
        if (state !== "data") {
          isLast = readFraming(bytes[at] ?? 0);
          at += 1;
          continue;
        }
        const taken = Math.min(left, length - at);
        if (start < 0) {
          start = at;
          end = at;
        } else {
          bytes.copyWithin(end, at, at + taken);
        }
        end += taken;
        at += taken;
        left -= taken;
        if (left === 0) state = "data-cr";
      }
      if (end > start) onData(bytes.subarray(start, end));
      return isLast ? at : -1;
    },
  };
}
