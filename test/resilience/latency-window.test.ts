import { describe, expect, test } from "bun:test";
import { createLatencyWindow, HEDGE_WINDOW } from "../../src/resilience/latency-window.ts";
import { createFakeClock } from "../support/fake-clock.ts";

describe("latency window", () => {
  test("gives a p95 from 50 samples on, by nearest rank", () => {
    const clock = createFakeClock();
    const window = createLatencyWindow(HEDGE_WINDOW, clock);
    for (let index = 1; index <= 49; index++) window.record(index);
    expect(window.quantile(0.95)).toBeNull();
    for (let index = 50; index <= 100; index++) window.record(index);
    clock.jump(1_000);
    expect(window.quantile(0.95)).toBe(95);
  });

  test("forgets samples after ten minutes, and the oldest beyond its size", () => {
    const clock = createFakeClock();
    const window = createLatencyWindow({ windowMs: 600_000, minSamples: 2, maxSamples: 3 }, clock);
    for (const latency of [900, 1, 2, 3]) window.record(latency);
    expect(window.quantile(1)).toBe(3);
    clock.jump(599_999);
    window.record(7);
    clock.jump(2);
    expect(window.quantile(0)).toBeNull();
  });
});
