/**
 * Input tokens without a tokenizer: one pass over the text by character class, linear, and the providers' formulas for
 * images and documents.
 */
import type { Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { readImageSize } from "./image-size.ts";
import type { ImageSize } from "./image-size.ts";

/** Character classes of ASCII. */
const LETTER = 1;
const UPPER = 2;
const DIGIT = 3;
const SPACE = 4;
const LINE_END = 5;
const SIGN = 6;

const CLASSES = new Uint8Array(128).fill(SIGN);
for (let code = 0; code < 128; code += 1) {
  if (code >= 97 && code <= 122) CLASSES[code] = LETTER;
  else if (code >= 65 && code <= 90) CLASSES[code] = UPPER;
  else if (code >= 48 && code <= 57) CLASSES[code] = DIGIT;
  else if (code === 10 || code === 13) CLASSES[code] = LINE_END;
  else if (code <= 32) CLASSES[code] = SPACE;
}

/** How a provider's tokenizer treats what it meets; tokens each. */
interface TextWeights {
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

const WEIGHTS: Readonly<Record<ProviderName, TextWeights>> = {
  openai: {
    word: 1,
    longLetter: 0.14,
    seam: 0.4,
    digits: 1,
    sign: 0.68,
    lineEnd: 0.7,
    blank: 0.1,
    foreign: 0.42,
    ideograph: 0.85,
    symbol: 1.1,
  },
  anthropic: {
    word: 1.1,
    longLetter: 0.2,
    seam: 0.5,
    digits: 1.4,
    sign: 0.85,
    lineEnd: 0.9,
    blank: 0.15,
    foreign: 0.6,
    ideograph: 1.1,
    symbol: 1.4,
  },
};

function weighText(text: string, weights: TextWeights): number {
  const length = text.length;
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
  let at = 0;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code >= 128) {
      if (code < 0x2000) foreign += 1;
      else if (code >= 0x3040 && code < 0xd800) ideographs += 1;
      else symbols += 1;
      at += 1;
      continue;
    }
    const start = at;
    let kind = CLASSES[code];
    at += 1;
    switch (kind) {
      case LETTER:
      case UPPER: {
        words += 1;
        while (at < length) {
          const next = CLASSES[text.charCodeAt(at)];
          if (next === UPPER) {
            if (kind === LETTER) seams += 1;
          } else if (next !== LETTER) break;
          kind = next;
          at += 1;
        }
        if (at - start > 6) longLetters += at - start - 6;
        break;
      }
      case DIGIT:
        while (at < length && CLASSES[text.charCodeAt(at)] === DIGIT) at += 1;
        digitGroups += Math.ceil((at - start) / 3);
        break;
      case LINE_END:
        while (at < length && CLASSES[text.charCodeAt(at)] === LINE_END) at += 1;
        lineEnds += 1;
        break;
      case SPACE:
        while (at < length && CLASSES[text.charCodeAt(at)] === SPACE) at += 1;
        blanks += at - start - 1;
        break;
      default:
        signs += 1;
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

/** Tokens of a plain text, at least 1 unless it is empty. */
export function estimateTokens(text: string, provider: ProviderName): number {
  return text === "" ? 0 : Math.max(1, Math.round(weighText(text, WEIGHTS[provider])));
}

/** UTF-8 bytes of one output token of either provider, over prose, code and JSON. */
const OUTPUT_BYTES_PER_TOKEN: Readonly<Record<ProviderName, number>> = { openai: 4.3, anthropic: 3.6 };

/** Output tokens from the UTF-8 bytes of an answer, for streams that report no usage. */
export function estimateOutputTokens(contentBytes: number, provider: ProviderName): number {
  return Math.ceil(contentBytes / OUTPUT_BYTES_PER_TOKEN[provider]);
}

/** Fixed costs of a request's frame, tokens each. */
interface FrameWeights {
  readonly request: number;
  readonly message: number;
  /** Once, when there are tools. */
  readonly tools: number;
  readonly tool: number;
  /** Of a tool's schema written as JSON. */
  readonly schema: number;
}

const FRAMES: Readonly<Record<ProviderName, FrameWeights>> = {
  openai: { request: 3, message: 4, tools: 8, tool: 8, schema: 0.55 },
  anthropic: { request: 4, message: 4, tools: 340, tool: 30, schema: 0.8 },
};

/** Adds up the parts of one request. */
export interface TokenCounter {
  readonly text: (text: string) => void;
  /** A value that the model sees as JSON, such as a tool call's arguments. */
  readonly json: (value: Json) => void;
  readonly message: () => void;
  readonly tool: (name: string, description: string, schema: Json) => void;
  /** An image as base64, or null when only its URL or id is known. `lowDetail`: OpenAI's `detail: "low"`. */
  readonly image: (base64: string | null, lowDetail: boolean) => void;
  /** A PDF as base64, or null when only its URL or id is known. */
  readonly pdf: (base64: string | null) => void;
  /** Base64 of recorded sound. */
  readonly audio: (base64: string) => void;
  readonly total: () => number;
}

/** Opens a count for a model of `provider`; the model's name picks the formula for images. */
export function createTokenCounter(provider: ProviderName, model: string): TokenCounter {
  const weights = WEIGHTS[provider];
  const frame = FRAMES[provider];
  let total = frame.request;
  let tools = 0;
  return {
    text: (text) => {
      total += weighText(text, weights);
    },
    json: (value) => {
      total += weighText(JSON.stringify(value), weights);
    },
    message: () => {
      total += frame.message;
    },
    tool: (name, description, schema) => {
      tools += 1;
      total += frame.tool + weighText(name, weights) + weighText(description, weights);
      total += frame.schema * weighText(JSON.stringify(schema), weights);
    },
    image: (base64, lowDetail) => {
      const size = (base64 === null ? null : readImageSize(base64)) ?? UNKNOWN_IMAGE;
      total += provider === "anthropic" ? anthropicImage(size, model) : openAiImage(size, model, lowDetail);
    },
    pdf: (base64) => {
      total += TOKENS_PER_PAGE * (base64 === null ? 1 : countPages(base64));
    },
    audio: (base64) => {
      total += base64.length / AUDIO_CHARACTERS_PER_TOKEN;
    },
    total: () => Math.round(total + (tools > 0 ? frame.tools : 0)),
  };
}

/** Assumed for an image that the gateway does not see. */
const UNKNOWN_IMAGE: ImageSize = { width: 1024, height: 1024 };

function fit(size: ImageSize, scale: number): ImageSize {
  return scale >= 1 ? size : { width: size.width * scale, height: size.height * scale };
}

function patches({ width, height }: ImageSize, edge: number): number {
  return Math.ceil(width / edge) * Math.ceil(height / edge);
}

/**
 * Patches of 28 pixels; larger images are scaled down first.
 * @see https://platform.claude.com/docs/en/build-with-claude/vision (read 2026-11-24)
 */
function anthropicImage(size: ImageSize, model: string): number {
  const highResolution = /claude-(opus-4-[7-9]|[a-z]+-[5-9])/.test(model);
  const [longEdge, most] = highResolution ? [2000, 4784] : [1568, 1568];
  return Math.min(most, patches(fit(size, longEdge / Math.max(size.width, size.height)), 28));
}

/** Base and per-tile tokens of the models that cut images into tiles of 512 pixels. */
const TILED: readonly (readonly [RegExp, number, number])[] = [
  [/^gpt-4o-mini/, 2833, 5667],
  [/^(gpt-4o|gpt-4\.1(?!-(mini|nano))|gpt-4\.5|gpt-4|chatgpt)/, 85, 170],
  [/^o[13](?!-mini)/, 75, 150],
  [/^gpt-5(?!-(mini|nano)|\.[2-9])/, 70, 140],
];

/** Multipliers of the models that count patches of 32 pixels; last the current ones. */
const PATCHED: readonly (readonly [RegExp, number, number])[] = [
  [/^gpt-4\.1-mini|^gpt-5-mini/, 1.62, 1536],
  [/^gpt-4\.1-nano|^gpt-5-nano/, 2.46, 1536],
  [/^o4-mini/, 1.72, 1536],
  [/^/, 1.2, 10_000],
];

/** @see https://platform.openai.com/docs/guides/images-vision#calculating-costs (read 2026-11-24) */
function openAiImage(size: ImageSize, model: string, lowDetail: boolean): number {
  const tiled = TILED.find(([names]) => names.test(model));
  if (tiled !== undefined) {
    const [, base, perTile] = tiled;
    if (lowDetail) return base;
    const within = fit(size, 2048 / Math.max(size.width, size.height));
    return base + perTile * patches(fit(within, 768 / Math.min(within.width, within.height)), 512);
  }
  const [, multiplier, most] = PATCHED.find(([names]) => names.test(model)) ?? ([/^/, 1.2, 10_000] as const);
  const seen = lowDetail ? fit(size, 512 / Math.max(size.width, size.height)) : size;
  return Math.min(most, patches(seen, 32)) * multiplier;
}

/** Text and picture of one page of a PDF together. */
const TOKENS_PER_PAGE = 2250;
/** Bytes of a page when the file does not tell its pages. */
const BYTES_PER_PAGE = 60_000;
/** Base64 of a PDF's head and tail that is looked at. */
const PDF_HEAD_CHARACTERS = 262_144;
const PDF_TAIL_CHARACTERS = 65_536;

/** Pages by the largest `/Count` of the page tree, or by size when that is compressed away. */
function countPages(base64: string): number {
  const tailStart = Math.max(PDF_HEAD_CHARACTERS, (base64.length - PDF_TAIL_CHARACTERS) & ~3);
  const text =
    Buffer.from(base64.slice(0, PDF_HEAD_CHARACTERS), "base64").toString("latin1") +
    Buffer.from(base64.slice(tailStart), "base64").toString("latin1");
  let pages = 0;
  for (const match of text.matchAll(/\/Count\s{0,4}(\d{1,5})/g)) pages = Math.max(pages, Number(match[1]));
  return pages > 0 ? pages : Math.max(1, Math.round((base64.length * 0.75) / BYTES_PER_PAGE));
}

/** MP3 at 64 kbit/s and 10 tokens a second. */
const AUDIO_CHARACTERS_PER_TOKEN = 1066;
