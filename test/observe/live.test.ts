import { describe, expect, test } from "bun:test";
import type { RequestRecord } from "../../src/base/events.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { mergeHistograms, quantile, recordDuration, type Histogram } from "../../src/observe/latency-histogram.ts";
import { renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { createLive } from "../../src/observe/live.ts";
import { mergeLive, type LiveView } from "../../src/observe/live-part.ts";
import { attemptOf, recordOf, usageOf } from "./support.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const models = { catalog: builtInCatalog, named: new Set<string>() };

const SECRET = "77777";
const redact = (text: string): string => text.replaceAll(SECRET, "[redacted]");

function open(isOn = true) {
  let nowMs = NOW;
  const live = createLive({ enabled: () => isOn, models: () => models, wallMs: () => nowMs, redact });
  let id = 0;
  const finish = (parts: Partial<RequestRecord> = {}): void => {
    id += 1;
    const record = recordOf({ id: `req_${id}`, wallMs: nowMs, ms: 0, outcome: "complete", status: 200, ...parts });
    live.observe({ type: "exchange-finished", record });
  };
  return { live, finish, move: (ms: number) => void (nowMs += ms) };
}

const sum = (values: readonly number[] = []): number => values.reduce((all, value) => all + value, 0);

describe("createLive", () => {
  test("counts each request in the step that it ended in, also one that comes late, and looks in between change nothing", () => {
    const { live, finish, move } = open();
    finish({ ms: 10 });
    expect(live.window("2m", null).series[0]?.requests.slice(-2)).toEqual([0, 1]);
    finish({ ms: 20 });
    move(2000);
    finish({ ms: 500 });
    finish({ wallMs: NOW, ms: 1000 });
    finish({ wallMs: NOW - 600_000, ms: 0 });
    for (let look = 0; look < 2; look++) {
      expect(live.window("2m", null).series[0]?.requests.slice(-2)).toEqual([3, 1]);
      expect(live.window("10m", "model").series[0]?.requests.slice(-2)).toEqual([0, 4]);
      expect(sum(live.window("24h", null).series[0]?.requests)).toBe(5);
      expect(live.window("2m", null).latency_ms.p95).toBeGreaterThan(900);
    }
  });

  test.each([10, null])("takes secrets out of what it keeps, names of tags too, and leaves figures alone", (ms) => {
    const { live, finish } = open();
    finish({
      userAgent: `agent ${SECRET}`,
      clientRequestId: SECRET,
      callerTags: { [SECRET]: `t"${SECRET}` },
      bytesIn: Number(SECRET),
      // Still under way, it is kept as its record.
      attempts: [attemptOf({ ms, failure: `no ${SECRET}` })],
    });
    const found = live.find("req_1");
    expect(found).toMatchObject({
      tags: { "[redacted]": 't"[redacted]' },
      detail: { user_agent: "agent [redacted]", client_request_id: "[redacted]", bytes_in: Number(SECRET) },
    });
    expect(JSON.stringify([found, live.recent(1)]).split(SECRET)).toHaveLength(2);
  });

  test("counts a request for the model delivered, tokens and dollars for every model asked", () => {
    const { live, finish } = open();
    finish({
      rule: "r",
      model: "gpt-6-sol",
      provider: "openai",
      savedUsd: -0.25,
      attempts: [
        attemptOf({ model: "gpt-6-luna", usage: usageOf(10, 5), costUsd: 0.1, class: "invalid" }),
        attemptOf({ number: 2, model: "gpt-6-sol", usage: usageOf(10, 7, { cacheRead: 3 }), costUsd: 0.2 }),
      ],
    });
    const named = { requests: 0, errors: 0, tokensInput: 10, tokensOutput: 5, costUsd: 0.1, savedUsd: 0 };
    expect(live.totals()).toEqual({
      requests: 1,
      errors: 0,
      tokensInput: 23,
      tokensOutput: 12,
      costUsd: 0.30000000000000004,
      savedUsd: -0.25,
    });
    expect(live.totalsBy("model")).toEqual([
      { name: "gpt-6-sol", requests: 1, errors: 0, tokensInput: 13, tokensOutput: 7, costUsd: 0.2, savedUsd: -0.25 },
      { name: "gpt-6-luna", ...named },
    ]);
    expect(live.totalsBy("rule")).toMatchObject([{ name: "r", tokensInput: 23 }]);
  });

  test.each([
    ["complete", 0],
    ["client_gone", 0],
    ["upstream_error", 1],
    ["gateway_error", 1],
    ["in_band_error", 1],
  ] as const)("takes %s for %p errors", (outcome, errors) => {
    const { live, finish } = open();
    finish({ outcome });
    expect(live.totals().errors).toBe(errors);
  });

  test("lets figures leave the window as time goes by, but not the totals", () => {
    const { live, finish, move } = open();
    finish();
    expect(sum(live.window("2m", null).series[0]?.requests)).toBe(1);
    move(119_000);
    expect(sum(live.window("2m", null).series[0]?.requests)).toBe(1);
    move(2000);
    expect(sum(live.window("2m", null).series[0]?.requests)).toBe(0);
    expect(sum(live.window("10m", null).series[0]?.requests)).toBe(1);
    move(24 * 3_600_000);
    expect(sum(live.window("24h", null).series[0]?.requests)).toBe(0);
    expect(live.totals().requests).toBe(1);
  });

  test("tells names apart up to a bound, whatever comes", () => {
    const { live, finish } = open();
    for (let index = 0; index < 2000; index += 1) finish({ rule: `rule_${index}` });
    const { series } = live.window("2m", "rule");
    expect(series.length).toBeLessThan(30);
    expect(series.reduce((all, { requests }) => all + sum(requests), 0)).toBe(2000);
    expect(live.totalsBy("rule").length).toBeLessThan(510);
    expect(live.recent(5000)).toHaveLength(1000);
  });

  test("names models that nobody knows as other", () => {
    const { live, finish } = open();
    for (let index = 0; index < 100; index += 1) finish({ model: `made-up-${index}`, attempts: [] });
    expect(live.totalsBy("model").map(({ name }) => name)).toEqual(["other"]);
  });

  test("lets go of bodies", () => {
    const { live, finish } = open();
    finish({ requestBytes: new TextEncoder().encode("secret"), answer: "secret too" });
    expect(JSON.stringify([live.find("req_1"), live.recent(1)])).not.toContain("secret");
  });

  test("shows the ledger's lines as if it had seen them, without counting them again", () => {
    const { live } = open();
    const record = recordOf({
      id: "old",
      wallMs: NOW - 60_000,
      ms: 100,
      outcome: "complete",
      model: "gpt-4.1",
      rule: "r",
      savedUsd: 0.5,
    });
    const line = JSON.parse(renderLedgerLine(record, { keepBody: false })) as JsonObject;
    live.seed([line, { v: 1 }, { id: "x", time: "never" }]);
    expect(sum(live.window("2m", "rule").series.find(({ name }) => name === "r")?.saved_usd)).toBe(0.5);
    expect(live.totals().requests).toBe(0);
    expect(live.recent(10)).toHaveLength(1);
    expect(live.find("old")).toEqual(line);
  });

  test("does nothing while it is off", () => {
    const { live, finish } = open(false);
    finish();
    expect([live.totals().requests, live.recent(10)]).toEqual([0, []]);
  });
});

describe("latency histogram", () => {
  test("gives quantiles within a fifth", () => {
    let histogram: Histogram = null;
    for (let ms = 1; ms <= 1000; ms += 1) histogram = recordDuration(histogram, ms);
    for (const [share, expected] of [
      [0.5, 500],
      [0.95, 950],
      [0.05, 50],
    ] as const) {
      const found = quantile(histogram, share) ?? 0;
      expect(Math.abs(found - expected) / expected).toBeLessThan(0.2);
    }
  });

  test("takes any duration, and adds up", () => {
    const parts = [0, -5, 0.2, 1e12].map((ms) => recordDuration(null, ms));
    expect(sum([...(mergeHistograms([...parts, null]) ?? [])])).toBe(4);
    expect(quantile(null, 0.5)).toBeNull();
    expect(mergeHistograms([null])).toBeNull();
  });
});

describe("the figures of several processes", () => {
  const query = { window: "2m", by: "model", nowMs: NOW + 1000, recent: 3 } as const;
  const spent = (model: string, ms: number): Partial<RequestRecord> => ({
    model,
    provider: "openai",
    ms,
    savedUsd: 0.5,
    attempts: [attemptOf({ model, usage: usageOf(10, 5), costUsd: 0.25 })],
  });

  test("are what one process would have that had seen all", () => {
    const [first, second, all] = [open(), open(), open()];
    for (let number = 0; number < 40; number += 1) {
      const parts = { id: `req_${number}`, ...spent(["gpt-6-sol", "gpt-6-luna"][number % 2] ?? "", number * 10) };
      (number % 3 === 0 ? first : second).finish(parts);
      all.finish(parts);
      for (const each of [first, second, all]) each.move(number === 20 ? 4000 : 0);
    }
    const sorted = (view: LiveView) => ({
      ...view,
      by: Object.fromEntries(
        Object.entries(view.by).map(([name, rows]) => [name, rows.toSorted((a, b) => a.name.localeCompare(b.name))]),
      ),
    });
    const at = { ...query, nowMs: NOW + 4000 };
    // As it comes out of the channel between processes.
    const parts = [first, second].map(({ live }) => structuredClone(live.part(at)));
    expect(sorted(mergeLive(parts, at))).toEqual(sorted(mergeLive([all.live.part(at)], at)));
    expect(mergeLive([all.live.part(at)], at).window).toEqual(all.live.window("2m", "model"));
  });

  test("show the last requests of all, in order of their ends", () => {
    const [first, second] = [open(), open()];
    first.finish({ id: "slow", ms: 5000 });
    second.finish({ id: "quick", ms: 1 });
    second.move(1000);
    second.finish({ id: "later", ms: 1 });
    const parts = [first, second].map(({ live }) => live.part(query));
    expect(mergeLive(parts, query).recent.map(({ id }) => id)).toEqual(["slow", "later", "quick"]);
    expect(mergeLive(parts, { ...query, recent: 1 }).recent).toHaveLength(1);
  });
});
