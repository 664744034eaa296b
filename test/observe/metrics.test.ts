import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import type { GatewayEvent } from "../../src/base/events.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { METRICS, type MetricRow } from "../../src/observe/metric-table.ts";
import { createMetrics, type MetricsOptions, type Vitals } from "../../src/observe/metrics.ts";
import { attemptOf, healedRecord, recordOf, usageOf } from "./support.ts";

const models = { catalog: builtInCatalog, named: new Set<string>() };

function open(parts: Partial<MetricsOptions> = {}) {
  return createMetrics({
    enabled: () => true,
    version: "1.2.3",
    commit: "abc",
    startedWallMs: 1_795_000_000_000,
    models: () => models,
    droppedFields: new Set(["seed"]),
    vitals: () => null,
    observerFailures: () => new Map(),
    ...parts,
  });
}

/** The samples of `events`, by name and labels; buckets left out. */
async function samples(
  events: readonly GatewayEvent[],
  parts: Partial<MetricsOptions> = {},
): Promise<Record<string, number>> {
  const metrics = open(parts);
  for (const event of events) metrics.observe(event);
  return parse(await metrics.text());
}

function parse(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket{"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const finished = (record: ReturnType<typeof recordOf>): GatewayEvent => ({ type: "exchange-finished", record });

describe("a request", () => {
  test("that was healed counts under its rule, in every metric that it belongs to", async () => {
    const found = await samples([finished(healedRecord())]);
    expect(found).toMatchObject({
      'arouter_requests_total{format="chat",provider="openai",model="gpt-4.1",status="200",stream="true",rule="extract"}': 1,
      'arouter_attempts_total{provider="openai",model="gpt-4o-mini",class="invalid",rule="extract"}': 1,
      'arouter_attempts_total{provider="openai",model="gpt-4.1",class="ok",rule="extract"}': 1,
      'arouter_fallbacks_total{reason="validation",rule="extract"}': 1,
      'arouter_heals_total{result="healed",rule="extract"}': 1,
      'arouter_validations_total{validator="json_schema",result="fail",rule="extract"}': 1,
      'arouter_validations_total{validator="json_schema",result="pass",rule="extract"}': 1,
      'arouter_tokens_total{provider="openai",model="gpt-4o-mini",kind="output",source="estimated",rule="extract"}': 12,
      'arouter_tokens_total{provider="openai",model="gpt-4.1",kind="input",source="reported",rule="extract"}': 40,
      'arouter_cost_usd_total{provider="openai",model="gpt-4o-mini",rule="extract"}': 0.0000132,
      'arouter_cost_usd_total{provider="openai",model="gpt-4.1",rule="extract"}': 0.000176,
      'arouter_saved_usd_total{rule="extract"}': 0,
      'arouter_lost_usd_total{rule="extract"}': 0.0000132,
      'arouter_request_duration_seconds_sum{format="chat",provider="openai",model="gpt-4.1"}': 0.92713,
      'arouter_time_to_first_token_seconds_count{provider="openai",model="gpt-4o-mini"}': 1,
      'arouter_overhead_seconds_sum{format="chat"}': 0.0008412,
    });
  });
  test("that saved adds to saved alone", async () => {
    const found = await samples([finished(recordOf({ savedUsd: 0.25 })), finished(recordOf({ savedUsd: 0.5 }))]);
    expect(found['arouter_saved_usd_total{rule="none"}']).toBe(0.75);
    expect(found['arouter_lost_usd_total{rule="none"}']).toBe(0);
  });
  test("that has no price adds no dollars", async () => {
    const found = await samples([
      finished(recordOf({ costUsd: null, savedUsd: null, attempts: [attemptOf({ costUsd: null })] })),
    ]);
    expect(Object.keys(found).filter((name) => name.includes("usd"))).toEqual([]);
  });
  test("that was refused before it was read has no model", async () => {
    const record = recordOf({
      format: null,
      model: null,
      provider: null,
      attempts: [],
      status: 401,
      outcome: "gateway_error",
    });
    expect(await samples([finished(record)])).toMatchObject({
      'arouter_requests_total{format="none",provider="none",model="none",status="401",stream="false",rule="none"}': 1,
    });
  });
  test("splits its tokens by kind", async () => {
    const usage = usageOf(5, 9, { cacheRead: 100, cacheWrite: 20, cacheWriteLong: 3, reasoning: 4 });
    const found = await samples([finished(recordOf({ attempts: [attemptOf({ usage })] }))]);
    const kinds = ["input", "output", "cache_read", "cache_write", "reasoning"].map(
      (kind) =>
        found[`arouter_tokens_total{provider="openai",model="gpt-4.1",kind="${kind}",source="reported",rule="none"}`],
    );
    expect(kinds).toEqual([5, 9, 100, 23, 4]);
    expect(
      found[
        'gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4.1",gen_ai_token_type="input"}'
      ],
    ).toBe(128);
  });
  test("adds to the tags of its rule, not to those of its caller", async () => {
    const found = await samples([
      finished(recordOf({ tags: { team: "search" }, callerTags: { job: "x" }, savedUsd: -1 })),
    ]);
    expect(found).toMatchObject({
      'arouter_tagged_requests_total{tag="team",value="search",rule="none"}': 1,
      'arouter_tagged_cost_usd_total{tag="team",value="search",rule="none"}': 0.000176,
      'arouter_tagged_lost_usd_total{tag="team",value="search",rule="none"}': 1,
    });
    expect(JSON.stringify(found)).not.toContain("job");
  });
  test("adds to the key of its caller by the key's name, refused or not, and to none without one", async () => {
    const found = await samples([
      finished(recordOf({ key: "team-a" })),
      finished(recordOf({ key: "team-a", costUsd: null })),
      finished(recordOf({ key: "team-a", status: 415, outcome: "gateway_error", attempts: [], costUsd: 0 })),
      finished(recordOf({ key: null })),
    ]);
    expect(Object.entries(found).filter(([name]) => name.startsWith("arouter_key_"))).toEqual([
      ['arouter_key_requests_total{key="team-a",status="200"}', 2],
      ['arouter_key_requests_total{key="team-a",status="415"}', 1],
      ['arouter_key_cost_usd_total{key="team-a"}', 0.000176],
    ]);
  });
  test("counts a continuation as part of the attempt before", async () => {
    const attempts = [attemptOf(), attemptOf({ number: 2, continues: true, usage: null })];
    const found = await samples([finished(recordOf({ attempts }))]);
    expect(found['arouter_attempts_total{provider="openai",model="gpt-4.1",class="ok",rule="none"}']).toBe(1);
  });
  test("has its late leg counted when it ends after the request", async () => {
    const loser = attemptOf({ leg: "hedge", class: "local", ms: null, usage: null });
    const record = recordOf({ attempts: [attemptOf(), loser] });
    const metrics = open();
    metrics.observe(finished(record));
    loser.class = "aborted";
    Object.assign(loser, { ms: 120 });
    metrics.observe({ type: "attempt-finished", record, attempt: loser });
    const found = parse(await metrics.text());
    expect(found['arouter_attempts_total{provider="openai",model="gpt-4.1",class="ok",rule="none"}']).toBe(1);
    expect(found['arouter_attempts_total{provider="openai",model="gpt-4.1",class="aborted",rule="none"}']).toBe(1);
    expect(Object.keys(found).filter((name) => name.includes('class="local"'))).toEqual([]);
  });
});

describe("cardinality", () => {
  test("a thousand strange models, dates and fields make one series each", async () => {
    const events = Array.from({ length: 1000 }, (_, number) => {
      const model = number % 2 === 0 ? `strange-${number}` : `gpt-4.1-${20000101 + number}`;
      return finished(recordOf({ model, dropped: [`mine_${number}`], attempts: [attemptOf({ model })] }));
    });
    const found = await samples(events);
    const names = Object.keys(found);
    expect(names.filter((name) => name.startsWith("arouter_requests_total"))).toHaveLength(2);
    expect(names.filter((name) => name.startsWith("arouter_attempts_total"))).toHaveLength(2);
    expect(found['arouter_translation_dropped_total{field="other"}']).toBe(1000);
  });
});

describe("other events", () => {
  const record = recordOf({ rule: "r" });
  test.each([
    [
      { type: "retry-scheduled", record, provider: "openai", class: "server", waitMs: 5 },
      'arouter_retries_total{provider="openai",class="server",rule="r"}',
      1,
    ],
    [
      { type: "hedge-finished", record, provider: "openai", result: "hedge" },
      'arouter_hedges_total{provider="openai",result="hedge",rule="r"}',
      1,
    ],
    [
      { type: "breaker-changed", provider: "openai", model: "", to: "open", reason: "connect" },
      'arouter_breaker_transitions_total{provider="openai",model="",to="open",reason="connect"}',
      1,
    ],
    [
      { type: "breaker-changed", provider: "openai", model: "strange", to: "half_open", reason: "open-time-passed" },
      'arouter_breaker_transitions_total{provider="openai",model="other",to="half_open",reason="open-time-passed"}',
      1,
    ],
    [{ type: "request-shed", reason: "queue-full", record: null }, 'arouter_shed_total{reason="queue-full"}', 1],
    [
      { type: "config-reloaded", file: "policy", ok: false, messages: [], policy: null },
      'arouter_config_reloads_total{file="policy",result="error"}',
      1,
    ],
    [
      { type: "config-reloaded", file: "policy", ok: false, messages: [], policy: null },
      "arouter_config_last_reload_success",
      0,
    ],
    [{ type: "ledger-dropped", count: 7, reason: "x" }, "arouter_ledger_dropped_total", 7],
    [{ type: "telemetry-dropped", count: 3, reason: "x" }, "arouter_telemetry_dropped_total", 3],
  ] as const satisfies readonly (readonly [GatewayEvent, string, number])[])(
    "%o gives %s",
    async (event, name, value) => {
      expect((await samples([event]))[name]).toBe(value);
    },
  );
});

describe("the state at a scrape", () => {
  const vitals: Vitals = {
    configured: ["openai", "anthropic"],
    inFlight: (provider) => (provider === "openai" ? 3 : 0),
    queueDepth: 5,
    breakers: [
      { provider: "openai", model: "", state: "open" },
      { provider: "openai", model: "gpt-4.1", state: "half_open" },
      { provider: "openai", model: "strange-1", state: "closed" },
      { provider: "openai", model: "strange-2", state: "open" },
    ],
    policy: "3fa9c1d20b7e",
  };
  test("shows breakers, permits, queue, policy and build", async () => {
    expect(await samples([], { vitals: () => vitals, observerFailures: () => new Map([["log", 2]]) })).toMatchObject({
      'arouter_breaker_state{provider="openai",model=""}': 2,
      'arouter_breaker_state{provider="anthropic",model=""}': 0,
      'arouter_breaker_state{provider="openai",model="gpt-4.1"}': 1,
      'arouter_breaker_state{provider="openai",model="other"}': 2,
      'arouter_in_flight{provider="openai"}': 3,
      arouter_queue_depth: 5,
      'arouter_upstream_up{provider="openai"}': 0,
      'arouter_upstream_up{provider="anthropic"}': 1,
      'arouter_policy_info{hash="3fa9c1d20b7e"}': 1,
      'arouter_build_info{version="1.2.3",commit="abc"}': 1,
      'arouter_observer_errors_total{observer="log"}': 2,
      process_start_time_seconds: 1_795_000_000,
    });
  });
  test("forgets breakers and policies that are gone", async () => {
    let current: Vitals = vitals;
    const metrics = open({ vitals: () => current });
    await metrics.text();
    current = { ...vitals, breakers: [], policy: null };
    const text = await metrics.text();
    expect(text).not.toContain('model="gpt-4.1"');
    expect(text).not.toContain("3fa9c1d20b7e");
    expect(text).toContain('arouter_policy_info{hash="none"} 1');
  });
  test("shows a provider as down from a refused key to the next answer", async () => {
    const up = { vitals: () => ({ ...vitals, breakers: [] }) };
    const metrics = open(up);
    const name = 'arouter_upstream_up{provider="openai"}';
    const record = recordOf({ outcome: null });
    metrics.observe({ type: "attempt-finished", record, attempt: attemptOf({ class: "auth", status: 401 }) });
    expect(parse(await metrics.text())[name]).toBe(0);
    metrics.observe({ type: "attempt-finished", record, attempt: attemptOf({ class: "aborted", status: null }) });
    expect(parse(await metrics.text())[name]).toBe(0);
    metrics.observe({ type: "attempt-finished", record, attempt: attemptOf() });
    expect(parse(await metrics.text())[name]).toBe(1);
  });
});

test("counts nothing while it is off", async () => {
  const found = await samples([finished(recordOf())], { enabled: () => false });
  expect(Object.keys(found).filter((name) => name.startsWith("arouter_requests"))).toEqual([]);
});

test("has every documented metric, and no other", async () => {
  const text = await open({ vitals: () => null }).text();
  const shown = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  const rows: readonly MetricRow[] = Object.values(METRICS);
  expect(shown.toSorted()).toEqual(rows.map(({ name, type }) => `${name} ${type}`).toSorted());
});

const promtool = Bun.which("promtool");
test.skipIf(promtool === null)(
  "is clean by `promtool check metrics` (skipped where promtool is not installed)",
  async () => {
    const metrics = open();
    metrics.observe(finished(healedRecord()));
    const checked = spawnSync(promtool ?? "", ["check", "metrics"], { input: await metrics.text(), encoding: "utf8" });
    expect(checked.stdout + checked.stderr).toBe("");
    expect(checked.status).toBe(0);
  },
);
