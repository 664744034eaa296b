/** One request, one policy, one decision. */
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/base/errors.ts";
import { decide } from "../../src/policy/decide.ts";
import type { Decision } from "../../src/policy/decision.ts";
import { readOverrides } from "../../src/policy/overrides.ts";
import { NO_POLICY } from "../../src/policy/policy.ts";
import { describeDecision, summarizeDecision, summarizeSettings } from "../../src/policy/summary.ts";
import type { InputParts } from "./support.ts";
import { inputOf, policyFrom } from "./support.ts";

const overrides = (headers: Readonly<Record<string, string>>) => ({
  overrides: readOverrides(new Headers(headers), "all"),
});

function decisionOf(policy: unknown, parts: InputParts = {}): Decision {
  return decide(policyFrom(policy), inputOf(parts)).decision;
}

const two = {
  aliases: { fast: "gpt-6-luna" },
  rules: [
    { name: "a", when: { stream: true }, then: { model: "m-a", fallback_chain: ["m-b", "m-c"], tags: { t: "a" } } },
    { name: "b", when: { messages_gt: 0 }, then: { model: "m-b", validate: ["json"] } },
    { name: "c", then: { model: "m-c" } },
  ],
};

describe("a decision", () => {
  test("without a policy leaves the request alone", () => {
    expect(decide(NO_POLICY, inputOf()).decision).toEqual({
      rule: null,
      policy: null,
      modelRequested: "gpt-6-sol",
      modelAsked: "gpt-6-sol",
      model: "gpt-6-sol",
      validate: [],
      fallbackChain: [],
      fallbackOn: ["error", "rate_limit", "overloaded", "timeout", "context_length", "validation"],
      heal: {},
      retry: {},
      timeout: {},
      timeoutCeiling: {},
      params: { set: {}, cap: {}, drop: [] },
      tags: {},
      block: null,
    });
  });

  test("is the first matching rule's", () => {
    expect(decisionOf(two, { facts: { stream: true } })).toMatchObject({ rule: "a", model: "m-a" });
    expect(decisionOf(two)).toMatchObject({ rule: "b", model: "m-b" });
    expect(decisionOf(two, { facts: { messages: 0 } })).toMatchObject({ rule: "c", model: "m-c" });
  });

  test("keeps the names before and after aliases apart", () => {
    expect(decisionOf({ ...two, rules: [] }, { facts: { model: "fast" } })).toMatchObject({
      rule: null,
      modelRequested: "fast",
      modelAsked: "gpt-6-luna",
      model: "gpt-6-luna",
    });
  });

  test("of an unmatched request is the defaults", () => {
    const policy = { defaults: { validate: ["non_empty"], timeout: { ttft: "9s" } }, rules: [] };
    expect(decisionOf(policy)).toMatchObject({
      rule: null,
      model: "gpt-6-sol",
      validate: ["non_empty"],
      timeout: { ttftMs: 9000 },
    });
  });

  test("picks the model by the provider asked for", () => {
    const policy = { rules: [{ name: "r", then: { model: { anthropic: "claude-haiku-5-5" } } }] };
    expect(decisionOf(policy, { facts: { model: "claude-opus-5-5" } }).model).toBe("claude-haiku-5-5");
    expect(decisionOf(policy).model).toBe("gpt-6-sol");
    expect(decisionOf(policy, { providerOf: () => null }).model).toBe("gpt-6-sol");
  });

  test("draws weighted models in proportion, and the same request always the same", () => {
    const policy = policyFrom({
      rules: [
        {
          name: "r",
          then: {
            model: [
              { model: "x", weight: 3 },
              { model: "y", weight: 1 },
            ],
          },
        },
      ],
    });
    const draw = (id: number): string => decide(policy, inputOf({ requestId: `req_${id}` })).decision.model;
    const drawn = Array.from({ length: 4000 }, (_, id) => draw(id));
    expect(drawn.filter((model) => model === "x").length / 4000).toBeCloseTo(0.75, 1);
    expect(Array.from({ length: 4000 }, (_, id) => draw(id))).toEqual(drawn);
  });

  test("draws models independently of the rule's percent", () => {
    const policy = policyFrom({
      rules: [
        {
          name: "r",
          when: { percent: 50 },
          then: {
            model: [
              { model: "x", weight: 1 },
              { model: "y", weight: 1 },
            ],
          },
        },
      ],
    });
    const models = Array.from({ length: 2000 }, (_, id) => decide(policy, inputOf({ requestId: `req_${id}` })).decision)
      .filter(({ rule }) => rule === "r")
      .map(({ model }) => model);
    expect(models.length / 2000).toBeCloseTo(0.5, 1);
    expect(models.filter((model) => model === "x").length / models.length).toBeCloseTo(0.5, 1);
  });

  test("names each candidate once", () => {
    const policy = {
      rules: [
        { name: "r", then: { model: "a", fallback_chain: ["b", "a", { model: "b", timeout: { ttft: "1s" } }, "c"] } },
      ],
    };
    expect(decisionOf(policy).fallbackChain).toEqual([{ model: "b" }, { model: "c" }]);
  });

  test("depends on nothing but its input", () => {
    const policy = policyFrom(two);
    const frozen = Object.freeze(inputOf({ facts: Object.freeze({ stream: true }) }));
    const first = decide(policy, frozen).decision;
    for (let round = 0; round < 3; round++) expect(decide(policy, frozen).decision).toEqual(first);
    expect(decide(policyFrom(two), inputOf({ facts: { stream: true } })).decision).toEqual(first);
  });

  test("explains each rule when asked, and only then", () => {
    const policy = policyFrom(two);
    expect(decide(policy, inputOf()).trace).toBeNull();
    expect(decide(policy, inputOf(), { trace: true }).trace).toEqual([
      { rule: "a", result: "failed", why: "stream is false, not true" },
      { rule: "b", result: "matched", why: null },
      { rule: "c", result: "not-reached", why: null },
    ]);
  });
});

describe("overrides", () => {
  const streamed = { facts: { stream: true } };
  const rows: readonly (readonly [Readonly<Record<string, string>>, Partial<Decision>])[] = [
    [{ "x-arouter-model": "m-z" }, { rule: "a", model: "m-z", fallbackChain: [{ model: "m-b" }, { model: "m-c" }] }],
    [{ "x-arouter-model": "fast" }, { rule: "a", model: "gpt-6-luna" }],
    [{ "x-arouter-model": "m-b" }, { model: "m-b", fallbackChain: [{ model: "m-c" }] }],
    [{ "x-arouter-rule": "b" }, { rule: "b", model: "m-b", validate: ["json"] }],
    [{ "x-arouter-no-route": "1" }, { rule: null, model: "gpt-6-sol", fallbackChain: [], tags: {} }],
    [{ "x-arouter-fallback-chain": "" }, { rule: "a", model: "m-a", fallbackChain: [] }],
    [{ "x-arouter-fallback-chain": "fast, m-y" }, { fallbackChain: [{ model: "gpt-6-luna" }, { model: "m-y" }] }],
    [
      { "x-arouter-rule": "b", "x-arouter-validate": "none" },
      { rule: "b", validate: [] },
    ],
    [{ "x-arouter-validate": "json_schema,complete" }, { validate: ["json_schema", "complete"] }],
    [{ "x-arouter-heal": "full" }, { heal: { hold: "full" } }],
    [{ "x-arouter-retry": "0" }, { retry: { max: 0 } }],
    [{ "x-arouter-hedge": "off" }, { hedge: null }],
    [{ "x-arouter-hedge": "800ms;model=fast" }, { hedge: { after: 800, model: "gpt-6-luna" } }],
    [
      { "x-arouter-timeout": "2s", "x-arouter-ttft-timeout": "1s", "x-arouter-idle-timeout": "500ms" },
      { timeoutCeiling: { totalMs: 2000, ttftMs: 1000, idleMs: 500 } },
    ],
    [{ "x-arouter-tags": "team=x" }, { tags: { t: "a" } }],
  ];
  for (const [headers, expected] of rows) {
    test(`${JSON.stringify(headers)} go before the rule`, () => {
      expect(decisionOf(two, { ...streamed, ...overrides(headers) })).toMatchObject(expected);
    });
  }

  test("work without a policy", () => {
    expect(
      decide(NO_POLICY, inputOf(overrides({ "x-arouter-model": "m", "x-arouter-fallback-chain": "n" }))).decision,
    ).toMatchObject({
      model: "m",
      fallbackChain: [{ model: "n" }],
    });
  });

  test("that name no rule are the caller's mistake", () => {
    const run = () =>
      decisionOf({ rules: [{ name: "extract", then: { model: "m" } }] }, overrides({ "x-arouter-rule": "extrakt" }));
    expect(run).toThrow('header x-arouter-rule: unknown rule "extrakt"; did you mean "extract"?');
    expect(() => decide(NO_POLICY, inputOf(overrides({ "x-arouter-rule": "a" })))).toThrow(GatewayError);
  });

  test("that name a model which nobody serves are the caller's mistake", () => {
    const providerOf = (model: string) => (model === "nobodys" ? null : ("openai" as const));
    for (const [name, value] of [
      ["model", "nobodys"],
      ["fallback-chain", "a,nobodys"],
      ["hedge", "1s;model=nobodys"],
    ] as const) {
      const header = `x-arouter-${name}`;
      expect(() => decisionOf(two, { providerOf, ...overrides({ [header]: value }) })).toThrow(
        `header ${header}: no configured provider serves the model "nobodys"`,
      );
    }
  });

  test("show in the trace what they did to the rules", () => {
    const policy = policyFrom(two);
    const trace = (headers: Readonly<Record<string, string>>) =>
      decide(policy, inputOf(overrides(headers)), { trace: true }).trace?.map(({ result }) => result);
    expect(trace({ "x-arouter-rule": "b" })).toEqual(["not-reached", "forced", "not-reached"]);
    expect(trace({ "x-arouter-no-route": "1" })).toEqual(["not-reached", "not-reached", "not-reached"]);
  });
});

describe("a decision as JSON", () => {
  test("says only what was decided", () => {
    expect(summarizeDecision(decisionOf(two, { facts: { messages: 0 } }))).toEqual({ model: "m-c" });
  });

  test("says everything in the words of the policy file", () => {
    const then = {
      model: "m",
      validate: ["json"],
      fallback_chain: ["a", { model: "b", params: { drop: ["top_p"] }, timeout: { ttft: "3s" } }],
      fallback_on: ["error", "refusal"],
      heal: { hold: "full", preflush_bytes: 100, feedback: "errors" },
      hedge: { after: "p95", model: "h" },
      retry: { max: 1, base: "1500ms", cap: "2m", on_timeout: true },
      timeout: { total: "1h", ttft: "90s", response: "250ms", idle: "0s" },
      params: { set: { seed: 1 }, cap: { max_tokens: 5 }, drop: ["user"] },
      tags: { t: "7" },
    };
    expect(describeDecision(decisionOf({ rules: [{ name: "r", then }] }))).toEqual({
      rule: "r",
      policy: policyFrom({ rules: [{ name: "r", then }] }).hash12,
      model_requested: "gpt-6-sol",
      model_asked: "gpt-6-sol",
      ...then,
    });
  });

  test("says what a rule sets, its model, chain, validators and block aside", () => {
    const settings = {
      fallback_on: ["error"],
      heal: { hold: "preflush" },
      hedge: { after: "p95" },
      retry: { max: 1 },
      timeout: { ttft: "2s" },
      params: { cap: { max_tokens: 5 } },
      tags: { t: "7" },
    };
    const then = { ...settings, model: "m-a", validate: ["json"], fallback_chain: ["m-b"] };
    const [full, block] = policyFrom({
      rules: [
        { name: "full", then },
        { name: "block", then: { block: { message: "no" } } },
      ],
    }).rules.map((rule) => summarizeSettings(rule.then));
    expect(full).toEqual(settings);
    expect(block).toEqual({});
  });

  test("says off and block", () => {
    expect(summarizeDecision(decisionOf({ rules: [{ name: "r", then: { hedge: "off" } }] }))).toEqual({
      model: "gpt-6-sol",
      hedge: "off",
    });
    expect(summarizeDecision(decisionOf({ rules: [{ name: "r", then: { block: { message: "no" } } }] }))).toEqual({
      model: "gpt-6-sol",
      block: { status: 403, message: "no" },
    });
  });
});

describe("decisions that requests share", () => {
  const policy = policyFrom({
    rules: [
      { name: "one", when: { stream: true }, then: { tags: { t: "one" } } },
      {
        name: "draw",
        when: { messages_gt: 5 },
        then: {
          model: [
            { model: "m-a", weight: 1 },
            { model: "m-b", weight: 1 },
          ],
        },
      },
    ],
  });
  const of = (parts: InputParts): Decision => decide(policy, inputOf(parts)).decision;

  test("are one object for the same model, by rule and without one", () => {
    expect(of({ facts: { stream: true } })).toBe(of({ facts: { stream: true } }));
    expect(of({})).toBe(of({}));
    expect(of({})).not.toBe(of({ facts: { stream: true } }));
  });

  test("are never another model's, another policy's, a header's or a draw's", () => {
    expect(of({ facts: { stream: true, model: "m-x" } })).toMatchObject({ rule: "one", model: "m-x" });
    expect(of({ facts: { stream: true, model: "m-y" } })).toMatchObject({ rule: "one", model: "m-y" });
    expect(of({ facts: { stream: true }, ...overrides({ "x-arouter-model": "m-z" }) }).model).toBe("m-z");
    expect(of({ facts: { stream: true, model: "m-x" } }).model).toBe("m-x");
    const drawn = Array.from({ length: 40 }, (_, id) => of({ facts: { messages: 9 }, requestId: `req_${id}` }).model);
    expect(new Set(drawn)).toEqual(new Set(["m-a", "m-b"]));
    const other = policyFrom({ rules: [{ name: "one", when: { stream: true }, then: { tags: { t: "two" } } }] });
    expect(decide(other, inputOf({ facts: { stream: true } })).decision.tags).toEqual({ t: "two" });
  });

  test("are not kept for a name that is longer than any model's", () => {
    const model = "m".repeat(1000);
    expect(of({ facts: { model } })).not.toBe(of({ facts: { model } }));
    expect(of({ facts: { model } }).model).toBe(model);
  });

  test("are right for more models than are kept", () => {
    for (let at = 0; at < 500; at += 1) expect(of({ facts: { model: `m-${at}` } }).model).toBe(`m-${at}`);
  });
});
