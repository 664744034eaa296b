import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { sha256Hex } from "../../../src/base/ids.ts";
import { messagesToChat } from "../../../src/translate/messages-to-chat/index.ts";
import { testModel } from "../../support/models.ts";
import { refusal, sent, translate, translateText, type Settings } from "./support.ts";

interface Case {
  /** Row of the table, and what is special. */
  readonly row: string;
  readonly fields: JsonObject;
  readonly settings?: Settings;
  /** Fields expected in the body; undefined: absent. */
  readonly body?: Readonly<Record<string, Json | undefined>>;
  readonly dropped?: readonly string[];
  readonly adapted?: readonly string[];
}

const TOOLS = [{ name: "f", input_schema: { type: "object", properties: {} } }];
const CLOSED = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const OPEN = { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object", properties: { a: {} } };
const LONG_ID = "u".repeat(129);
const search = (model = "gpt-4o-search-preview"): Settings => ({ model });

const CASES: readonly Case[] = [
  { row: "max_tokens", fields: { max_tokens: 7 }, body: { max_completion_tokens: 7, max_tokens: undefined } },
  {
    row: "max_tokens on the oldest models",
    fields: { max_tokens: 7 },
    settings: { model: testModel("gpt-4", { outputCapField: "max_tokens" }) },
    body: { max_completion_tokens: undefined, max_tokens: 7 },
  },
  {
    row: "max_tokens over the model's maximum",
    fields: { max_tokens: 99_999 },
    body: { max_completion_tokens: 32_768 },
    adapted: ["max_tokens=32768"],
  },
  {
    row: "max_tokens with headroom on a reasoning model",
    fields: { max_tokens: 100 },
    settings: { model: "o3", options: { reasoningHeadroom: 1000 } },
    body: { max_completion_tokens: 1100 },
  },
  {
    row: "max_tokens with headroom on a model that does not reason",
    fields: { max_tokens: 100 },
    settings: { options: { reasoningHeadroom: 1000 } },
    body: { max_completion_tokens: 100 },
  },
  {
    row: "max_tokens headroom stops at the maximum",
    fields: { max_tokens: 99_999 },
    settings: { model: "o3", options: { reasoningHeadroom: 1000 } },
    body: { max_completion_tokens: 100_000 },
  },
  { row: "stop_sequences", fields: { stop_sequences: ["a", "", "b"] }, body: { stop: ["a", "b"] } },
  { row: "stop_sequences empty", fields: { stop_sequences: [] }, body: { stop: undefined } },
  {
    row: "stop_sequences over 4",
    fields: { stop_sequences: ["a", "b", "c", "d", "e"] },
    body: { stop: undefined },
    adapted: ["stop_sequences"],
  },
  {
    row: "stop_sequences on a model that refuses them",
    fields: { stop_sequences: ["a"] },
    settings: { model: "o3" },
    body: { stop: undefined },
    adapted: ["stop_sequences"],
  },
  { row: "temperature", fields: { temperature: 0.3, top_p: 0.9 }, body: { temperature: 0.3, top_p: 0.9 } },
  {
    row: "temperature refused",
    fields: { temperature: 0.3, top_p: 0.9 },
    settings: { model: "o3" },
    body: { temperature: undefined, top_p: undefined },
    dropped: ["temperature", "top_p"],
  },
  {
    row: "temperature 1 is the default where it is refused",
    fields: { temperature: 1, top_p: 1 },
    settings: { model: "o3" },
    body: { temperature: undefined, top_p: undefined },
  },
  {
    row: "temperature with effort none by default",
    fields: { temperature: 0 },
    settings: { model: "gpt-5.4" },
    body: { temperature: 0 },
  },
  {
    row: "temperature with effort none by disabled thinking",
    fields: { temperature: 0, thinking: { type: "disabled" } },
    settings: { model: testModel("gpt-5.4", { defaultEffort: "medium" }) },
    body: { temperature: 0, reasoning_effort: "none" },
  },
  {
    row: "temperature while reasoning",
    fields: { temperature: 0, output_config: { effort: "high" } },
    settings: { model: "gpt-5.4" },
    body: { temperature: undefined, reasoning_effort: "high" },
    dropped: ["temperature"],
  },
  { row: "top_k", fields: { top_k: 5 }, dropped: ["top_k"] },
  { row: "top_k null", fields: { top_k: null } },
  {
    row: "stream",
    fields: { stream: true },
    body: { stream: true, stream_options: { include_usage: true } },
  },
  { row: "stream false", fields: { stream: false }, body: { stream: undefined, stream_options: undefined } },
  {
    row: "output_config.effort",
    fields: { output_config: { effort: "medium" } },
    settings: { model: "o3" },
    body: { reasoning_effort: "medium" },
  },
  {
    row: "output_config.effort, nearest lower",
    fields: { output_config: { effort: "max" } },
    settings: { model: "gpt-5.4" },
    body: { reasoning_effort: "xhigh" },
    adapted: ["output_config.effort=xhigh"],
  },
  {
    row: "output_config.effort wins over a budget",
    fields: { output_config: { effort: "low" }, thinking: { type: "enabled", budget_tokens: 30_000 } },
    settings: { model: "o3" },
    body: { reasoning_effort: "low" },
  },
  {
    row: "output_config.effort on a model that does not reason",
    fields: { output_config: { effort: "low" }, thinking: { type: "adaptive" } },
    body: { reasoning_effort: undefined },
    dropped: ["output_config.effort", "thinking"],
  },
  {
    row: "output_config.format, strict",
    fields: { output_config: { format: { type: "json_schema", schema: CLOSED } } },
    body: { response_format: { type: "json_schema", json_schema: { name: "response", schema: CLOSED, strict: true } } },
  },
  {
    row: "output_config.format, not strict, $schema stripped",
    fields: { output_config: { format: { type: "json_schema", schema: OPEN } } },
    body: {
      response_format: {
        type: "json_schema",
        json_schema: { name: "response", schema: { type: "object", properties: { a: {} } }, strict: false },
      },
    },
  },
  {
    row: "output_format",
    fields: { output_format: { type: "json_schema", schema: CLOSED } },
    body: { response_format: { type: "json_schema", json_schema: { name: "response", schema: CLOSED, strict: true } } },
  },
  {
    row: "output_config.task_budget",
    fields: { output_config: { task_budget: { type: "tokens", total: 9 }, format: null } },
    dropped: ["output_config.task_budget"],
  },
  {
    row: "metadata.user_id",
    fields: { metadata: { user_id: "u1", team: "x" } },
    body: { safety_identifier: "u1", prompt_cache_key: sha256Hex("u1") },
    dropped: ["metadata.team"],
  },
  {
    row: "metadata.user_id over 128 characters",
    fields: { metadata: { user_id: LONG_ID } },
    body: { safety_identifier: sha256Hex(LONG_ID), prompt_cache_key: sha256Hex(LONG_ID) },
  },
  { row: "metadata.user_id null", fields: { metadata: { user_id: null } }, body: { safety_identifier: undefined } },
  { row: "service_tier auto", fields: { service_tier: "auto" }, body: { service_tier: undefined } },
  { row: "service_tier standard_only", fields: { service_tier: "standard_only" }, body: { service_tier: "default" } },
  { row: "speed fast", fields: { speed: "fast" }, body: { service_tier: undefined }, dropped: ["speed"] },
  {
    row: "speed fast, allowed",
    fields: { speed: "fast" },
    settings: { options: { allowFast: true } },
    body: { service_tier: "fast" },
  },
  { row: "speed standard", fields: { speed: "standard" }, body: { service_tier: undefined } },
  {
    row: "cache_control, top level",
    fields: { cache_control: { type: "ephemeral" } },
    settings: { model: "gpt-5.6" },
    body: {
      messages: [
        { role: "user", content: [{ type: "text", text: "Hi", prompt_cache_breakpoint: { mode: "explicit" } }] },
      ],
    },
  },
  {
    row: "cache_control, top level, long",
    fields: { cache_control: { type: "ephemeral", ttl: "1h" } },
    settings: { model: "gpt-5.6", options: { longCache: true } },
    body: {
      messages: [
        {
          role: "user",
          content: [{ type: "text", text: "Hi", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }],
        },
      ],
    },
  },
  {
    row: "cache_control on a model that caches by itself",
    fields: { cache_control: { type: "ephemeral" } },
    body: { messages: [{ role: "user", content: "Hi" }] },
  },
  {
    row: "#41 context_management and its like",
    fields: {
      context_management: { edits: [] },
      fallbacks: [{ model: "x" }],
      fallback_credit_token: "t",
      diagnostics: {},
      billing_policy: {},
      user_profile_id: "p",
      workspace_id: "w",
    },
    dropped: [
      "context_management",
      "fallbacks",
      "fallback_credit_token",
      "diagnostics",
      "billing_policy",
      "user_profile_id",
      "workspace_id",
    ],
  },
  {
    row: "null is as good as absent",
    fields: {
      context_management: null,
      mcp_servers: null,
      container: null,
      compaction: null,
      thread: null,
      inference_geo: null,
      thinking: null,
      tools: null,
      tool_choice: null,
      output_format: null,
      unknown: null,
    },
  },
  { row: "mcp_servers empty", fields: { mcp_servers: [] } },
  { row: "betas", fields: { betas: ["x"] }, body: { betas: undefined } },
  { row: "unknown fields", fields: { brand_new: 1 }, dropped: ["brand_new"] },
  { row: "thinking absent", fields: {}, settings: { model: "o3" }, body: { reasoning_effort: undefined } },
  {
    row: "thinking disabled",
    fields: { thinking: { type: "disabled" } },
    settings: { model: "gpt-5.6" },
    body: { reasoning_effort: "none" },
  },
  {
    row: "thinking between_tools, model without none",
    fields: { thinking: { type: "between_tools" } },
    settings: { model: "gpt-5" },
    body: { reasoning_effort: "minimal" },
    adapted: ["thinking=minimal"],
  },
  {
    row: "thinking disabled, model without none and minimal",
    fields: { thinking: { type: "disabled" } },
    settings: { model: "o3" },
    body: { reasoning_effort: "low" },
    adapted: ["thinking=low"],
  },
  ...(
    [
      [4095, "low"],
      [4096, "medium"],
      [12_288, "high"],
      [24_576, "xhigh"],
    ] as const
  ).map(([budget_tokens, effort]): Case => ({
    row: `thinking enabled, ${budget_tokens} tokens`,
    fields: { thinking: { type: "enabled", budget_tokens } },
    settings: { model: "gpt-5.6" },
    body: { reasoning_effort: effort },
    adapted: [`thinking=${effort}`],
  })),
  {
    row: "thinking adaptive",
    fields: { thinking: { type: "adaptive" } },
    settings: { model: "gpt-5.6" },
    body: { reasoning_effort: undefined },
  },
  {
    row: "thinking on a model that does not reason",
    fields: { thinking: { type: "adaptive" } },
    dropped: ["thinking"],
  },
  {
    row: "#45 tools on a model that takes them on Chat only without reasoning",
    fields: { tools: TOOLS },
    settings: { model: "gpt-5.6" },
    body: { reasoning_effort: "none" },
    adapted: ["output_config.effort=none"],
  },
  {
    row: "#45 the same with effort and thinking asked",
    fields: { tools: TOOLS, output_config: { effort: "high" }, thinking: { type: "adaptive" } },
    settings: { model: "gpt-5.6" },
    body: { reasoning_effort: "none" },
    adapted: ["output_config.effort=none", "thinking=none"],
  },
  {
    row: "#45 the same where none is the default anyway",
    fields: { tools: TOOLS },
    settings: { model: "gpt-5.4" },
    body: { reasoning_effort: "none" },
  },
  {
    row: "tools empty",
    fields: { tools: [] },
    settings: { model: "gpt-5.6" },
    body: { tools: undefined, reasoning_effort: undefined },
  },
  {
    row: "tool_choice without tools",
    fields: { tools: [], tool_choice: { type: "auto" } },
    body: { tool_choice: undefined },
    dropped: ["tool_choice"],
  },
  ...(
    [
      [{ type: "auto" }, "auto"],
      [{ type: "any" }, "required"],
      [{ type: "none" }, "none"],
      [
        { type: "tool", name: "f" },
        { type: "function", function: { name: "f" } },
      ],
    ] as const
  ).map(([tool_choice, expected]): Case => ({
    row: `#39 tool_choice ${tool_choice.type}`,
    fields: { tools: TOOLS, tool_choice },
    body: { tool_choice: expected, parallel_tool_calls: undefined },
  })),
  {
    row: "tool_choice.disable_parallel_tool_use",
    fields: { tools: TOOLS, tool_choice: { type: "auto", disable_parallel_tool_use: true } },
    body: { parallel_tool_calls: false },
  },
  {
    row: "tool_choice.disable_parallel_tool_use where it is refused",
    fields: { tools: TOOLS, tool_choice: { type: "auto", disable_parallel_tool_use: true } },
    settings: { model: "o3" },
    body: { parallel_tool_calls: undefined },
    dropped: ["tool_choice.disable_parallel_tool_use"],
  },
  {
    row: "web_search as the only tool of a search model",
    fields: {
      tools: [
        {
          type: "web_search_20250305",
          name: "web_search",
          max_uses: 3,
          user_location: { type: "approximate", city: "Oslo", country: "NO" },
        },
      ],
    },
    settings: search(),
    body: {
      tools: undefined,
      web_search_options: { user_location: { type: "approximate", approximate: { city: "Oslo", country: "NO" } } },
    },
    dropped: ["tools[0].max_uses"],
  },
];

describe("parameters", () => {
  test.each(CASES.map((entry) => [entry.row, entry] as const))("%s", (_row, entry) => {
    const translated = translate(entry.fields, entry.settings);
    const body = JSON.parse(translated.body) as JsonObject;
    for (const [key, value] of Object.entries(entry.body ?? {})) {
      if (value === undefined) expect(Object.hasOwn(body, key)).toBe(false);
      else expect(body[key]).toEqual(value);
    }
    expect(translated.dropped).toEqual(entry.dropped ?? []);
    expect(translated.adapted).toEqual(entry.adapted ?? []);
  });

  test("asks the gateway to check a schema that OpenAI does not enforce", () => {
    const format = (schema: JsonObject): JsonObject => ({ output_config: { format: { type: "json_schema", schema } } });
    expect(translate(format(OPEN)).checks).toEqual(["json_schema"]);
    expect(translate(format(CLOSED)).checks).toEqual([]);
  });

  test("keeps one order of keys, whatever the client's", () => {
    const fields = {
      tools: TOOLS,
      tool_choice: { type: "auto" },
      temperature: 0.5,
      stream: true,
      stop_sequences: ["x"],
    };
    const reversed = Object.fromEntries(Object.entries(fields).reverse());
    expect(translate(fields).body).toBe(translate(reversed).body);
    expect(Object.keys(sent({ ...fields, metadata: { user_id: "u" } }))).toEqual([
      "model",
      "messages",
      "max_completion_tokens",
      "temperature",
      "stop",
      "tools",
      "tool_choice",
      "safety_identifier",
      "prompt_cache_key",
      "stream",
      "stream_options",
    ]);
  });
});

describe("refusals", () => {
  const cases: readonly (readonly [string, JsonObject, string, Settings?])[] = [
    ["max_tokens 0", { max_tokens: 0 }, "max_tokens"],
    ["mcp_servers", { mcp_servers: [{ name: "x" }] }, "mcp_servers"],
    ["container", { container: "c" }, "container"],
    ["compaction", { compaction: {} }, "compaction"],
    ["inference_geo", { inference_geo: "us" }, "inference_geo"],
    ["thread", { thread: { type: "create" } }, "thread"],
    ["#45 tools that Chat refuses", { tools: TOOLS }, "tools", { model: testModel("gpt-5.6", { toolsOnChat: "no" }) }],
    ["#45 tools without effort none", { tools: TOOLS }, "tools", { model: testModel("gpt-5.6", { efforts: ["low"] }) }],
    ["computer tool", { tools: [{ type: "computer_20250124", name: "computer" }] }, "tools[0].type"],
    ["browser toolset", { tools: [{ type: "browser_toolset_20260801" }] }, "tools[0].type"],
    ["web search", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0].type"],
    [
      "web search beside another tool",
      { tools: [...TOOLS, { type: "web_search_20250305", name: "web_search" }] },
      "tools[1].type",
      search(),
    ],
    [
      "web search switched off",
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      "tools[0].type",
      { ...search(), options: { webSearch: false } },
    ],
    [
      "server tool with reject",
      { tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] },
      "tools[0].type",
      { options: { serverTools: "reject" } },
    ],
    [
      "tool_choice of a dropped tool",
      {
        tools: [...TOOLS, { type: "web_fetch_20250910", name: "web_fetch" }],
        tool_choice: { type: "tool", name: "web_fetch" },
      },
      "tool_choice.name",
    ],
  ];

  test.each(cases.map((entry) => [entry[0], entry] as const))("%s", (_name, [, fields, param, settings]) => {
    const error = refusal(() => translate(fields, settings));
    expect(error.kind).toBe("unsupported-translation");
    expect(error.param).toBe(param);
    expect(error.message).not.toBe("");
  });

  const invalid: readonly (readonly [string, string, string])[] = [
    ["max_tokens missing", '{"model":"gpt-4.1","messages":[{"role":"user","content":"x"}]}', "max_tokens"],
    ["messages empty", '{"model":"gpt-4.1","max_tokens":1,"messages":[]}', "messages"],
    ["content missing", '{"model":"gpt-4.1","max_tokens":1,"messages":[{"role":"user"}]}', "messages[0].content"],
  ];

  test.each(invalid)("%s is an invalid request", (_name, text, param) => {
    const error = refusal(() => translateText(text));
    expect(error.kind).toBe("invalid-request");
    expect(error.param).toBe(param);
    expect(error.status).toBe(400);
  });

  test("a thread is refused so that the SDKs send the whole conversation", () => {
    const create = refusal(() => translate({ thread: { type: "create" } }));
    expect([create.status, create.detailsCode]).toEqual([400, "thread_unsupported_request"]);
    const next = refusal(() => translate({ thread: { type: "continue", previous_message_id: "msg_1" } }));
    expect([next.status, next.detailsCode]).toEqual([404, "thread_not_found"]);
  });
});

describe("the table", () => {
  test("documents each field once, in whole sentences", () => {
    const fields = messagesToChat.rows.map((row) => row.field);
    expect(new Set(fields).size).toBe(fields.length);
    for (const row of messagesToChat.rows) {
      expect(row.outcomes.length).toBeGreaterThan(0);
      expect(row.becomes).toMatch(/\.$/);
    }
  });
});
