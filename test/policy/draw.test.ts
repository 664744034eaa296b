import { describe, expect, test } from "bun:test";
import { drawPercent } from "../../src/policy/draw.ts";

describe("a draw", () => {
  test("never changes: policies in the field depend on it", () => {
    expect(drawPercent("canary", "req_1")).toBeCloseTo(86.13587599247694, 10);
    expect(drawPercent("", "")).toBeCloseTo(28.190421988256276, 10);
    expect(drawPercent("ü", "🦆")).toBeCloseTo(2.584677957929671, 10);
  });

  test("is spread evenly, also over ids that differ in one digit", () => {
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let id = 0; id < 20_000; id++) {
      const bucket = Math.floor(drawPercent("rule", `user-${id}`) / 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(count).toBeWithin(1850, 2151);
  });

  test("is another one for another rule", () => {
    const both = Array.from({ length: 2000 }, (_, id) => [
      drawPercent("a", `${id}`) < 50,
      drawPercent("b", `${id}`) < 50,
    ]);
    expect(both.filter(([a, b]) => a === b).length / 2000).toBeCloseTo(0.5, 1);
  });
});
