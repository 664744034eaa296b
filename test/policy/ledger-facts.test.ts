/** What the ledger keeps is enough to decide again, and keeps no text. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { decide } from "../../src/policy/decide.ts";
import { factsForLedger, hasLedgerFacts, inputFromLedger } from "../../src/policy/ledger-facts.ts";
import type { PolicyInput } from "../../src/policy/context.ts";
import { readOverrides } from "../../src/policy/overrides.ts";
import { NO_POLICY } from "../../src/policy/policy.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { describeDecision } from "../../src/policy/summary.ts";
import { inputOf, policyFrom } from "./support.ts";

/** Rules that ask for everything. */
const WIDE = {
  aliases: { "f?st": "claude-haiku-5-5" },
  defaults: { tags: { t: "none" } },
  rules: [
    {
      name: "texts",
      when: { any_of: [{ prompt_contains: "help" }, { system_contains: ["pirate"] }] },
      then: { model: "m-1" },
    },
    {
      name: "names",
      when: { any_of: [{ user: "u*" }, { metadata: { job: true } }, { header: { "x-a": "1" } }] },
      then: { model: "m-2" },
    },
    {
      name: "shares",
      when: { any_of: [{ percent: 30 }, { percent: { value: 50, by: "header:x-s" } }] },
      then: {
        model: [
          { model: "m-3", weight: 1 },
          { model: "m-4", weight: 1 },
        ],
      },
    },
    {
      name: "shapes",
      when: { max_tokens_set: true, no_tools: true, provider: "anthropic" },
      then: { model: { anthropic: "m-5" } },
    },
    {
      name: "tools",
      when: { tool_names: "get_*", tool_choice: "required", in_tool_loop: false },
      then: { model: "m-6" },
    },
    {
      name: "inputs",
      when: { any_of: [{ has_image: true }, { has_document: true }, { has_audio: true }, { has_cache_control: true }] },
      then: { model: "m-7" },
    },
    {
      name: "thought",
      when: { reasoning: true, reasoning_effort: ["high", "max"], stream: false },
      then: { model: "m-8" },
    },
    { name: "callers", when: { any_of: [{ key: "team-*" }, { client: "codex" }] }, then: { model: "m-9" } },
    { name: "times", when: { time: { days: ["sat", "sun"] }, format: ["chat", "responses"] }, then: { model: "m-10" } },
    {
      name: "states",
      when: { provider_state: { openai: "open" }, messages_gt: 2, tokens_input_lte: 50 },
      then: { model: "m-11" },
    },
    {
      name: "schemas",
      when: { response_format_type: "json_schema" },
      then: { model: "m-12", validate: ["json_schema"] },
    },
  ],
};
const wide = policyFrom(WIDE);

/** More of them than a line can list. */
const long = policyFrom({
  ...WIDE,
  rules: [
    ...Array.from({ length: 300 }, (_, at) => ({
      name: `long-${at}`,
      when: { any_of: [{ prompt_contains: `nowhere to be found ${at}` }, { header: { "x-team": `team-${at}` } }] },
      then: { model: "m-13" },
    })),
    ...WIDE.rules,
  ],
});

/** As docs/observability.md tells it. */
const idOf = (key: string) => createHash("sha256").update(key).digest("base64url").slice(0, 6);

const maybe = <Value>(...values: readonly Value[]) => fc.constantFrom(null, ...values);
const input: fc.Arbitrary<PolicyInput> = fc
  .record({
    facts: fc.record({
      format: fc.constantFrom("chat" as const, "messages" as const, "responses" as const),
      model: fc.constantFrom("gpt-6-sol", "fast", "claude-opus-5-5"),
      stream: fc.boolean(),
      tokensInput: fc.nat(100),
      maxTokens: maybe(5, 500),
      messages: fc.nat(5),
      toolNames: fc.subarray(["get_x", "put_x"]),
      toolChoice: maybe("auto" as const, "required" as const),
      inToolLoop: fc.boolean(),
      hasImage: fc.boolean(),
      hasDocument: fc.boolean(),
      hasAudio: fc.boolean(),
      responseFormatType: fc.constantFrom("text" as const, "json_object" as const, "json_schema" as const),
      reasoning: fc.boolean(),
      reasoningEffort: maybe("low" as const, "high" as const),
      hasCacheControl: fc.boolean(),
      metadata: fc.constantFrom({}, { job: "SECRET" }),
      user: maybe("u-SECRET", "v-SECRET"),
      systemText: fc.constantFrom("", "SECRET pirate"),
      promptText: fc.constantFrom("", "SECRET", "help SECRET"),
    }),
    headers: fc.constantFrom({}, { "x-a": "1" }, { "x-s": "SECRET" }),
    key: maybe("team-a", "ops"),
    client: maybe("codex", "curl"),
    providerState: fc.constantFrom({}, { openai: "open" as const }),
    requestId: fc.nat(50).map((id) => `req_${id}`),
    wallMs: fc.nat(7).map((day) => Date.UTC(2026, 10, 20 + day)),
    overrides: fc
      .constantFrom(
        {},
        {},
        {},
        { "x-arouter-model": "fast", "x-arouter-tags": "a=SECRET" },
        { "x-arouter-rule": "schemas", "x-arouter-validate": "none" },
        { "x-arouter-no-route": "1" },
        {
          "x-arouter-fallback-chain": "a,b",
          "x-arouter-hedge": "1s",
          "x-arouter-retry": "0",
          "x-arouter-heal": "full",
        },
      )
      .map((headers) => readOverrides(new Headers(headers), "all")),
  })
  .map(inputOf);

/** The input as a ledger gives it back, through JSON text as in the file. */
function recorded(policy: Policy, live: PolicyInput): PolicyInput {
  const facts = JSON.parse(JSON.stringify(factsForLedger(policy, decide(policy, live).context))) as JsonObject;
  const { requestId: id, wallMs } = live;
  return inputFromLedger({ id, wallMs, format: live.facts.format, stream: live.facts.stream, facts }, live.providerOf);
}

describe("the ledger's facts", () => {
  describe.each([
    ["that are few", wide, 1000],
    ["that are many", long, 200],
  ] as const)("of conditions %s", (_, policy, numRuns) => {
    test("give every decision again", () => {
      fc.assert(
        fc.property(input, (live) => {
          const first = decide(policy, live);
          const again = decide(policy, recorded(policy, live));
          expect(again.undecided).toBeNull();
          expect(describeDecision(again.decision)).toEqual(describeDecision(first.decision));
        }),
        { numRuns },
      );
    });

    test("hold no text, and no name of a person", () => {
      fc.assert(
        fc.property(input, (live) => {
          expect(JSON.stringify(factsForLedger(policy, decide(policy, live).context))).not.toContain("SECRET");
        }),
        { numRuns: 200 },
      );
    });

    test("tell what each condition was, also to another policy", () => {
      fc.assert(
        fc.property(input, (live) => {
          const { recall } = recorded(policy, live);
          const { context } = decide(policy, live);
          const replayed = policy.recorded.filter(({ replayable }) => !replayable);
          expect(replayed.map(({ key }) => recall?.(key))).toEqual(replayed.map(({ test }) => test(context)));
        }),
        { numRuns: 100 },
      );
    });
  });

  test("list of many conditions those that held, and name all by their hash", () => {
    const live = inputOf({ headers: { "x-team": "team-7" }, facts: { promptText: "help" } });
    const facts = factsForLedger(long, decide(long, live).context);
    expect(facts["tested"]).toEqual({ '{"header":{"x-team":"team-7"}}': true, '{"prompt_contains":"help"}': true });
    const ids = String(facts["tested_ids"]).match(/.{6}/g) ?? [];
    expect(ids).toContain(idOf('{"header":{"x-team":"team-8"}}'));
    expect(ids).toContain(idOf('{"header":{"x-team":"team-7"}}'));
    // 600 of the rules that are many, six of the others, as a draw by the request needs no record.
    expect(ids).toHaveLength(606);
  });

  test("of many conditions do not take an id out of the middle of two for one of theirs", () => {
    const keys = ["a", "b", "c"].map((user) => JSON.stringify({ user }));
    const outcomes = (ids: string) => {
      const facts = { model: "m", tested: {}, tested_ids: ids };
      const { recall } = inputFromLedger({ id: "1", wallMs: 0, format: "chat", stream: false, facts }, () => null);
      return keys.map((key) => recall?.(key));
    };
    const ids = keys.map(idOf).join("");
    expect(outcomes(ids)).toEqual([false, false, false]);
    expect(outcomes(`AA${ids}AAAA`)).toEqual([null, null, null]);
    // Once out of place, then in place.
    expect(outcomes(`AA${idOf(keys[0] ?? "")}AAAA${ids}`)).toEqual([false, false, false]);
  });

  test("of lines that list everything are read as before", () => {
    const tested = { '{"prompt_contains":"help"}': true, '{"prompt_contains":"hope"}': false };
    const line = { id: "1", wallMs: 0, format: "chat", stream: false, facts: { model: "m", tested } } as const;
    const { recall } = inputFromLedger(line, () => null);
    expect(["help", "hope", "other"].map((word) => recall?.(JSON.stringify({ prompt_contains: word })))).toEqual([
      true,
      false,
      null,
    ]);
  });

  test("tell a replay which condition they cannot decide", () => {
    const other = policyFrom({
      rules: [{ name: "r", when: { tokens_input_lt: 50, prompt_contains: "other" }, then: { model: "m" } }],
    });
    for (const policy of [wide, long]) {
      const again = (tokensInput: number) => decide(other, recorded(policy, inputOf({ facts: { tokensInput } })));
      expect(again(10).undecided).toBe('{"prompt_contains":"other"}');
      // The number alone decides here.
      expect(again(100)).toMatchObject({ undecided: null, decision: { rule: null } });
    }
  });

  test("let a new policy draw by request again", () => {
    const other = policyFrom({ rules: [{ name: "canary", when: { percent: 50 }, then: { model: "m" } }] });
    for (let id = 0; id < 20; id++) {
      const live = inputOf({ requestId: `req_${id}` });
      expect(decide(other, recorded(wide, live)).decision.rule).toBe(decide(other, live).decision.rule);
    }
  });

  test("undo an alias under a policy without it", () => {
    const live = inputOf({ facts: { model: "fast" } });
    expect(decide(NO_POLICY, recorded(wide, live)).decision.modelAsked).toBe("fast");
    expect(decide(wide, recorded(wide, live)).decision.modelAsked).toBe("claude-haiku-5-5");
  });

  test("are in the order and the words that are documented", () => {
    const live = inputOf({
      facts: { model: "gpt-4.1", tokensInput: 40, responseFormatType: "json_schema", toolNames: ["a"], maxTokens: 9 },
      providerState: { openai: "closed" },
    });
    const policy = policyFrom({ rules: [{ name: "r", when: { user: "u*", percent: 10 }, then: { model: "m" } }] });
    const facts = factsForLedger(policy, decide(policy, live).context);
    expect(JSON.stringify(facts)).toBe(
      '{"model":"gpt-4.1","provider":"openai","tokens_input":40,"max_tokens":9,"messages":1,"tool_names":["a"],"response_format_type":"json_schema","provider_state":{"openai":"closed"},"tested":{"{\\"user\\":\\"u*\\"}":false,"{\\"percent\\":10,\\"rule\\":\\"r\\"}":false}}',
    );
  });

  test("that are damaged are told apart, and never crash", () => {
    expect(hasLedgerFacts(null)).toBe(false);
    expect(hasLedgerFacts({})).toBe(false);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const facts = { model: "m", tool_names: a, tested: b, provider_state: a, tokens_input: b } as Record<
          string,
          Json
        >;
        decide(
          wide,
          inputFromLedger({ id: "1", wallMs: 0, format: "chat", stream: false, facts }, () => null),
        );
      }),
      { numRuns: 200 },
    );
  });
});
