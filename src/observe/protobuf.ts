/** Writes protobuf's wire format. @see https://protobuf.dev/programming-guides/encoding/ (read 2026-11-24) */

export interface ProtobufWriter {
  readonly varint: (value: number) => void;
  readonly double: (value: number) => void;
  /** Two halves of 32 bits, the lower one first. */
  readonly fixed64: (low: number, high: number) => void;
  readonly fixed32: (value: number) => void;
  /** As it is, without a length. */
  readonly raw: (bytes: Uint8Array) => void;
  /** UTF-8 behind its length. */
  readonly text: (value: string) => void;
  /** The bytes of hexadecimal digits, behind their length. */
  readonly hex: (digits: string) => void;
  /** Begins what stands behind its length; give what it returns to {@link close}. */
  readonly open: () => number;
  readonly close: (start: number) => void;
  /** All that was written; the writer is not used after it. */
  readonly finish: () => Uint8Array;
}

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

const UTF8 = new TextEncoder();
const TWO_32 = 2 ** 32;

/** @param expectedBytes it grows beyond them where it has to */
export function createProtobufWriter(expectedBytes: number): ProtobufWriter {
  let bytes = new Uint8Array(Math.max(64, expectedBytes));
  let view = new DataView(bytes.buffer);
  let at = 0;

  const reserve = (count: number): void => {
    if (at + count <= bytes.length) return;
    const grown = new Uint8Array(Math.max(bytes.length * 2, at + count));
    grown.set(bytes);
    bytes = grown;
    view = new DataView(bytes.buffer);
  };

  const varint = (value: number): void => {
    reserve(MAX_VARINT_BYTES);
    if (value >= 0 && value < 0x80) {
      bytes[at++] = value;
      return;
    }
    // Of a negative number 64 bits of two's complement are written.
    let high = Math.floor(value / TWO_32) >>> 0;
    let low = value >>> 0;
    while (high > 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
  };

  // Short ones are quicker in a loop, over variables that nothing else can change.
  const raw = (added: Uint8Array): void => {
    const { length } = added;
    reserve(length);
    const target = bytes;
    const start = at;
    if (length > MAX_SHORT_BYTES) target.set(added, start);
    else for (let index = 0; index < length; index++) target[start + index] = added[index] as number;
    at = start + length;
  };

  const close = (start: number): void => {
    const length = at - start;
    let size = 1;
    for (let left = length >>> 7; left > 0; left >>>= 7) size += 1;
    if (size > 1) {
      reserve(size);
      bytes.copyWithin(start - 1 + size, start, at);
    }
    at = start - 1;
    varint(length);
    at += length;
  };

  return {
    varint,
    double: (value) => {
      reserve(8);
      view.setFloat64(at, value, true);
      at += 8;
    },
    fixed64: (low, high) => {
      reserve(8);
      view.setUint32(at, low, true);
      view.setUint32(at + 4, high, true);
      at += 8;
    },
    fixed32: (value) => {
      reserve(4);
      view.setUint32(at, value, true);
      at += 4;
    },
    raw,
    text: (value) => {
      const { length } = value;
      reserve(length + MAX_VARINT_BYTES);
      const before = at;
      varint(length);
      const target = bytes;
      const start = at;
      for (let index = 0; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) {
          at = before;
          const encoded = UTF8.encode(value);
          varint(encoded.length);
          raw(encoded);
          return;
        }
        target[start + index] = code;
      }
      at = start + length;
    },
    hex: (digits) => {
      varint(digits.length / 2);
      reserve(digits.length / 2);
      for (let index = 0; index < digits.length; index += 2) {
        bytes[at++] = (digitAt(digits, index) << 4) | digitAt(digits, index + 1);
      }
    },
    open: () => {
      // Most of what has a length is short: a byte is kept for it, and what follows is moved where it needs more.
      reserve(1);
      return (at += 1);
    },
    close,
    finish: () => bytes.subarray(0, at),
  };
}

const MAX_VARINT_BYTES = 10;
const MAX_SHORT_BYTES = 64;

/** Of a lower-case digit. */
function digitAt(digits: string, index: number): number {
  const code = digits.charCodeAt(index);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}
