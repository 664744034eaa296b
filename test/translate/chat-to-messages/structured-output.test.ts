import { describe, expect, test } from "bun:test";
import {
  at,
  bodyOf,
  ending,
  finishChoice,
  json,
  OPUS_4_6,
  openText,
  openTool,
  outcome,
  pieces,
  play,
  replyContext,
  SONNET_4_5,
  SONNET_5_5,
  start,
  stop,
  text,
  translate,
  WEATHER,
} from "./support.ts";

const closed = {
  type: "object",
  properties: { age: { type: "integer" } },
  required: ["age"],
  additionalProperties: false,
};
const openSchema = { type: "object", properties: {}, additionalProperties: { type: "string" } };
const format = (schema: object, more: object = {}): object => ({
  response_format: { type: "json_schema", json_schema: { name: "person", schema, strict: true, ...more } },
});
const noStructured = { structuredOutputs: false };
const answer = (...content: object[]): { id: string; model: string; content: never; stop_reason: string } => ({
  id: "msg_1",
  model: "c",
  content: content as never,
  stop_reason: "end_turn",
});

describe("response_format", () => {
  test("json_schema is output_config.format, without the name and without a beta", () => {
    const translated = translate(format(closed));
    expect(at(JSON.parse(translated.body), "output_config")).toEqual({
      format: { type: "json_schema", schema: closed },
    });
    expect(translated.adapted).toEqual([]);
    expect(translated.betas).toEqual([]);
    expect(translated.checks).toEqual([]);
  });

  test("its description joins the root's", () => {
    const body = bodyOf(format({ ...closed, description: "A person." }, { description: "From the text." }));
    expect(at(body, "output_config", "format", "schema", "description")).toBe("A person.\n\nFrom the text.");
  });

  test("works beside tools and beside an effort", () => {
    const body = bodyOf({ ...format(closed), tools: [WEATHER], reasoning_effort: "low" }, { model: SONNET_5_5 });
    expect(at(body, "output_config")).toEqual({ format: { type: "json_schema", schema: closed }, effort: "low" });
    expect(at(body, "tools")).toHaveLength(1);
  });

  test("text and null ask for nothing", () => {
    expect(at(bodyOf({ response_format: { type: "text" } }), "output_config")).toBeUndefined();
    expect(at(bodyOf({ response_format: null }), "output_config")).toBeUndefined();
  });

  test("a schema that cannot be expressed becomes a forced tool, whose input is the answer's text", () => {
    const translated = translate(format(openSchema));
    const body: unknown = JSON.parse(translated.body);
    expect(at(body, "tools", 0, "name")).toBe("json_response");
    expect(at(body, "tools", 0, "input_schema")).toEqual(openSchema);
    expect(at(body, "tools", 0, "strict")).toBeUndefined();
    expect(at(body, "tool_choice")).toEqual({ type: "tool", name: "json_response" });
    expect(translated.adapted).toEqual(["response_format"]);
    expect(translated.checks).toEqual(["json_schema"]);

    const reply = translated.response(
      { ...answer({ type: "tool_use", id: "t", name: "json_response", input: { a: "b" } }), stop_reason: "tool_use" },
      replyContext,
      [],
    );
    expect(at(reply.body, "choices", 0, "message", "content")).toBe('{"a":"b"}');
    expect(at(reply.body, "choices", 0, "message", "tool_calls")).toBeUndefined();
    expect(at(reply.body, "choices", 0, "finish_reason")).toBe("stop");
    expect(at(reply.body, "choices", 0, "native_finish_reason")).toBe("tool_use");

    const frames = play(translate({ ...format(openSchema), stream: true }), [
      start(),
      openTool(0, "t", "json_response"),
      json(0, ""),
      json(0, '{"a":'),
      json(0, '"b"}'),
      stop(0),
      ...ending("tool_use"),
    ]);
    expect(pieces(frames, "content")).toEqual(["", '{"a":', '"b"}']);
    expect(pieces(frames, "tool_calls")).toEqual([]);
    expect(finishChoice(frames)).toMatchObject({ finish_reason: "stop" });
  });

  test("the text is shown when the model answers in words after all", () => {
    const translated = translate({ ...format(openSchema), stream: true });
    const frames = play(translated, [
      start(),
      openText(0),
      text(0, "I can"),
      text(0, "not."),
      stop(0),
      ...ending("end_turn"),
    ]);
    expect(pieces(frames, "content").join("")).toBe("I cannot.");
  });

  test("a root that is no object is unwrapped again", () => {
    const list = { type: "array", items: { type: "object" } };
    const translated = translate({ ...format(list), stream: true });
    expect(at(JSON.parse(translated.body), "tools", 0, "input_schema", "properties", "value")).toEqual(list);
    const frames = play(translated, [
      start(),
      openTool(0, "t", "json_response"),
      json(0, '{"value":[{}'),
      json(0, "]}"),
      stop(0),
      ...ending("tool_use"),
    ]);
    expect(pieces(frames, "content").join("")).toBe("[{}]");
  });

  test("with tools of the caller's own it is asked for in words", () => {
    const translated = translate({ ...format(openSchema), tools: [WEATHER] });
    const body: unknown = JSON.parse(translated.body);
    expect(at(body, "tools")).toHaveLength(1);
    expect(at(body, "system", 0, "text")).toContain(JSON.stringify(openSchema));
    expect(translated.checks).toEqual(["json_schema"]);
    expect(translated.adapted).toEqual(["response_format"]);
  });

  test("so it is on a model that refuses forced tools, and without structured outputs", () => {
    expect(at(bodyOf(format(openSchema), { model: SONNET_5_5 }), "tools")).toBeUndefined();
    expect(
      at(bodyOf(format(closed), { capabilities: { ...noStructured, forcedToolUse: false } }), "system", 0, "text"),
    ).toContain('"age"');
  });

  test("a last assistant turn is no beginning beside a format", () => {
    const messages = [
      { role: "user", content: "x" },
      { role: "assistant", content: "{" },
    ];
    const result = outcome({ ...format(closed), messages });
    expect(at(result.body, "messages", -1, "role")).toBe("user");
    expect(result.adapted).toEqual(["messages"]);
  });

  test("citations of documents are left out beside a format", () => {
    const document = {
      type: "document",
      source: { type: "text", media_type: "text/plain", data: "x" },
      citations: { enabled: true },
    };
    const result = outcome({ ...format(closed), messages: [{ role: "user", content: [document] }] });
    expect(at(result.body, "messages", 0, "content", 0, "citations")).toBeUndefined();
    expect(result.adapted).toEqual(["messages[].content[].citations"]);
  });
});

describe("response_format json_object", () => {
  const fields = { response_format: { type: "json_object" } };

  test("is asked for in words, with the brace given where a beginning is accepted", () => {
    const translated = translate(fields, { model: SONNET_4_5 });
    const body: unknown = JSON.parse(translated.body);
    expect(at(body, "system")).toEqual([{ type: "text", text: "Respond with one JSON object and nothing else." }]);
    expect(at(body, "messages", -1)).toEqual({ role: "assistant", content: [{ type: "text", text: "{" }] });
    expect(translated.adapted).toEqual(["response_format"]);
    expect(translated.checks).toEqual(["json"]);
    const reply = translated.response(answer({ type: "text", text: '"a":1}' }), replyContext, []);
    expect(at(reply.body, "choices", 0, "message", "content")).toBe('{"a":1}');
  });

  test("the brace is given back first in a stream", () => {
    const frames = play(translate({ ...fields, stream: true }), [
      start(),
      openText(0),
      text(0, '"a"'),
      text(0, ":1}"),
      stop(0),
      ...ending("end_turn"),
    ]);
    expect(pieces(frames, "content")).toEqual(["", '{"a"', ":1}"]);
  });

  test("the brace is not given without text", () => {
    const frames = play(translate({ ...fields, stream: true }), [start(), ...ending("refusal")]);
    expect(pieces(frames, "content")).toEqual([""]);
    const reply = translate(fields).response({ ...answer(), stop_reason: "refusal" }, replyContext, []);
    expect(at(reply.body, "choices", 0, "message", "content")).toBe("");
  });

  test.each([
    ["a model without prefill", {}, { model: OPUS_4_6 }],
    ["tools", { tools: [WEATHER] }, {}],
    ["thinking", { reasoning_effort: "low", max_tokens: 8_000 }, {}],
  ])("no brace with %s; fences are stripped instead", (_name, more, setup) => {
    const translated = translate({ ...fields, ...more }, setup);
    expect(at(JSON.parse(translated.body), "messages", -1, "role")).toBe("user");
    const reply = translated.response(answer({ type: "text", text: '```json\n{"a":1}\n```' }), replyContext, []);
    expect(at(reply.body, "choices", 0, "message", "content")).toBe('{"a":1}');
  });
});
