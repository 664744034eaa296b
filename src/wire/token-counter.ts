/** Adds up what a request costs in input tokens: its texts, and the frame that the provider puts around them. */
import { isString, own } from "../base/json.ts";
import type { Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import type { LongTexts } from "./long-text.ts";
import { estimateAudio, estimateImage, estimatePdf, NEW_CLAUDE } from "./media-tokens.ts";
import { createTextSample } from "./text-sample.ts";
import type { TextSample } from "./text-sample.ts";

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

/** Claude models before 4.5. */
const OLD_CLAUDE = /claude-(2|3|instant|(opus|sonnet)-4-[01]($|-)|(opus|sonnet)-4-20)/;
const OPENAI_REASONING = /^(gpt-[5-9]|o\d)/;

const OPENAI: Frame = {
  request: 3,
  message: 4.1,
  tools: 12,
  tool: 0,
  schema: 0.46,
  call: 0,
  format: 2,
  formatSchema: 0.54,
  thinking: 0,
  text: 1,
};
const CLAUDE: Frame = {
  request: 3,
  message: 4,
  tools: 470,
  tool: 37,
  schema: 0.35,
  call: 40,
  format: 70,
  formatSchema: 1.4,
  thinking: 29,
  text: 1,
};
const FRAMES = {
  openai: OPENAI,
  openaiReasoning: { ...OPENAI, tools: 92 },
  oldClaude: { ...CLAUDE, tools: 300 },
  claude: CLAUDE,
  newClaude: { ...CLAUDE, tools: 260, text: 1.2 },
} as const satisfies Readonly<Record<string, Frame>>;

function frameOf(provider: ProviderName, model: string): Frame {
  if (provider === "openai") return OPENAI_REASONING.test(model) ? FRAMES.openaiReasoning : FRAMES.openai;
  if (NEW_CLAUDE.test(model)) return FRAMES.newClaude;
  return OLD_CLAUDE.test(model) ? FRAMES.oldClaude : FRAMES.claude;
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
  /** The text `key` of `holder`; false when that is no string. */
  readonly member: (holder: Json | undefined, key: string) => boolean;
  readonly message: () => void;
  /** A tool call in the history; its arguments are the member `key` of `holder`, as JSON text or as a value. */
  readonly call: (name: string, holder: Json, key: string) => void;
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

/** The tokenizer's owner: told by the model's name where that is a provider's own, else `fallback`. */
function tokenizerOf(model: string, fallback: ProviderName): ProviderName {
  if (model.startsWith("claude")) return "anthropic";
  return /^(gpt-|chatgpt|o\d)/.test(model) ? "openai" : fallback;
}

function isTextType(mediaType: string): boolean {
  return mediaType.startsWith("text/") || mediaType.endsWith("json") || mediaType.endsWith("xml");
}

class Counter implements TokenCounter {
  readonly #model: string;
  readonly #provider: ProviderName;
  readonly #frame: Frame;
  readonly #longTexts: LongTexts | null;
  readonly #texts: TextSample;
  /** Schemas' JSON texts, which are charged a share. */
  #schemas: TextSample | null = null;
  #rest: number;
  #tools = 0;

  constructor(provider: ProviderName, model: string, longTexts: LongTexts | null) {
    this.#model = model;
    this.#provider = provider;
    this.#longTexts = longTexts;
    this.#texts = createTextSample(provider);
    this.#frame = frameOf(provider, model);
    this.#rest = this.#frame.request;
  }

  text(text: string): void {
    this.#texts.add(text);
  }

  member(holder: Json | undefined, key: string): boolean {
    const longText = this.#longTexts === null ? null : this.#longTexts.find(holder, key);
    if (longText !== null) {
      this.#texts.add(longText);
      return true;
    }
    const text = own(holder, key);
    if (!isString(text)) return false;
    this.#texts.add(text);
    return true;
  }

  message(): void {
    this.#rest += this.#frame.message;
  }

  call(name: string, holder: Json, key: string): void {
    this.text(name);
    if (!this.member(holder, key)) this.text(JSON.stringify(own(holder, key) ?? ""));
    this.#rest += this.#frame.call;
  }

  tool(name: string, description: string, schema: Json, type: string): void {
    this.#tools += 1;
    this.text(name);
    this.text(description);
    this.#schemas ??= createTextSample(this.#provider);
    this.#schemas.add(JSON.stringify(schema));
    this.#rest += this.#frame.tool + (BUILT_IN_TOOLS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 0);
  }

  format(schema: Json): void {
    const { format, formatSchema, text } = this.#frame;
    const sample = createTextSample(this.#provider);
    sample.add(JSON.stringify(schema));
    this.#rest += format + sample.tokens() * formatSchema * text;
  }

  thinking(): void {
    this.#rest += this.#frame.thinking;
  }

  image(base64: string | null, lowDetail: boolean): void {
    this.#rest += estimateImage(this.#provider, this.#model, base64, lowDetail);
  }

  document(base64: string | null, mediaType: string): void {
    if (base64 !== null && isTextType(mediaType)) this.text(Buffer.from(base64, "base64").toString());
    else this.#rest += estimatePdf(this.#provider, base64);
  }

  audio(base64: string): void {
    this.#rest += estimateAudio(base64);
  }

  total(): number {
    const { schema, text, tools } = this.#frame;
    const texts = this.#texts.tokens() + (this.#schemas === null ? 0 : this.#schemas.tokens() * schema);
    return Math.round(texts * text + this.#rest + (this.#tools > 0 ? tools : 0));
  }
}

/**
 * Opens a count for `model`; its name picks the tokenizer, the frame and the formula for images. `fallback` is the provider
 * of the request's format, for names that tell nothing (aliases). `longTexts` are those of the request.
 */
export function createTokenCounter(
  fallback: ProviderName,
  model: string,
  longTexts: LongTexts | null = null,
): TokenCounter {
  return new Counter(tokenizerOf(model, fallback), model, longTexts);
}
