/** Drives the pure translators as the gateway does, for stories and recorded traffic. */
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { isObject } from "../../src/base/json.ts";
import type { FormatName, ProviderName } from "../../src/base/names.ts";
import { chatToMessages } from "../../src/translate/chat-to-messages/index.ts";
import { chatToResponses } from "../../src/translate/chat-to-responses/index.ts";
import { messagesToChat } from "../../src/translate/messages-to-chat/index.ts";
import { messagesToResponses } from "../../src/translate/messages-to-responses/index.ts";
import { responsesToMessages } from "../../src/translate/responses-to-messages/index.ts";
import type { ReplyContext, Translated, TranslationOptions, Translator } from "../../src/translate/translator.ts";
import type { ParsedRequest, ReplyToolCall } from "../../src/wire/format.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";

/** The pairs, by the name of their folder. */
export const PAIRS: Readonly<Record<string, Translator>> = {
  "chat-to-messages": chatToMessages,
  "chat-to-responses": chatToResponses,
  "messages-to-chat": messagesToChat,
  "messages-to-responses": messagesToResponses,
  "responses-to-messages": responsesToMessages,
};

/** The provider that speaks a format upstream. */
export const PROVIDER_OF: Readonly<Record<FormatName, ProviderName>> = {
  chat: "openai",
  messages: "anthropic",
  responses: "openai",
};

/** `[translation]` as it is without a configuration. */
export const defaultOptions: TranslationOptions = {
  defaultMaxTokens: null,
  autoCache: false,
  longCache: false,
  allowFast: false,
  webSearch: true,
  serverTools: "drop",
  reasoningHeadroom: 0,
  reasoningSummary: true,
};

/** The moment of every story: EXAMPLES' `created`. */
export const storyContext: ReplyContext = { createdSeconds: 1_766_000_000, modelShown: null };

const limits = { jsonDepth: 128, jsonNodes: 1_000_000 };

/** @throws GatewayError when the gateway would answer 400 */
export function parseFor(format: FormatName, bytes: Uint8Array): ParsedRequest {
  return formatByName(format).parseRequest(bytes, limits);
}

/**
 * Translates a request for `model`.
 * @throws GatewayError when the gateway would answer 400
 */
export function translateRequest(
  translator: Translator,
  request: ParsedRequest,
  model: string,
  options: Partial<TranslationOptions> = {},
): Translated {
  return translator.request(request, {
    model: builtInCatalog.find(model, PROVIDER_OF[translator.upstream]),
    modelId: model,
    options: { ...defaultOptions, ...options },
    thinkingStore: null,
  });
}

/**
 * Replays an upstream's stream, given in chunks, and returns what the client gets.
 * @throws Error when the decoder gives up or an event is an error
 */
export function translateStream(
  translator: Translator,
  translated: Translated,
  chunks: readonly Uint8Array[],
  context: ReplyContext = storyContext,
): string {
  const upstream = formatByName(translator.upstream);
  const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
  const stream = translated.stream(context);
  let text = "";
  const take = (events: ReturnType<typeof decoder.push>): void => {
    for (const { event, data } of events) {
      if (stream.done || data === null || data.trim() === "[DONE]") continue;
      const json: unknown = JSON.parse(data);
      if (!isObject(json)) throw new Error(`an event that is not an object: ${data}`);
      if (upstream.readError(json) !== null) throw new Error(`an error event: ${data}`);
      for (const frame of stream.push(json, event)) text += frame.text;
    }
  };
  for (const chunk of chunks) take(decoder.push(chunk));
  take(decoder.end());
  if (decoder.overflowed) throw new Error("the decoder gave up");
  for (const frame of stream.end()) text += frame.text;
  return text;
}

/** Translates a buffered answer; a paused one that asks to be continued gives null. */
export function translateReply(
  translated: Translated,
  reply: JsonObject,
  context: ReplyContext = storyContext,
): { readonly body: JsonObject; readonly adapted: readonly string[] } | null {
  const result = translated.response(reply, context, []);
  return result.kind === "answer" ? result : null;
}

/** Tools that OpenAI defines and its clients run, by the names under which their calls are read. */
const DEFINED_BY_OPENAI = new Set(["tool_search", "shell", "local_shell", "apply_patch", "computer"]);
/** Of the id of a request to approve a call of an MCP tool, which bears that tool's name. */
const APPROVAL_ID = "mcpr_";

/**
 * Calls of tools that a request declares. Others can only be caused by a Responses client's own request: no pair from another
 * client carries them.
 */
export function declaredCalls(calls: readonly ReplyToolCall[]): readonly ReplyToolCall[] {
  return calls.filter(
    ({ id, name, kind }) => kind === "function" || !(DEFINED_BY_OPENAI.has(name) || id.startsWith(APPROVAL_ID)),
  );
}
