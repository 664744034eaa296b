import { describe, expect, test } from "bun:test";
import { createThrottleGates } from "../../src/resilience/throttle.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { classification } from "./support.ts";

describe("throttle gates", () => {
  test.each<[string, number | null, number]>([
    ["a second", 1_000, 1_000],
    ["less than a second", 999, 0],
    ["an hour", 3_600_000, 60_000],
    ["forever", Number.POSITIVE_INFINITY, 60_000],
    ["nothing said", null, 0],
  ])("a 429 asking for %s shuts the gate for %p → %d ms", (_name, retryAfterMs, expectedMs) => {
    const gates = createThrottleGates(createFakeClock());
    gates.observe("a", classification("rate", { retryAfterMs }));
    expect(gates.remainingMs("a")).toBe(expectedMs);
    expect(gates.remainingMs("b")).toBe(0);
  });

  test("only a 429 shuts it, it opens by itself, and a shorter wish does not open it sooner", () => {
    const clock = createFakeClock();
    const gates = createThrottleGates(clock);
    gates.observe("a", classification("server", { retryAfterMs: 9_000 }));
    expect(gates.remainingMs("a")).toBe(0);
    gates.observe("a", classification("rate", { retryAfterMs: 9_000 }));
    gates.observe("a", classification("rate", { retryAfterMs: 2_000 }));
    clock.jump(8_999);
    expect(gates.remainingMs("a")).toBe(1);
    clock.jump(1);
    expect(gates.remainingMs("a")).toBe(0);
  });
});
