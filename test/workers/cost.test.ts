/** What a second worker costs, and what it brings: ratios of one run, in which both are measured in turns. */
import { beforeAll, describe, expect, test } from "bun:test";
import { measureWorkers, type WorkersFigures } from "../../bench/workers.ts";
import { isLinux } from "./support.ts";

const CPU_BOUND = 1.1;
const THROUGHPUT_BOUND = 1.7;
const cores = navigator.hardwareConcurrency;

describe.skipIf(!isLinux)("two workers beside one process (Linux alone shares a port)", () => {
  /** What else runs on the machine disturbs one more than the other: each bound has to be met once. */
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  beforeAll(async () => {
    const plan = { rounds: 7, roundMs: 250, warmUpMs: 5000, tries: 12, fromSource: true, binary: null };
    const isEnough = (): boolean => least <= CPU_BOUND && (cores < 4 || most >= THROUGHPUT_BOUND);
    await measureWorkers(plan, isEnough, ({ oneCpuUs, twoCpuUs, cpuRatio, throughputRatio }: WorkersFigures) => {
      console.log(
        `workers: ${oneCpuUs.toFixed(0)} µs CPU a request with one, ${twoCpuUs.toFixed(0)} with two: ${cpuRatio.toFixed(2)}`,
      );
      least = Math.min(least, cpuRatio);
      most = Math.max(most, throughputRatio ?? 0);
    });
  }, 180_000);

  test("cost a request at most 1.1 times the CPU time", () => {
    expect(least).toBeGreaterThan(0);
    expect(least).toBeLessThanOrEqual(CPU_BOUND);
  });

  test.skipIf(cores < 4)(`answer at least 1.7 times as much (needs 4 cores; here are ${cores})`, () => {
    expect(most).toBeGreaterThanOrEqual(THROUGHPUT_BOUND);
  });
});
