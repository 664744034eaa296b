import { describe, expect, test } from "bun:test";
import { ERROR_KINDS, GatewayError } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { anthropicMessages, parseCountTokensRequest } from "../../../src/wire/anthropic-messages/index.ts";
import type { Facts, StreamTally } from "../../../src/wire/format.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 100_000 };
const user = { role: "user", content: "hi" };
const parse = (body: unknown) => anthropicMessages.parseRequest(Buffer.from(JSON.stringify(body)), LIMITS);
const facts = (body: object): Facts =>
  anthropicMessages.facts(parse({ model: "claude-sonnet-4-5", max_tokens: 9, messages: [user], ...body }));

function refusal(body: unknown): readonly [string, string | null] {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof GatewayError) return [error.code, error.param];
    throw error;
  }
  throw new Error("was accepted");
}

describe("parseRequest", () => {
  const whole = { model: "m", max_tokens: 1, messages: [user] };

  test.each([
    [{ ...whole, model: undefined }, "missing_required_parameter", "model"],
    [{ ...whole, messages: undefined }, "missing_required_parameter", "messages"],
    [{ ...whole, max_tokens: undefined }, "missing_required_parameter", "max_tokens"],
    [{ ...whole, max_tokens: null }, "invalid_value", "max_tokens"],
    [{ ...whole, messages: ["Invalid content"] }, "invalid_value", "messages[0]"],
    [{ ...whole, messages: [{ role: "user" }] }, "missing_required_parameter", "messages[0].content"],
    [{ ...whole, messages: [{ role: "user", content: null }] }, "invalid_value", "messages[0].content"],
    [
      { ...whole, messages: [user, { role: "user", content: [{}] }] },
      "missing_required_parameter",
      "messages[1].content[0].type",
    ],
    [{ ...whole, system: 5 }, "invalid_value", "system"],
    [{ ...whole, stream: 1 }, "invalid_value", "stream"],
    [{ ...whole, tools: [{ name: 5 }] }, "invalid_value", "tools[0].name"],
    [{ ...whole, thinking: "on" }, "invalid_value", "thinking"],
  ] as [unknown, string, string][])("refuses %j as %s of %s", (body, code, param) => {
    expect(refusal(body)).toEqual([code, param]);
  });

  test("takes what the provider takes", () => {
    parse({ ...whole, system: "", tools: [], max_tokens: 0, temperature: "hot", anything: null });
    parse({ ...whole, messages: [{ role: "assistant", content: [] }, user, user, { role: "system", content: "x" }] });
    parse({
      ...whole,
      messages: [{ role: "user", content: [{ type: "text", text: "x", cache_control: null, citations: null }] }],
    });
  });

  test("asks no max_tokens of count_tokens", () => {
    const request = parseCountTokensRequest(Buffer.from(JSON.stringify({ model: "m", messages: [user] })), LIMITS);
    expect(anthropicMessages.facts(request).maxTokens).toBeNull();
    expect(() => parseCountTokensRequest(Buffer.from('{"model":"m"}'), LIMITS)).toThrow("messages");
  });
});

const content = (...blocks: Json[]): object => ({ messages: [{ role: "user", content: blocks }] });
const IMAGE = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
const PDF = { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } };

describe("facts", () => {
  test.each([
    ["stream", { stream: true }, { stream: true, streamUsage: true, format: "messages" }],
    ["max_tokens", {}, { maxTokens: 9 }],
    [
      "tools, and server tools by name",
      {
        tools: [
          { name: "f", input_schema: {} },
          { type: "web_search_20250305", name: "web_search" },
        ],
      },
      { toolNames: ["f", "web_search"] },
    ],
    ["tool_choice auto", { tool_choice: { type: "auto" } }, { toolChoice: "auto" }],
    ["tool_choice any", { tool_choice: { type: "any" } }, { toolChoice: "required" }],
    ["tool_choice tool", { tool_choice: { type: "tool", name: "f" } }, { toolChoice: "named" }],
    ["tool_choice none", { tool_choice: { type: "none" } }, { toolChoice: "none" }],
    ["a tool loop", content({ type: "tool_result", tool_use_id: "1", content: "x" }), { inToolLoop: true }],
    ["no tool loop", content({ type: "text", text: "x" }), { inToolLoop: false }],
    ["an image", content(IMAGE), { hasImage: true, hasDocument: false, hasAudio: false }],
    [
      "an image in a tool result",
      content({ type: "tool_result", tool_use_id: "1", content: [IMAGE] }),
      { hasImage: true },
    ],
    [
      "an image in a document",
      content({ type: "document", source: { type: "content", content: [IMAGE] } }),
      { hasImage: true, hasDocument: true },
    ],
    ["a document", content(PDF), { hasDocument: true, hasImage: false }],
    [
      "output_config.format",
      { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
      { responseFormatType: "json_schema", jsonSchema: { type: "object" } },
    ],
    [
      "output_format",
      { output_format: { type: "json_schema", schema: { type: "array" } } },
      { responseFormatType: "json_schema", jsonSchema: { type: "array" } },
    ],
    ["no format", {}, { responseFormatType: "text", jsonSchema: null }],
    ["adaptive thinking", { thinking: { type: "adaptive" } }, { reasoning: true }],
    ["budget thinking", { thinking: { type: "enabled", budget_tokens: 1024 } }, { reasoning: true }],
    ["disabled thinking", { thinking: { type: "disabled" } }, { reasoning: false }],
    ["no thinking", {}, { reasoning: false, reasoningEffort: null }],
    ["an effort", { output_config: { effort: "max" } }, { reasoningEffort: "max" }],
    ["a marker at the top", { cache_control: { type: "ephemeral" } }, { hasCacheControl: true }],
    [
      "a marker in system",
      { system: [{ type: "text", text: "x", cache_control: { type: "ephemeral" } }] },
      { hasCacheControl: true },
    ],
    ["a marker on a tool", { tools: [{ name: "f", cache_control: { type: "ephemeral" } }] }, { hasCacheControl: true }],
    ["a null marker", content({ type: "text", text: "x", cache_control: null }), { hasCacheControl: false }],
    ["metadata.user_id", { metadata: { user_id: "u" } }, { user: "u", metadata: { user_id: "u" } }],
    ["what the format has not", {}, { choices: 1, replayable: true, hasAudio: false }],
  ] as [string, object, Partial<Facts>][])("reads %s", (_name, body, expected) => {
    expect(facts(body)).toMatchObject(expected);
  });

  test("reads the system text, and the last text a user wrote behind tool results", () => {
    const read = facts({
      system: [
        { type: "text", text: "one" },
        { type: "text", text: "two" },
      ],
      messages: [
        user,
        { role: "user", content: [{ type: "text", text: "find it" }] },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "found" }] },
      ],
    });
    expect([read.systemText, read.promptText]).toEqual(["one\ntwo", "find it"]);
  });
});

const start = {
  type: "message_start",
  message: {
    id: "msg_1",
    model: "m",
    content: [],
    usage: {
      input_tokens: 30,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 7,
      cache_creation: { ephemeral_1h_input_tokens: 60, ephemeral_5m_input_tokens: 40 },
      output_tokens: 1,
      service_tier: "standard",
    },
  },
};
const open = (index: number, block: Json): JsonObject => ({ type: "content_block_start", index, content_block: block });
const delta = (index: number, piece: Json): JsonObject => ({ type: "content_block_delta", index, delta: piece });

function tallyOf(events: readonly JsonObject[]): StreamTally {
  const tally = anthropicMessages.openTally({ collect: true, choices: 1 });
  for (const event of events) tally.read(event, String(event["type"]));
  return tally;
}

describe("openTally", () => {
  test("starts with the first content block, not with message_start or ping", () => {
    expect(tallyOf([start, { type: "ping" }]).started).toBe(false);
    expect(tallyOf([start, open(0, { type: "thinking", thinking: "" })]).started).toBe(true);
  });

  test("replaces usage by later totals and keeps what they leave out", () => {
    const tally = tallyOf([
      start,
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: {
          input_tokens: 404_500,
          output_tokens: 25,
          cache_read_input_tokens: null,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
    ]);
    expect(tally.facts()).toMatchObject({
      id: "msg_1",
      model: "m",
      serviceTier: "standard",
      usage: {
        input: 404_500,
        cacheRead: 7,
        cacheWrite: 40,
        cacheWriteLong: 60,
        output: 25,
        reasoning: 4,
        source: "reported",
      },
    });
  });

  test("is complete at message_stop and not at a stop reason", () => {
    const events = [start, { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }];
    expect(tallyOf(events).complete).toBe(false);
    const whole = tallyOf([...events, { type: "message_stop" }]);
    expect([whole.complete, whole.done]).toEqual([true, true]);
  });

  test("counts UTF-8 bytes of text, arguments and thinking", () => {
    const tally = tallyOf([
      open(0, { type: "thinking", thinking: "" }),
      delta(0, { type: "thinking_delta", thinking: "é", estimated_tokens: 1 }),
      delta(0, { type: "signature_delta", signature: "long signature" }),
      open(1, { type: "text", text: "a" }),
      delta(1, { type: "text_delta", text: "漢😀" }),
      open(2, { type: "tool_use", id: "t", name: "f", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "{}" }),
    ]);
    expect(tally.contentBytes).toBe(2 + 1 + 7 + 2);
  });

  test("joins text blocks without a separator and calls by block; server tools are no calls", () => {
    const tally = tallyOf([
      open(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "Now " }),
      open(1, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: '{"q":1}' }),
      open(2, { type: "text", text: "" }),
      delta(2, { type: "text_delta", text: "Oslo." }),
      open(3, { type: "tool_use", id: "t", name: "f", input: {} }),
      delta(3, { type: "input_json_delta", partial_json: "" }),
      delta(3, { type: "input_json_delta", partial_json: '{"a":' }),
      delta(3, { type: "input_json_delta", partial_json: "1}" }),
      open(4, { type: "tool_use", id: "u", name: "g", input: { b: 2 } }),
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: {} },
    ]);
    expect(tally.facts().choices).toEqual([
      {
        text: "Now Oslo.",
        refusal: null,
        stop: "tool",
        toolCalls: [
          { id: "t", name: "f", arguments: '{"a":1}', kind: "function" },
          { id: "u", name: "g", arguments: '{"b":2}', kind: "function" },
        ],
      },
    ]);
  });

  test("reads an error event, with or without its type", () => {
    const error = { type: "overloaded_error", message: "Overloaded" };
    expect(tallyOf([start, { type: "error", error }]).error).toEqual({ ...error, code: null });
    expect(tallyOf([{ error }]).error).toEqual({ ...error, code: null });
  });
});

describe("readReply", () => {
  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool"],
    ["pause_turn", "pause"],
    ["refusal", "refusal"],
    ["compaction", "other"],
    [null, null],
  ])("reads stop reason %s as %s", (reason, stop) => {
    const [choice] = anthropicMessages.readReply({ type: "message", content: [], stop_reason: reason }).choices;
    expect(choice?.stop ?? null).toBe(stop as never);
    expect(choice?.refusal ?? null).toBe(reason === "refusal" ? "" : null);
  });

  test("gives the explanation of a refusal", () => {
    const json = {
      type: "message",
      content: [],
      stop_reason: "refusal",
      stop_details: { type: "refusal", explanation: "no" },
    };
    expect(anthropicMessages.readReply(json).choices[0]?.refusal).toBe("no");
  });
});

describe("errors", () => {
  const TYPES: Partial<Record<number, string>> = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "request_too_large",
    415: "invalid_request_error",
    431: "invalid_request_error",
    503: "overloaded_error",
    504: "timeout_error",
  };

  test.each(Object.keys(ERROR_KINDS) as ErrorKind[])("renders %s by its status", (kind) => {
    const { status } = ERROR_KINDS[kind];
    expect(anthropicMessages.renderError(new GatewayError(kind, "went wrong"), "req_1")).toBe(
      `{"type":"error","error":{"type":"${TYPES[status] ?? "api_error"}","message":"went wrong"},"request_id":"req_1"}`,
    );
  });

  test("starts the message of an untranslatable field with its path, once", () => {
    const render = (message: string): string =>
      anthropicMessages.renderError(new GatewayError("unsupported-translation", message, { param: "logit_bias" }), "r");
    expect(render("cannot be carried")).toContain('"message":"logit_bias: cannot be carried"');
    expect(render("logit_bias cannot be carried")).toContain('"message":"logit_bias cannot be carried"');
  });

  test("carries a type of its own and the details code", () => {
    const error = {
      message: "m",
      status: 400,
      type: "invalid_request_error",
      code: null,
      param: null,
      anthropicType: "billing_error",
      detailsCode: "thread_unsupported_request",
    };
    expect(anthropicMessages.renderError(error, "r")).toBe(
      '{"type":"error","error":{"type":"billing_error","message":"m","details":{"error_code":"thread_unsupported_request"}},"request_id":"r"}',
    );
    expect(anthropicMessages.readError(JSON.parse(anthropicMessages.renderError(error, "r")) as Json)?.code).toBe(
      "thread_unsupported_request",
    );
  });

  test("renders the stream error as an error event", () => {
    expect(
      anthropicMessages.renderStreamError(
        new GatewayError("upstream-interrupted", "upstream closed the stream early"),
        "req_1",
        0,
      ),
    ).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"upstream closed the stream early"},"request_id":"req_1"}\n\n',
    );
  });

  test("keeps a quiet stream alive with a ping event", () => {
    expect(anthropicMessages.keepalive).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });
});

describe("openGatherer", () => {
  test("gives the message that a buffered call would have had, numbers as spelled", () => {
    const gatherer = anthropicMessages.openGatherer();
    const events: JsonObject[] = [
      {
        ...start,
        message: { ...start.message, type: "message", role: "assistant", stop_reason: null, stop_sequence: null },
      },
      open(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "hm" }),
      delta(0, { type: "signature_delta", signature: "sig" }),
      open(1, { type: "text", text: "", citations: [] }),
      delta(1, { type: "text_delta", text: "Hi" }),
      delta(1, { type: "citations_delta", citation: { type: "char_location" } }),
      open(2, { type: "tool_use", id: "t", name: "f", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "" }),
      delta(2, { type: "input_json_delta", partial_json: '{"id":123456789' }),
      delta(2, { type: "input_json_delta", partial_json: "01234567890}" }),
      open(3, { type: "tool_use", id: "u", name: "g", input: {} }),
      delta(3, { type: "input_json_delta", partial_json: "" }),
      open(4, { type: "tool_use", id: "v", name: "g", input: {} }),
      delta(4, { type: "input_json_delta", partial_json: '{"cut' }),
      open(5, { type: "redacted_thinking", data: "x" }),
      {
        type: "message_delta",
        delta: { stop_reason: "max_tokens", container: null },
        context_management: { applied_edits: [] },
        usage: { output_tokens: 9 },
      },
      { type: "message_stop" },
    ];
    for (const event of events) gatherer.read(event, "");
    const reply = gatherer.reply();
    expect(JSON.stringify(reply["content"])).toBe(
      '[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"Hi","citations":[{"type":"char_location"}]},' +
        '{"type":"tool_use","id":"t","name":"f","input":{"id":12345678901234567890}},{"type":"tool_use","id":"u","name":"g","input":{}},' +
        '{"type":"tool_use","id":"v","name":"g","input":{"_raw_arguments":"{\\"cut"}},{"type":"redacted_thinking","data":"x"}]',
    );
    expect(reply).toMatchObject({
      id: "msg_1",
      type: "message",
      role: "assistant",
      stop_reason: "max_tokens",
      container: null,
      context_management: { applied_edits: [] },
    });
    expect(reply["usage"]).toMatchObject({ input_tokens: 30, output_tokens: 9, cache_read_input_tokens: 7 });
  });
});
