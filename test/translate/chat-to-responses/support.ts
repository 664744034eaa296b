/** Shortens the way from a Chat request to what Responses is sent, and back. */
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { chatToResponses } from "../../../src/translate/chat-to-responses/index.ts";
import type { ReplyContext, ThinkingStore, Translated, TranslationOptions } from "../../../src/translate/translator.ts";
import { formatByName } from "../../../src/wire/formats.ts";
import { testModel } from "../../support/models.ts";

export const storyContext: ReplyContext = { createdSeconds: 1_766_000_000, modelShown: null };

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
  readonly model?: string;
  readonly options?: Partial<TranslationOptions>;
  readonly thinkingStore?: ThinkingStore;
}

/** Translates the text of a request. */
export function translateText(text: string, settings: Settings = {}): Translated {
  const { model = "gpt-5.6", options = {}, thinkingStore = null } = settings;
  const request = formatByName("chat").parseRequest(Buffer.from(text), { jsonDepth: 128, jsonNodes: 1_000_000 });
  return chatToResponses.request(request, {
    model: testModel(model),
    modelId: model,
    options: { ...OPTIONS, ...options },
    thinkingStore,
  });
}

/** Translates a request of one user message and `fields`. */
export function translate(fields: JsonObject, settings: Settings = {}): Translated {
  const base = { model: "gpt-4.1", messages: [{ role: "user", content: "Hi" }] };
  return translateText(JSON.stringify({ ...base, ...fields }), settings);
}

/** What is sent for `fields`, parsed. */
export function sent(fields: JsonObject, settings: Settings = {}): Record<string, Json> {
  return JSON.parse(translate(fields, settings).body) as Record<string, Json>;
}

/** The input sent for `messages`. */
export function sentInput(messages: readonly JsonObject[], settings: Settings = {}): readonly Json[] {
  return sent({ messages }, settings)["input"] as readonly Json[];
}
