import { describe, expect, test } from "bun:test";
import { cpuGoals, firstGoals, otherGoals, p50Goals, traceGoals } from "../../bench/goals.ts";
import { NAMES } from "../../bench/report.ts";
import { WORKLOADS } from "../../bench/workloads.ts";
import { madeUpReport } from "./support.ts";

describe("goals", () => {
  test("CPU: of every workload, held against the bound of those that have one", () => {
    const goals = cpuGoals(madeUpReport());
    expect(goals).toHaveLength(WORKLOADS.length);
    expect(goals[0]).toEqual({ what: "W1 buffered, 1 KB, same format", is: "1.25", goal: "≤ 1.5", verdict: "met" });
    expect(goals.find(({ what }) => what.startsWith("W4 "))).toMatchObject({ goal: "≤ 1.1", verdict: "missed" });
    expect(goals.find(({ what }) => what.startsWith("W8 "))).toMatchObject({ is: "1.25", goal: "–", verdict: "" });
  });

  test("traces: against the same gateway without them", () => {
    expect(traceGoals(madeUpReport())).toEqual([
      { what: "W1 buffered, 1 KB, same format", is: "1.20", goal: "≤ 1.1", verdict: "missed" },
    ]);
  });

  test("latency: what is added to a direct call, as a multiple of what the bare proxy adds", () => {
    const [first] = p50Goals(madeUpReport());
    expect(first).toMatchObject({ is: "1.40", goal: "≤ 1.5", verdict: "met" });
  });

  test("first bytes: of the streams that come in pieces", () => {
    const goals = firstGoals(madeUpReport());
    expect(goals.map(({ what }) => what.split(" ")[0])).toEqual(["W2", "W4", "W5s"]);
    expect(goals[0]).toMatchObject({ is: "1.40", goal: "≤ 1.3", verdict: "missed" });
  });

  test("the wave, start and memory", () => {
    expect(otherGoals(madeUpReport())).toEqual([
      { what: "W7 streams that came whole", is: "1000", goal: "1000", verdict: "met" },
      { what: "W7 peak memory", is: "100 MB", goal: "≤ 115 MB", verdict: "met" },
      { what: "W7 time, × direct", is: "1.02", goal: "≤ 1.05", verdict: "met" },
      {
        what: "start to first 200, compiled, BUN_CONFIG_MAX_HTTP_REQUESTS set",
        is: "61 ms",
        goal: "≤ 60 ms",
        verdict: "missed",
      },
      { what: "start to first 200, compiled, without it (starts itself again)", is: "90 ms", goal: "–", verdict: "" },
      { what: "idle memory", is: "55 MB", goal: "≤ 60 MB", verdict: "met" },
    ]);
  });

  test("a wave in which a stream broke is missed", () => {
    const report = madeUpReport();
    const wave = report.wave.map((each) => (each.name === NAMES.compiled ? { ...each, whole: 0 } : each));
    expect(otherGoals({ ...report, wave })[0]).toMatchObject({ is: "0", verdict: "missed" });
  });
});
