/** Whether bytes are the inside of a JSON string, four at a time where they are plain: JSON.parse would make a copy to tell. */

const BACKSLASH = 0x5c;
const SMALL_U = 0x75;
const HEX_DIGITS = 4;
const FIRST_PRINTABLE = 0x20;

/** Letters that may follow a backslash, but for the `u` with its digits. */
const IS_ESCAPE = tableOf('"\\/bfnrt');
const IS_HEX = tableOf("0123456789abcdefABCDEF");

function tableOf(letters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const letter of letters) table[letter.charCodeAt(0)] = 1;
  return table;
}

/** Bytes of a word. */
const WORD = 4;
const WORD_BITS = 2;
const EACH_HIGH_BIT = 0x80808080;
const EACH_FIRST_PRINTABLE = 0x20202020;
const EACH_BACKSLASH = 0x5c5c5c5c;
const EACH_ONE = 0x01010101;

/** The whole words of some bytes; the first one starts at `offset` of these. */
interface Words {
  readonly words: Int32Array;
  readonly offset: number;
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): Words {
  const offset = Math.min(length, -byteOffset & (WORD - 1));
  return { words: new Int32Array(buffer, byteOffset + offset, (length - offset) >> 2), offset };
}

/**
 * Opens a test whether the bytes from `start` to `end` may stand between quotes: no control characters, each escape as it must
 * be. Strings are asked for in their order.
 */
export function createStringTest(bytes: Uint8Array): (start: number, end: number) => boolean {
  const { words, offset } = wordsOf(bytes);
  const wordAt = (at: number): number => (at - offset) >> WORD_BITS;
  const byteAt = (word: number): number => (word << WORD_BITS) + offset;
  /** The next one, as far as was looked for. */
  let backslash = -1;
  const hasEscapes = (start: number, end: number): boolean => {
    if (backslash < start) {
      const found = bytes.indexOf(BACKSLASH, start);
      backslash = found < 0 ? bytes.length : found;
    }
    return backslash < end;
  };
  return (start, end) => {
    const skip = hasEscapes(start, end) ? skipPlain : skipPrintable;
    let at = start;
    while (at < end) {
      if (((at - offset) & (WORD - 1)) === 0) {
        at = byteAt(skip(words, wordAt(at), wordAt(end)));
        if (at >= end) break;
      }
      const byte = bytes[at] ?? 0;
      if (byte < FIRST_PRINTABLE) return false;
      at += byte === BACKSLASH ? escapeLength(bytes, at) : 1;
    }
    return at === end;
  };
}

/** The high bit of each byte of `word` that is a control character, and now and then of one beside it. */
function controls(word: number): number {
  return (word - EACH_FIRST_PRINTABLE) & ~word & EACH_HIGH_BIT;
}

/** The first word from `from` on, or one shortly before it, that may hold a control character; `to` when none does. */
function skipPrintable(words: Int32Array, from: number, to: number): number {
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const found =
      controls(words[at] ?? 0) |
      controls(words[at + 1] ?? 0) |
      controls(words[at + 2] ?? 0) |
      controls(words[at + 3] ?? 0);
    if (found !== 0) return at;
  }
  return at;
}

/** The first word from `from` on that may hold a control character or a backslash; `to` when none does. */
function skipPlain(words: Int32Array, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const word = words[at] ?? 0;
    const other = word ^ EACH_BACKSLASH;
    if ((controls(word) | ((other - EACH_ONE) & ~other & EACH_HIGH_BIT)) !== 0) return at;
  }
  return to;
}

/** Bytes of the escape at `at`; endless when it is none. */
function escapeLength(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1] ?? 0;
  if (letter !== SMALL_U) return IS_ESCAPE[letter] === 1 ? 2 : Number.POSITIVE_INFINITY;
  for (let digit = at + 2; digit < at + 2 + HEX_DIGITS; digit += 1) {
    if (IS_HEX[bytes[digit] ?? 0] !== 1) return Number.POSITIVE_INFINITY;
  }
  return 2 + HEX_DIGITS;
}
