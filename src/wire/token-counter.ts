/** Adds up what a request costs in input tokens: its texts, and the frame that the provider puts around them. */
import type { Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { estimateAudio, estimateImage, estimatePdf, NEW_CLAUDE } from "./media-tokens.ts";
import { weighText } from "./tokens.ts";

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

function frameOf(provider: ProviderName, model: string): Frame {
  if (provider === "openai") {
    const tools = OPENAI_REASONING.test(model) ? 92 : 12;
    const schemas = { schema: 0.46, format: 2, formatSchema: 0.54 };
    return { request: 3, message: 4.1, tools, tool: 0, call: 0, thinking: 0, text: 1, ...schemas };
  }
  const frame = {
    request: 3,
    message: 4,
    tool: 37,
    schema: 0.35,
    call: 40,
    format: 70,
    formatSchema: 1.4,
    thinking: 29,
  };
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

/** The tokenizer's owner: told by the model's name where that is a provider's own, else `fallback`. */
function tokenizerOf(model: string, fallback: ProviderName): ProviderName {
  if (model.startsWith("claude")) return "anthropic";
  return /^(gpt-|chatgpt|o\d)/.test(model) ? "openai" : fallback;
}

function isTextType(mediaType: string): boolean {
  return mediaType.startsWith("text/") || mediaType.endsWith("json") || mediaType.endsWith("xml");
}

/**
 * Opens a count for `model`; its name picks the tokenizer, the frame and the formula for images. `fallback` is the provider
 * of the request's format, for names that tell nothing (aliases).
 */
export function createTokenCounter(fallback: ProviderName, model: string): TokenCounter {
  const provider = tokenizerOf(model, fallback);
  const frame = frameOf(provider, model);
  let texts = 0;
  let rest = frame.request;
  let tools = 0;
  const addText = (text: string): void => {
    texts += weighText(text, provider);
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
      texts += frame.schema * weighText(JSON.stringify(schema), provider);
      rest += frame.tool + (BUILT_IN_TOOLS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 0);
    },
    format: (schema) => {
      texts += frame.formatSchema * weighText(JSON.stringify(schema), provider);
      rest += frame.format;
    },
    thinking: () => {
      rest += frame.thinking;
    },
    image: (base64, lowDetail) => {
      rest += estimateImage(provider, model, base64, lowDetail);
    },
    document: (base64, mediaType) => {
      if (base64 !== null && isTextType(mediaType)) addText(Buffer.from(base64, "base64").toString());
      else rest += estimatePdf(provider, base64);
    },
    audio: (base64) => {
      rest += estimateAudio(base64);
    },
    total: () => Math.round(texts * frame.text + rest + (tools > 0 ? frame.tools : 0)),
  };
}
