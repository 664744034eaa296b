import { describe, expect, test } from "bun:test";
import { GATEWAY, growthGoals, type GrowthReport } from "../../bench/growth-report.ts";
import { renderGrowthPage, renderGrowthText } from "../../bench/render-growth.ts";
import type { Holdings } from "../../bench/soak.ts";

const HELD: Holdings = { residentMb: 100, openFiles: 12, objects: 50_000, types: { AbortSignal: 3, Promise: 2000 } };

/** Cost of 100 µs and 2 ns a byte to `power`. */
function curve(power: number) {
  const points = [1e3, 1e4, 1e5, 1e6, 1e7].map((x) => ({ x, y: 100 + 0.002 * x ** power }));
  return [
    { name: "bare proxy", points },
    { name: GATEWAY, points },
  ];
}

function variants(ratio: number) {
  return [
    { name: "20 rules", cpuUs: 100, ratio: 1 },
    { name: "1,000 rules", cpuUs: 100 * ratio, ratio },
  ];
}

function streams(last: { readonly cpuUsPerChunk: number; readonly peakMb: number }) {
  return [
    { name: GATEWAY, chunks: 100, cpuUsPerChunk: 20, peakMb: 90 },
    { name: GATEWAY, chunks: 1000, cpuUsPerChunk: 10, peakMb: 100 },
    { name: GATEWAY, chunks: 100_000, ...last },
  ];
}

function report(change: Partial<GrowthReport> = {}): GrowthReport {
  return {
    machine: "2 × Test",
    date: "2026-11-24",
    load: { before: 0, after: 2 },
    bytes: curve(1),
    rules: variants(1.05),
    models: variants(1),
    series: variants(0.98),
    streams: streams({ cpuUsPerChunk: 9, peakMb: 105 }),
    soak: { requests: 1e6, abandoned: 9, warmUpRequests: 1e5, before: HELD, after: HELD, underLoadMb: [99, 101] },
    ...change,
  };
}

const missed = (change: Partial<GrowthReport>, slack?: number) =>
  growthGoals(report(change), slack)
    .filter(({ verdict }) => verdict === "missed")
    .map(({ what }) => what);

function soaked(after: Partial<Holdings>) {
  return { ...(report().soak as NonNullable<GrowthReport["soak"]>), after: { ...HELD, ...after } };
}

describe("what grows as it should", () => {
  test("meets every goal", () => {
    expect(missed({})).toEqual([]);
    expect(growthGoals(report())).toHaveLength(10);
  });

  test.each<[string, Partial<GrowthReport>, string]>([
    ["bytes: more than linear", { bytes: curve(1.5) }, "bytes: power"],
    ["rules that cost more than a tenth of a request", { rules: variants(1.2) }, "share of a request: 1,000 rules"],
    [
      "chunks that cost more in a long stream",
      { streams: streams({ cpuUsPerChunk: 30, peakMb: 100 }) },
      "CPU per chunk",
    ],
    ["a stream that is kept", { streams: streams({ cpuUsPerChunk: 10, peakMb: 300 }) }, "peak memory"],
    ["memory", { soak: soaked({ residentMb: 150 }) }, "memory after"],
    ["sockets", { soak: soaked({ openFiles: 76 }) }, "files and sockets"],
    ["objects", { soak: soaked({ objects: 90_000 }) }, "objects after"],
    ["listeners", { soak: soaked({ types: { AbortSignal: 900, Promise: 2000 } }) }, "types of objects"],
  ])("notices %s", (_what, change, goal) => {
    expect(missed(change)).toEqual([expect.stringContaining(goal)]);
    expect(missed(change, 1.05)).toHaveLength(1);
  });

  test("of several sizes each is judged", () => {
    const [few, many] = variants(1.05);
    const rules = [few, { name: "100 rules", cpuUs: 125, ratio: 1.25 }, many].filter((variant) => variant !== undefined);
    expect(missed({ rules })).toEqual(["share of a request: 100 rules"]);
  });

  test("lets shares wander further than all else in a short run, but not as far as rules that are tried one by one", () => {
    const shares = (ratio: number) =>
      growthGoals(report({ rules: variants(ratio), bytes: curve(1.5) }), 1.3, 2.5)
        .filter(({ verdict }) => verdict === "missed")
        .map(({ what }) => what.split(":")[0]);
    expect(shares(1.25)).toEqual(["bytes"]);
    expect(shares(1.5)).toEqual(["bytes", "share of a request"]);
  });

  test("names the type that became more", () => {
    const goals = growthGoals(report({ soak: soaked({ types: { AbortSignal: 900, Promise: 2000 } }) }));
    expect(goals.at(-1)).toEqual({
      what: "types of objects that became more",
      is: "AbortSignal",
      goal: "none",
      verdict: "missed",
    });
  });

  test("is given slack in a short run, but not without end", () => {
    expect(missed({ soak: soaked({ residentMb: 125 }) })).toHaveLength(1);
    expect(missed({ soak: soaked({ residentMb: 125 }) }, 1.3)).toEqual([]);
    expect(missed({ soak: soaked({ residentMb: 250 }) }, 1.3)).toHaveLength(1);
  });
});

describe("the page", () => {
  test("shows the fit, and every goal", () => {
    const page = renderGrowthPage(report());
    expect(page).toContain("| ARouter | 2.00 | 1.0000 | 1.00 |");
    for (const { what, is } of growthGoals(report())) expect(page).toContain(`| ${what} | ${is} |`);
    expect(page).toContain("1,000,000 requests after 100,000 for warming up");
  });

  test("leaves out on the terminal what was not measured", () => {
    const text = renderGrowthText(report({ soak: null, streams: [] }));
    expect(text).not.toContain("soak");
    expect(text).not.toContain("peak MB");
    expect(text).toContain("1,000 rules");
  });
});
