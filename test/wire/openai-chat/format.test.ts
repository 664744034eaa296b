import { describe, expect, test } from "bun:test";
import { ERROR_KINDS, GatewayError } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import type { Facts, StreamTally } from "../../../src/wire/format.ts";
import { openAiChat } from "../../../src/wire/openai-chat/index.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 100_000 };
const parse = (body: unknown) => openAiChat.parseRequest(Buffer.from(JSON.stringify(body)), LIMITS);
const user = { role: "user", content: "hi" };
const facts = (body: object): Facts => openAiChat.facts(parse({ model: "gpt-4.1", messages: [user], ...body }));

function refusal(body: unknown): { code: string; param: string | null; message: string } {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, param: error.param, message: error.message };
    throw error;
  }
  throw new Error("was accepted");
}

describe("parseRequest", () => {
  test.each([
    [{ messages: [user] }, "missing_required_parameter", "model"],
    [{ model: "m" }, "missing_required_parameter", "messages"],
    [{ model: "", messages: [user] }, "invalid_value", "model"],
    [{ model: 5, messages: [user] }, "invalid_value", "model"],
    [{ model: null, messages: [user] }, "invalid_value", "model"],
    [{ model: "m", messages: "hi" }, "invalid_value", "messages"],
    [{ model: "m", messages: [user, { content: "x" }] }, "missing_required_parameter", "messages[1].role"],
    [{ model: "m", messages: [user, user, { role: "user", content: 5 }] }, "invalid_value", "messages[2].content"],
    [{ model: "m", messages: [{ role: "user", content: ["x"] }] }, "invalid_value", "messages[0].content[0]"],
    [
      { model: "m", messages: [{ role: "user", content: [{ text: "x" }] }] },
      "missing_required_parameter",
      "messages[0].content[0].type",
    ],
    [{ model: "m", messages: [{ role: "assistant", tool_calls: {} }] }, "invalid_value", "messages[0].tool_calls"],
    [{ model: "m", messages: [user], stream: "yes" }, "invalid_value", "stream"],
    [{ model: "m", messages: [user], max_tokens: "9" }, "invalid_value", "max_tokens"],
    [{ model: "m", messages: [user], tools: {} }, "invalid_value", "tools"],
    [
      { model: "m", messages: [user], tools: [{ type: "function", function: {} }] },
      "missing_required_parameter",
      "tools[0].function.name",
    ],
    [{ model: "m", messages: [user], response_format: "json" }, "invalid_value", "response_format"],
  ] as [unknown, string, string][])("refuses %j as %s of %s", (body, code, param) => {
    const told = refusal(body);
    expect([told.code, told.param]).toEqual([code, param]);
    expect(told.message).toContain(param);
  });

  test("says what belongs in the field", () => {
    expect(refusal({ model: "m", messages: [{ role: "user", content: 5 }] }).message).toBe(
      "invalid value for messages[0].content: must be a string, an array of content parts or null",
    );
  });

  test.each([
    [{ content: null }],
    [{ content: "" }],
    [{}],
    [{ content: [{ type: "text", text: "x" }] }],
    [{ content: "x", annotations: [], refusal: null }],
    [
      {
        content: null,
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}", extra: 1 } }],
      },
    ],
  ])("takes the assistant message %j", (fields) => {
    parse({ model: "m", messages: [user, { role: "assistant", ...fields }] });
  });

  test("takes null for optional fields, and wrong values in fields that nothing of ours reads", () => {
    parse({
      model: "m",
      messages: [],
      tools: null,
      response_format: null,
      stream_options: null,
      stream: null,
      stop: { a: 1 },
      temperature: "hot",
      unknown: [1],
    });
  });

  test("keeps the bytes, and every number's spelling in the lossless reading", () => {
    const text = '{"model":"m","messages":[],"seed":12345678901234567890,"t":1.50}';
    const request = openAiChat.parseRequest(Buffer.from(text), LIMITS);
    expect(Buffer.from(request.bytes).toString()).toBe(text);
    expect(JSON.stringify(request.lossless())).toBe(text);
    expect(request.lossless()).toBe(request.lossless());
  });

  test("treats __proto__ as data", () => {
    const text = '{"model":"m","messages":[{"role":"user","content":"x"}],"__proto__":{"stream":true,"n":5}}';
    const read = openAiChat.facts(openAiChat.parseRequest(Buffer.from(text), LIMITS));
    expect([read.stream, read.choices]).toEqual([false, 1]);
  });

  test("refuses a fact's field that occurs twice", () => {
    expect(() => openAiChat.parseRequest(Buffer.from('{"model":"a","messages":[],"model":"b"}'), LIMITS)).toThrow(
      "model",
    );
  });
});

const IMAGE = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
const TOOL = { type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } };

describe("facts", () => {
  test.each([
    ["stream", { stream: true }, { stream: true, streamUsage: false }],
    ["usage asked for", { stream: true, stream_options: { include_usage: true } }, { streamUsage: true }],
    ["max_tokens", { max_tokens: 5 }, { maxTokens: 5 }],
    ["max_completion_tokens over max_tokens", { max_tokens: 5, max_completion_tokens: 7 }, { maxTokens: 7 }],
    ["no cap", {}, { maxTokens: null }],
    ["message count", { messages: [user, user, user] }, { messages: 3 }],
    ["tools", { tools: [TOOL, { type: "custom", custom: { name: "c" } }] }, { toolNames: ["f", "c"] }],
    ["functions", { functions: [{ name: "g" }], function_call: "auto" }, { toolNames: ["g"], toolChoice: "auto" }],
    ["tool_choice required", { tool_choice: "required" }, { toolChoice: "required" }],
    ["tool_choice none", { tool_choice: "none" }, { toolChoice: "none" }],
    ["tool_choice named", { tool_choice: { type: "function", function: { name: "f" } } }, { toolChoice: "named" }],
    [
      "allowed tools",
      { tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [] } } },
      { toolChoice: "required" },
    ],
    ["no tool_choice", {}, { toolChoice: null }],
    ["a tool loop", { messages: [user, { role: "tool", tool_call_id: "1", content: "x" }] }, { inToolLoop: true }],
    ["no tool loop", { messages: [{ role: "tool", tool_call_id: "1", content: "x" }, user] }, { inToolLoop: false }],
    [
      "an image",
      { messages: [{ role: "user", content: [IMAGE] }] },
      { hasImage: true, hasDocument: false, hasAudio: false },
    ],
    ["an image in a tool message", { messages: [user, { role: "tool", content: [IMAGE] }] }, { hasImage: true }],
    [
      "an image in a nested tool result",
      { messages: [{ role: "user", content: [{ type: "tool_result", content: [IMAGE] }] }] },
      { hasImage: true },
    ],
    [
      "a document",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }] },
      { hasDocument: true, hasImage: false },
    ],
    [
      "an image sent as a file",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_data: "data:image/png;base64,AAAA" } }] }] },
      { hasImage: true, hasDocument: false },
    ],
    [
      "sound",
      {
        messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }] }],
      },
      { hasAudio: true },
    ],
    [
      "json_object",
      { response_format: { type: "json_object" } },
      { responseFormatType: "json_object", jsonSchema: null },
    ],
    [
      "json_schema",
      { response_format: { type: "json_schema", json_schema: { name: "n", schema: { type: "object" } } } },
      { responseFormatType: "json_schema", jsonSchema: { type: "object" } },
    ],
    ["text", { response_format: { type: "text" } }, { responseFormatType: "text" }],
    ["an effort", { reasoning_effort: "high" }, { reasoning: true, reasoningEffort: "high" }],
    ["effort none", { reasoning_effort: "none" }, { reasoning: false, reasoningEffort: "none" }],
    ["an unknown effort", { reasoning_effort: "huge" }, { reasoning: false, reasoningEffort: null }],
    ["prompt_cache_key", { prompt_cache_key: "k" }, { hasCacheControl: true }],
    [
      "a marker on a part",
      { messages: [{ role: "user", content: [{ type: "text", text: "x", cache_control: { type: "ephemeral" } }] }] },
      { hasCacheControl: true },
    ],
    [
      "no marker",
      { messages: [{ role: "user", content: [{ type: "text", text: "x", cache_control: null }] }] },
      { hasCacheControl: false },
    ],
    ["metadata", { metadata: { a: "1", b: 2, c: {} } }, { metadata: { a: "1", b: "2" } }],
    ["user", { user: "u" }, { user: "u" }],
    ["safety_identifier over user", { user: "u", safety_identifier: "s" }, { user: "s" }],
    ["metadata.user_id", { metadata: { user_id: "m" } }, { user: "m" }],
    ["n", { n: 3 }, { choices: 3 }],
    ["n null", { n: null }, { choices: 1 }],
    ["store", { store: true }, { replayable: false }],
    ["no store", { store: false }, { replayable: true }],
  ] as [string, object, Partial<Facts>][])("reads %s", (_name, body, expected) => {
    expect(facts(body)).toMatchObject(expected);
  });

  test("reads texts of system and developer, and of the last user message", () => {
    const read = facts({
      messages: [
        { role: "system", content: "one" },
        { role: "user", content: "first" },
        { role: "developer", content: [{ type: "text", text: "two" }] },
        { role: "user", content: [{ type: "text", text: "last" }, IMAGE] },
        { role: "assistant", content: "no" },
      ],
    });
    expect([read.systemText, read.promptText]).toEqual(["one\ntwo", "last"]);
  });

  test("gives each tool its schema, null without one", () => {
    const read = facts({ tools: [TOOL, { type: "custom", custom: { name: "c" } }] });
    expect([...read.toolSchemas]).toEqual([
      ["f", { type: "object" }],
      ["c", null],
    ]);
  });
});

const chunk = (delta: JsonObject, finish: Json = null, index = 0): JsonObject => ({
  id: "c1",
  model: "m",
  choices: [{ index, delta, finish_reason: finish }],
});

function tallyOf(chunks: readonly JsonObject[], choices = 1): StreamTally {
  const tally = openAiChat.openTally({ collect: true, choices });
  for (const each of chunks) tally.read(each, "");
  return tally;
}

describe("openTally", () => {
  test.each([
    ["the role", { role: "assistant", content: "" }, false],
    ["no delta", {}, false],
    ["an empty list of calls", { tool_calls: [] }, false],
    ["null content", { content: null, refusal: null }, false],
    ["content", { content: "x" }, true],
    ["a refusal", { refusal: "x" }, true],
    ["reasoning", { reasoning_content: "x" }, true],
    ["a call", { tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: "" } }] }, true],
    ["an old call", { function_call: { name: "f", arguments: "" } }, true],
  ] as [string, JsonObject, boolean][])("starts with %s: rightly", (_name, delta, expected) => {
    expect(tallyOf([chunk(delta)]).started).toBe(expected);
  });

  test("starts with a finish reason", () => {
    expect(tallyOf([chunk({}, "stop")]).started).toBe(true);
  });

  test("is complete when every choice has its finish reason, and not before", () => {
    const tally = tallyOf([chunk({ content: "a" }, "stop", 1)], 2);
    expect(tally.complete).toBe(false);
    tally.read({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }, "");
    expect(tally.complete).toBe(false);
    tally.read(chunk({}, "stop", 0), "");
    expect([tally.complete, tally.done]).toEqual([true, false]);
    tally.readDone();
    expect(tally.done).toBe(true);
    expect(tally.facts().choices.map((choice) => choice.text)).toEqual(["", "a"]);
  });

  test("keeps the last usage that is not null", () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 5 },
    };
    const tally = tallyOf([
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } },
      { choices: [], usage },
      { ...chunk({}, "stop"), usage: null },
    ]);
    expect(tally.facts().usage).toEqual({
      input: 10,
      cacheRead: 60,
      cacheWrite: 30,
      cacheWriteLong: 0,
      output: 20,
      reasoning: 5,
      source: "reported",
    });
  });

  test("takes an error object over empty choices, and keeps the first", () => {
    const tally = tallyOf([
      { choices: [], error: { message: "boom", type: "server_error", code: 500 } },
      { error: { message: "again" } },
    ]);
    expect(tally.error).toEqual({ type: "server_error", code: "500", message: "boom" });
    expect(tally.complete).toBe(false);
  });

  test("counts UTF-8 bytes of text, arguments and thinking", () => {
    const tally = tallyOf([
      chunk({ content: "é漢😀" }),
      chunk({ reasoning_content: "ab" }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }),
    ]);
    expect(tally.contentBytes).toBe(2 + 3 + 4 + 2 + 2);
  });

  test("joins calls by index, whatever is repeated", () => {
    const tally = tallyOf([
      chunk({ tool_calls: [{ index: 1, id: "b", type: "function", function: { name: "g", arguments: "" } }] }),
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: ":1}" } }] }),
      chunk({}, "stop"),
    ]);
    expect(tally.facts().choices).toEqual([
      {
        text: "",
        refusal: null,
        stop: "tool",
        toolCalls: [
          { id: "a", name: "f", arguments: '{"x":1}', kind: "function" },
          { id: "b", name: "g", arguments: "", kind: "function" },
        ],
      },
    ]);
  });
});

describe("readReply", () => {
  test.each([
    [{ content: "x" }, "stop", "stop"],
    [{ content: "x" }, "length", "length"],
    [{ content: null, tool_calls: [{ id: "1", function: { name: "f", arguments: "{}" } }] }, "stop", "tool"],
    [{ content: null, tool_calls: [{ id: "1", function: { name: "f", arguments: "{}" } }] }, "tool_calls", "tool"],
    [{ content: null, function_call: { name: "f", arguments: "{}" } }, "function_call", "tool"],
    [{ content: null, refusal: "no" }, "stop", "refusal"],
    [{ content: "x" }, "content_filter", "refusal"],
    [{ content: "x" }, "new_reason", "other"],
    [{ content: "x" }, null, null],
  ] as [JsonObject, string | null, string | null][])("reads %j ended by %s as %s", (message, finish, stop) => {
    const [choice] = openAiChat.readReply({ choices: [{ index: 0, message, finish_reason: finish }] }).choices;
    expect(choice?.stop ?? null).toBe(stop as never);
    expect(choice?.refusal ?? null).toBe((message["refusal"] as string | undefined) ?? null);
  });
});

describe("errors", () => {
  test.each(Object.keys(ERROR_KINDS) as ErrorKind[])("renders %s with its four keys", (kind) => {
    const { type, code } = ERROR_KINDS[kind];
    const error = new GatewayError(kind, "went wrong", { param: "x" });
    expect(openAiChat.renderError(error, "req_1")).toBe(
      `{"error":{"message":"went wrong","type":"${type}","param":"x","code":"${code}"}}`,
    );
  });

  test("renders the stream error as an unnamed event that its own reader takes for an error", () => {
    const error = new GatewayError("upstream-interrupted", "cut");
    const text = openAiChat.renderStreamError(error, "req_1", 0);
    expect(text).toBe(
      'data: {"error":{"message":"cut","type":"server_error","param":null,"code":"upstream_stream_interrupted"}}\n\n',
    );
    const tally = tallyOf([JSON.parse(text.slice(6)) as JsonObject]);
    expect(tally.error?.message).toBe("cut");
  });

  test.each([
    [{ error: { message: "m", type: "t", param: null, code: null } }, { type: "t", code: null, message: "m" }],
    [
      { type: "error", error: { type: "overloaded_error", message: "m" } },
      { type: "overloaded_error", code: null, message: "m" },
    ],
    [{ error: "text" }, { type: null, code: null, message: "text" }],
    [{ error: null, choices: [] }, null],
    [{ choices: [] }, null],
    ["text", null],
  ] as [Json, unknown][])("reads %j", (json, expected) => {
    expect(openAiChat.readError(json)).toEqual(expected as never);
  });
});

describe("openGatherer", () => {
  test("gives the answer that a buffered call would have had", () => {
    const gatherer = openAiChat.openGatherer();
    const head = {
      id: "c1",
      object: "chat.completion.chunk",
      created: 5,
      model: "m",
      system_fingerprint: "fp",
      obfuscation: "zz",
    };
    const chunks: JsonObject[] = [
      {
        ...head,
        choices: [
          { index: 0, delta: { role: "assistant", content: "", refusal: null }, logprobs: null, finish_reason: null },
        ],
        usage: null,
      },
      {
        ...head,
        choices: [
          {
            index: 0,
            delta: { content: "Hé" },
            logprobs: { content: [{ token: "H" }], refusal: null },
            finish_reason: null,
          },
        ],
        usage: null,
      },
      {
        ...head,
        choices: [
          {
            index: 0,
            delta: { content: "llo" },
            logprobs: { content: [{ token: "l" }], refusal: null },
            finish_reason: null,
          },
        ],
        usage: null,
      },
      { ...head, choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }], usage: null },
      { ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    ];
    for (const each of chunks) gatherer.read(each, "");
    expect(JSON.stringify(gatherer.reply())).toBe(
      '{"id":"c1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant",' +
        '"content":"Héllo","refusal":null},"logprobs":{"content":[{"token":"H"},{"token":"l"}],"refusal":null},' +
        '"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"system_fingerprint":"fp"}',
    );
  });

  test("joins parallel calls, and leaves content null beside them", () => {
    const gatherer = openAiChat.openGatherer();
    for (const each of [
      chunk({ role: "assistant", content: null }),
      chunk({ tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }),
      chunk({ tool_calls: [{ index: 1, id: "b", type: "custom", custom: { name: "g", input: "x" } }] }),
      chunk({ tool_calls: [{ index: 1, custom: { input: "y" } }] }),
      chunk({}, "tool_calls"),
    ])
      gatherer.read(each, "");
    const [choice] = gatherer.reply()["choices"] as JsonObject[];
    expect(choice?.["message"]).toEqual({
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
        { id: "b", type: "custom", custom: { name: "g", input: "xy" } },
      ],
    });
  });
});
