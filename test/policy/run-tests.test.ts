/** The tests that a policy carries. */
import { describe, expect, test } from "bun:test";
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import { guessFormat } from "../../src/policy/request-format.ts";
import { runTests, testDiagnostics } from "../../src/policy/run-tests.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { NOON_MS, policyFrom, policyOf } from "./support.ts";

const ask = { model: "gpt-6-sol", messages: [{ role: "user", content: "hi" }] };
const providerOf = (model: string) => (model.startsWith("claude") ? ("anthropic" as const) : ("openai" as const));

function failuresOf(
  rules: readonly unknown[],
  one: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  const policy = policyFrom({ ...more, rules, tests: [{ name: "t", request: ask, expect: {}, ...one }] });
  return runTests(policy, { providerOf, wallMs: NOON_MS }).flatMap(({ failures }) => failures);
}

const rule = (then: unknown, when: unknown = {}) => [{ name: "r", when, then }];

describe("a policy's test", () => {
  test("passes when all that it expects is so", () => {
    const then = {
      model: "m",
      validate: ["json"],
      timeout: { ttft: "2s", total: "1m" },
      fallback_chain: ["a", { model: "b", timeout: { ttft: "1s" } }],
    };
    const expected = {
      rule: "r",
      model: "m",
      validate: ["json"],
      timeout: { ttft: "2000ms" },
      fallback_chain: ["a", { model: "b" }],
    };
    expect(failuresOf(rule(then), { expect: expected })).toEqual([]);
  });

  test("names each difference", () => {
    expect(
      failuresOf(rule({ model: "m", tags: { a: "1" } }), {
        expect: { rule: "s", model: "n", tags: { a: "2" }, validate: ["json"], block: { status: 403 } },
      }),
    ).toEqual([
      "rule is r, expected s",
      "model is m, expected n",
      'tags is {"a":"1"}, expected {"a":"2"}',
      'validate is [], expected ["json"]',
      'block is none, expected {"status":403}',
    ]);
  });

  test("takes lists whole and in order", () => {
    expect(failuresOf(rule({ fallback_chain: ["a", "b"] }), { expect: { fallback_chain: ["b", "a"] } })).toHaveLength(
      1,
    );
    expect(failuresOf(rule({ fallback_chain: ["a", "b"] }), { expect: { fallback_chain: ["a"] } })).toHaveLength(1);
    expect(failuresOf(rule({ model: "m" }), { expect: { fallback_chain: [], validate: [] } })).toEqual([]);
  });

  test("may expect that no rule matches, in either word", () => {
    const never = rule({ model: "m" }, { stream: true });
    expect(failuresOf(never, { expect: { rule: "none" } })).toEqual([]);
    expect(failuresOf(never, { expect: { rule: null } })).toEqual([]);
    expect(failuresOf(rule({ model: "m" }), { expect: { rule: "none" } })).toEqual(["rule is r, expected none"]);
  });

  test("sets headers, key, breakers and the time", () => {
    expect(
      failuresOf(rule({ model: "m" }, { header: { "x-a": "1" } }), { headers: { "X-A": "1" }, expect: { rule: "r" } }),
    ).toEqual([]);
    expect(
      failuresOf(rule({ model: "m" }, { client: "codex" }), {
        headers: { "user-agent": "codex_exec/1" },
        expect: { rule: "r" },
      }),
    ).toEqual([]);
    expect(failuresOf(rule({ model: "m" }, { key: "k" }), { key: "k", expect: { rule: "r" } })).toEqual([]);
    expect(
      failuresOf(rule({ model: "m" }, { provider_state: { openai: "open" } }), {
        provider_state: { openai: "open" },
        expect: { rule: "r" },
      }),
    ).toEqual([]);
    expect(
      failuresOf(rule({ model: "m" }, { time: { days: "sun" } }), {
        at: "2026-11-22T10:00:00Z",
        expect: { rule: "r" },
      }),
    ).toEqual([]);
    expect(failuresOf(rule({ model: "m" }, { time: { days: "tue" } }), { expect: { rule: "r" } })).toEqual([]);
  });

  test("may send override headers", () => {
    expect(
      failuresOf(rule({ model: "m" }), { headers: { "x-arouter-model": "n" }, expect: { rule: "r", model: "n" } }),
    ).toEqual([]);
  });

  test("fails when the gateway would refuse the request", () => {
    expect(failuresOf([], { request: { model: "m" } })).toEqual([
      expect.stringContaining("the request would be refused: "),
    ]);
    expect(failuresOf([], { headers: { "x-arouter-modle": "n" } })).toEqual([
      expect.stringContaining('did you mean "x-arouter-model"?'),
    ]);
  });

  test("draws the same in every run", () => {
    const run = () => failuresOf(rule({ model: "m" }, { percent: 50 }), { expect: { rule: "r" } });
    expect(run()).toEqual(run());
  });

  test("becomes an error at the place of its name", () => {
    const policy = policyOf(
      "rules: []\ntests:\n  - name: a question\n    request: { model: m, messages: [{ role: user, content: hi }] }\n    expect: { rule: r }\n",
    );
    const results = runTests(policy, { providerOf, wallMs: NOON_MS });
    expect(testDiagnostics(results).map(renderDiagnostic)).toEqual([
      'policies.yaml:3:11: error: test "a question": rule is none, expected r',
    ]);
  });
});

describe("the wire format of a bare body", () => {
  const message = (content: unknown) => [{ role: "user", content }];
  const rows: readonly (readonly [string, unknown])[] = [
    ["chat", { model: "gpt-6-sol", messages: message("hi") }],
    ["chat", { model: "gpt-6-sol", max_tokens: 5, messages: message("hi") }],
    ["chat", { model: "claude-opus-5-5", messages: message("hi") }],
    ["chat", { model: "claude-opus-5-5", max_tokens: 5, messages: [{ role: "system", content: "x" }] }],
    [
      "chat",
      {
        model: "m",
        messages: message([{ type: "image_url", image_url: {} }]),
        tools: [{ type: "function", function: {} }],
      },
    ],
    ["messages", { model: "claude-opus-5-5", max_tokens: 5, messages: message("hi") }],
    ["messages", { model: "m", max_tokens: 5, system: "x", messages: message("hi") }],
    ["messages", { model: "m", max_tokens: 5, messages: message("hi"), tools: [{ name: "a", input_schema: {} }] }],
    ["messages", { model: "m", max_tokens: 5, messages: message([{ type: "tool_result", tool_use_id: "a" }]) }],
    ["responses", { model: "m", input: "hi" }],
    ["chat", {}],
  ];
  for (const [format, body] of rows) {
    test(`${JSON.stringify(body).slice(0, 90)} is ${format}`, () => {
      expect(guessFormat(body as JsonObject)).toBe(format as "chat");
    });
  }
});
