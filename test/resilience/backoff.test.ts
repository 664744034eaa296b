import { describe, expect, test } from "bun:test";
import { computeBackoffMs, honouredWaitMs, isWorthWaiting } from "../../src/resilience/backoff.ts";

const settings = { baseMs: 200, capMs: 5_000, throttleBaseMs: 1_000, throttleCapMs: 8_000 };

describe("backoff", () => {
  test.each([
    [1, 0, 0],
    [1, 0.5, 100],
    [1, 1, 200],
    [2, 1, 400],
    [5, 1, 3_200],
    [6, 1, 5_000],
    [40, 1, 5_000],
  ])("retry %i at chance %f waits %d ms with full jitter", (retry, chance, expectedMs) => {
    expect(computeBackoffMs(settings, retry, false, () => chance)).toBe(expectedMs);
  });

  test.each([
    [1, 0, 500],
    [1, 1, 1_000],
    [2, 0, 1_000],
    [3, 0.5, 3_000],
    [9, 1, 8_000],
  ])("retry %i at chance %f waits %d ms where less load was asked for", (retry, chance, expectedMs) => {
    expect(computeBackoffMs(settings, retry, true, () => chance)).toBe(expectedMs);
  });

  test("waits for a Retry-After never less than asked and at most a tenth longer", () => {
    expect(honouredWaitMs(1_200, () => 0)).toBe(1_200);
    expect(honouredWaitMs(1_200, () => 0.999)).toBeLessThan(1_320);
    expect(honouredWaitMs(0, () => 0.5)).toBe(0);
  });

  test("is patient up to the patience while a candidate remains, up to the cap over all when none does", () => {
    const patience = { patienceMs: 5_000, capMs: 60_000 };
    expect(isWorthWaiting(patience, 5_000, 0, 1)).toBe(true);
    expect(isWorthWaiting(patience, 5_001, 0, 1)).toBe(false);
    expect(isWorthWaiting(patience, 40_000, 20_000, 0)).toBe(true);
    expect(isWorthWaiting(patience, 40_001, 20_000, 0)).toBe(false);
    expect(isWorthWaiting(patience, Number.POSITIVE_INFINITY, 0, 0)).toBe(false);
  });
});
