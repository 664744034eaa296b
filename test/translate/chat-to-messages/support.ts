/** Translates Chat requests for tests, and plays Messages streams to the answer. */
import { GatewayError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import type { Capabilities, Model } from "../../../src/catalog/model.ts";
import { chatToMessages } from "../../../src/translate/chat-to-messages/index.ts";
import type {
  ReplyContext,
  StreamFrame,
  ThinkingStore,
  Translated,
  TranslationOptions,
} from "../../../src/translate/translator.ts";
import { formatByName } from "../../../src/wire/formats.ts";
import { testModel } from "../../support/models.ts";

/** One model of each generation, by what tells them apart. */
export const SONNET_4_5 = testModel("claude-sonnet-4-5-20250929");
export const OPUS_4_6 = testModel("claude-opus-4-6");
export const OPUS_4_8 = testModel("claude-opus-4-8");
export const SONNET_5 = testModel("claude-sonnet-5");
export const OPUS_5_5 = testModel("claude-opus-5-5");
export const SONNET_5_5 = testModel("claude-sonnet-5-5");
export const HAIKU_5_5 = testModel("claude-haiku-5-5");

export interface Setup {
  readonly model?: Model;
  readonly capabilities?: Partial<Capabilities>;
  readonly options?: Partial<TranslationOptions>;
  readonly thinkingStore?: ThinkingStore;
}

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

export const replyContext: ReplyContext = { createdSeconds: 1_766_000_000, modelShown: null };

/** Translates the JSON text of a request. */
export function translateText(text: string, setup: Setup = {}): Translated {
  const bytes = Buffer.from(text);
  const request = formatByName("chat").parseRequest(bytes, { jsonDepth: 128, jsonNodes: 1_000_000 });
  const base = setup.model ?? SONNET_4_5;
  const model = { ...base, capabilities: { ...base.capabilities, ...setup.capabilities } };
  return chatToMessages.request(request, {
    model,
    modelId: model.id,
    options: { ...defaultOptions, ...setup.options },
    thinkingStore: setup.thinkingStore ?? null,
  });
}

const HELLO = [{ role: "user", content: "Hello." }];

/** Translates a request with `fields` over a minimal one. */
export function translate(fields: object, setup: Setup = {}): Translated {
  return translateText(JSON.stringify({ model: "m", max_tokens: 100, messages: HELLO, ...fields }), setup);
}

/** The body that `fields` give, parsed. */
export function bodyOf(fields: object, setup: Setup = {}): JsonObject {
  return JSON.parse(translate(fields, setup).body) as JsonObject;
}

/** What stands in `value` at a path of keys and indexes (negative: from the end); undefined where nothing does. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((node, step) => {
    if (Array.isArray(node) && typeof step === "number") return node.at(step);
    return typeof node === "object" && node !== null ? (node as Record<string, unknown>)[step] : undefined;
  }, value);
}

/** Body and reports of a request together. */
export function outcome(
  fields: object,
  setup: Setup = {},
): {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
  readonly adapted: readonly string[];
} {
  const { body, dropped, adapted } = translate(fields, setup);
  return { body: JSON.parse(body) as JsonObject, dropped, adapted };
}

/** The error that a request is refused with; throws when it is not. */
export function refusal(
  fields: object,
  setup: Setup = {},
): { readonly param: string | null; readonly kind: string; readonly status: number } {
  try {
    translate(fields, setup);
  } catch (error) {
    if (error instanceof GatewayError) return { param: error.param, kind: error.kind, status: error.status };
    throw error;
  }
  throw new Error("the request was not refused");
}

/** A tool that takes a city. */
export const WEATHER = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};

/** A call of a tool in an assistant message. */
export function call(id: string, args = "{}", name = "weather"): object {
  return { id, type: "function", function: { name, arguments: args } };
}

/** Plays events to a stream translator as the gateway does, `end` included. */
export function play(translated: Translated, events: readonly JsonObject[], context = replyContext): StreamFrame[] {
  const stream = translated.stream(context);
  const frames: StreamFrame[] = [];
  for (const event of events) {
    if (stream.done) break;
    frames.push(...stream.push(event, String(event["type"])));
  }
  frames.push(...stream.end());
  return frames;
}

/** Deltas of the frames that have a choice, in order. */
export function deltas(frames: readonly StreamFrame[]): unknown[] {
  return frames.map((frame) => at(frame.json, "choices", 0, "delta")).filter((delta) => delta !== undefined);
}

/** Values of one delta field, in order. */
export function pieces(frames: readonly StreamFrame[], field: string): unknown[] {
  return deltas(frames)
    .map((delta) => at(delta, field))
    .filter((piece) => piece !== undefined);
}

/** The choice of the finish chunk; undefined without one. */
export function finishChoice(frames: readonly StreamFrame[]): unknown {
  return frames
    .map((frame) => at(frame.json, "choices", 0))
    .find((choice) => choice !== undefined && at(choice, "finish_reason") !== null);
}

export const start = (usage: JsonObject = { input_tokens: 1, output_tokens: 1 }): JsonObject => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", model: "claude", content: [], usage },
});
export const open = (index: number, block: JsonObject): JsonObject => ({
  type: "content_block_start",
  index,
  content_block: block,
});
export const openText = (index: number): JsonObject => open(index, { type: "text", text: "" });
export const openTool = (index: number, id: string, name = "weather", input: JsonObject = {}): JsonObject =>
  open(index, { type: "tool_use", id, name, input });
export const delta = (index: number, value: JsonObject): JsonObject => ({
  type: "content_block_delta",
  index,
  delta: value,
});
export const text = (index: number, value: string): JsonObject => delta(index, { type: "text_delta", text: value });
export const json = (index: number, value: string): JsonObject =>
  delta(index, { type: "input_json_delta", partial_json: value });
export const stop = (index: number): JsonObject => ({ type: "content_block_stop", index });
export const ending = (
  reason: string,
  usage: JsonObject = { output_tokens: 5 },
  details?: JsonObject,
): JsonObject[] => [
  {
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: null, ...(details === undefined ? {} : { stop_details: details }) },
    usage,
  },
  { type: "message_stop" },
];
