import { describe, expect, test } from "bun:test";
import { chatToMessages } from "../../../src/translate/chat-to-messages/index.ts";
import {
  at,
  bodyOf,
  HAIKU_5_5,
  OPUS_4_6,
  OPUS_5_5,
  outcome,
  refusal,
  SONNET_4_5,
  SONNET_5_5,
  translate,
  WEATHER,
  type Setup,
} from "./support.ts";

interface Case {
  readonly row: string;
  readonly fields: object;
  readonly setup?: Setup;
  /** Fields of the body; undefined: must be absent. */
  readonly body?: object;
  readonly dropped?: readonly string[];
  readonly adapted?: readonly string[];
}

const noCap = { max_tokens: null };
const on55 = { model: SONNET_5_5 };
const budget = { reasoning_effort: "high", max_tokens: 32_000 };

const CASES: readonly Case[] = [
  {
    row: "max_completion_tokens wins over max_tokens",
    fields: { max_completion_tokens: 50 },
    body: { max_tokens: 50 },
  },
  { row: "max_tokens alone", fields: { max_tokens: 70 }, body: { max_tokens: 70 } },
  { row: "no cap: the model's maximum", fields: noCap, body: { max_tokens: 64_000, stream: true } },
  {
    row: "no cap: lowered by default_max_tokens",
    fields: noCap,
    setup: { options: { defaultMaxTokens: 9_000 } },
    body: { max_tokens: 9_000 },
  },
  {
    row: "no cap: default_max_tokens never raises",
    fields: noCap,
    setup: { options: { defaultMaxTokens: 900_000 } },
    body: { max_tokens: 64_000 },
  },
  {
    row: "cap above the model's maximum is clamped",
    fields: { max_tokens: null, max_completion_tokens: 90_000 },
    body: { max_tokens: 64_000 },
    adapted: ["max_completion_tokens=64000"],
  },
  { row: "temperature 0 to 1", fields: { temperature: 0.3 }, body: { temperature: 0.3 } },
  {
    row: "temperature above 1 becomes 1",
    fields: { temperature: 1.7 },
    body: { temperature: 1 },
    adapted: ["temperature=1"],
  },
  {
    row: "temperature on a model that refuses it (pitfall 46)",
    fields: { temperature: 0 },
    setup: on55,
    body: { temperature: undefined },
    dropped: ["temperature"],
  },
  {
    row: "temperature 1 on a model that refuses it",
    fields: { temperature: 1 },
    setup: on55,
    body: { temperature: undefined },
  },
  {
    row: "temperature beside budget thinking",
    fields: { ...budget, temperature: 0.2 },
    body: { temperature: undefined },
    dropped: ["temperature"],
  },
  { row: "temperature 1 beside budget thinking", fields: { ...budget, temperature: 1 } },
  { row: "top_p alone", fields: { top_p: 0.5 }, body: { top_p: 0.5 } },
  {
    row: "top_p beside temperature",
    fields: { top_p: 0.5, temperature: 0.3 },
    body: { top_p: undefined, temperature: 0.3 },
    dropped: ["top_p"],
  },
  { row: "top_p 1 beside temperature", fields: { top_p: 1, temperature: 0.3 }, body: { top_p: undefined } },
  {
    row: "top_p beside temperature on a model that takes both",
    fields: { top_p: 0.5, temperature: 0.3 },
    setup: { capabilities: { sampling: "both" } },
    body: { top_p: 0.5, temperature: 0.3 },
  },
  {
    row: "top_p beside budget thinking, too low",
    fields: { ...budget, top_p: 0.9 },
    body: { top_p: undefined },
    dropped: ["top_p"],
  },
  { row: "top_p beside budget thinking, legal", fields: { ...budget, top_p: 0.97 }, body: { top_p: 0.97 } },
  { row: "n 1 or null", fields: { n: 1 } },
  { row: "stop as a string", fields: { stop: "END" }, body: { stop_sequences: ["END"] } },
  {
    row: "stop as an array, empty ones removed",
    fields: { stop: ["a", "", "b"] },
    body: { stop_sequences: ["a", "b"] },
  },
  {
    row: "stop of white space goes to the scanner",
    fields: { stop: ["\n\n", "b"] },
    body: { stop_sequences: ["b"] },
    adapted: ["stop"],
  },
  { row: "stop empty", fields: { stop: [] }, body: { stop_sequences: undefined } },
  {
    row: "stream_options include_obfuscation",
    fields: { stream: true, stream_options: { include_obfuscation: true } },
    body: { stream: true, stream_options: undefined },
  },
  {
    row: "parallel_tool_calls without tools",
    fields: { parallel_tool_calls: false },
    body: { tool_choice: undefined },
  },
  {
    row: "verbosity low",
    fields: { verbosity: "low" },
    body: { system: [{ type: "text", text: "Answer briefly." }] },
    adapted: ["verbosity"],
  },
  {
    row: "verbosity high goes to the last system block",
    fields: {
      verbosity: "high",
      messages: [
        { role: "system", content: "A." },
        { role: "system", content: "B." },
        { role: "user", content: "x" },
      ],
    },
    body: {
      system: [
        { type: "text", text: "A." },
        { type: "text", text: "B.\n\nAnswer in detail." },
      ],
    },
    adapted: ["verbosity"],
  },
  { row: "verbosity medium", fields: { verbosity: "medium" }, body: { system: undefined } },
  {
    row: "seed, penalties",
    fields: { seed: 7, presence_penalty: 0.5, frequency_penalty: -1 },
    dropped: ["seed", "presence_penalty", "frequency_penalty"],
  },
  { row: "penalties 0, seed null", fields: { seed: null, presence_penalty: 0, frequency_penalty: 0 } },
  { row: "logit_bias empty", fields: { logit_bias: {} } },
  { row: "logprobs false, top_logprobs 0", fields: { logprobs: false, top_logprobs: 0 } },
  { row: "user", fields: { user: "u-1" }, body: { metadata: { user_id: "u-1" } } },
  {
    row: "safety_identifier wins",
    fields: { user: "u-1", safety_identifier: "s-1" },
    body: { metadata: { user_id: "s-1" } },
  },
  {
    row: "user that is an e-mail address",
    fields: { user: "a@example.com" },
    body: { metadata: { user_id: new Bun.CryptoHasher("sha256").update("a@example.com").digest("hex") } },
  },
  {
    row: "user over 256 characters",
    fields: { user: "u".repeat(257) },
    body: { metadata: { user_id: new Bun.CryptoHasher("sha256").update("u".repeat(257)).digest("hex") } },
  },
  {
    row: "user of 256 characters",
    fields: { user: "u".repeat(256) },
    body: { metadata: { user_id: "u".repeat(256) } },
  },
  {
    row: "metadata",
    fields: { metadata: { user_id: "m-1", team: "x" } },
    body: { metadata: { user_id: "m-1" } },
    dropped: ["metadata.team"],
  },
  {
    row: "metadata.user_id behind user",
    fields: { user: "u-1", metadata: { user_id: "m-1" } },
    body: { metadata: { user_id: "u-1" } },
    dropped: ["metadata.user_id"],
  },
  {
    row: "store, prediction",
    fields: { store: true, prediction: { type: "content", content: "x" } },
    dropped: ["store", "prediction"],
  },
  { row: "store false", fields: { store: false, prediction: null } },
  { row: "service_tier auto", fields: { service_tier: "auto" }, body: { service_tier: undefined } },
  { row: "service_tier default", fields: { service_tier: "default" }, body: { service_tier: "standard_only" } },
  { row: "service_tier priority", fields: { service_tier: "priority" }, body: { service_tier: "auto" } },
  { row: "service_tier scale", fields: { service_tier: "scale" }, body: { service_tier: "auto" } },
  {
    row: "service_tier flex",
    fields: { service_tier: "flex" },
    body: { service_tier: undefined },
    dropped: ["service_tier"],
  },
  {
    row: "service_tier fast, not allowed",
    fields: { service_tier: "fast" },
    setup: { capabilities: { fastMode: true } },
    body: { speed: undefined },
    dropped: ["service_tier"],
  },
  {
    row: "service_tier fast, allowed",
    fields: { service_tier: "fast" },
    setup: { options: { allowFast: true }, capabilities: { fastMode: true } },
    body: { speed: "fast" },
  },
  {
    row: "service_tier fast, model without it",
    fields: { service_tier: "fast" },
    setup: { options: { allowFast: true }, capabilities: { fastMode: false } },
    dropped: ["service_tier"],
  },
  { row: "modalities text", fields: { modalities: ["text"] } },
  {
    row: "web_search_options",
    fields: {
      web_search_options: {
        search_context_size: "low",
        user_location: { type: "approximate", approximate: { city: "Oslo", country: "NO" } },
      },
    },
    body: {
      tools: [
        {
          type: "web_search_20250305",
          name: "web_search",
          user_location: { type: "approximate", city: "Oslo", country: "NO" },
        },
      ],
    },
    dropped: ["web_search_options.search_context_size"],
  },
  {
    row: "web_search_options empty",
    fields: { web_search_options: {} },
    body: { tools: [{ type: "web_search_20250305", name: "web_search" }] },
  },
  { row: "prompt_cache_key, prompt_cache_retention", fields: { prompt_cache_key: "k", prompt_cache_retention: "24h" } },
  {
    row: "prompt_cache_options implicit",
    fields: { prompt_cache_options: { mode: "implicit" } },
    body: { cache_control: undefined },
  },
  {
    row: "auto_cache",
    fields: {},
    setup: { options: { autoCache: true } },
    body: { cache_control: { type: "ephemeral" } },
  },
  { row: "moderation score", fields: { moderation: { mode: "score" } }, dropped: ["moderation"] },
  { row: "large cap, buffered: streamed from upstream", fields: { max_tokens: 16_001 }, body: { stream: true } },
  { row: "cap of 16,000, buffered", fields: { max_tokens: 16_000 }, body: { stream: undefined } },
  {
    row: "extension thinking wins over the effort",
    fields: { ...budget, thinking: { type: "enabled", budget_tokens: 2_000 } },
    body: { thinking: { type: "enabled", budget_tokens: 2_000 } },
  },
  {
    row: "extension output_config is merged",
    fields: { reasoning_effort: "high", output_config: { effort: "low", task_budget: { type: "tokens", total: 1 } } },
    setup: on55,
    body: { output_config: { effort: "low", task_budget: { type: "tokens", total: 1 } } },
  },
  {
    row: "other extensions are forwarded verbatim",
    fields: {
      cache_control: { type: "ephemeral" },
      container: "c",
      inference_geo: "us",
      speed: "standard",
      mcp_servers: [{ name: "m" }],
      context_management: { edits: [] },
    },
    body: {
      cache_control: { type: "ephemeral" },
      container: "c",
      inference_geo: "us",
      speed: "standard",
      mcp_servers: [{ name: "m" }],
      context_management: { edits: [] },
    },
  },
  { row: "extension top_k", fields: { top_k: 5 }, body: { top_k: 5 } },
  {
    row: "extension top_k on a model that refuses sampling",
    fields: { top_k: 5 },
    setup: on55,
    body: { top_k: undefined },
    dropped: ["top_k"],
  },
  { row: "anything else unknown", fields: { brand_new: { a: 1 }, also_new: null }, dropped: ["brand_new"] },
];

describe("top-level parameters", () => {
  test.each(CASES)("$row", ({ fields, setup, body, dropped, adapted }) => {
    const result = outcome(fields, setup);
    for (const [name, value] of Object.entries(body ?? {})) expect(at(result.body, name)).toEqual(value);
    expect(result.dropped).toEqual(dropped ?? []);
    expect(result.adapted).toEqual(adapted ?? []);
  });

  test.each([
    ["n above 1", { n: 2 }, "n", "unsupported-translation"],
    ["output cap 0", { max_tokens: 0 }, "max_tokens", "invalid-request"],
    ["output cap below 0", { max_completion_tokens: -1 }, "max_completion_tokens", "invalid-request"],
    ["stream_options without stream", { stream_options: { include_usage: true } }, "stream_options", "invalid-request"],
    ["logit_bias", { logit_bias: { "50256": -100 } }, "logit_bias", "unsupported-translation"],
    ["logprobs", { logprobs: true }, "logprobs", "unsupported-translation"],
    ["top_logprobs", { top_logprobs: 3 }, "top_logprobs", "unsupported-translation"],
    ["audio modality", { modalities: ["text", "audio"] }, "modalities", "unsupported-translation"],
    ["audio", { audio: { voice: "alloy" } }, "audio", "unsupported-translation"],
    ["moderation block", { moderation: { mode: "block" } }, "moderation", "unsupported-translation"],
    ["effort that does not exist", { reasoning_effort: "huge" }, "reasoning_effort", "invalid-request"],
  ])("refuses %s", (_name, fields, param, kind) => {
    expect(refusal(fields)).toMatchObject({ param, kind, status: 400 });
  });

  test("refuses web search where the gateway has it switched off", () => {
    expect(refusal({ web_search_options: {} }, { options: { webSearch: false } }).param).toBe("web_search_options");
  });

  test("passes betas on as a header, with those that extensions need (pitfall 41)", () => {
    const { betas, body } = translate({ betas: ["x-1", "x-1"], context_management: { edits: [] } });
    expect(betas).toEqual(["context-management-2025-06-27", "x-1"]);
    expect(body).not.toContain("betas");
  });

  test("keeps __proto__ among unknown fields plain data", () => {
    const { dropped } = translate(JSON.parse('{"__proto__":{"n":5,"seed":1},"constructor":1}') as object);
    expect(dropped).toEqual(["__proto__", "constructor"]);
  });

  test("has a row for every field that it answers for, each with an outcome and a sentence", () => {
    for (const row of chatToMessages.rows) {
      expect(row.outcomes.length).toBeGreaterThan(0);
      expect(row.becomes).not.toBe("");
    }
    expect(chatToMessages.rows.map((row) => row.field)).toContain("logit_bias");
    expect(new Set(chatToMessages.rows.map((row) => row.field)).size).toBe(chatToMessages.rows.length);
  });
});

describe("reasoning_effort", () => {
  const adaptive = { type: "adaptive", display: "summarized" };
  const enabled = (budget_tokens: number): object => ({ type: "enabled", budget_tokens });
  const cap = { max_tokens: 64_000 };
  test.each([
    ["absent, adaptive", {}, OPUS_5_5, undefined, undefined, []],
    ["absent, budget", {}, SONNET_4_5, undefined, undefined, []],
    [
      "none where thinking can be disabled",
      { reasoning_effort: "none" },
      HAIKU_5_5,
      { type: "disabled" },
      undefined,
      [],
    ],
    [
      "none where it can stay between tools",
      { reasoning_effort: "none" },
      SONNET_5_5,
      { type: "between_tools" },
      undefined,
      [],
    ],
    ["none where it is always on", { reasoning_effort: "none" }, OPUS_5_5, undefined, "low", ["reasoning_effort=low"]],
    ["none, budget", { reasoning_effort: "none" }, SONNET_4_5, undefined, undefined, []],
    ["minimal, adaptive", { reasoning_effort: "minimal" }, OPUS_5_5, adaptive, "low", ["reasoning_effort=low"]],
    ["low, adaptive", { reasoning_effort: "low" }, OPUS_5_5, adaptive, "low", []],
    ["medium, adaptive", { reasoning_effort: "medium" }, OPUS_5_5, adaptive, "medium", []],
    ["high, adaptive", { reasoning_effort: "high" }, OPUS_5_5, adaptive, "high", []],
    ["xhigh, adaptive", { reasoning_effort: "xhigh" }, OPUS_5_5, adaptive, "xhigh", []],
    ["xhigh where it is missing", { reasoning_effort: "xhigh" }, OPUS_4_6, adaptive, "high", ["reasoning_effort=high"]],
    ["max, adaptive", { reasoning_effort: "max" }, OPUS_5_5, adaptive, "max", []],
    ["minimal, budget", { ...cap, reasoning_effort: "minimal" }, SONNET_4_5, enabled(1_024), undefined, []],
    ["low, budget", { ...cap, reasoning_effort: "low" }, SONNET_4_5, enabled(2_048), undefined, []],
    ["medium, budget", { ...cap, reasoning_effort: "medium" }, SONNET_4_5, enabled(8_192), undefined, []],
    ["high, budget", { ...cap, reasoning_effort: "high" }, SONNET_4_5, enabled(16_384), undefined, []],
    ["xhigh, budget", { ...cap, reasoning_effort: "xhigh" }, SONNET_4_5, enabled(32_768), undefined, []],
    ["max, budget", { ...cap, reasoning_effort: "max" }, SONNET_4_5, enabled(32_000), undefined, []],
    [
      "high, budget, clamped under the cap",
      { max_tokens: 4_096, reasoning_effort: "high" },
      SONNET_4_5,
      enabled(3_584),
      undefined,
      [],
    ],
    [
      "high, budget, no room",
      { max_tokens: 1_536, reasoning_effort: "high" },
      SONNET_4_5,
      undefined,
      undefined,
      ["reasoning_effort=none"],
    ],
    ["include_reasoning, adaptive", { include_reasoning: true }, OPUS_5_5, adaptive, undefined, []],
    ["reasoning.effort", { reasoning: { effort: "low" } }, OPUS_5_5, adaptive, "low", []],
  ] as const)("%s", (_name, fields, model, thinking, effort, adapted) => {
    const result = outcome(fields, { model });
    expect(at(result.body, "thinking")).toEqual(thinking);
    expect(at(result.body, "output_config", "effort")).toEqual(effort);
    expect(result.adapted).toEqual([...adapted]);
  });

  test("is dropped on a model that does not reason", () => {
    const result = outcome({ reasoning_effort: "high" }, { capabilities: { reasoning: "none" } });
    expect(result.dropped).toEqual(["reasoning_effort"]);
    expect(at(result.body, "thinking")).toBeUndefined();
  });

  test("gives way to a forced tool on budget models", () => {
    const fields = { ...cap, reasoning_effort: "high", tools: [WEATHER], tool_choice: "required" };
    const result = outcome(fields);
    expect(at(result.body, "thinking")).toBeUndefined();
    expect(at(result.body, "tool_choice")).toEqual({ type: "any" });
    expect(result.adapted).toEqual(["reasoning_effort=none"]);
  });

  test("stays beside a forced tool on adaptive models", () => {
    const fields = { reasoning_effort: "high", tools: [WEATHER], tool_choice: "required" };
    expect(at(bodyOf(fields, { model: OPUS_4_6 }), "thinking", "type")).toBe("adaptive");
  });
});
