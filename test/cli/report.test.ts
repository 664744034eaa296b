import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createQuantiles } from "../../src/cli/quantiles.ts";
import { runReport } from "../../src/cli/report.ts";
import { renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { createTestIo } from "../support/cli.ts";
import { createSequence } from "../support/fake-clock.ts";
import { ARRIVAL_MS, attemptOf, healedRecord, recordOf, usageOf } from "../observe/support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DAY_MS = 86_400_000;

function put(name: string, records: readonly Parameters<typeof recordOf>[0][]): string {
  const lines = records.map((parts) => `${renderLedgerLine(recordOf(parts), { keepBody: false })}\n`);
  writeFileSync(join(folder, name), lines.join(""));
  return name;
}

async function run(args: readonly string[]) {
  const io = createTestIo({ cwd: folder });
  const exit = await runReport(args, io);
  return { exit, out: io.out(), errors: io.errors() };
}

async function groups(args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { exit, out, errors } = await run([...args, "--json"]);
  expect([exit, errors]).toEqual([0, ""]);
  return (JSON.parse(out) as { groups: Record<string, unknown>[] }).groups;
}

const RECORDS: readonly Parameters<typeof recordOf>[0][] = [
  healedRecord(),
  { rule: "extract", savedUsd: 0.5, costUsd: 0.25, ms: 100 },
  { status: 500, outcome: "upstream_error", attempts: [], costUsd: null, savedUsd: null, model: null, ms: 5 },
  { outcome: "client_gone", status: 499, wallMs: ARRIVAL_MS + DAY_MS, tags: { team: "a" }, callerTags: { job: "b" } },
  { attempts: [attemptOf({ model: "gpt-99", costUsd: null })], model: "gpt-99", costUsd: null, savedUsd: null },
];

describe("a report", () => {
  test("sums up by rule", async () => {
    const found = await groups([put("l", RECORDS)]);
    expect(found).toMatchObject([
      {
        rule: "extract",
        requests: 2,
        tokens_input: 120,
        tokens_output: 36,
        cost_usd: 0.2501892,
        saved_usd: 0.4999868,
        healed: 1,
        errors: 0,
        estimated: 1,
      },
      { rule: "none", requests: 3, errors: 1, client_gone: 1, unpriced: 1, cost_usd: 0.000176 },
    ]);
  });
  test.each([
    ["model", ["gpt-4.1", "gpt-99", "none"]],
    ["day", ["2026-11-22", "2026-11-23"]],
    ["tag", ["none", "job=b", "team=a"]],
  ])("sums up by %s", async (by, names) => {
    const found = await groups([put("l", RECORDS), "--by", by]);
    expect(found.map((group) => group[by])).toEqual(names);
    expect(found.reduce((sum, group) => sum + Number(group["requests"]), 0)).toBe(by === "tag" ? 6 : 5);
  });
  test("adds files up, and counts lines that are none", async () => {
    const [first, second] = [put("a", RECORDS), put("b", RECORDS)];
    writeFileSync(join(folder, "c"), "no line\n");
    const { out } = await run([first, second, "c", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ unreadable: 1, total: { requests: 10, cost_usd: 0.5007304 } });
  });
  test("is a table for people", async () => {
    const { exit, out } = await run([put("l", RECORDS)]);
    expect(exit).toBe(0);
    expect(out.replaceAll(/(?<=\d {2,}|\d )(\d+|\d\.\d)(?=\s+\d+\n)/g, "$1")).toMatch(
      /^2026-11-22T12:00:00.123Z to 2026-11-23T12:00:00.123Z\nRULE +REQUESTS +TOKENS IN +TOKENS OUT +COST \$ +SAVED \$ +HEALED +ERRORS +P50 MS +P95 MS\nextract +2 +120 +36 +0\.250189 +0\.499987 +1 +0 +\d+ +\d+\nnone +3 +80 +24 +0\.000176 +0 +0 +1 +\d+ +\d+\ntotal +5 +200 +60 +0\.250365 +0\.499987 +1 +1 +\d+ +\d+\n1 requests used tokens whose price is not known\n1 requests have estimated tokens\n$/,
    );
  });
  test("of nothing is empty", async () => {
    const { exit, out } = await run([put("l", []), "--json"]);
    expect([exit, JSON.parse(out)]).toMatchObject([
      0,
      { from: null, total: { requests: 0, p50_ms: null }, groups: [] },
    ]);
  });
  test("is not made longer by clients that make up names", async () => {
    const strange = Array.from({ length: 10_050 }, (_, number) => ({ model: `m-${number}`, facts: null }));
    expect(await groups([put("l", strange), "--by", "model"])).toHaveLength(10_001);
  });
  test("takes the configured ledger", async () => {
    put("mine.jsonl", RECORDS);
    writeFileSync(join(folder, "arouter.toml"), '[ledger]\nfile = "mine.jsonl"\n');
    expect(await groups([])).toHaveLength(2);
  });
  test.each([
    [["l", "--by", "week"], "--by must be one of rule, model, tag, day"],
    [["missing"], "cannot read missing"],
    [[], "name a ledger, or set ledger.file"],
  ])("%p is refused", async (args, text) => {
    const { exit, out, errors } = await run(args);
    expect([exit, out]).toEqual([2, ""]);
    expect(errors).toContain(text);
  });
});

describe("quantiles", () => {
  test("are within one per cent of the sorted list", () => {
    const random = createSequence(3);
    const values = Array.from({ length: 5000 }, () => Math.exp(random() * 12 - 3));
    const quantiles = createQuantiles();
    for (const value of values) quantiles.add(value);
    const sorted = values.toSorted((a, b) => a - b);
    for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
      expect(Math.abs((quantiles.at(share) ?? 0) / exact - 1)).toBeLessThanOrEqual(0.0101);
    }
  });
  test("of nothing are null, and take zero", () => {
    expect(createQuantiles().at(0.5)).toBeNull();
    const quantiles = createQuantiles();
    quantiles.add(0);
    expect(quantiles.at(0.5)).toBeCloseTo(0, 2);
  });
});

test("tokens of long cache writes count as input", async () => {
  const usage = usageOf(1, 2, { cacheRead: 3, cacheWrite: 4, cacheWriteLong: 5 });
  expect(await groups([put("l", [{ attempts: [attemptOf({ usage })] }])])).toMatchObject([{ tokens_input: 13 }]);
});
