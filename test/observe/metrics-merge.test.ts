import { describe, expect, test } from "bun:test";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { createMetrics, type Vitals } from "../../src/observe/metrics.ts";
import { lastingMetrics, mergeMetrics, type MetricFamily } from "../../src/observe/metrics-merge.ts";
import { METRICS } from "../../src/observe/metric-table.ts";
import { readExposition, sumOf } from "../support/exposition.ts";
import { recordOf } from "./support.ts";

function open(vitals: Partial<Vitals> = {}) {
  return createMetrics({
    enabled: () => true,
    version: "1",
    commit: "c",
    startedWallMs: 5_000,
    models: () => ({ catalog: builtInCatalog, named: new Set() }),
    droppedFields: new Set(),
    vitals: () => ({
      configured: ["openai"],
      inFlight: () => 2,
      queueDepth: 1,
      breakers: [],
      policy: "abc",
      ...vitals,
    }),
    observerFailures: () => new Map(),
  });
}

type Metrics = ReturnType<typeof open>;

function finish(metrics: Metrics, parts: Parameters<typeof recordOf>[0] = {}): void {
  metrics.observe({
    type: "exchange-finished",
    record: recordOf({ outcome: "complete", status: 200, ms: 80, ...parts }),
  });
}

/** The exposition of several processes, as one of them tells it. */
async function together(parts: readonly Metrics[]) {
  const merged = mergeMetrics(await Promise.all(parts.map((each) => each.families())));
  return render(merged);
}

async function render(families: readonly MetricFamily[]) {
  const teller = createMetrics({
    enabled: () => true,
    version: "1",
    commit: "c",
    startedWallMs: 0,
    models: () => ({ catalog: builtInCatalog, named: new Set() }),
    droppedFields: new Set(),
    vitals: () => null,
    observerFailures: () => new Map(),
    gather: () => Promise.resolve(families),
  });
  return teller.text();
}

describe("metrics of several processes", () => {
  test("count what all have counted, in series of their own and in buckets", async () => {
    const [first, second] = [open(), open()];
    finish(first, { format: "chat", ms: 80 });
    finish(second, { format: "chat", ms: 700 });
    finish(second, { format: "messages", ms: 80 });
    const samples = readExposition(await together([first, second]));
    expect(sumOf(samples, "arouter_requests_total", { format: "chat" })).toBe(2);
    expect(sumOf(samples, "arouter_requests_total", { format: "messages" })).toBe(1);
    const bucket = (le: string): number =>
      sumOf(samples, "arouter_request_duration_seconds_bucket", { format: "chat", le });
    expect([bucket("0.1"), bucket("1"), bucket("+Inf")]).toEqual([1, 2, 2]);
    expect(sumOf(samples, "arouter_request_duration_seconds_sum", { format: "chat" })).toBeCloseTo(0.78);
  });

  test("are the same text that one tells who is alone", async () => {
    const only = open();
    finish(only);
    const alone = await only.text();
    const still = (text: string): string => text.replace(/^process_.*$/gm, "");
    expect(still(await together([only]))).toBe(still(alone));
  });

  test("add what is under way, and show the worst and what is the same for all", async () => {
    const [first, second] = [
      open({ breakers: [{ provider: "openai", model: "", state: "open" }] }),
      open({ breakers: [{ provider: "openai", model: "", state: "closed" }] }),
    ];
    for (const each of [first, second]) {
      each.observe({ type: "config-reloaded", file: "policy", ok: each === first, messages: [], policy: "abc" });
    }
    const samples = readExposition(await together([first, second]));
    const at = (name: string): number => sumOf(samples, name);
    expect(at("arouter_in_flight")).toBe(4);
    expect(at("arouter_queue_depth")).toBe(2);
    expect(at("arouter_breaker_state")).toBe(2);
    expect(at("arouter_upstream_up")).toBe(0);
    expect(at("arouter_config_last_reload_success")).toBe(0);
    expect(at("arouter_policy_info")).toBe(1);
    expect(at("arouter_build_info")).toBe(1);
    expect(at("process_start_time_seconds")).toBe(5);
  });

  test("count what happens to all alike once", async () => {
    const both = [open(), open()];
    for (const each of both) {
      each.observe({ type: "config-reloaded", file: "policy", ok: true, messages: [], policy: "abc" });
    }
    expect(sumOf(readExposition(await together(both)), "arouter_config_reloads_total")).toBe(1);
  });

  test("take labels for the same in whichever order they came", () => {
    const family = (labels: Readonly<Record<string, string>>): MetricFamily => ({
      name: "a",
      help: "a",
      type: "counter",
      aggregator: "sum",
      values: [{ metricName: "a", labels, value: 1 }],
    });
    const [merged] = mergeMetrics([[family({ x: "1", y: "2" })], [family({ y: "2", x: "1" })]]);
    expect(merged?.values).toEqual([{ metricName: "a", labels: { x: "1", y: "2" }, value: 2 }]);
  });

  test("leave what was given as it is", async () => {
    const [first, second] = [open(), open()];
    finish(first);
    finish(second);
    const parts = await Promise.all([first.families(), second.families()]);
    const before = structuredClone(parts);
    mergeMetrics(parts);
    expect(parts).toEqual(before);
  });
});

test("what stays of a process that ended is counters and histograms", async () => {
  const types = new Set(lastingMetrics(await open().families()).map(({ type }) => type));
  expect([...types].toSorted((a, b) => a.localeCompare(b))).toEqual(["counter", "histogram"]);
});

test("every gauge is one that can be added, or says how it is put together", () => {
  // A gauge of which a sum would say nothing.
  const levels = Object.values(METRICS).filter(
    ({ name, type }) => type === "gauge" && /state|_up$|success|info|start|workers/.test(name),
  );
  expect(levels.filter((row) => !("together" in row)).map(({ name }) => name)).toEqual([]);
});
