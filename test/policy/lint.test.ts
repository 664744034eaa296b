/** Dead rules, held against every request of a small world; and targets that cannot serve. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createCatalog } from "../../src/catalog/catalog.ts";
import { createContext } from "../../src/policy/context.ts";
import type { PolicyInput } from "../../src/policy/context.ts";
import { deadRules, lintPolicy } from "../../src/policy/lint.ts";
import type { Policy, Rule } from "../../src/policy/policy.ts";
import { inputOf, NOON_MS, policyFrom } from "./support.ts";

/**
 * Every request of a world in which each dimension has all the values that the conditions below can tell apart, so that a
 * rule which is dead here is dead anywhere.
 */
const world: readonly PolicyInput[] = [0, 1, 2, 3, 4].flatMap((tokensInput) =>
  [null, 0, 1, 2, 3].flatMap((maxTokens) =>
    [[], ["x"], ["x", "y"]].flatMap((toolNames) =>
      [true, false].flatMap((stream) =>
        (["text", "json_object", "json_schema"] as const).flatMap((responseFormatType) =>
          [null, "auto", "required"].flatMap((toolChoice) =>
            ["ab", "ac", "b", "zz"].map((model) =>
              inputOf({
                facts: {
                  tokensInput,
                  maxTokens,
                  toolNames,
                  stream,
                  responseFormatType,
                  toolChoice: toolChoice as "auto" | null,
                  model,
                },
              }),
            ),
          ),
        ),
      ),
    ),
  ),
);

const bound = fc.integer({ min: 0, max: 3 });
const flag = fc.boolean();
/** Conditions that lint reasons about exactly. */
const exact = fc.oneof(
  ...["tokens_input_lt", "tokens_input_lte", "tokens_input_gt", "tokens_input_gte"].map((name) =>
    bound.map((value) => [name, value] as const),
  ),
  ...["max_tokens_lt", "max_tokens_lte", "max_tokens_gt", "max_tokens_gte"].map((name) =>
    fc.integer({ min: 0, max: 2 }).map((value) => [name, value] as const),
  ),
  ...["tools_lt", "tools_gte"].map((name) => fc.integer({ min: 0, max: 2 }).map((value) => [name, value] as const)),
  ...["max_tokens_set", "has_tools", "no_tools", "stream"].map((name) => flag.map((value) => [name, value] as const)),
  fc
    .subarray(["text", "json_object", "json_schema"], { minLength: 1 })
    .map((value) => ["response_format_type", value] as const),
  fc.subarray(["auto", "required"], { minLength: 1 }).map((value) => ["tool_choice", value] as const),
);
/** Conditions on names, about which lint may miss something but never claims what is not so. */
const names = fc
  .subarray(["ab", "ac", "b", "a*", "?", "*", "*b", "a?"], { minLength: 1, maxLength: 3 })
  .map((value) => ["model", value] as const);

function blockOf(condition: typeof exact, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const leaf = fc
    .array(condition, { minLength: 1, maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);
  if (depth === 0) return leaf;
  const nested = blockOf(condition, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(nested, { minLength: 1, maxLength: 2 }).map((blocks) => ({ any_of: blocks })) },
    { weight: 1, arbitrary: fc.tuple(leaf, nested).map(([block, negated]) => ({ ...block, not: negated })) },
    { weight: 1, arbitrary: fc.array(nested, { minLength: 1, maxLength: 2 }).map((blocks) => ({ all_of: blocks })) },
  );
}

function policyOfBlocks(blocks: readonly unknown[]): Policy {
  return policyFrom({ rules: blocks.map((when, index) => ({ name: `r${index}`, when, then: { model: "m" } })) });
}

function rulesOf(blocks: readonly unknown[]): readonly Rule[] {
  return policyOfBlocks(blocks).rules;
}

/** Of each rule: how many requests of the world match it, and how many of these reach it. */
function count(policy: Policy): readonly { readonly matches: number; readonly reached: number }[] {
  const { rules } = policy;
  const counts = rules.map(() => ({ matches: 0, reached: 0 }));
  for (const input of world) {
    const context = createContext(policy, input);
    let taken = false;
    for (const [index, rule] of rules.entries()) {
      const entry = counts[index];
      if (entry === undefined || !rule.when.test(context)) continue;
      entry.matches += 1;
      if (!taken) entry.reached += 1;
      taken = true;
    }
  }
  return counts;
}

describe("dead rules", () => {
  test("are dead in the whole small world, and no others are", () => {
    fc.assert(
      fc.property(fc.array(blockOf(exact, 2), { minLength: 1, maxLength: 4 }), (blocks) => {
        const policy = policyOfBlocks(blocks);
        const { rules } = policy;
        const counts = count(policy);
        const found = new Map(deadRules(rules).map(({ rule, reason }) => [rule.name, reason]));
        for (const [index, rule] of rules.entries()) {
          const { matches, reached } = counts[index] ?? { matches: 0, reached: 0 };
          const reason = found.get(rule.name);
          if (matches === 0) expect(reason).toBe("contradictory");
          else if (reached === 0) expect(reason).toBeOneOf(["shadowed", "unreachable"]);
          else expect(reason).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test("are really dead where names are matched", () => {
    fc.assert(
      fc.property(
        fc.array(blockOf(fc.oneof(exact, names) as typeof exact, 2), { minLength: 1, maxLength: 4 }),
        (blocks) => {
          const policy = policyOfBlocks(blocks);
          const { rules } = policy;
          const counts = count(policy);
          const found = new Set(deadRules(rules).map(({ rule }) => rule.name));
          for (const [index, rule] of rules.entries()) {
            if (found.has(rule.name)) expect(counts[index]?.reached).toBe(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  }, 30_000);

  const rows: readonly (readonly [what: string, blocks: readonly unknown[], texts: readonly string[]])[] = [
    [
      "conditions that exclude each other",
      [{ no_tools: true, tools_gt: 2 }],
      ["r0 can never match: no_tools and tools_gt exclude each other"],
    ],
    [
      "a block that excludes itself",
      [{ stream: true, any_of: [{ stream: false }, { tokens_input_lt: 0 }] }],
      ["r0 can never match: stream and any_of exclude each other"],
    ],
    ["a share of nothing", [{ percent: 0 }], ["r0 can never match: no request fulfils percent"]],
    [
      "a narrower number below",
      [{ tokens_input_lt: 250 }, { tokens_input_lt: 100 }],
      ["r1 is never reached: rule r0 takes every request that it matches"],
    ],
    [
      "a narrower glob below",
      [{ model: "gpt-*" }, { model: ["gpt-4*", "gpt-5"] }],
      ["r1 is never reached: rule r0 takes every request that it matches"],
    ],
    [
      "a longer text below",
      [{ prompt_contains: "URG" }, { prompt_contains: "urgent" }],
      ["r1 is never reached: rule r0 takes every request that it matches"],
    ],
    [
      "the same header value below",
      [{ header: { a: true } }, { header: { A: "x*" } }],
      ["r1 is never reached: rule r0 takes every request that it matches"],
    ],
    [
      "a rule that two others cover",
      [{ stream: true }, { stream: false, messages_lt: 5 }, { messages_lt: 3 }],
      ["r2 is never reached: the rules above take every request that it matches"],
    ],
    [
      "a catch-all above others",
      [{ stream: true }, {}, { messages_lt: 3 }, { stream: false }],
      ["r1 has no conditions, so the 2 rules below cannot be reached"],
    ],
    [
      "nothing in a policy that is fine",
      [
        { stream: true, percent: 10 },
        { percent: 10 },
        { header: { a: "x" } },
        { time: { days: "mon" } },
        { model: "a*" },
        { model: "*b" },
        {},
      ],
      [],
    ],
    ["nothing in two shares of different rules", [{ percent: 50 }, { percent: 20 }], []],
    [
      "a glob of one character below a wide one, but not the wide below the narrow",
      [{ model: "gpt-4*" }, { model: "gpt-*" }, { model: "gpt-?" }],
      ["r2 is never reached: rule r1 takes every request that it matches"],
    ],
  ];
  for (const [what, blocks, texts] of rows) {
    test(`tell ${what}`, () => {
      const found = deadRules(rulesOf(blocks)).map(
        ({ rule, text }) => `${rule.name} ${text.replace(/ \(line \d+\)/, "")}`,
      );
      expect(found).toEqual([...texts]);
    });
  }

  test("are given up on, not guessed, when there is too much to reason about", () => {
    const wide = {
      all_of: Array.from({ length: 12 }, (_, index) => ({
        any_of: [{ header: { [`a${index}`]: "x" } }, { header: { [`b${index}`]: "x" } }],
      })),
    };
    expect(deadRules(rulesOf([wide, wide]))).toEqual([]);
  });

  test("are found among two hundred too, where one rule takes all", () => {
    const many = Array.from({ length: 200 }, (_, index) => ({
      model: `m${index}-*`,
      any_of: [{ stream: true }, { reasoning: true }, { user: `u${index}` }],
    }));
    const found = deadRules(rulesOf([...many, { model: "m7-x", stream: true }]));
    expect(found.map(({ rule, reason, text }) => [rule.name, reason, text.split(" (")[0]])).toEqual([
      ["r200", "shadowed", "is never reached: rule r7"],
    ]);
  }, 60_000);

  test("are found fast among a hundred rules and long globs", () => {
    const glob = "a*".repeat(60);
    const rules = rulesOf([
      ...Array.from({ length: 100 }, (_, index) => ({
        tokens_input_lt: 1000 - index,
        header: { [`h${index}`]: glob },
        any_of: [{ stream: true }, { reasoning: true }],
      })),
      { model: glob },
      { model: `${glob}b` },
    ]);
    const started = performance.now();
    deadRules(rules);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("targets", () => {
  const { catalog } = createCatalog([
    {
      old: { like: "gpt-4.1", shutdown_on: "2027-01-14" },
      blind: { like: "gpt-4.1", capabilities: { vision: false, tools: false } },
      free: { like: "gpt-6-sol" },
    },
  ]);
  const warnings = (policy: Policy, wallMs = NOON_MS): readonly string[] =>
    lintPolicy(policy, {
      catalog,
      wallMs,
      providerOf: (model) => (model === "nobodys" ? null : model.startsWith("claude") ? "anthropic" : "openai"),
    }).map(({ text }) => text);
  const one = (when: unknown, then: unknown): Policy => policyFrom({ rules: [{ name: "r", when, then }] });

  test("that are shut down soon are told from 60 days before", () => {
    const day = (date: string): readonly string[] =>
      warnings(one({ stream: true }, { model: "old" }), Date.parse(`${date}T12:00:00Z`)).filter((text) =>
        text.includes("shut down"),
      );
    expect(day("2026-11-14")).toEqual([]);
    expect(day("2026-11-16")).toEqual(['rule r: model "old" is shut down on 2027-01-14, in 59 days']);
    expect(day("2027-01-14")).toEqual(['rule r: model "old" was shut down on 2027-01-14']);
  });

  test("that cannot take what a match has or may have are told", () => {
    expect(
      warnings(one({ has_image: true, no_tools: true }, { model: "blind" })).filter((text) =>
        text.includes("does not take"),
      ),
    ).toEqual(['rule r: model "blind" does not take images, which every match has; it is used all the same']);
    expect(
      warnings(one({ stream: true }, { model: "blind" })).filter((text) => text.includes("does not take")),
    ).toEqual([
      'rule r: model "blind" does not take images, which a match may have; add no_image: true to the conditions',
      'rule r: model "blind" does not take tools, which a match may have; add no_tools: true to the conditions',
    ]);
    expect(
      warnings(one({ no_image: true, tools_lt: 1 }, { model: "blind" })).filter((text) =>
        text.includes("does not take"),
      ),
    ).toEqual([]);
    expect(
      warnings(one({ has_tools: true }, { model: "gpt-6-sol", fallback_chain: ["blind"] })).filter(
        (text) => text.includes("blind") && text.includes("take"),
      ),
    ).toEqual(['rule r: model "blind" does not take tools, which every match has; it is always skipped']);
    expect(warnings(one({ tool_choice: "required" }, { model: "claude-opus-5-5" }))).toEqual([
      'rule r: model "claude-opus-5-5" does not take forced tool use, which every match has; it is used all the same',
    ]);
    expect(warnings(one({ tokens_input_gt: 2_000_000 }, { model: "claude-opus-5-5" }))).toEqual([
      'rule r: model "claude-opus-5-5" takes 1000000 tokens, fewer than every match has; it is used all the same',
    ]);
  });

  test("that are unknown, unpriced, served by nobody, or aliases are told", () => {
    expect(warnings(one({}, { model: "free" }))).toEqual([
      'rule r: model "free" is unpriced: cost and savings of its answers stay unknown',
    ]);
    expect(warnings(one({}, { model: "gpt-99" }))).toEqual([
      'rule r: model "gpt-99" is not in the catalog: it counts as the newest of its provider, unpriced',
    ]);
    expect(warnings(one({}, { model: "nobodys" }))).toContain('rule r: no configured provider serves model "nobodys"');
    expect(
      warnings(policyFrom({ aliases: { fast: "gpt-99" }, rules: [{ name: "r", then: { model: "fast" } }] })),
    ).toEqual([
      'rule r: "fast" is an alias, and aliases stand for what apps ask for only; name the model',
      'rule r: model "fast" is not in the catalog: it counts as the newest of its provider, unpriced',
      'alias fast: model "gpt-99" is not in the catalog: it counts as the newest of its provider, unpriced',
    ]);
  });

  test("are told of where they stand in defaults, also without rules", () => {
    const policy = policyFrom({
      aliases: { fast: "gpt-6-luna" },
      defaults: { model: "fast", hedge: { after: "1s", model: "old" } },
      rules: [],
    });
    expect(warnings(policy)).toEqual([
      'defaults: "fast" is an alias, and aliases stand for what apps ask for only; name the model',
      'defaults: model "fast" is not in the catalog: it counts as the newest of its provider, unpriced',
      'defaults: model "old" is unpriced: cost and savings of its answers stay unknown',
      'defaults: model "old" is shut down on 2027-01-14, in 51 days',
    ]);
  });

  test("are told nothing of that a rule which never matches would ask of them", () => {
    const never = one({ has_image: true, no_image: true }, { model: "gpt-6-sol" });
    expect(warnings(never)).toEqual(["rule r: can never match: has_image and no_image exclude each other"]);
  });

  test("stand in models by provider, in draws, chains and hedges", () => {
    const then = {
      model: [{ model: "w1", weight: 1 }],
      fallback_chain: ["w2", { model: "w3" }],
      hedge: { after: "1s", model: "w4" },
    };
    expect(warnings(one({}, then)).map((text) => /"(\w+)"/.exec(text)?.[1])).toEqual(["w1", "w2", "w3", "w4"]);
    expect(
      warnings(one({}, { model: { openai: "w5", anthropic: "claude-w6" } })).map(
        (text) => /"([\w-]+)"/.exec(text)?.[1],
      ),
    ).toEqual(["w5", "claude-w6"]);
  });
});
