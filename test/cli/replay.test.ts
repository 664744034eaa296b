import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runReplay } from "../../src/cli/replay.ts";
import { renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { chatAnswer, chatStream, messagesAnswer } from "../support/answers.ts";
import { createTestIo } from "../support/cli.ts";
import { createSequence } from "../support/fake-clock.ts";
import { createPipeline, type Pipeline } from "../support/pipeline.ts";
import { attemptOf, recordOf, usageOf } from "../observe/support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "replay-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

async function run(args: readonly string[]) {
  const io = createTestIo({ cwd: folder });
  const exit = await runReplay(args, io);
  return { exit, out: io.out(), errors: io.errors() };
}

async function runJson(args: readonly string[]) {
  const { exit, out, errors } = await run([...args, "--json"]);
  expect([exit, errors]).toEqual([0, ""]);
  return JSON.parse(out) as Record<string, unknown>;
}

/** A policy in which every kind of condition decides something. */
const WIDE = `
version: 1
aliases: { fast: gpt-4o-mini, "smart-*": claude-sonnet-4-5 }
defaults: { tags: { stage: test } }
rules:
  - { name: forced_only, when: { header: { x-never: "1" } }, then: { model: gpt-4.1-nano } }
  - { name: banned, when: { prompt_contains: forbidden }, then: { block: { status: 403, message: no } } }
  - { name: pirates, when: { system_contains: [pirate, corsair] }, then: { model: claude-haiku-4-5 } }
  - { name: teams, when: { header: { x-team: [search, "ads-*"] } }, then: { model: gpt-4.1-mini, tags: { team: yes } } }
  - { name: jobs, when: { metadata: { job: true } }, then: { model: gpt-4.1-nano } }
  - { name: people, when: { user: "u-*", percent: { value: 50, by: user } }, then: { model: gpt-4o } }
  - { name: half, when: { percent: 30, format: chat }, then: { model: [{ model: gpt-4.1, weight: 1 }, { model: gpt-4o, weight: 2 }] } }
  - { name: agents, when: { client: [codex, claude-code] }, then: { model: { openai: gpt-4.1, anthropic: claude-opus-4-5 } } }
  - { name: tooled, when: { has_tools: true, tools_gte: 2, tool_names: "get_*" }, then: { model: gpt-4.1, validate: [tool_arguments] } }
  - { name: loops, when: { in_tool_loop: true }, then: { model: gpt-4.1-mini } }
  - { name: caps, when: { max_tokens_set: true, max_tokens_lt: 100 }, then: { fallback_chain: [gpt-4.1, claude-sonnet-4-5] } }
  - { name: shapes, when: { response_format_type: json_schema }, then: { model: gpt-4o-mini, validate: [json_schema], heal: { hold: full } } }
  - { name: thought, when: { reasoning: true }, then: { retry: { max: 1 }, timeout: { total: 90s } } }
  - { name: pictures, when: { any_of: [{ has_image: true }, { has_document: true }] }, then: { hedge: { after: 800ms } } }
  - { name: nights, when: { time: { tz: Europe/Berlin, from: "22:00", to: "06:00" } }, then: { model: gpt-4.1-nano } }
  - { name: cached, when: { has_cache_control: true }, then: { params: { set: { temperature: 0 } } } }
  - { name: streams, when: { stream: true, not: { provider: anthropic } }, then: { model: gpt-4o-mini } }
  - { name: long, when: { any_of: [{ tokens_input_gt: 60 }, { messages_gt: 2 }] }, then: { model: gpt-4.1 } }
  - { name: states, when: { provider_state: { anthropic: open } }, then: { model: gpt-4o } }
`;

/** A request drawn from everything that the policy looks at. */
function drawRequest(random: () => number) {
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const isChat = random() < 0.6;
  const prompt = pick("hi", "a forbidden word", "tell me more ".repeat(30), "hello there");
  const system = pick(null, "you are a pirate", "be brief");
  const image = random() < 0.1;
  const tools = pick(0, 0, 1, 2);
  const headers = {
    ...pick<Record<string, string>>({}, { "x-team": "search" }, { "x-team": "ads-9" }, { "x-team": "other" }),
    ...pick<Record<string, string>>({}, {}, { "user-agent": "codex/1.0" }, { "user-agent": "OpenAI/Python 1.2" }),
    ...pick<Record<string, string>>(
      {},
      {},
      {},
      {},
      { "x-arouter-model": "fast" },
      { "x-arouter-rule": "forced_only" },
      { "x-arouter-no-route": "1" },
      { "x-arouter-fallback-chain": "gpt-4.1,gpt-4o", "x-arouter-validate": "json" },
      { "x-arouter-heal": "off", "x-arouter-retry": "0" },
    ),
  };
  const stream = isChat && random() < 0.3;
  const schema = { type: "object", properties: {} };
  const common = {
    ...(random() < 0.2 ? { metadata: pick<Record<string, string>>({ job: "7" }, { user_id: "u-1" }) } : {}),
    ...(stream ? { stream: true } : {}),
  };
  if (isChat) {
    const content = image ? [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] : prompt;
    return {
      format: "chat" as const,
      headers,
      body: {
        model: pick("gpt-4.1", "gpt-4o-mini", "fast", "smart-1", "claude-haiku-4-5", "gpt-4.1-2025-04-14"),
        messages: [...(system === null ? [] : [{ role: "system", content: system }]), { role: "user", content }],
        ...(random() < 0.3 ? { user: pick("u-1", "u-2", "u-6", "bob", "v-1") } : {}),
        ...(random() < 0.3 ? { max_tokens: pick(50, 500) } : {}),
        ...(random() < 0.2 ? { response_format: { type: "json_schema", json_schema: { name: "a", schema } } } : {}),
        ...(tools === 0
          ? {}
          : {
              tools: Array.from({ length: tools }, (_, n) => ({
                type: "function",
                function: { name: pick("get_a", "put_b") + n, parameters: schema },
              })),
            }),
        ...common,
      },
    };
  }
  const text = { type: "text", text: prompt, ...(random() < 0.2 ? { cache_control: { type: "ephemeral" } } : {}) };
  return {
    format: "messages" as const,
    headers,
    body: {
      model: pick("claude-sonnet-4-5", "claude-opus-4-5", "smart-2", "gpt-4.1"),
      max_tokens: pick(64, 2048),
      messages: [{ role: "user", content: [text] }],
      ...(system === null ? {} : { system }),
      ...(tools === 0 ? {} : { tools: [{ name: "get_a", input_schema: schema }] }),
      ...common,
      stream: false,
    },
  };
}

/** Sends `count` drawn requests through the pipeline and gives the ledger that they leave. */
async function recordLedger(
  policy: string,
  count: number,
  options: { readonly keepBody: boolean; readonly seed: number },
) {
  const pipeline: Pipeline = createPipeline({
    upstream: (call) => {
      const { stream, model } = JSON.parse(call.body) as { stream?: boolean; model: string };
      if (call.url.includes("/messages")) return messagesAnswer("{}", model);
      return stream === true ? chatStream(["{}"]) : chatAnswer("{}", model);
    },
    policy,
    config: options.keepBody ? '[ledger]\nfile = "/dev/null"\nrequests = true' : "",
  });
  const random = createSequence(options.seed);
  const step = 3 * 3_600_000 + 7;
  for (let number = 0; number < count; number++) {
    const { format, body, headers } = drawRequest(random);
    pipeline.clock.jump(Math.floor(random() * step));
    await pipeline.send(format, body, { headers });
  }
  expect(pipeline.records).toHaveLength(count);
  return pipeline.records.map((record) => `${renderLedgerLine(record, options)}\n`).join("");
}

describe("the same policy", () => {
  test("re-derives every decision of a recorded ledger, and moves nothing", async () => {
    put("policies.yaml", WIDE);
    const ledger = put("ledger.jsonl", await recordLedger(WIDE, 400, { keepBody: false, seed: 7 }));
    const result = await runJson([ledger, "--policy", "policies.yaml"]);
    expect(result).toMatchObject({
      lines: 400,
      decided: 400,
      same: 400,
      moved: 0,
      changed: 0,
      undecided: 0,
      change_usd: 0,
    });
    // Every rule that a request can meet was met, or the test says little.
    const met = (result["rules"] as { rule: string | null }[]).map(({ rule }) => rule);
    const unmet = [...WIDE.matchAll(/name: (\w+),/g)]
      .map(([, name]) => name ?? "")
      .filter((name) => !met.includes(name));
    expect(unmet.filter((name) => !["loops", "thought", "states", "long"].includes(name))).toEqual([]);
  }, 30_000);
  test("is the configured one unless another is named", async () => {
    put("policies.yaml", WIDE);
    put("arouter.toml", '[router]\npolicy_file = "policies.yaml"\n[ledger]\nfile = "ledger.jsonl"\n');
    put("ledger.jsonl", await recordLedger(WIDE, 20, { keepBody: false, seed: 8 }));
    expect(await runJson([])).toMatchObject({ decided: 20, same: 20 });
  });
});

describe("another policy", () => {
  const OLD = "rules:\n  - { name: small, when: { tokens_input_lt: 50 }, then: { model: gpt-4o-mini } }\n";
  const NEW =
    "rules:\n  - { name: tiny, when: { tokens_input_lt: 20 }, then: { model: gpt-4.1-nano } }\n" +
    "  - { name: rest, then: { model: gpt-4.1, validate: [json] } }\n";

  const OUTPUT = 10_000;

  /** `tokens` → the line of a request that cost what its tokens cost. */
  function line(tokens: number, policy: "old" | "none"): string {
    const isSmall = policy === "old" && tokens < 50;
    const model = isSmall ? "gpt-4o-mini" : "gpt-4.1";
    const costUsd = isSmall ? (tokens * 0.15 + OUTPUT * 0.6) / 1e6 : (tokens * 2 + OUTPUT * 8) / 1e6;
    const record = recordOf({
      rule: isSmall ? "small" : null,
      policy: "old",
      facts: {
        model: "gpt-4.1",
        provider: "openai",
        tokens_input: tokens,
        messages: 1,
        response_format_type: "text",
        tested: {},
      },
      decision: { model },
      model,
      attempts: [attemptOf({ model, usage: usageOf(tokens, OUTPUT), costUsd })],
      costUsd,
    });
    return `${renderLedgerLine(record, { keepBody: false })}\n`;
  }

  test("moves what it sends elsewhere, with the dollars of each rule", async () => {
    put("new.yaml", NEW);
    const ledger = put("l", [12, 12, 32, 100].map((tokens) => line(tokens, "old")).join(""));
    const result = await runJson([ledger, "--policy", "new.yaml"]);
    const nano = 2 * ((12 * 0.1 + OUTPUT * 0.4) / 1e6);
    const mini = 2 * ((12 * 0.15 + OUTPUT * 0.6) / 1e6) + (32 * 0.15 + OUTPUT * 0.6) / 1e6;
    const full = (32 * 2 + OUTPUT * 8) / 1e6;
    expect(result).toMatchObject({ decided: 4, moved: 3, changed: 1, same: 0, unpriced: 0 });
    const [small] = result["rules"] as Record<string, number>[];
    expect(small).toMatchObject({ rule: "small", requests: 3, moved: 3 });
    expect(small?.["cost_before_usd"]).toBeCloseTo(mini, 11);
    expect(small?.["cost_after_usd"]).toBeCloseTo(nano + full, 11);
    expect(result["change_usd"]).toBeCloseTo(nano + full - mini, 11);
    expect(result["moves"]).toMatchObject([
      { rule_from: "small", rule_to: "tiny", model_from: "gpt-4o-mini", model_to: "gpt-4.1-nano", requests: 2 },
      { rule_from: "small", rule_to: "rest", model_from: "gpt-4o-mini", model_to: "gpt-4.1", requests: 1 },
    ]);
  });
  test("is shown as tables", async () => {
    put("new.yaml", NEW);
    const ledger = put("l", [12, 12, 32, 100].map((tokens) => line(tokens, "old")).join(""));
    const { exit, out, errors } = await run([ledger, "--policy", "new.yaml"]);
    expect([exit, errors]).toEqual([0, ""]);
    expect(out.replace(/policy .*\n/, "")).toBe(`requests   4 decided again · 1 change without moving
moved      3 (75.0 %)
cost       0.018008 → 0.088066 USD (+0.070058)

RULE   REQUESTS  MOVE  BEFORE $   AFTER $   CHANGE $
small         3     3  0.018008  0.088066  +0.070058
none          1     0         0         0          0

FROM RULE → TO  FROM MODEL → TO             REQUESTS   CHANGE $
small → tiny    gpt-4o-mini → gpt-4.1-nano         2  -0.004001
small → rest    gpt-4o-mini → gpt-4.1              1  +0.074059
`);
  });
  test("that blocks makes a request cost nothing", async () => {
    put("new.yaml", "rules:\n  - { name: all, then: { block: { status: 403, message: closed } } }\n");
    const result = await runJson([put("l", line(100, "none")), "--policy", "new.yaml"]);
    expect(result).toMatchObject({ moved: 1, cost_after_usd: 0, moves: [{ model_from: "gpt-4.1", model_to: null }] });
  });
  test("to a model without a price is counted, not guessed", async () => {
    put("new.yaml", "rules:\n  - { name: all, then: { model: gpt-99-new } }\n");
    expect(await runJson([put("l", line(100, "none")), "--policy", "new.yaml"])).toMatchObject({
      moved: 1,
      unpriced: 1,
      change_usd: 0,
    });
  });
  test("old rules are as they were", async () => {
    put("old.yaml", OLD);
    expect(await runJson([put("l", line(10, "old") + line(90, "old")), "--policy", "old.yaml"])).toMatchObject({
      same: 2,
      moved: 0,
    });
  });
});

describe("what the ledger does not hold", () => {
  const OTHER =
    "rules:\n  - { name: said, when: { prompt_contains: hello }, then: { model: gpt-4.1-nano } }\n" +
    "  - { name: sent, when: { header: { x-other: true } }, then: { model: gpt-4o } }\n";
  test("leaves a request undecided, counted by the condition", async () => {
    put("other.yaml", OTHER);
    const ledger = put("l", await recordLedger(WIDE, 60, { keepBody: false, seed: 3 }));
    const result = await runJson([ledger, "--policy", "other.yaml"]);
    expect(result["decided"] as number).toBeLessThan(10);
    expect(result["undecided_by"]).toMatchObject({ '{"prompt_contains":"hello"}': expect.any(Number) });
    expect((result["decided"] as number) + (result["undecided"] as number)).toBe(60);
  }, 30_000);
  test("is read from the body where that was kept; headers stay open", async () => {
    put("other.yaml", OTHER);
    const ledger = put("l", await recordLedger(WIDE, 60, { keepBody: true, seed: 3 }));
    const result = await runJson([ledger, "--policy", "other.yaml"]);
    const said = (result["moves"] as { rule_to: string; requests: number }[]).filter(
      ({ rule_to }) => rule_to === "said",
    );
    expect(said.length).toBeGreaterThan(0);
    const conditions = Object.keys(result["undecided_by"] as object).filter((why) => why.startsWith("{"));
    expect(conditions).toEqual(['{"header":{"x-other":true}}']);
  }, 30_000);
  test("a rule that a request forced and the policy lacks leaves it undecided", async () => {
    put("new.yaml", "rules:\n  - { name: all, then: { model: gpt-4o } }\n");
    const facts = { model: "gpt-4.1", provider: "openai", overrides: { rule: "gone" }, tested: {} };
    const ledger = put("l", `${renderLedgerLine(recordOf({ facts }), { keepBody: false })}\n`);
    expect(await runJson([ledger, "--policy", "new.yaml"])).toMatchObject({ undecided: 1, decided: 0 });
  });
});

describe("lines that are no requests", () => {
  test("are counted: torn ones, and requests refused before a decision", async () => {
    put("p.yaml", WIDE);
    const refused = renderLedgerLine(recordOf({ facts: null, decision: null, attempts: [] }), { keepBody: false });
    const ledger = put("l", `${refused}\n{"v":1,"ti\n\n${refused.replace('"v":1', '"v":9')}\n`);
    expect(await runJson([ledger, "--policy", "p.yaml"])).toMatchObject({
      lines: 4,
      unreadable: 3,
      without_decision: 1,
      decided: 0,
    });
  });
  test("a last line without its end counts", async () => {
    put("p.yaml", WIDE);
    const whole = renderLedgerLine(recordOf(), { keepBody: false });
    expect(await runJson([put("l", `${whole}\n${whole}`), "--policy", "p.yaml"])).toMatchObject({
      lines: 2,
      unreadable: 0,
    });
  });
});

describe("usage", () => {
  test.each([
    [[], "name a ledger"],
    [["missing.jsonl"], "cannot read missing.jsonl"],
    [["."], ". is a folder; name the ledger's files"],
    [["l", "--polcy", "x"], 'unknown option --polcy; did you mean "--policy"?'],
    [["l", "--policy", "missing.yaml"], "missing.yaml"],
  ])("%p is refused", async (args, text) => {
    put("l", "");
    const { exit, errors, out } = await run(args);
    expect([exit, out]).toEqual([2, ""]);
    expect(errors).toContain(text);
  });
  test("tells its progress on standard error when it takes long", async () => {
    put("p.yaml", WIDE);
    put("l", `${renderLedgerLine(recordOf(), { keepBody: false })}\n`.repeat(4000));
    let nowMs = 0;
    const io = createTestIo({ cwd: folder });
    const exit = await runReplay(["l", "--policy", "p.yaml", "--json"], { ...io, now: () => (nowMs += 3000) });
    expect(exit).toBe(0);
    expect(io.errors()).toMatch(/^arouter replay: \d+ lines, \d+ %\n/);
    expect(JSON.parse(io.out())).toMatchObject({ lines: 4000 });
  });
});
