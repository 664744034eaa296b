import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import type { Facts, StreamTally } from "../../../src/wire/format.ts";
import { openAiResponses } from "../../../src/wire/openai-responses/index.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 100_000 };
const parse = (body: unknown) => openAiResponses.parseRequest(Buffer.from(JSON.stringify(body)), LIMITS);
const facts = (body: object): Facts => openAiResponses.facts(parse({ model: "gpt-5.4", input: "hi", ...body }));

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
  test.each([
    [{ input: "x" }, "missing_required_parameter", "model"],
    [{ model: "m", input: 5 }, "invalid_value", "input"],
    [{ model: "m", input: ["x"] }, "invalid_value", "input[0]"],
    [{ model: "m", stream: "no" }, "invalid_value", "stream"],
    [{ model: "m", tools: ["x"] }, "invalid_value", "tools[0]"],
  ] as [unknown, string, string][])("refuses %j as %s of %s", (body, code, param) => {
    expect(refusal(body)).toEqual([code, param]);
  });

  test("needs no model beside a stored prompt", () => {
    expect(openAiResponses.facts(parse({ prompt: { id: "pmpt_1" } })).model).toBe("");
  });
});

const item = (...content: Json[]): object => ({ input: [{ role: "user", content }] });

describe("facts", () => {
  test.each([
    ["a string input", {}, { messages: 1, promptText: "hi", format: "responses", streamUsage: true }],
    [
      "items",
      {
        input: [
          { role: "user", content: "a" },
          { role: "user", content: "b" },
        ],
      },
      { messages: 2, promptText: "b" },
    ],
    ["the cap", { max_output_tokens: 5 }, { maxTokens: 5 }],
    [
      "tools that came with the input",
      {
        input: [
          {
            type: "additional_tools",
            role: "developer",
            tools: [{ type: "namespace", name: "n", tools: [{ type: "custom", name: "exec" }] }],
          },
          { type: "tool_search_output", call_id: "c", tools: [{ type: "function", name: "g" }] },
        ],
      },
      { toolNames: ["exec", "g"] },
    ],
    [
      "tools, those of namespaces too",
      {
        tools: [
          { type: "function", name: "f" },
          { type: "web_search" },
          { type: "namespace", name: "n", tools: [{ type: "function", name: "g" }] },
        ],
      },
      { toolNames: ["f", "web_search", "g"] },
    ],
    [
      "schemas by name, none where namespaces disagree",
      {
        tools: [
          { type: "namespace", name: "a", tools: [{ type: "function", name: "f", parameters: { type: "object" } }] },
          { type: "namespace", name: "b", tools: [{ type: "function", name: "f", parameters: { required: ["x"] } }] },
          { type: "function", name: "g", parameters: { type: "object" } },
          { type: "function", name: "g", parameters: { type: "object" } },
        ],
      },
      {
        toolSchemas: new Map([
          ["f", null],
          ["g", { type: "object" }],
        ]),
      },
    ],
    ["tool_choice", { tool_choice: "required" }, { toolChoice: "required" }],
    ["a named tool_choice", { tool_choice: { type: "function", name: "f" } }, { toolChoice: "named" }],
    ["allowed tools", { tool_choice: { type: "allowed_tools", mode: "auto", tools: [] } }, { toolChoice: "auto" }],
    ["a tool loop", { input: [{ type: "function_call_output", call_id: "1", output: "x" }] }, { inToolLoop: true }],
    ["no tool loop", {}, { inToolLoop: false }],
    [
      "an image",
      item({ type: "input_image", image_url: "https://example.com/a.png" }),
      { hasImage: true, hasDocument: false },
    ],
    [
      "an image in a tool output",
      { input: [{ type: "function_call_output", call_id: "1", output: [{ type: "input_image", file_id: "f" }] }] },
      { hasImage: true },
    ],
    ["a file", item({ type: "input_file", file_id: "f" }), { hasDocument: true, hasImage: false }],
    [
      "json_schema",
      { text: { format: { type: "json_schema", name: "n", schema: { type: "object" } } } },
      { responseFormatType: "json_schema", jsonSchema: { type: "object" } },
    ],
    [
      "json_object",
      { text: { format: { type: "json_object" } } },
      { responseFormatType: "json_object", jsonSchema: null },
    ],
    ["an effort", { reasoning: { effort: "low" } }, { reasoning: true, reasoningEffort: "low" }],
    ["store", { store: true }, { replayable: false }],
    ["background", { background: true }, { replayable: false }],
    ["neither", {}, { replayable: true }],
    [
      "the system text",
      { instructions: "one", input: [{ role: "developer", content: "two" }] },
      { systemText: "one\ntwo" },
    ],
  ] as [string, object, Partial<Facts>][])("reads %s", (_name, body, expected) => {
    expect(facts(body)).toMatchObject(expected);
  });
});

function tallyOf(events: readonly JsonObject[]): StreamTally {
  const tally = openAiResponses.openTally({ collect: true, choices: 1 });
  for (const event of events) tally.read(event, String(event["type"]));
  return tally;
}

const created = { type: "response.created", response: { id: "resp_1", model: "m", status: "in_progress" } };

describe("openTally", () => {
  test("starts with the first output item", () => {
    expect(tallyOf([created]).started).toBe(false);
    expect(tallyOf([created, { type: "response.output_item.added", item: {} }]).started).toBe(true);
  });

  test("reads text, calls, usage and the end", () => {
    const tally = tallyOf([
      created,
      { type: "response.output_text.delta", delta: "é" },
      { type: "response.code_interpreter_call_code.delta", delta: "not content" },
      { type: "response.function_call_arguments.delta", delta: "{}" },
      {
        type: "response.output_item.done",
        item: { type: "function_call", id: "fc", call_id: "c1", name: "f", arguments: "{}" },
      },
      {
        type: "response.completed",
        response: {
          id: "resp_1",
          model: "m-1",
          status: "completed",
          service_tier: "default",
          usage: {
            input_tokens: 10,
            input_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
            output_tokens: 5,
            output_tokens_details: { reasoning_tokens: 2 },
          },
        },
      },
    ]);
    expect([tally.complete, tally.contentBytes]).toEqual([true, 4]);
    expect(tally.facts()).toEqual({
      id: "resp_1",
      model: "m-1",
      serviceTier: "default",
      usage: { input: 3, cacheRead: 4, cacheWrite: 3, cacheWriteLong: 0, output: 5, reasoning: 2, source: "reported" },
      choices: [
        {
          text: "é",
          refusal: null,
          stop: "tool",
          toolCalls: [{ id: "c1", name: "f", arguments: "{}", kind: "function" }],
        },
      ],
    });
  });

  test.each([
    [
      "response.failed",
      { type: "response.failed", response: { status: "failed", error: { code: "server_error", message: "boom" } } },
      { type: null, code: "server_error", message: "boom" },
    ],
    [
      "an error event",
      { type: "error", code: "rate_limit_exceeded", message: "slow down", param: null },
      { type: null, code: "rate_limit_exceeded", message: "slow down" },
    ],
    [
      "a bare envelope",
      { error: { type: "server_error", message: "boom" } },
      { type: "server_error", code: null, message: "boom" },
    ],
  ] as [string, JsonObject, unknown][])("takes %s for an error and not for an end", (_name, event, expected) => {
    const tally = tallyOf([created, event]);
    expect(tally.error).toEqual(expected as never);
    expect(tally.complete).toBe(false);
  });
});

describe("readReply", () => {
  test.each([
    [{ status: "completed", output: [] }, "stop"],
    [{ status: "completed", output: [{ type: "custom_tool_call", call_id: "1", name: "f", input: "x" }] }, "tool"],
    [{ status: "completed", output: [{ type: "message", content: [{ type: "refusal", refusal: "no" }] }] }, "refusal"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [] }, "length"],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [] }, "refusal"],
    [{ status: "queued" }, null],
  ] as [JsonObject, string | null][])("reads the end of %j as %s", (json, stop) => {
    expect(openAiResponses.readReply(json).choices[0]?.stop ?? null).toBe(stop as never);
  });

  test.each([
    [{ type: "tool_search_call", call_id: "1", execution: "client", arguments: { query: "x" } }, ["tool_search"]],
    [{ type: "tool_search_call", call_id: null, execution: "server", arguments: {} }, []],
    [{ type: "local_shell_call", call_id: "1", action: { type: "exec", command: ["ls"] } }, ["local_shell"]],
    [{ type: "shell_call", call_id: "1", action: { commands: ["ls"] }, environment: null }, ["shell"]],
    [{ type: "shell_call", call_id: "1", environment: { type: "container_reference" } }, []],
    [{ type: "apply_patch_call", call_id: "1", operation: { type: "delete_file", path: "a" } }, ["apply_patch"]],
    [{ type: "computer_call", call_id: "1", action: { type: "screenshot" } }, ["computer"]],
    [{ type: "mcp_approval_request", id: "m", name: "ask", arguments: "{}" }, ["ask"]],
    [{ type: "web_search_call", id: "w" }, []],
  ] as [JsonObject, string[]][])("of %j the client has to answer %j", (output, names) => {
    const [choice] = openAiResponses.readReply({ status: "completed", output: [output] }).choices;
    expect(choice?.toolCalls.map(({ name, kind }) => [name, kind])).toEqual(names.map((name) => [name, "custom"]));
    expect(choice?.stop).toBe(names.length > 0 ? "tool" : "stop");
    const tally = tallyOf([created, { type: "response.output_item.done", item: output }]);
    expect(tally.facts().choices[0]?.toolCalls).toEqual(choice?.toolCalls ?? []);
  });

  test("a call's arguments are its text, or the JSON of what it asks for", () => {
    const output = [
      { type: "function_call", name: "f", arguments: "" },
      { type: "apply_patch_call", operation: { path: "a" } },
    ];
    const [choice] = openAiResponses.readReply({ output }).choices;
    expect(choice?.toolCalls.map((call) => call.arguments)).toEqual(["", '{"path":"a"}']);
  });

  test("takes the error of a failed Response", () => {
    expect(
      openAiResponses.readError({ object: "response", status: "failed", error: { code: "server_error", message: "m" } })
        ?.code,
    ).toBe("server_error");
    expect(openAiResponses.readError({ object: "response", status: "completed", error: null })).toBeNull();
  });
});

describe("errors", () => {
  test("renders OpenAI's envelope, and a stream error that both the event readers and the SDKs know", () => {
    const error = new GatewayError("overloaded", "busy");
    expect(openAiResponses.renderError(error, "r")).toBe(
      '{"error":{"message":"busy","type":"server_error","param":null,"code":"overloaded"}}',
    );
    const text = openAiResponses.renderStreamError(error, "r", 7);
    expect(text).toBe(
      'event: error\ndata: {"type":"error","code":"overloaded","message":"busy","param":null,"error":{"message":"busy","type":"server_error","param":null,"code":"overloaded"},"sequence_number":7}\n\n',
    );
    expect(tallyOf([JSON.parse(text.slice(text.indexOf("{"))) as JsonObject]).error?.message).toBe("busy");
  });
});
