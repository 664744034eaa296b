/** Every rule of Chat Completions: what it refuses, and the nearest request that it accepts. */
import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { CHAT_RULES, judgeChat } from "../../src/simulator/openai-chat-rules.ts";

const options = { today: "2026-11-22", servesShutDown: true };
const user = { role: "user", content: "hi" };
const base: JsonObject = { model: "gpt-4.1", messages: [user] };
const fn = (extra: JsonObject = {}): JsonObject => ({
  type: "function",
  function: { name: "look_up", parameters: { type: "object", properties: {} }, ...extra },
});
const call = (id: string, extra: JsonObject = {}): JsonObject => ({
  id,
  type: "function",
  function: { name: "look_up", arguments: "{}", ...extra },
});
const assistant = (...calls: JsonObject[]): JsonObject => ({ role: "assistant", content: null, tool_calls: calls });
const tool = (id: string): JsonObject => ({ role: "tool", tool_call_id: id, content: "found" });
const png = "data:image/png;base64,iVBORw0KGgo=";
const picture = (url: string): Json => [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
const strict = (schema: JsonObject): JsonObject => ({
  type: "json_schema",
  json_schema: { name: "shape", strict: true, schema },
});
const closed = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };

interface Case {
  readonly rule: string;
  readonly refuses: JsonObject;
  readonly accepts: JsonObject;
  readonly param: string | null;
  readonly code: string | null;
  readonly message: string;
}

const cases: readonly Case[] = [
  {
    rule: "model exists",
    refuses: { model: "gpt-9" },
    accepts: {},
    param: null,
    code: "model_not_found",
    message: "The model `gpt-9` does not exist",
  },
  {
    rule: "unknown field",
    refuses: { top_k: 5 },
    accepts: { top_p: 0.5 },
    param: null,
    code: null,
    message: "Unrecognized request argument supplied: top_k",
  },
  {
    rule: "messages are there",
    refuses: { messages: undefined as unknown as Json },
    accepts: {},
    param: "messages",
    code: "missing_required_parameter",
    message: "Missing required parameter",
  },
  {
    rule: "max_tokens by model",
    refuses: { model: "gpt-5", max_tokens: 5 },
    accepts: { model: "gpt-5", max_completion_tokens: 5 },
    param: "max_tokens",
    code: "unsupported_parameter",
    message: "Use 'max_completion_tokens' instead",
  },
  {
    rule: "field types and bounds",
    refuses: { temperature: "hot" },
    accepts: { temperature: 2 },
    param: "temperature",
    code: "invalid_type",
    message: "expected a decimal, but got a string",
  },
  {
    rule: "field types and bounds",
    refuses: { temperature: 2.1 },
    accepts: { temperature: null },
    param: "temperature",
    code: "decimal_above_max_value",
    message: "<= 2",
  },
  {
    rule: "field types and bounds",
    refuses: { n: 0 },
    accepts: { n: 2 },
    param: "n",
    code: "integer_below_min_value",
    message: ">= 1",
  },
  {
    rule: "field types and bounds",
    refuses: { stop: ["a", "b", "c", "d", "e"] },
    accepts: { stop: ["a", "b", "c", "d"] },
    param: "stop",
    code: "array_above_max_length",
    message: "maximum length 4",
  },
  {
    rule: "field types and bounds",
    refuses: { verbosity: "chatty" },
    accepts: { verbosity: "low" },
    param: "verbosity",
    code: "invalid_value",
    message: "Supported values are",
  },
  {
    rule: "endpoint serves the model",
    refuses: { model: "gpt-5.3-codex" },
    accepts: {},
    param: "model",
    code: null,
    message: "not a chat model",
  },
  {
    rule: "one output cap",
    refuses: { max_tokens: 5, max_completion_tokens: 5 },
    accepts: { max_completion_tokens: 5 },
    param: "max_tokens",
    code: "invalid_parameter_combination",
    message: "same time",
  },
  {
    rule: "messages not empty",
    refuses: { messages: [] },
    accepts: {},
    param: "messages",
    code: "empty_array",
    message: "minimum length 1",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "robot", content: "x" }] },
    accepts: {},
    param: "messages[0].role",
    code: "invalid_value",
    message: "'robot'",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ ...user, cache_control: { type: "ephemeral" } }] },
    accepts: { messages: [{ ...user, name: "ann" }] },
    param: "messages[0].cache_control",
    code: "unknown_parameter",
    message: "Unknown parameter",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "user", content: [{ text: "x" }] }] },
    accepts: { messages: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
    param: "messages[0].content[0].type",
    code: "missing_required_parameter",
    message: "content[0].type",
  },
  {
    rule: "message shape",
    refuses: { messages: picture("data:image/bmp;base64,Qk0=") },
    accepts: { messages: picture(png) },
    param: null,
    code: "invalid_image_format",
    message: "unsupported image",
  },
  {
    rule: "message shape",
    refuses: { messages: picture("data:image/png;base64,iVBORw0KGgo") },
    accepts: { messages: picture("https://example.com/a.png") },
    param: "messages[0].content[0].image_url.url",
    code: "invalid_base64",
    message: "base64",
  },
  {
    rule: "message shape",
    refuses: { messages: [user, assistant(call("c".repeat(41))), tool("c".repeat(41))] },
    accepts: { messages: [user, assistant(call("c".repeat(40))), tool("c".repeat(40))] },
    param: "messages[1].tool_calls[0].id",
    code: "string_above_max_length",
    message: "maximum length 40",
  },
  {
    rule: "message shape",
    refuses: { messages: [user, assistant(call("c", { arguments: { a: 1 } })), tool("c")] },
    accepts: { messages: [user, assistant(call("c", { arguments: "not json" })), tool("c")] },
    param: "messages[1].tool_calls[0].function.arguments",
    code: "invalid_type",
    message: "expected a string",
  },
  {
    rule: "message shape",
    refuses: {
      messages: [{ role: "tool", tool_call_id: "c", content: [{ type: "image_url", image_url: { url: png } }] }],
    },
    accepts: { messages: [user, { role: "assistant" }] },
    param: "messages[0]",
    code: "invalid_value",
    message: "either text or image_url",
  },
  {
    rule: "message shape",
    refuses: { model: "o1-mini", messages: [{ role: "developer", content: "x" }, user] },
    accepts: { model: "o1", messages: [{ role: "developer", content: "x" }, user] },
    param: "messages[0].role",
    code: "unsupported_value",
    message: "does not support 'developer'",
  },
  {
    rule: "message shape",
    refuses: {
      messages: [
        { role: "user", content: [{ type: "text", text: "x", prompt_cache_breakpoint: { mode: "explicit" } }] },
      ],
    },
    accepts: {
      model: "gpt-5.6",
      messages: [
        { role: "user", content: [{ type: "text", text: "x", prompt_cache_breakpoint: { mode: "explicit" } }] },
      ],
    },
    param: "messages[0].content[0].prompt_cache_breakpoint",
    code: "unsupported_parameter",
    message: "not supported with this model",
  },
  {
    rule: "message shape",
    refuses: {
      messages: [
        {
          role: "user",
          content: [{ type: "file", file: { file_data: "data:text/plain;base64,aGk=", filename: "a.txt" } }],
        },
      ],
    },
    accepts: {
      messages: [
        {
          role: "user",
          content: [{ type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } }],
        },
      ],
    },
    param: "messages[0].content[0].file.file_data",
    code: "invalid_value",
    message: "text/plain",
  },
  {
    rule: "tool answers follow their calls",
    refuses: { messages: [user, tool("c")] },
    accepts: { messages: [user, assistant(call("c")), tool("c"), user] },
    param: "messages.[1].role",
    code: null,
    message: "must be a response to a preceeding message",
  },
  {
    rule: "tool answers follow their calls",
    refuses: { messages: [user, assistant(call("c"), call("d")), tool("c"), user] },
    accepts: { messages: [user, assistant(call("c"), call("d")), tool("d"), tool("c")] },
    param: "messages.[2].role",
    code: null,
    message: "did not have response messages: d",
  },
  {
    rule: "tool answers follow their calls",
    refuses: { messages: [user, assistant(call("c")), user, tool("c")] },
    accepts: {},
    param: "messages.[2].role",
    code: null,
    message: "did not have response messages: c",
  },
  {
    rule: "tool answers follow their calls",
    refuses: { messages: [user, assistant(call("c"))] },
    accepts: {},
    param: "messages.[2].role",
    code: null,
    message: "c",
  },
  {
    rule: "tools",
    refuses: { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    accepts: { tools: [{ type: "custom", custom: { name: "free" } }] },
    param: "tools[0].type",
    code: "invalid_value",
    message: "'function' and 'custom'",
  },
  {
    rule: "tools",
    refuses: { tools: [fn({ name: "n".repeat(65) })] },
    accepts: { tools: [fn({ name: "n".repeat(64) })] },
    param: "tools[0].function.name",
    code: "string_above_max_length",
    message: "64",
  },
  {
    rule: "tools",
    refuses: { tools: [fn({ name: "a.b" })] },
    accepts: { tools: [fn({ name: "a-b_1", unknown_key: 1 })] },
    param: "tools[0].function.name",
    code: "invalid_value",
    message: "pattern",
  },
  {
    rule: "tools",
    refuses: { tools: [{ ...fn(), cache_control: {} }] },
    accepts: { tools: [fn()] },
    param: "tools[0].cache_control",
    code: "unknown_parameter",
    message: "Unknown parameter",
  },
  {
    rule: "tools",
    refuses: {
      tools: [
        fn({
          strict: true,
          parameters: {
            type: "object",
            properties: { a: { type: "string" } },
            required: [],
            additionalProperties: false,
          },
        }),
      ],
    },
    accepts: { tools: [fn({ strict: true, parameters: closed })] },
    param: "tools[0].function.parameters",
    code: "invalid_function_parameters",
    message: "Missing 'a'",
  },
  {
    rule: "tools",
    refuses: { tools: [fn({ parameters: { type: "object" } })] },
    accepts: { tools: [fn({ parameters: {} })] },
    param: "tools[0].function.parameters",
    code: "invalid_function_parameters",
    message: "missing properties",
  },
  {
    rule: "functions",
    refuses: { functions: [{ name: "a b" }] },
    accepts: { functions: [{ name: "a_b" }] },
    param: "functions[0].name",
    code: "invalid_value",
    message: "pattern",
  },
  {
    rule: "tool_choice",
    refuses: { tool_choice: "auto" },
    accepts: { tool_choice: "auto", tools: [fn()] },
    param: "tool_choice",
    code: "invalid_value",
    message: "only allowed when 'tools'",
  },
  {
    rule: "tool_choice",
    refuses: { tools: [fn()], tool_choice: { type: "function", function: { name: "other" } } },
    accepts: { tools: [fn()], tool_choice: { type: "function", function: { name: "look_up" } } },
    param: "tool_choice",
    code: null,
    message: "'other' not found",
  },
  {
    rule: "tool_choice",
    refuses: { tools: [fn()], tool_choice: "any" },
    accepts: { tools: [fn()], tool_choice: "required" },
    param: "tool_choice",
    code: "invalid_value",
    message: "'any'",
  },
  {
    rule: "function_call",
    refuses: { function_call: "auto" },
    accepts: { function_call: "auto", functions: [{ name: "f" }] },
    param: "function_call",
    code: "invalid_value",
    message: "only allowed when 'functions'",
  },
  {
    rule: "parallel_tool_calls needs tools",
    refuses: { parallel_tool_calls: false },
    accepts: { parallel_tool_calls: false, tools: [fn()] },
    param: "parallel_tool_calls",
    code: "invalid_value",
    message: "only allowed when 'tools'",
  },
  {
    rule: "parallel_tool_calls by model",
    refuses: { model: "o3", parallel_tool_calls: false, tools: [fn()] },
    accepts: { model: "o3", tools: [fn()] },
    param: "parallel_tool_calls",
    code: "unsupported_parameter",
    message: "not supported with this model",
  },
  {
    rule: "response_format",
    refuses: { response_format: { type: "json_object" } },
    accepts: { response_format: { type: "json_object" }, messages: [{ role: "user", content: "as JSON" }] },
    param: "messages",
    code: null,
    message: "must contain the word 'json'",
  },
  {
    rule: "response_format",
    refuses: { response_format: strict({ ...closed, additionalProperties: true }) },
    accepts: { response_format: strict(closed) },
    param: "response_format",
    code: null,
    message: "additionalProperties",
  },
  {
    rule: "response_format",
    refuses: { response_format: { type: "json_schema", json_schema: { schema: closed } } },
    accepts: { response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } } },
    param: "response_format.json_schema.name",
    code: "missing_required_parameter",
    message: "name",
  },
  {
    rule: "response_format",
    refuses: { model: "gpt-4-turbo", response_format: strict(closed) },
    accepts: { model: "gpt-4-turbo", response_format: { type: "text" } },
    param: "response_format",
    code: null,
    message: "not supported with this model",
  },
  {
    rule: "stream_options needs stream",
    refuses: { stream_options: { include_usage: true } },
    accepts: { stream: true, stream_options: { include_usage: true } },
    param: "stream_options",
    code: null,
    message: "only allowed when 'stream' is enabled",
  },
  {
    rule: "stream_options keys",
    refuses: { stream: true, stream_options: { usage: true } },
    accepts: { stream: true, stream_options: { include_obfuscation: false } },
    param: "stream_options.usage",
    code: "unknown_parameter",
    message: "Unknown parameter",
  },
  {
    rule: "stop by model",
    refuses: { model: "o4-mini", stop: "x" },
    accepts: { model: "o3-mini", stop: "a text of any length" },
    param: "stop",
    code: "unsupported_parameter",
    message: "'stop'",
  },
  {
    rule: "top_logprobs needs logprobs",
    refuses: { top_logprobs: 2 },
    accepts: { logprobs: true, top_logprobs: 2 },
    param: "top_logprobs",
    code: null,
    message: "'logprobs' is enabled",
  },
  {
    rule: "logprobs by model",
    refuses: { model: "gpt-5", logprobs: true },
    accepts: { model: "gpt-5.4", logprobs: true },
    param: "logprobs",
    code: "unsupported_parameter",
    message: "'logprobs'",
  },
  {
    rule: "sampling by model",
    refuses: { model: "gpt-5", temperature: 0 },
    accepts: { model: "gpt-5", temperature: 1 },
    param: "temperature",
    code: "unsupported_value",
    message: "Only the default (1) value",
  },
  {
    rule: "sampling by model",
    refuses: { model: "o3-mini", temperature: 1 },
    accepts: { model: "o3-mini" },
    param: "temperature",
    code: "unsupported_parameter",
    message: "'temperature'",
  },
  {
    rule: "sampling by model",
    refuses: { model: "gpt-5.4", temperature: 0, reasoning_effort: "low" },
    accepts: { model: "gpt-5.4", temperature: 0 },
    param: "temperature",
    code: "unsupported_value",
    message: "default",
  },
  {
    rule: "sampling by model",
    refuses: { model: "gpt-5.6", top_p: 0.5 },
    accepts: { model: "gpt-5.6", top_p: 0.5, reasoning_effort: "none" },
    param: "top_p",
    code: "unsupported_value",
    message: "default",
  },
  {
    rule: "penalties and logit_bias by model",
    refuses: { model: "gpt-5", presence_penalty: 0.5 },
    accepts: { presence_penalty: 0.5 },
    param: "presence_penalty",
    code: "unsupported_parameter",
    message: "presence_penalty",
  },
  {
    rule: "reasoning_effort by model",
    refuses: { model: "gpt-5", reasoning_effort: "xhigh" },
    accepts: { model: "gpt-5", reasoning_effort: "minimal" },
    param: "reasoning_effort",
    code: "unsupported_value",
    message: "'minimal'",
  },
  {
    rule: "reasoning_effort by model",
    refuses: { reasoning_effort: "low" },
    accepts: {},
    param: null,
    code: null,
    message: "reasoning_effort",
  },
  {
    rule: "tools with reasoning on chat",
    refuses: { model: "gpt-5.6", tools: [fn()] },
    accepts: { model: "gpt-5.6", tools: [fn()], reasoning_effort: "none" },
    param: "reasoning_effort",
    code: null,
    message: "use /v1/responses",
  },
  {
    rule: "tools with reasoning on chat",
    refuses: { model: "gpt-5.4", tools: [fn()], reasoning_effort: "low" },
    accepts: { model: "gpt-5.4", tools: [fn()] },
    param: "reasoning_effort",
    code: null,
    message: "gpt-5.4",
  },
  {
    rule: "web_search_options by model",
    refuses: { web_search_options: {} },
    accepts: { model: "gpt-4o-search-preview", web_search_options: {} },
    param: "web_search_options",
    code: null,
    message: "Web search options not supported",
  },
  {
    rule: "audio by model",
    refuses: { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } },
    accepts: { model: "gpt-audio", modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } },
    param: "model",
    code: "invalid_model",
    message: "audio output",
  },
  {
    rule: "metadata",
    refuses: { metadata: { a: 1 } },
    accepts: { metadata: { a: "1" } },
    param: "metadata.a",
    code: "invalid_type",
    message: "expected a string",
  },
  {
    rule: "max output",
    refuses: { model: "gpt-4o", max_tokens: 16_385 },
    accepts: { model: "gpt-4o", max_tokens: 16_384 },
    param: "max_tokens",
    code: "invalid_value",
    message: "at most 16384",
  },
  {
    rule: "context length",
    refuses: { model: "gpt-4o", messages: [{ role: "user", content: "word ".repeat(103_000) }] },
    accepts: { messages: [{ role: "user", content: "word ".repeat(103_000) }] },
    param: "messages",
    code: "context_length_exceeded",
    message: "maximum context length is 128000",
  },
];

const requestOf = (patch: JsonObject): JsonObject => {
  const merged = { ...base, ...patch };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
};

describe("Chat Completions rules", () => {
  for (const { rule, refuses, accepts, param, code, message } of cases) {
    test(`${rule}: ${JSON.stringify(refuses).slice(0, 70)}`, () => {
      expect(judgeChat(requestOf(refuses), options)).toMatchObject({ rule, param, code });
      expect(judgeChat(requestOf(refuses), options)?.message).toContain(message);
      expect(judgeChat(requestOf(accepts), options)).toBeNull();
    });
  }

  test("each rule of the table has a case", () => {
    const tested = new Set(cases.map(({ rule }) => rule));
    expect(CHAT_RULES.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
  });

  test("a model is gone from its day of shutdown on", () => {
    const on = (today: string): number | undefined =>
      judgeChat(requestOf({ model: "gpt-5" }), { today, servesShutDown: false })?.status;
    expect(on("2026-12-10")).toBeUndefined();
    expect(on("2026-12-11")).toBe(404);
  });
});
