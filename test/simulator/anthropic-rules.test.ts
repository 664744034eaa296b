/** Every rule of Messages: what it refuses, and the nearest request that it accepts. */
import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { judgeMessages, MESSAGES_RULES, type AnthropicJudgeOptions } from "../../src/simulator/anthropic-rules.ts";
import { prefixHashes } from "../../src/simulator/prompt.ts";
import { promptBlocks } from "../../src/simulator/read-messages.ts";
import { createSigner } from "../../src/simulator/signature.ts";

const signer = createSigner("test");
const options: AnthropicJudgeOptions = {
  today: "2026-11-22",
  servesShutDown: true,
  version: "2023-06-01",
  betas: [],
  signer,
  counting: false,
};
const user = { role: "user", content: "hi" };
const base: JsonObject = { model: "claude-haiku-4-5", max_tokens: 100, messages: [user] };
const tool = (extra: JsonObject = {}): JsonObject => ({
  name: "look_up",
  input_schema: { type: "object", properties: {} },
  ...extra,
});
const use = (id: string): JsonObject => ({ type: "tool_use", id, name: "look_up", input: {} });
const result = (id: string, extra: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id: id,
  content: "found",
  ...extra,
});
const text = (words: string, extra: JsonObject = {}): JsonObject => ({ type: "text", text: words, ...extra });
const turns = (...contents: Json[]): Json =>
  contents.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content }));
const marked = (count: number): Json =>
  Array.from({ length: count }, (_, index) => text(`block ${index}`, { cache_control: { type: "ephemeral" } }));
const budget = { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2000 };
const format = (schema: JsonObject): JsonObject => ({ output_config: { format: { type: "json_schema", schema } } });
const closed = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const png = (type: string, data: string): Json => [
  { role: "user", content: [{ type: "image", source: { type: "base64", media_type: type, data } }] },
];
const signed = (model: string, thinking: string): JsonObject => ({
  type: "thinking",
  thinking,
  signature: signer.sign({ model, thinking, prefix: prefixHashes(promptBlocks({ messages: [user] })).at(-1) ?? "" }),
});

interface Case {
  readonly rule: string;
  readonly refuses: JsonObject;
  readonly accepts: JsonObject;
  readonly message: string;
  readonly with?: Partial<AnthropicJudgeOptions>;
  /** Options of the accepted request where they differ. */
  readonly acceptsWith?: Partial<AnthropicJudgeOptions>;
}

const cases: readonly Case[] = [
  { rule: "model exists", refuses: { model: "claude-haiku-9" }, accepts: {}, message: "model: claude-haiku-9" },
  {
    rule: "unknown field",
    refuses: { seed: 1 },
    accepts: { top_k: 1 },
    message: "seed: Extra inputs are not permitted",
  },
  {
    rule: "unknown field",
    refuses: { context_management: { edits: [] } },
    accepts: { context_management: { edits: [] } },
    message: "context_management: Extra inputs are not permitted",
    acceptsWith: { betas: ["context-management-2025-06-27"] },
  },
  {
    rule: "unknown field",
    refuses: { max_tokens: 5 },
    accepts: { max_tokens: undefined as unknown as Json },
    message: "max_tokens: Extra inputs are not permitted",
    with: { counting: true },
    acceptsWith: { counting: true },
  },
  {
    rule: "max_tokens is there",
    refuses: { max_tokens: undefined as unknown as Json },
    accepts: {},
    message: "max_tokens: Field required",
  },
  { rule: "messages are there", refuses: { messages: [] }, accepts: {}, message: "at least one message is required" },
  {
    rule: "field types and bounds",
    refuses: { temperature: 1.1 },
    accepts: { temperature: 1 },
    message: "temperature: Input should be less than or equal to 1",
  },
  {
    rule: "field types and bounds",
    refuses: { stop_sequences: "x" },
    accepts: { stop_sequences: ["x"] },
    message: "stop_sequences: Input should be a valid list",
  },
  {
    rule: "max_tokens by model",
    refuses: { max_tokens: 64_001 },
    accepts: { max_tokens: 64_000 },
    message: "64001 > 64000",
  },
  {
    rule: "system blocks",
    refuses: { system: [text("")] },
    accepts: { system: "" },
    message: "text content blocks must be non-empty",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "tool", content: "x" }] },
    accepts: {},
    message: "messages.0.role: Input should be 'user' or 'assistant'",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "system", content: "x" }] },
    accepts: { model: "claude-opus-4-8", messages: [user, { role: "system", content: "x" }] },
    message: 'Unexpected role "system"',
  },
  {
    rule: "message shape",
    refuses: { messages: turns([text("")]) },
    accepts: { messages: turns([text("x")]) },
    message: "text content blocks must be non-empty",
  },
  {
    rule: "message shape",
    refuses: { messages: turns([text(" \n")]) },
    accepts: { messages: turns([text("x"), text("y")]) },
    message: "must contain non-whitespace text",
  },
  {
    rule: "message shape",
    refuses: { messages: turns([text("", { cache_control: { type: "ephemeral" } })]) },
    accepts: { messages: turns([text("x", { cache_control: null })]) },
    message: "cache_control cannot be set for empty text blocks",
  },
  {
    rule: "message shape",
    refuses: {
      messages: turns(
        "x",
        [{ type: "thinking", thinking: "t", signature: "s", cache_control: { type: "ephemeral" } }],
        "y",
      ),
    },
    accepts: { messages: turns("x", [use("t1")], [result("t1", { cache_control: { type: "ephemeral" } })]) },
    message: "thinking.cache_control: Extra inputs are not permitted",
  },
  {
    rule: "message shape",
    refuses: { messages: turns("x", [use("a.b")], [result("a.b")]) },
    accepts: { messages: turns("x", [use("a-b_1")], [result("a-b_1")]) },
    message: "String should match pattern '^[a-zA-Z0-9_-]+$'",
  },
  {
    rule: "message shape",
    refuses: { messages: png("image/bmp", "Qk0=") },
    accepts: { messages: png("image/png", "iVBORw0KGgo=") },
    message: "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
  },
  {
    rule: "message shape",
    refuses: {
      messages: [
        { role: "user", content: [{ type: "image", source: { type: "url", url: "http://example.com/a.png" } }] },
      ],
    },
    accepts: {
      messages: [
        { role: "user", content: [{ type: "image", source: { type: "url", url: "https://example.com/a.png" } }] },
      ],
    },
    message: "Only HTTPS URLs",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
    accepts: {},
    message: "Input tag 'image_url'",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "user", content: [use("t1")] }] },
    accepts: {},
    message: "`tool_use` blocks are not permitted in `user` messages",
  },
  {
    rule: "message shape",
    refuses: { messages: [{ role: "user", content: "" }] },
    accepts: {},
    message: "non-empty content",
  },
  {
    rule: "version 2026-10-21 blocks",
    refuses: { messages: turns([text("x", { citations: null })]) },
    accepts: { messages: turns([text("x", { citations: null })]) },
    message: "citations: Extra inputs are not permitted",
    with: { version: "2026-10-21" },
    acceptsWith: { version: "2023-06-01" },
  },
  {
    rule: "message shape",
    refuses: {
      model: "claude-opus-5-5",
      messages: [user, { role: "system", content: "x", clear_at: "next_user_turn" }],
    },
    accepts: {
      model: "claude-opus-5-5",
      messages: [user, { role: "system", content: "x", clear_at: "next_user_turn" }],
    },
    message: "messages.1.clear_at: Extra inputs are not permitted",
    acceptsWith: { betas: ["mid-conversation-system-clear-at-2026-08-21"] },
  },
  {
    rule: "system turns",
    refuses: { model: "claude-opus-5-5", messages: [{ role: "system", content: "x" }, user] },
    accepts: { model: "claude-opus-5-5", messages: [user, { role: "system", content: "x" }] },
    message: "cannot be the first message",
  },
  {
    rule: "system turns",
    refuses: { model: "claude-opus-5-5", messages: [user, { role: "system", content: "x" }, user] },
    accepts: {
      model: "claude-opus-5-5",
      messages: [user, { role: "system", content: "x" }, { role: "assistant", content: "y" }, user],
    },
    message: "cannot directly precede",
  },
  {
    rule: "tool results follow their calls",
    refuses: { messages: turns("x", [use("t1")], "y") },
    accepts: { messages: turns("x", [use("t1")], [result("t1"), text("y")]) },
    message: "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1",
  },
  {
    rule: "tool results follow their calls",
    refuses: { messages: turns("x", [use("t1")], [text("y"), result("t1")]) },
    accepts: {
      messages: [user, { role: "assistant", content: [use("t1")] }, { role: "user", content: [result("t1")] }, user],
    },
    message: "`tool_use` ids were found without",
  },
  {
    rule: "tool results follow their calls",
    refuses: { messages: turns([result("t1")]) },
    accepts: { messages: turns("x", [use("t1"), use("t2")], [result("t2"), result("t1")]) },
    message: "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1",
  },
  {
    rule: "tool results follow their calls",
    refuses: { messages: turns("x", [use("t1")], [result("t1"), result("t1")]) },
    accepts: {},
    message: "must have a single result",
  },
  {
    rule: "tools",
    refuses: { tools: [{ type: "function", function: { name: "f" } }] },
    accepts: { tools: [tool(), { type: "web_search_20250305", name: "web_search" }] },
    message: "Input tag 'function'",
  },
  {
    rule: "tools",
    refuses: { tools: [tool({ input_schema: {} })] },
    accepts: { tools: [tool()] },
    message: "tools.0.custom.input_schema.type: Field required",
  },
  {
    rule: "tools",
    refuses: { tools: [tool({ name: "n".repeat(129) })] },
    accepts: { tools: [tool({ name: "n".repeat(128) })] },
    message: "tools.0.custom.name: String should match pattern",
  },
  {
    rule: "tools",
    refuses: { tools: [tool({ input_schema: { type: "object", anyOf: [] } })] },
    accepts: {
      tools: [tool({ input_schema: { type: "object", properties: { a: { anyOf: [{ type: "string" }] } } } })],
    },
    message: "at the top level",
  },
  {
    rule: "tools",
    refuses: {
      tools: [tool({ strict: true, input_schema: { ...closed, properties: { a: { type: "string", maxLength: 2 } } } })],
    },
    accepts: { tools: [tool({ strict: true, input_schema: closed })] },
    message: "For 'string' type, property 'maxLength' is not supported",
  },
  {
    rule: "tool names are unique",
    refuses: { tools: [tool(), tool()] },
    accepts: { tools: [tool(), tool({ name: "other" })] },
    message: "Tool names must be unique",
  },
  {
    rule: "tool_choice",
    refuses: { tool_choice: { type: "auto" } },
    accepts: { tools: [tool()], tool_choice: { type: "auto" } },
    message: "only be specified while providing tools",
  },
  {
    rule: "tool_choice",
    refuses: { tools: [tool()], tool_choice: { type: "tool", name: "other" } },
    accepts: { tools: [tool()], tool_choice: { type: "tool", name: "look_up", disable_parallel_tool_use: true } },
    message: "Tool 'other' not found",
  },
  {
    rule: "tool_choice",
    refuses: { tools: [tool()], tool_choice: { type: "none", disable_parallel_tool_use: true } },
    accepts: { tools: [tool()], tool_choice: { type: "none" } },
    message: "tool_choice.none.disable_parallel_tool_use: Extra inputs",
  },
  {
    rule: "forced tools by model",
    refuses: { model: "claude-opus-5-5", tools: [tool()], tool_choice: { type: "any" } },
    accepts: { model: "claude-opus-5", tools: [tool()], tool_choice: { type: "any" } },
    message: "not supported for this model",
  },
  {
    rule: "forced tools by model",
    refuses: { ...budget, tools: [tool()], tool_choice: { type: "any" } },
    accepts: { ...budget, tools: [tool()], tool_choice: { type: "auto" } },
    message: "Thinking may not be enabled when tool_choice forces tool use",
  },
  {
    rule: "stop_sequences",
    refuses: { stop_sequences: ["\n"] },
    accepts: { stop_sequences: ["\nx"] },
    message: "non-whitespace",
  },
  {
    rule: "thinking by model",
    refuses: { model: "claude-opus-5-5", ...budget },
    accepts: { model: "claude-opus-5-5", thinking: { type: "adaptive", display: "summarized" } },
    message: 'Use "thinking.type.adaptive"',
  },
  {
    rule: "thinking by model",
    refuses: { model: "claude-opus-5-5", thinking: { type: "disabled" } },
    accepts: { model: "claude-haiku-5-5", thinking: { type: "disabled" } },
    message: "disabled",
  },
  {
    rule: "thinking by model",
    refuses: { model: "claude-sonnet-5-5", thinking: { type: "between_tools" }, output_config: { effort: "xhigh" } },
    accepts: { model: "claude-sonnet-5-5", thinking: { type: "between_tools" }, output_config: { effort: "high" } },
    message: "effort level 'xhigh'",
  },
  {
    rule: "thinking by model",
    refuses: { thinking: { type: "adaptive" } },
    accepts: { model: "claude-sonnet-4-6", thinking: { type: "adaptive" } },
    message: "adaptive",
  },
  {
    rule: "thinking by model",
    refuses: { model: "claude-opus-5-5", thinking: { type: "adaptive", block_binding: {} } },
    accepts: { model: "claude-opus-5-5", thinking: { type: "adaptive", block_binding: {} } },
    message: "thinking.adaptive.block_binding: Extra inputs are not permitted",
    acceptsWith: { betas: ["thinking-binding-controls-2026-08-01"] },
  },
  {
    rule: "thinking budget",
    refuses: { thinking: { type: "enabled", budget_tokens: 1023 }, max_tokens: 2000 },
    accepts: budget,
    message: "greater than or equal to 1024",
  },
  {
    rule: "thinking budget",
    refuses: { thinking: { type: "enabled", budget_tokens: 2000 }, max_tokens: 2000 },
    accepts: { thinking: { type: "enabled", budget_tokens: 1999 }, max_tokens: 2000 },
    message: "`max_tokens` must be greater than `thinking.budget_tokens`",
  },
  {
    rule: "effort by model",
    refuses: { model: "claude-opus-4-6", output_config: { effort: "xhigh" } },
    accepts: { model: "claude-opus-4-6", output_config: { effort: "max" } },
    message: "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
  },
  {
    rule: "effort by model",
    refuses: { output_config: { effort: "low" } },
    accepts: { model: "claude-opus-4-5", output_config: { effort: "low" } },
    message: "does not support the effort parameter",
  },
  {
    rule: "effort by model",
    refuses: { output_config: { task_budget: { type: "tokens", total: 20_000 } } },
    accepts: { output_config: { task_budget: { type: "tokens", total: 20_000 } } },
    message: "output_config.task_budget: Extra inputs are not permitted",
    acceptsWith: { betas: ["task-budgets-2026-03-13"] },
  },
  {
    rule: "sampling by model",
    refuses: { temperature: 0.5, top_p: 0.5 },
    accepts: { temperature: 0.5 },
    message: "cannot both be specified",
  },
  {
    rule: "sampling by model",
    refuses: { model: "claude-opus-5-5", temperature: 0.5 },
    accepts: { model: "claude-opus-5-5", temperature: 1 },
    message: "`temperature` is deprecated for this model.",
  },
  {
    rule: "sampling by model",
    refuses: { temperature: 1 },
    accepts: {},
    message: "temperature: Extra inputs are not permitted",
    with: { version: "2026-10-21" },
    acceptsWith: { version: "2026-10-21" },
  },
  {
    rule: "sampling with thinking",
    refuses: { ...budget, temperature: 0.5 },
    accepts: { ...budget, temperature: 1 },
    message: "may only be set to 1 when thinking is enabled",
  },
  {
    rule: "sampling with thinking",
    refuses: { ...budget, top_p: 0.9 },
    accepts: { ...budget, top_p: 0.95 },
    message: "0.95",
  },
  {
    rule: "output format",
    refuses: format({ ...closed, additionalProperties: true }),
    accepts: format(closed),
    message: "'additionalProperties' must be explicitly set to false",
  },
  {
    rule: "output format",
    refuses: format({ ...closed, properties: { a: { $ref: "#" } } }),
    accepts: format({ ...closed, $defs: { b: { type: "null" } }, properties: { a: { $ref: "#/$defs/b" } } }),
    message: "references",
  },
  {
    rule: "output format",
    refuses: format({
      $ref: "#/$defs/n",
      $defs: { n: { type: "object", properties: { next: { $ref: "#/$defs/n" } }, additionalProperties: false } },
    }),
    accepts: {},
    message: "Recursive",
  },
  {
    rule: "cache markers",
    refuses: { system: marked(5) },
    accepts: { system: marked(4) },
    message: "A maximum of 4 blocks with cache_control may be provided. Found 5.",
  },
  {
    rule: "cache markers",
    refuses: {
      system: marked(3),
      tools: [tool({ cache_control: { type: "ephemeral" } })],
      cache_control: { type: "ephemeral" },
    },
    accepts: { system: marked(3), tools: [tool()], cache_control: { type: "ephemeral" } },
    message: "Found 5",
  },
  {
    rule: "metadata",
    refuses: { metadata: { user_id: "ann@example.com" } },
    accepts: { metadata: { user_id: "u-1" } },
    message: "email address",
  },
  {
    rule: "metadata",
    refuses: { metadata: { team: "x" } },
    accepts: { metadata: {} },
    message: "metadata.team: Extra inputs",
  },
  {
    rule: "last turn",
    refuses: { model: "claude-opus-4-6", messages: turns("x", "{") },
    accepts: { messages: turns("x", "{") },
    message: "does not support assistant message prefill",
  },
  {
    rule: "last turn",
    refuses: { messages: turns("x", "so ") },
    accepts: { messages: turns("x", "so") },
    message: "final assistant content cannot end with trailing whitespace",
  },
  {
    rule: "thinking first",
    refuses: { ...budget, messages: turns("x", [use("t1")], [result("t1")]) },
    accepts: { ...budget, messages: turns("x", [signed("claude-haiku-4-5-20251001", "t"), use("t1")], [result("t1")]) },
    message: "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`",
  },
  {
    rule: "signatures",
    refuses: {
      messages: turns("hi", [{ type: "thinking", thinking: "t", signature: "arouter1.e30" }, text("y")], "z"),
    },
    accepts: { messages: turns("hi", [signed("claude-haiku-4-5-20251001", "t"), text("y")], "z") },
    message: "Invalid `signature` in `thinking` block",
  },
  {
    rule: "signatures",
    refuses: {
      messages: turns("hi", [{ ...signed("claude-haiku-4-5-20251001", "t"), thinking: "T" }, text("y")], "z"),
    },
    accepts: { messages: turns("hi", [signed("gpt-5", "t"), text("y")], "z") },
    message: "cannot be modified",
  },
  {
    rule: "signatures",
    refuses: { model: "claude-opus-5-5", messages: turns("edited", [signed("claude-opus-5-5", "t"), text("y")], "z") },
    accepts: { model: "claude-opus-5-5", messages: turns("hi", [signed("claude-opus-5-5", "t"), text("y")], "z") },
    message: "bound to a different prefix",
  },
  {
    rule: "signatures",
    refuses: {
      model: "claude-opus-5-5",
      system: "new",
      messages: turns("hi", [signed("claude-opus-5-5", "t"), text("y")], "z"),
    },
    accepts: {
      model: "claude-opus-5-5",
      system: "new",
      thinking: { type: "adaptive", block_binding: { prefix_mismatch_behavior: "drop_block" } },
      messages: turns("hi", [signed("claude-opus-5-5", "t"), text("y")], "z"),
    },
    message: "different prefix",
    acceptsWith: { betas: ["thinking-binding-controls-2026-08-01"] },
  },
  {
    rule: "context length",
    refuses: { messages: [{ role: "user", content: "word ".repeat(161_000) }] },
    accepts: { model: "claude-opus-4-6", messages: [{ role: "user", content: "word ".repeat(161_000) }] },
    message: "prompt is too long:",
  },
];

const requestOf = (patch: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...base, ...patch }).filter(([, value]) => value !== undefined));

describe("Messages rules", () => {
  for (const { rule, refuses, accepts, message, with: changed = {}, acceptsWith } of cases) {
    test(`${rule}: ${JSON.stringify(refuses).slice(0, 70)}`, () => {
      const judged = judgeMessages(requestOf(refuses), { ...options, ...changed });
      expect(judged?.rule).toBe(rule);
      expect(judged?.message).toContain(message);
      expect(judgeMessages(requestOf(accepts), { ...options, ...acceptsWith })).toBeNull();
    });
  }

  test("each rule of the table has a case", () => {
    const tested = new Set(cases.map(({ rule }) => rule));
    expect(MESSAGES_RULES.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
  });
});
