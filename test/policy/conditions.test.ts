/** Every condition of the vocabulary, true and false. */
import { describe, expect, test } from "bun:test";
import { CONDITIONS, GROUPS } from "../../src/policy/conditions.ts";
import { decide } from "../../src/policy/decide.ts";
import type { InputParts } from "./support.ts";
import { inputOf, NOON_MS, policyFrom } from "./support.ts";

interface Row {
  readonly when: Readonly<Record<string, unknown>>;
  readonly holds: readonly InputParts[];
  readonly fails: readonly InputParts[];
}

function numberRows(
  noun: string,
  at: (value: number) => InputParts,
  absent: readonly InputParts[] = [],
): readonly Row[] {
  return [
    { when: { [`${noun}_lt`]: 5 }, holds: [at(0), at(4)], fails: [at(5), at(6), ...absent] },
    { when: { [`${noun}_lte`]: 5 }, holds: [at(0), at(5)], fails: [at(6), ...absent] },
    { when: { [`${noun}_gt`]: 5 }, holds: [at(6)], fails: [at(5), at(0), ...absent] },
    { when: { [`${noun}_gte`]: 5 }, holds: [at(5), at(6)], fails: [at(4), ...absent] },
  ];
}

function flagRows(name: string, on: InputParts, off: InputParts): readonly Row[] {
  return [
    { when: { [name]: true }, holds: [on], fails: [off] },
    { when: { [name]: false }, holds: [off], fails: [on] },
  ];
}

const named = (toolNames: readonly string[]): InputParts => ({ facts: { toolNames } });
const tools = (count: number): InputParts => named(Array.from({ length: count }, (_, index) => `t${index}`));
const at = (iso: string): InputParts => ({ wallMs: Date.parse(iso) });
const nothing: InputParts = {};

const rows: readonly Row[] = [
  ...numberRows("tokens_input", (tokensInput) => ({ facts: { tokensInput } })),
  ...numberRows("max_tokens", (maxTokens) => ({ facts: { maxTokens } }), [{ facts: { maxTokens: null } }]),
  ...numberRows("messages", (messages) => ({ facts: { messages } })),
  ...numberRows("tools", tools),
  ...flagRows("max_tokens_set", { facts: { maxTokens: 0 } }, { facts: { maxTokens: null } }),
  ...flagRows("has_tools", tools(1), nothing),
  ...flagRows("no_tools", nothing, tools(1)),
  ...flagRows("in_tool_loop", { facts: { inToolLoop: true } }, nothing),
  ...flagRows("has_image", { facts: { hasImage: true } }, nothing),
  ...flagRows("no_image", nothing, { facts: { hasImage: true } }),
  ...flagRows("has_document", { facts: { hasDocument: true } }, nothing),
  ...flagRows("no_document", nothing, { facts: { hasDocument: true } }),
  ...flagRows("has_audio", { facts: { hasAudio: true } }, nothing),
  ...flagRows("no_audio", nothing, { facts: { hasAudio: true } }),
  ...flagRows("stream", { facts: { stream: true } }, nothing),
  ...flagRows("reasoning", { facts: { reasoning: true } }, nothing),
  ...flagRows("has_cache_control", { facts: { hasCacheControl: true } }, nothing),
  {
    when: { tool_names: "get_*" },
    holds: [named(["put_x", "get_x"])],
    fails: [nothing, named(["put_x"]), named(["Get_x"])],
  },
  { when: { tool_names: ["a", "b?"] }, holds: [named(["a"]), named(["b1"])], fails: [named(["b", "b12"])] },
  {
    when: { tool_choice: "named" },
    holds: [{ facts: { toolChoice: "named" } }],
    fails: [nothing, { facts: { toolChoice: "auto" } }],
  },
  {
    when: { tool_choice: ["none", "required"] },
    holds: [{ facts: { toolChoice: "none" } }, { facts: { toolChoice: "required" } }],
    fails: [nothing, { facts: { toolChoice: "auto" } }],
  },
  {
    when: { response_format_type: "json_schema" },
    holds: [{ facts: { responseFormatType: "json_schema" } }],
    fails: [nothing, { facts: { responseFormatType: "json_object" } }],
  },
  {
    when: { reasoning_effort: ["high", "max"] },
    holds: [{ facts: { reasoningEffort: "high" } }, { facts: { reasoningEffort: "max" } }],
    fails: [nothing, { facts: { reasoningEffort: "low" } }],
  },
  {
    when: { model: "gpt-6-*" },
    holds: [nothing],
    fails: [{ facts: { model: "gpt-60" } }, { facts: { model: "xgpt-6-sol" } }],
  },
  {
    when: { model: ["gpt-6-sol", "o?"] },
    holds: [nothing, { facts: { model: "o3" } }],
    fails: [{ facts: { model: "o30" } }],
  },
  {
    when: { provider: "anthropic" },
    holds: [{ facts: { model: "claude-opus-5-5" } }],
    fails: [nothing, { providerOf: () => null }],
  },
  { when: { format: ["messages", "responses"] }, holds: [{ facts: { format: "messages" } }], fails: [nothing] },
  {
    when: { header: { "X-Team": "web-*" } },
    holds: [{ headers: { "x-team": "web-1" } }],
    fails: [nothing, { headers: { "x-team": "Web-1" } }, { headers: { "x-other": "web-1" } }],
  },
  { when: { header: { "x-team": true } }, holds: [{ headers: { "x-team": "" } }], fails: [nothing] },
  { when: { header: { "x-team": false } }, holds: [nothing], fails: [{ headers: { "x-team": "a" } }] },
  {
    when: { header: { a: ["1", "2"], b: true } },
    holds: [{ headers: { a: "2", b: "x" } }],
    fails: [{ headers: { a: "2" } }, { headers: { a: "3", b: "x" } }],
  },
  { when: { key: ["team-*", "ops"] }, holds: [{ key: "team-a" }, { key: "ops" }], fails: [nothing, { key: "opsy" }] },
  {
    when: { metadata: { job: "nightly" } },
    holds: [{ facts: { metadata: { job: "nightly" } } }],
    fails: [nothing, { facts: { metadata: { job: "daily" } } }],
  },
  {
    when: { metadata: { toString: false, __proto__x: false } },
    holds: [nothing],
    fails: [{ facts: { metadata: { toString: "x" } } }],
  },
  { when: { user: "u*" }, holds: [{ facts: { user: "u1" } }], fails: [nothing, { facts: { user: "v" } }] },
  { when: { client: "openai-*" }, holds: [{ client: "openai-node" }], fails: [nothing, { client: "codex" }] },
  {
    when: { system_contains: "Pirate" },
    holds: [{ facts: { systemText: "You are a PIRATE." } }],
    fails: [nothing, { facts: { promptText: "pirate" } }],
  },
  {
    when: { prompt_contains: ["asap", "dringend"] },
    holds: [{ facts: { promptText: "Now, ASAP!" } }, { facts: { promptText: "DRINGEND" } }],
    fails: [nothing, { facts: { systemText: "asap" } }],
  },
  { when: { percent: 100 }, holds: [nothing], fails: [] },
  { when: { percent: 0 }, holds: [], fails: [nothing] },
  { when: { percent: { value: 100, by: "user" } }, holds: [{ facts: { user: "u" } }], fails: [nothing] },
  {
    when: { percent: { value: 100, by: "header:X-Session" } },
    holds: [{ headers: { "x-session": "s" } }],
    fails: [nothing],
  },
  { when: { time: { days: "tue" } }, holds: [{ wallMs: NOON_MS }], fails: [at("2026-11-25T12:00:00Z")] },
  {
    when: { time: { from: "11:30", to: "12:30" } },
    holds: [nothing, at("2026-11-24T11:30:00Z"), at("2026-11-24T12:29:59Z")],
    fails: [at("2026-11-24T11:29:59Z"), at("2026-11-24T12:30:00Z")],
  },
  {
    // Friday night belongs to Friday, also after midnight.
    when: { time: { tz: "Europe/Berlin", days: ["fri"], from: "22:00", to: "06:00" } },
    holds: [at("2026-11-27T21:00:00Z"), at("2026-11-28T04:59:00Z")],
    fails: [
      at("2026-11-27T20:59:00Z"),
      at("2026-11-28T05:00:00Z"),
      at("2026-11-27T03:00:00Z"),
      at("2026-11-28T22:00:00Z"),
    ],
  },
  {
    // Summer time: 08:00 in New York is 12:00 UTC in July, 13:00 in November.
    when: { time: { tz: "America/New_York", from: "08:00", to: "08:01" } },
    holds: [at("2026-07-01T12:00:30Z"), at("2026-11-24T13:00:30Z")],
    fails: [at("2026-11-24T12:00:30Z")],
  },
  {
    when: { provider_state: { openai: ["open", "half_open"] } },
    holds: [{ providerState: { openai: "open" } }, { providerState: { openai: "half_open" } }],
    fails: [nothing, { providerState: { openai: "closed", anthropic: "open" } }],
  },
  {
    when: { provider_state: { anthropic: "closed" } },
    holds: [nothing],
    fails: [{ providerState: { anthropic: "open" } }],
  },
  {
    when: { any_of: [{ stream: true }, { has_tools: true, has_image: true }] },
    holds: [{ facts: { stream: true } }, { facts: { toolNames: ["a"], hasImage: true } }],
    fails: [nothing, tools(1)],
  },
  {
    when: { all_of: [{ any_of: [{ stream: true }, { reasoning: true }] }, { no_tools: true }] },
    holds: [{ facts: { reasoning: true } }],
    fails: [nothing, { facts: { stream: true, toolNames: ["a"] } }],
  },
  {
    when: { not: { stream: true, has_image: true } },
    holds: [nothing, { facts: { stream: true } }],
    fails: [{ facts: { stream: true, hasImage: true } }],
  },
  {
    when: { stream: true, has_image: true },
    holds: [{ facts: { stream: true, hasImage: true } }],
    fails: [{ facts: { stream: true } }, { facts: { hasImage: true } }],
  },
  { when: {}, holds: [nothing], fails: [] },
];

function matches(when: Row["when"], parts: InputParts): boolean {
  const policy = policyFrom({ rules: [{ name: "r", when, then: { model: "m" } }] });
  return decide(policy, inputOf(parts)).decision.rule === "r";
}

describe("conditions", () => {
  for (const { when, holds, fails } of rows) {
    test(`${JSON.stringify(when)} tells ${holds.length} requests from ${fails.length}`, () => {
      expect(holds.map((parts) => matches(when, parts))).toEqual(holds.map(() => true));
      expect(fails.map((parts) => matches(when, parts))).toEqual(fails.map(() => false));
    });
  }

  test("has a row for every condition", () => {
    const covered = new Set(rows.flatMap((row) => Object.keys(row.when)));
    const missing = [...Object.keys(CONDITIONS), ...Object.keys(GROUPS)].filter((name) => !covered.has(name));
    expect(missing).toEqual([]);
  });

  test("sees the model and provider after aliases", () => {
    const policy = policyFrom({
      aliases: { fast: "claude-haiku-5-5" },
      rules: [{ name: "r", when: { model: "claude-*", provider: "anthropic" }, then: { tags: { a: "b" } } }],
    });
    expect(decide(policy, inputOf({ facts: { model: "fast" } })).decision).toMatchObject({
      rule: "r",
      model: "claude-haiku-5-5",
    });
  });
});

describe("explaining a failure", () => {
  const reasons: readonly (readonly [Row["when"], InputParts, string])[] = [
    [{ tokens_input_lt: 5 }, nothing, "tokens_input is 100, not under 5"],
    [{ max_tokens_gte: 5 }, nothing, "max_tokens is absent"],
    [{ no_tools: true }, tools(2), "no_tools is false, not true"],
    [
      { response_format_type: "text" },
      { facts: { responseFormatType: "json_schema" } },
      "response_format_type is json_schema, not text",
    ],
    [{ tool_choice: ["none", "auto"] }, nothing, "tool_choice is absent, not none or auto"],
    [{ model: ["a", "b", "c"] }, nothing, "model is gpt-6-sol, not a, b or c"],
    [{ tool_names: "x" }, nothing, "there are no tools"],
    [{ tool_names: "x" }, tools(1), "no tool is named x"],
    [{ header: { "X-A": "1" } }, nothing, "header x-a is absent"],
    [{ header: { "X-A": "1" } }, { headers: { "x-a": "secret" } }, "header x-a does not match"],
    [{ user: "someone" }, { facts: { user: "secret" } }, "user is not someone"],
    [{ prompt_contains: "x" }, { facts: { promptText: "secret" } }, "prompt_contains: the text does not occur"],
    [{ percent: { value: 3, by: "user" } }, nothing, "percent: there is no user to draw by"],
    [{ time: { days: "mon" } }, nothing, "time is tue 12:00 in UTC"],
    [{ provider_state: { openai: "open" } }, nothing, "provider_state openai is closed, not open"],
    [{ any_of: [{ stream: true }, { reasoning: true }] }, nothing, "any_of: none of 2 blocks holds"],
    [{ all_of: [{ messages_gt: 0 }, { stream: true }] }, nothing, "all_of: stream is false, not true"],
    [{ not: { stream: false } }, nothing, "not: the block holds"],
    [{ stream: false, messages_gt: 3, tokens_input_gt: 1000 }, nothing, "messages is 1, not over 3"],
  ];
  for (const [when, parts, why] of reasons) {
    test(`says "${why}"`, () => {
      const policy = policyFrom({ rules: [{ name: "r", when, then: { model: "m" } }] });
      const { trace } = decide(policy, inputOf(parts), { trace: true });
      expect(trace).toEqual([{ rule: "r", result: "failed", why }]);
    });
  }
});
