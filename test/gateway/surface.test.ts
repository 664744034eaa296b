import { describe, expect, test } from "bun:test";
import type { FormatName } from "../../src/base/names.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { chooseSurface } from "../../src/gateway/surface.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { openAiError } from "../support/answers.ts";
import { testModel } from "../support/models.ts";
import { createPipeline } from "../support/pipeline.ts";
import { sse, type UpstreamCall } from "../support/scripted-client.ts";

const OPENAI: readonly FormatName[] = ["chat", "responses"];
const messages = [{ role: "user", content: "Hi" }];
const input = "Hi";
const chatTool = [{ type: "function", function: { name: "look" } }];
const tool = [{ name: "look", input_schema: { type: "object" } }];

interface Row {
  readonly what: string;
  readonly format: FormatName;
  readonly model: string;
  readonly body?: JsonObject;
  readonly isSwapped?: boolean;
  readonly openaiSurface?: "auto" | "chat";
  readonly surface: FormatName;
}

const ROWS: readonly Row[] = [
  { what: "Chat as the client asked", format: "chat", model: "gpt-6-sol", body: { tools: chatTool }, surface: "chat" },
  {
    what: "Chat, exchanged, with tools",
    format: "chat",
    model: "gpt-6-sol",
    body: { tools: chatTool },
    isSwapped: true,
    surface: "responses",
  },
  {
    what: "Chat, exchanged, with tools and effort none",
    format: "chat",
    model: "gpt-6-sol",
    body: { tools: chatTool, reasoning_effort: "none" },
    isSwapped: true,
    surface: "chat",
  },
  {
    what: "Chat, exchanged, with tools, to a model without effort none",
    format: "chat",
    model: "gpt-6.1-sol",
    body: { tools: chatTool, reasoning_effort: "none" },
    isSwapped: true,
    surface: "responses",
  },
  {
    what: "Chat, exchanged, with tools, to a model whose own effort is none",
    format: "chat",
    model: "gpt-5.4",
    body: { tools: chatTool },
    isSwapped: true,
    surface: "chat",
  },
  {
    what: "Chat, exchanged, with tools and effort, to that model",
    format: "chat",
    model: "gpt-5.4",
    body: { tools: chatTool, reasoning_effort: "high" },
    isSwapped: true,
    surface: "responses",
  },
  { what: "Chat, exchanged, without tools", format: "chat", model: "gpt-6-sol", isSwapped: true, surface: "chat" },
  {
    what: "Chat, exchanged, to a model of Responses only",
    format: "chat",
    model: "gpt-5-pro",
    isSwapped: true,
    surface: "responses",
  },
  {
    what: "Chat, exchanged, to a model that takes tools anywhere",
    format: "chat",
    model: "gpt-4.1",
    body: { tools: chatTool },
    isSwapped: true,
    surface: "chat",
  },
  {
    what: "Chat, exchanged, surface = chat",
    format: "chat",
    model: "gpt-6-sol",
    body: { tools: chatTool },
    isSwapped: true,
    openaiSurface: "chat",
    surface: "chat",
  },
  { what: "Messages, a reasoning model", format: "messages", model: "gpt-5", surface: "responses" },
  { what: "Messages, an unknown model", format: "messages", model: "gpt-9", surface: "responses" },
  { what: "Messages, another model", format: "messages", model: "gpt-4.1", surface: "chat" },
  {
    what: "Messages, a reasoning model of Chat only",
    format: "messages",
    model: "gpt-5-search-api",
    surface: "chat",
  },
  {
    what: "Messages, surface = chat",
    format: "messages",
    model: "gpt-5",
    body: { tools: tool },
    openaiSurface: "chat",
    surface: "chat",
  },
  {
    what: "Responses, whatever is set",
    format: "responses",
    model: "gpt-4.1",
    openaiSurface: "chat",
    isSwapped: true,
    surface: "responses",
  },
];

describe("the surface", () => {
  test.each(ROWS.map((row) => [row.what, row] as const))("for %s", (_what, row) => {
    const format = formatByName(row.format);
    const body = {
      model: "asked",
      max_tokens: 9,
      ...(row.format === "responses" ? { input } : { messages }),
      ...row.body,
    };
    const request = format.parseRequest(Buffer.from(JSON.stringify(body)), { jsonDepth: 64, jsonNodes: 1000 });
    const wish = {
      model: testModel(row.model),
      facts: format.facts(request),
      isSwapped: row.isSwapped ?? false,
      openaiSurface: row.openaiSurface ?? "auto",
    };
    expect(chooseSurface(OPENAI, wish)).toBe(row.surface);
    expect(chooseSurface(["messages"], wish)).toBe("messages");
  });
});

const RESPONSE = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  status: "completed",
  model: "gpt-5",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi." }] }],
  usage: { input_tokens: 3, output_tokens: 2 },
};
const ANSWER = sse([
  `event: response.completed\ndata: ${JSON.stringify({ type: "response.completed", response: RESPONSE })}\n\n`,
]);
const UNVERIFIED = openAiError(400, {
  message: "Your organization must be verified to generate reasoning summaries.",
  param: "reasoning.summary",
  code: "unsupported_value",
});

const bodyOf = (call: UpstreamCall | undefined): JsonObject => JSON.parse(call?.body ?? "{}") as JsonObject;
const thinking = { model: "gpt-5", max_tokens: 99, messages, thinking: { type: "adaptive" } };

describe("summaries of the reasoning", () => {
  test("are asked for no more once they were refused", async () => {
    const pipeline = createPipeline({
      upstream: (call) => (bodyOf(call)["reasoning"] === undefined ? ANSWER : UNVERIFIED),
    });
    const first = await pipeline.send("messages", { ...thinking, stream: true });
    expect(first.status).toBe(200);
    expect(first.text).toContain('"text":"Hi."');
    expect(pipeline.calls.map((call) => bodyOf(call)["reasoning"])).toEqual([{ summary: "auto" }, undefined]);
    const second = await pipeline.send("messages", { ...thinking, output_config: { effort: "low" } });
    expect(second.status).toBe(400);
    expect(bodyOf(pipeline.calls[2])["reasoning"]).toEqual({ effort: "low" });
    expect(pipeline.calls).toHaveLength(3);
  });

  test("are not tried again for another refusal", async () => {
    const pipeline = createPipeline({ upstream: () => openAiError(400, { param: "input", message: "no" }) });
    const { status } = await pipeline.send("messages", thinking);
    expect(status).toBe(400);
    expect(pipeline.calls).toHaveLength(1);
  });

  test('are never asked for with reasoning_summary = "off"', async () => {
    const pipeline = createPipeline({
      upstream: () => ANSWER,
      config: '[providers.openai]\nreasoning_summary = "off"\n',
    });
    await pipeline.send("messages", thinking);
    expect(bodyOf(pipeline.calls[0])["reasoning"]).toBeUndefined();
  });
});

test('surface = "chat" sends Messages clients to Chat, their tools without reasoning', async () => {
  const pipeline = createPipeline({
    upstream: () => openAiError(400),
    config: '[providers.openai]\nsurface = "chat"\n',
  });
  const answer = await pipeline.send("messages", { ...thinking, model: "gpt-5.6", tools: tool });
  expect(answer.headers["x-arouter-upstream-format"]).toBe("chat");
  expect(bodyOf(pipeline.calls[0])["reasoning_effort"]).toBe("none");
});
