/** Shortens the way from a Messages request to what OpenAI is sent, and back. */
import { expect } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import type { Model } from "../../../src/catalog/model.ts";
import { messagesToChat } from "../../../src/translate/messages-to-chat/index.ts";
import type { ReplyContext, StreamFrame, Translated, TranslationOptions } from "../../../src/translate/translator.ts";
import { formatByName } from "../../../src/wire/formats.ts";
import { testModel } from "../../support/models.ts";

export const replyContext: ReplyContext = { createdSeconds: 1_766_000_000, modelShown: null };

const OPTIONS: TranslationOptions = {
  defaultMaxTokens: null,
  autoCache: false,
  longCache: false,
  allowFast: false,
  webSearch: true,
  serverTools: "drop",
  reasoningHeadroom: 0,
  reasoningSummary: true,
};

export interface Settings {
  readonly model?: string | Model;
  readonly options?: Partial<TranslationOptions>;
}

/** Translates the text of a request. */
export function translateText(text: string, { model = "gpt-4.1", options = {} }: Settings = {}): Translated {
  const request = formatByName("messages").parseRequest(new TextEncoder().encode(text), {
    jsonDepth: 128,
    jsonNodes: 1_000_000,
  });
  const target = typeof model === "string" ? testModel(model) : model;
  return messagesToChat.request(request, {
    model: target,
    modelId: target.id,
    options: { ...OPTIONS, ...options },
    thinkingStore: null,
  });
}

/** Translates a request of one user message and `fields`. */
export function translate(fields: JsonObject, settings: Settings = {}): Translated {
  const base = { model: "gpt-4.1", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] };
  return translateText(JSON.stringify({ ...base, ...fields }), settings);
}

/** What is sent for `fields`, parsed. */
export function sent(fields: JsonObject, settings: Settings = {}): Record<string, Json> {
  return JSON.parse(translate(fields, settings).body) as Record<string, Json>;
}

/** The messages sent for `messages`. */
export function sentMessages(messages: readonly JsonObject[], settings: Settings = {}): readonly Json[] {
  return sent({ messages }, settings)["messages"] as readonly Json[];
}

/** The GatewayError that `run` throws. */
export function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  return expect.unreachable();
}

/** One Chat chunk with a single choice. */
export function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return {
    id: "chatcmpl-AbC1",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-4.1-2025-04-14",
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
}

/** Streams `chunks` through the reply side of `translated`, to its end. */
export function stream(translated: Translated, chunks: readonly JsonObject[]): readonly StreamFrame[] {
  const translator = translated.stream(replyContext);
  const frames: StreamFrame[] = [];
  for (const json of chunks) {
    if (translator.done) break;
    frames.push(...translator.push(json, ""));
  }
  frames.push(...translator.end());
  return frames;
}

/** A buffered Chat answer. */
export function answer(message: JsonObject, finish: string | null = "stop", fields: JsonObject = {}): JsonObject {
  return {
    id: "chatcmpl-AbC1",
    object: "chat.completion",
    created: 1,
    model: "gpt-4.1-2025-04-14",
    choices: [{ index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason: finish }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ...fields,
  };
}

/** The Message for a buffered answer. */
export function message(translated: Translated, reply: JsonObject): Record<string, Json> {
  const result = translated.response(reply, replyContext, []);
  if (result.kind !== "answer") throw new Error("not an answer");
  return JSON.parse(JSON.stringify(result.body)) as Record<string, Json>;
}
