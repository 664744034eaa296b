/** Shortens the way from a Messages request to what Responses is sent, and back. */
import { expect } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { messagesToResponses } from "../../../src/translate/messages-to-responses/index.ts";
import type { ReplyContext, StreamFrame, Translated, TranslationOptions } from "../../../src/translate/translator.ts";
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
}

/** Translates the text of a request. */
export function translateText(text: string, { model = "gpt-5.6", options = {} }: Settings = {}): Translated {
  const request = formatByName("messages").parseRequest(Buffer.from(text), { jsonDepth: 128, jsonNodes: 1_000_000 });
  return messagesToResponses.request(request, {
    model: testModel(model),
    modelId: model,
    options: { ...OPTIONS, ...options },
    thinkingStore: null,
  });
}

/** Translates a request of one user message and `fields`. */
export function translate(fields: JsonObject, settings: Settings = {}): Translated {
  const base = { model: "claude", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] };
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

/** A whole Response. */
export function answer(output: readonly JsonObject[], fields: JsonObject = {}): JsonObject {
  return {
    id: "resp_0aB1",
    object: "response",
    created_at: 1,
    status: "completed",
    model: "gpt-5.6",
    output,
    usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
    ...fields,
  };
}

/** The Message for a whole Response. */
export function message(translated: Translated, reply: JsonObject): Record<string, Json> {
  const result = translated.response(reply, storyContext, []);
  if (result.kind !== "answer") throw new Error("not an answer");
  return JSON.parse(JSON.stringify(result.body)) as Record<string, Json>;
}

/** The events in which the provider would stream `reply`, texts cut to pieces of `size` characters. */
export function eventsOf(reply: JsonObject, size = 5): readonly JsonObject[] {
  const output = reply["output"] as readonly JsonObject[];
  const events: JsonObject[] = [
    { type: "response.created", response: { ...reply, status: "in_progress", output: [], usage: null } },
  ];
  output.forEach((item, index) => events.push(...itemEvents(item, index, size)));
  events.push({ type: `response.${String(reply["status"])}`, response: reply });
  return events;
}

function pieces(text: string, size: number): readonly string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
}

/** Events of one output item. */
export function itemEvents(item: JsonObject, output_index: number, size = 5): readonly JsonObject[] {
  const events: JsonObject[] = [{ type: "response.output_item.added", output_index, item: emptied(item) }];
  const deltas = (type: string, text: string): void => {
    for (const delta of pieces(text, size)) events.push({ type: `${type}.delta`, output_index, delta });
  };
  for (const part of (item["summary"] as readonly JsonObject[] | undefined) ?? []) {
    events.push({ type: "response.reasoning_summary_part.added", output_index, part });
    deltas("response.reasoning_summary_text", String(part["text"]));
  }
  for (const part of item["type"] === "message" ? (item["content"] as readonly JsonObject[]) : []) {
    if (typeof part["text"] === "string") deltas("response.output_text", part["text"]);
    if (typeof part["refusal"] === "string") deltas("response.refusal", part["refusal"]);
  }
  if (item["type"] === "function_call") deltas("response.function_call_arguments", String(item["arguments"]));
  if (item["type"] === "custom_tool_call") deltas("response.custom_tool_call_input", String(item["input"]));
  events.push({ type: "response.output_item.done", output_index, item });
  return events;
}

function emptied(item: JsonObject): JsonObject {
  return {
    ...item,
    ...(item["type"] === "message" ? { content: [] } : {}),
    ...(item["summary"] === undefined ? {} : { summary: [], encrypted_content: "" }),
    ...(item["arguments"] === undefined ? {} : { arguments: "" }),
    ...(item["input"] === undefined ? {} : { input: "" }),
  };
}

/** Streams `events` through the reply side of `translated`, to its end. */
export function stream(translated: Translated, events: readonly JsonObject[]): readonly StreamFrame[] {
  const translator = translated.stream(storyContext);
  const frames: StreamFrame[] = [];
  for (const json of events) {
    if (translator.done) break;
    frames.push(...translator.push(json, ""));
  }
  frames.push(...translator.end());
  return frames;
}
