/** What images, documents and sound cost in input tokens, by the providers' published formulas. */
import type { ProviderName } from "../base/names.ts";
import { readImageSize } from "./image-size.ts";
import type { ImageSize } from "./image-size.ts";

/** Claude models with the tokenizer and the picture resolution that came with Opus 4.7. */
export const NEW_CLAUDE = /claude-(opus-4-[7-9]|[a-z]+-[5-9])/;

/** Tokens of an image as base64, or null when only its URL or id is known. `lowDetail`: OpenAI's `detail: "low"`. */
export function estimateImage(
  provider: ProviderName,
  model: string,
  base64: string | null,
  lowDetail: boolean,
): number {
  const size = (base64 === null ? null : readImageSize(base64)) ?? UNKNOWN_IMAGE;
  return provider === "anthropic" ? anthropicImage(size, model) : openAiImage(size, model, lowDetail);
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

/** Tokens of a PDF as base64, or null when only its URL or id is known (one full page is assumed). */
export function estimatePdf(provider: ProviderName, base64: string | null): number {
  const pagePicture = PAGE_PICTURE[provider];
  if (base64 === null) return pagePicture + PAGE_TEXT_TOKENS;
  const pages = countPages(base64);
  const pageText = Math.min(PAGE_TEXT_TOKENS, (base64.length * 0.75) / pages / PAGE_BYTES_PER_TOKEN);
  return pages * (pagePicture + pageText);
}

/** Base64 characters to a token at 10 tokens a second: MP3 at 64 kbit/s, and WAV of 24,000 samples of 16 bit. */
const AUDIO_CHARACTERS_PER_TOKEN = 1066;
const WAV_CHARACTERS_PER_TOKEN = 6400;
/** `RIFF` in base64. */
const WAV_PREFIX = "UklGR";

/** Tokens of recorded sound as base64. */
export function estimateAudio(base64: string): number {
  return base64.length / (base64.startsWith(WAV_PREFIX) ? WAV_CHARACTERS_PER_TOKEN : AUDIO_CHARACTERS_PER_TOKEN);
}
