/**
 * Input tokens without a tokenizer: one pass over the text by character class, linear, and the providers' formulas for
 * images and documents. A body of 200 KB takes under a millisecond.
 *
 * Measured by bench/tokens.ts against the input that the providers reported for recorded requests (2026-11-24), as share of
 * the reported figure:
 *
 * | format    | requests | median error | 95th percentile |
 * | --------- | -------- | ------------ | --------------- |
 * | chat      | 427      | 4.9 %        | 23 %            |
 * | responses | 164      | 4.9 %        | 77 %            |
 * | messages  | 311      | 6.0 %        | 38 %            |
 *
 * Left out are requests to which the provider adds input that they do not hold (searches, stored prompts and files, images by
 * URL). The tail is short prompts with one tool, where a provider's hidden instructions outweigh the request, and PDFs.
 */
import type { Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { readImageSize } from "./image-size.ts";
import type { ImageSize } from "./image-size.ts";

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

function classOf(code: number): number {
  if (code >= 128) {
    if (code < 0x2000) return FOREIGN;
    return code >= 0x3040 && code < 0xd800 ? IDEOGRAPH : SYMBOL;
  }
  if (code >= 97 && code <= 122) return LETTER;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code === 10 || code === 13) return LINE_END;
  return code <= 32 ? SPACE : SIGN;
}

/** One look-up for any unit: a table for ASCII alone costs a branch more for every character. */
const CLASSES = Uint8Array.from({ length: 65_536 }, (_, code) => classOf(code));

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

/** Fitted to recorded requests (bench/tokens.ts), but for the scripts that these do not hold. */
const WEIGHTS: Readonly<Record<ProviderName, TextWeights>> = {
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
    const start = at;
    let kind = CLASSES[text.charCodeAt(at)];
    at += 1;
    switch (kind) {
      case LETTER:
      case UPPER: {
        words += 1;
        while (at < length) {
          const next = CLASSES[text.charCodeAt(at)];
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
      case FOREIGN:
        foreign += 1;
        break;
      case IDEOGRAPH:
        ideographs += 1;
        break;
      case SYMBOL:
        symbols += 1;
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

/** Costs of a request's frame, tokens each unless told otherwise. */
interface Frame {
  readonly request: number;
  readonly message: number;
  /** Once, when there are tools: the provider's own instructions for them. */
  readonly tools: number;
  readonly tool: number;
  /** Share of a schema's JSON text that is charged: providers write tools more tersely. */
  readonly schema: number;
  readonly call: number;
  /** Once, for a schema that the answer has to follow, beside the share of its JSON text. */
  readonly format: number;
  readonly formatSchema: number;
  readonly thinking: number;
  /** Factor on text: newer tokenizers cut finer. */
  readonly text: number;
}

/** Claude models with the tokenizer and the picture resolution that came with Opus 4.7. */
const NEW_CLAUDE = /claude-(opus-4-[7-9]|[a-z]+-[5-9])/;
/** Claude models before 4.5. */
const OLD_CLAUDE = /claude-(2|3|instant|(opus|sonnet)-4-[01]($|-)|(opus|sonnet)-4-20)/;
const OPENAI_REASONING = /^(gpt-[5-9]|o\d)/;

function frameOf(provider: ProviderName, model: string): Frame {
  if (provider === "openai") {
    const tools = OPENAI_REASONING.test(model) ? 92 : 12;
    return { request: 3, message: 4.1, tools, tool: 0, schema: 0.46, call: 0, format: 2, formatSchema: 0.54, thinking: 0, text: 1 };
  }
  const frame = { request: 3, message: 4, tool: 37, schema: 0.35, call: 40, format: 70, formatSchema: 1.4, thinking: 29 };
  if (NEW_CLAUDE.test(model)) return { ...frame, tools: 260, text: 1.2 };
  return { ...frame, tools: OLD_CLAUDE.test(model) ? 300 : 470, text: 1 };
}

/** Tools that the provider defines itself, by the start of their type: what their definition costs. */
const BUILT_IN_TOOLS: readonly (readonly [string, number])[] = [
  ["memory_", 1050],
  ["text_editor_", 700],
  ["computer_", 735],
  ["bash_", 245],
];

/** Adds up the parts of one request. */
export interface TokenCounter {
  readonly text: (text: string) => void;
  readonly message: () => void;
  /** A tool call in the history; its arguments as JSON text or as a value. */
  readonly call: (name: string, args: Json) => void;
  /** A declared tool; `type` is that of a tool which the provider defines. */
  readonly tool: (name: string, description: string, schema: Json, type: string) => void;
  /** The schema that the answer has to follow. */
  readonly format: (schema: Json) => void;
  /** Thinking with a budget is on. */
  readonly thinking: () => void;
  /** An image as base64, or null when only its URL or id is known. `lowDetail`: OpenAI's `detail: "low"`. */
  readonly image: (base64: string | null, lowDetail: boolean) => void;
  /** A document as base64 of the media type, or null when only its URL or id is known. */
  readonly document: (base64: string | null, mediaType: string) => void;
  /** Base64 of recorded sound. */
  readonly audio: (base64: string) => void;
  readonly total: () => number;
}

/** Opens a count for a model of `provider`; the model's name picks the frame and the formula for images. */
export function createTokenCounter(provider: ProviderName, model: string): TokenCounter {
  const weights = WEIGHTS[provider];
  const frame = frameOf(provider, model);
  let texts = 0;
  let rest = frame.request;
  let tools = 0;
  const addText = (text: string): void => {
    texts += weighText(text, weights);
  };
  return {
    text: addText,
    message: () => {
      rest += frame.message;
    },
    call: (name, args) => {
      addText(name);
      addText(typeof args === "string" ? args : JSON.stringify(args));
      rest += frame.call;
    },
    tool: (name, description, schema, type) => {
      tools += 1;
      addText(name);
      addText(description);
      texts += frame.schema * weighText(JSON.stringify(schema), weights);
      rest += frame.tool + (BUILT_IN_TOOLS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 0);
    },
    format: (schema) => {
      texts += frame.formatSchema * weighText(JSON.stringify(schema), weights);
      rest += frame.format;
    },
    thinking: () => {
      rest += frame.thinking;
    },
    image: (base64, lowDetail) => {
      const size = (base64 === null ? null : readImageSize(base64)) ?? UNKNOWN_IMAGE;
      rest += provider === "anthropic" ? anthropicImage(size, model) : openAiImage(size, model, lowDetail);
    },
    document: (base64, mediaType) => {
      if (base64 !== null && isTextType(mediaType)) addText(Buffer.from(base64, "base64").toString());
      else rest += estimatePages(base64, PAGE_PICTURE[provider]);
    },
    audio: (base64) => {
      rest += base64.length / (base64.startsWith(WAV_PREFIX) ? WAV_CHARACTERS_PER_TOKEN : AUDIO_CHARACTERS_PER_TOKEN);
    },
    total: () => Math.round(texts * frame.text + rest + (tools > 0 ? frame.tools : 0)),
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
  const [longEdge, most] = NEW_CLAUDE.test(model) ? [2000, 4784] : [1568, 1568];
  return Math.min(most, patches(fit(size, longEdge / Math.max(size.width, size.height)), 28));
}

/** Base and per-tile tokens of the models that cut images into tiles of 512 pixels. */
const TILED: readonly (readonly [RegExp, number, number])[] = [
  [/^gpt-4o-mini/, 2833, 5667],
  [/^(gpt-4(?!\.1-(mini|nano))|chatgpt)/, 85, 170],
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

/** The picture of one page of a PDF, which models see beside its text. */
const PAGE_PICTURE: Readonly<Record<ProviderName, number>> = { openai: 100, anthropic: 1575 };
/** Bytes of a page when the file does not tell its pages. */
const BYTES_PER_PAGE = 60_000;
/** Bytes of a page's compressed text and fonts to one token of its text, and the most that one page holds. */
const PAGE_BYTES_PER_TOKEN = 20;
const PAGE_TEXT_TOKENS = 1000;
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
  for (const match of text.matchAll(/\/Count\s{0,4}(\d{1,4})\b/g)) pages = Math.max(pages, Number(match[1]));
  return pages > 0 ? pages : Math.max(1, Math.round((base64.length * 0.75) / BYTES_PER_PAGE));
}

function estimatePages(base64: string | null, pagePicture: number): number {
  if (base64 === null) return pagePicture + PAGE_TEXT_TOKENS;
  const pages = countPages(base64);
  const pageText = Math.min(PAGE_TEXT_TOKENS, (base64.length * 0.75) / pages / PAGE_BYTES_PER_TOKEN);
  return pages * (pagePicture + pageText);
}

function isTextType(mediaType: string): boolean {
  return mediaType.startsWith("text/") || mediaType.endsWith("json") || mediaType.endsWith("xml");
}

/** Base64 characters to a token at 10 tokens a second: MP3 at 64 kbit/s, and WAV of 24,000 samples of 16 bit. */
const AUDIO_CHARACTERS_PER_TOKEN = 1066;
const WAV_CHARACTERS_PER_TOKEN = 6400;
/** `RIFF` in base64. */
const WAV_PREFIX = "UklGR";
