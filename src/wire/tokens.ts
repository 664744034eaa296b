/**
 * Tokens of a text without a tokenizer, by classes of characters. Of large ones only a sample is read (text-sample.ts). What a
 * request costs beyond its texts is token-counter.ts, images and documents are media-tokens.ts.
 *
 * Measured by bench/tokens.ts against the input that the providers reported for recorded requests (2026-11-24), as share of
 * the reported figure:
 *
 * | format    | requests | median error | 95th percentile |
 * | --------- | -------- | ------------ | --------------- |
 * | chat      | 427      | 5.0 %        | 23 %            |
 * | responses | 164      | 4.9 %        | 77 %            |
 * | messages  | 311      | 5.9 %        | 38 %            |
 *
 * Left out are requests to which the provider adds input that they do not hold (searches, stored prompts and files, images by
 * URL). The tail is short prompts with one tool, where a provider's hidden instructions outweigh the request, and PDFs.
 */
import type { ProviderName } from "../base/names.ts";

/** Classes of UTF-16 units. */
const LETTER = 1;
const UPPER = 2;
const DIGIT = 3;
const SPACE = 4;
const LINE_END = 5;
const SIGN = 6;
const FOREIGN = 7;
const IDEOGRAPH = 8;
const SYMBOL = 9;
/** The backslash of a string inside JSON. */
const ESCAPE = 10;
/** A character of two units. */
const WIDE = 11;

function asciiClass(code: number): number {
  if (code >= 97 && code <= 122) return LETTER;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code === 10 || code === 13) return LINE_END;
  return code <= 32 ? SPACE : SIGN;
}

/** The class of each unit of a text. One look-up for any unit: a table for ASCII alone costs a branch more for every character. */
export const TEXT_CLASSES = new Uint8Array(65_536);
TEXT_CLASSES.fill(FOREIGN, 0x80, 0x2000).fill(SYMBOL, 0x2000).fill(IDEOGRAPH, 0x3040, 0xd800);

/**
 * The same for the bytes of a string inside JSON, read as Latin-1: of a character past ASCII its first byte tells the class, and
 * the others none.
 */
export const JSON_CLASSES = new Uint8Array(256);
JSON_CLASSES.fill(FOREIGN, 0xc0).fill(SYMBOL, 0xe2).fill(IDEOGRAPH, 0xe3, 0xee).fill(WIDE, 0xf0);

for (let code = 0; code < 0x80; code += 1) {
  TEXT_CLASSES[code] = asciiClass(code);
  JSON_CLASSES[code] = asciiClass(code);
}
const BACKSLASH = 0x5c;
JSON_CLASSES[BACKSLASH] = ESCAPE;

/** How a provider's tokenizer treats what it meets; tokens each. */
export interface TextWeights {
  /** A word of letters. */
  readonly word: number;
  /** Each letter of a word past its sixth. */
  readonly longLetter: number;
  /** A capital behind a small letter: a seam inside camelCase. */
  readonly seam: number;
  /** Three digits. */
  readonly digits: number;
  readonly sign: number;
  /** A run of line ends. */
  readonly lineEnd: number;
  /** Each blank of a run past its first: indentation. */
  readonly blank: number;
  /** Letters past ASCII: accented Latin, Greek, Cyrillic, Semitic, Indic. */
  readonly foreign: number;
  /** CJK ideographs, kana, Hangul. */
  readonly ideograph: number;
  /** Each UTF-16 unit of the rest: emoji, symbols. */
  readonly symbol: number;
}

/** Fitted to recorded requests (bench/tokens.ts), but for the scripts that these do not hold. */
export const TEXT_WEIGHTS: Readonly<Record<ProviderName, TextWeights>> = {
  openai: {
    word: 1.03,
    longLetter: 0.06,
    seam: 1.2,
    digits: 1.8,
    sign: 0.53,
    lineEnd: 0.6,
    blank: 0.07,
    foreign: 0.45,
    ideograph: 0.85,
    symbol: 1.1,
  },
  anthropic: {
    word: 1.06,
    longLetter: 0.26,
    seam: 1.8,
    digits: 1.7,
    sign: 0.55,
    lineEnd: 0.4,
    blank: 0.5,
    foreign: 0.6,
    ideograph: 1.1,
    symbol: 1.4,
  },
};

/** Digits of a `\u` escape. */
const HEX_DIGITS = 4;
const SMALL_U = 0x75;

/** Class of what the escape stands for whose letter is at `at`. */
function escapedClass(text: string, at: number): number {
  switch (text.charCodeAt(at)) {
    case 0x6e: // n
    case 0x72: // r
      return LINE_END;
    case 0x74: // t
      return SPACE;
    case SMALL_U:
      return TEXT_CLASSES[Number.parseInt(text.slice(at + 1, at + 1 + HEX_DIGITS), 16)] ?? SIGN;
    default:
      return SIGN;
  }
}

/**
 * Tokens of `text` between two offsets; `classes` are {@link TEXT_CLASSES}, or {@link JSON_CLASSES} for bytes of JSON. Where it
 * begins or ends within an escape or a character, that one is weighed wrong.
 */
export function weighSpan(
  text: string,
  from: number,
  length: number,
  weights: TextWeights,
  classes: Uint8Array,
): number {
  let words = 0;
  let longLetters = 0;
  let seams = 0;
  let digitGroups = 0;
  let signs = 0;
  let lineEnds = 0;
  let blanks = 0;
  let foreign = 0;
  let ideographs = 0;
  let symbols = 0;
  let at = from;
  while (at < length) {
    const start = at;
    let kind = classes[text.charCodeAt(at)];
    at += 1;
    switch (kind) {
      case LETTER:
      case UPPER: {
        words += 1;
        while (at < length) {
          const next = classes[text.charCodeAt(at)];
          if (next !== LETTER) {
            if (next !== UPPER) break;
            if (kind === LETTER) seams += 1;
          }
          kind = next;
          at += 1;
        }
        if (at - start > 6) longLetters += at - start - 6;
        break;
      }
      case DIGIT:
        while (at < length && classes[text.charCodeAt(at)] === DIGIT) at += 1;
        digitGroups += Math.ceil((at - start) / 3);
        break;
      case LINE_END:
        while (at < length && classes[text.charCodeAt(at)] === LINE_END) at += 1;
        lineEnds += 1;
        break;
      case SPACE:
        while (at < length && classes[text.charCodeAt(at)] === SPACE) at += 1;
        blanks += at - start - 1;
        break;
      case FOREIGN:
        foreign += 1;
        break;
      case IDEOGRAPH:
        ideographs += 1;
        break;
      case SYMBOL:
        symbols += 1;
        break;
      case SIGN:
        signs += 1;
        break;
      case WIDE:
        symbols += 2;
        break;
      case ESCAPE: {
        const escaped = escapedClass(text, at);
        const isRun =
          start > 1 && text.charCodeAt(start - 2) === BACKSLASH && escapedClass(text, start - 1) === escaped;
        at += text.charCodeAt(at) === SMALL_U ? 1 + HEX_DIGITS : 1;
        if (escaped === LINE_END) lineEnds += isRun ? 0 : 1;
        else if (escaped === SPACE) blanks += isRun ? 1 : 0;
        else if (escaped === FOREIGN) foreign += 1;
        else if (escaped === IDEOGRAPH) ideographs += 1;
        else if (escaped === SYMBOL) symbols += 1;
        else signs += 1;
        break;
      }
      default:
    }
  }
  return (
    words * weights.word +
    longLetters * weights.longLetter +
    seams * weights.seam +
    digitGroups * weights.digits +
    signs * weights.sign +
    lineEnds * weights.lineEnd +
    blanks * weights.blank +
    foreign * weights.foreign +
    ideographs * weights.ideograph +
    symbols * weights.symbol
  );
}

/** UTF-8 bytes of one output token of either provider, over prose, code and JSON. */
const OUTPUT_BYTES_PER_TOKEN: Readonly<Record<ProviderName, number>> = { openai: 4.3, anthropic: 3.6 };

/** Output tokens from the UTF-8 bytes of an answer, for streams that report no usage. */
export function estimateOutputTokens(contentBytes: number, provider: ProviderName): number {
  return Math.ceil(contentBytes / OUTPUT_BYTES_PER_TOKEN[provider]);
}
