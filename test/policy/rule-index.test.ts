/** The index against trying every block: random policies and requests over values that meet often. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Block } from "../../src/policy/condition.ts";
import { createContext, type ConditionContext, type PolicyInput } from "../../src/policy/context.ts";
import { decide } from "../../src/policy/decide.ts";
import { NO_OVERRIDES } from "../../src/policy/overrides.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { indexBlocks, indexConditions } from "../../src/policy/rule-index.ts";
import { formatByName } from "../../src/wire/formats.ts";

const NAMES = ["a", "ab", "abc", "b", "team-1", "team-2"];
const PATTERNS = [...NAMES, "a*", "*", "team-*", "?b", "*c", "te?m-2", "ab*"];
const NUMBERS = [0, 1, 2, 3, 100];

const names = fc.constantFrom(...NAMES);
const patterns = fc.oneof(
  fc.constantFrom(...PATTERNS),
  fc.array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
);
const nameTest = fc.oneof(patterns, fc.boolean());
const comparison = fc
  .tuple(
    fc.constantFrom("tokens_input", "max_tokens", "messages", "tools"),
    fc.constantFrom("lt", "lte", "gt", "gte"),
    fc.constantFrom(...NUMBERS),
  )
  .map(([noun, suffix, bound]) => ({ [`${noun}_${suffix}`]: bound }));
const one = (name: string, value: fc.Arbitrary<unknown>) => value.map((each) => ({ [name]: each }));
const words = (name: string, ...of: string[]) => one(name, fc.subarray(of, { minLength: 1 }));

const leaf: fc.Arbitrary<object> = fc.oneof(
  comparison,
  one("not", comparison),
  one("model", patterns),
  one("key", patterns),
  one("user", patterns),
  one("client", patterns),
  one("header", fc.dictionary(fc.constantFrom("x-a", "x-b"), nameTest, { minKeys: 1 })),
  one("metadata", fc.dictionary(fc.constantFrom("tier", "app"), nameTest, { minKeys: 1 })),
  one("tool_names", patterns),
  one("percent", fc.constantFrom<unknown>(0, 50, 100, { value: 50, by: "header:x-a" })),
  one("system_contains", names),
  one("prompt_contains", names),
  words("tool_choice", "auto", "none", "required", "named"),
  words("response_format_type", "text", "json_object", "json_schema"),
  words("reasoning_effort", "low", "high"),
  words("provider", "openai", "anthropic"),
  words("format", "chat", "messages"),
  one("provider_state", fc.constantFrom({ openai: "open" }, { openai: ["closed", "half_open"], anthropic: "closed" })),
  ...["has_tools", "no_tools", "has_image", "no_image", "has_document", "has_audio", "stream", "reasoning"].map(
    (name) => one(name, fc.boolean()),
  ),
  ...["in_tool_loop", "has_cache_control", "max_tokens_set"].map((name) => one(name, fc.boolean())),
);
const block = (depth: number): fc.Arbitrary<object> =>
  fc
    .array(depth === 0 ? leaf : fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 1, arbitrary: group(depth - 1) }), {
      maxLength: 3,
    })
    .map((conditions) => Object.assign({}, ...conditions) as object);
const group = (depth: number): fc.Arbitrary<object> =>
  fc.oneof(
    one("not", block(depth)),
    one("any_of", fc.array(block(depth), { minLength: 1, maxLength: 3 })),
    one("all_of", fc.array(block(depth), { minLength: 1, maxLength: 3 })),
  );

function policyOf(whens: readonly object[]): Policy {
  const rules = whens.map((when, at) => ({ name: `rule-${at}`, when, then: { model: "gpt-6-sol" } }));
  const read = parsePolicy([{ name: "policy.yaml", text: JSON.stringify({ version: 1, rules }) }]);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}

const maybe = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: null });
const chat = formatByName("chat");
const someFacts = chat.facts(
  chat.parseRequest(Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}'), {
    jsonDepth: 128,
    jsonNodes: 1000,
  }),
);
// Clients send what they like: caps of less than nothing, and halves.
const cap = maybe(fc.constantFrom(...NUMBERS, -5, 0.5, 2.5, 99.5, 1e9));
const facts = fc
  .record({
    format: fc.constantFrom("chat" as const, "messages" as const),
    model: names,
    stream: fc.boolean(),
    tokensInput: fc.constantFrom(...NUMBERS),
    maxTokens: cap,
    messages: fc.constantFrom(...NUMBERS),
    toolNames: fc.subarray(NAMES),
    toolChoice: maybe(fc.constantFrom("auto", "none", "required", "named")),
    inToolLoop: fc.boolean(),
    hasImage: fc.boolean(),
    hasDocument: fc.boolean(),
    hasAudio: fc.boolean(),
    responseFormatType: fc.constantFrom("text", "json_object", "json_schema"),
    reasoning: fc.boolean(),
    reasoningEffort: maybe(fc.constantFrom("low", "high", "max")),
    hasCacheControl: fc.boolean(),
    metadata: fc.dictionary(fc.constantFrom("tier", "app"), names),
    user: maybe(names),
    systemText: names,
    promptText: names,
  })
  .map((own) => ({ ...someFacts, ...own }));
const input: fc.Arbitrary<PolicyInput> = fc
  .record({
    facts,
    headers: fc.dictionary(fc.constantFrom("x-a", "x-b"), names),
    client: maybe(names),
    key: maybe(names),
    provider: maybe(fc.constantFrom("openai" as const, "anthropic" as const)),
    openai: fc.constantFrom("closed" as const, "open" as const, "half_open" as const),
    requestId: fc.constantFrom("req_1", "req_2", "req_3"),
  })
  .map(({ headers, provider, openai, ...rest }) => ({
    ...rest,
    headers: new Headers(headers),
    providerOf: () => provider,
    providerState: { openai },
    wallMs: 0,
    overrides: NO_OVERRIDES,
  }));

const MANY = { minLength: 16, maxLength: 40 };

function firstOf(blocks: readonly Block[], context: ConditionContext): number {
  return blocks.findIndex((each) => each.test(context));
}

describe("the index of conditions", () => {
  test("finds all that hold", () => {
    let held = 0;
    fc.assert(
      fc.property(fc.array(leaf, MANY), fc.array(input, { minLength: 10, maxLength: 10 }), (whens, inputs) => {
        const policy = policyOf(whens);
        const conditions = policy.rules.flatMap(({ when }) => when.conditions);
        const find = indexConditions(conditions);
        for (const each of inputs) {
          const all = conditions.flatMap(({ test }, at) => (test(createContext(policy, each)) ? [at] : []));
          expect(find(createContext(policy, each))).toEqual(all);
          held += all.length;
        }
      }),
      { numRuns: 200 },
    );
    expect(held).toBeGreaterThan(0);
  });
});

describe("the index of rules", () => {
  test("finds what trying every rule finds", () => {
    const hits = new Set<boolean>();
    fc.assert(
      fc.property(fc.array(block(2), MANY), fc.array(input, { minLength: 10, maxLength: 10 }), (whens, inputs) => {
        // Blocks of nothing match everything and would hide the rest.
        const policy = policyOf(whens.filter((when) => Object.keys(when).length > 0).concat({ has_audio: true }));
        const blocks = policy.rules.map(({ when }) => when);
        const find = indexBlocks(blocks);
        for (const each of inputs) {
          const expected = firstOf(blocks, createContext(policy, each));
          expect(find(createContext(policy, each))).toBe(expected);
          hits.add(expected >= 0);
        }
      }),
      { numRuns: 300 },
    );
    expect(hits.has(true)).toBe(true);
  });

  test("finds what trying every rule finds, by headers and metadata of many names and words of texts", () => {
    const many = fc.constantFrom(..."abcdefghijklmnop").map((letter) => `x-${letter}`);
    const values = fc.dictionary(many, names, { minKeys: 1, maxKeys: 3 });
    const named = fc.oneof(
      one("header", fc.dictionary(many, nameTest, { minKeys: 1, maxKeys: 2 })),
      one("metadata", fc.dictionary(many, nameTest, { minKeys: 1, maxKeys: 2 })),
      one(
        "percent",
        many.map((name) => ({ value: 50, by: `header:${name}` })),
      ),
      one("prompt_contains", fc.array(fc.string({ unit: fc.constantFrom("a", "B"), minLength: 1 }), { minLength: 1 })),
      one("system_contains", names),
    );
    const rules = fc.array(fc.oneof(named, one("any_of", fc.array(named, { minLength: 1, maxLength: 3 }))), {
      minLength: 40,
      maxLength: 60,
    });
    const requests = fc
      .tuple(input, values, values, fc.string({ unit: fc.constantFrom("A", "b"), maxLength: 8 }))
      .map(([base, headers, metadata, promptText]) => ({
        ...base,
        headers: new Headers(headers),
        facts: { ...base.facts, metadata, promptText },
      }));
    const hits = new Set<boolean>();
    fc.assert(
      fc.property(rules, fc.array(requests, { minLength: 5, maxLength: 5 }), (whens, inputs) => {
        const policy = policyOf(whens);
        const blocks = policy.rules.map(({ when }) => when);
        const [find, findAll] = [indexBlocks(blocks), indexConditions(policy.recorded)];
        for (const each of inputs) {
          const context = createContext(policy, each);
          const expected = firstOf(blocks, context);
          hits.add(expected >= 0);
          expect(find(createContext(policy, each))).toBe(expected);
          const held = policy.recorded.flatMap(({ test }, at) => (test(context) ? [at] : []));
          expect(findAll(createContext(policy, each))).toEqual(held);
        }
      }),
      { numRuns: 200 },
    );
    expect(hits.has(true)).toBe(true);
  });

  test("finds each of a thousand rules by its own value", () => {
    const policy = policyOf(Array.from({ length: 1000 }, (_, at) => ({ header: { "x-team": `team-${at}` } })));
    for (const at of [0, 1, 499, 999]) {
      const base = fc.sample(input, 1)[0] as PolicyInput;
      const headers = new Headers({ "x-team": `team-${at}` });
      expect(decide(policy, { ...base, headers }).decision.rule).toBe(`rule-${at}`);
    }
  });

  test("tries few of a thousand rules", () => {
    const kinds = (at: number) => [
      { header: { "x-team": `team-${at}` } },
      { model: `model-${at}-*` },
      { tokens_input_gt: 1000 + at },
      { any_of: [{ key: `key-${at}` }, { user: `user-${at}` }] },
      { not: { tokens_input_lt: 1000 + at } },
      { prompt_contains: [`word ${at} of many`, `nor ${at}`], stream: false },
      { header: { [`x-${at}`]: true } },
      { percent: { value: 50, by: `header:x-session-${at}` } },
    ];
    let tried = 0;
    const policy = policyOf(Array.from({ length: 125 }, (_, at) => kinds(at)).flat());
    const blocks = policy.rules.map(({ when }) => ({
      conditions: when.conditions,
      test: (context: ConditionContext) => {
        tried += 1;
        return when.test(context);
      },
    }));
    const [base] = fc.sample(input, 1) as [PolicyInput];
    const request = {
      ...base,
      headers: new Headers(),
      facts: { ...base.facts, model: "model-77-mini", tokensInput: 100, promptText: "a word of many", stream: false },
    };
    expect(indexBlocks(blocks)(createContext(policy, request))).toBe(77 * kinds(0).length + 1);
    expect(tried).toBe(1);
  });
});
