import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createBudget } from "../../src/resilience/budget.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const settings = { ratio: 0.2, ttlMs: 10_000, reservePerSecond: 3, reserveMax: 3 };

function take(withdraw: () => boolean, tries = 1_000): number {
  let taken = 0;
  for (let index = 0; index < tries; index++) if (withdraw()) taken++;
  return taken;
}

describe("budget", () => {
  test("starts with its reserve and refills it by the second, never beyond", () => {
    const clock = createFakeClock();
    const budget = createBudget(settings, clock);
    expect(take(budget.withdraw)).toBe(3);
    clock.jump(334);
    expect(take(budget.withdraw)).toBe(1);
    clock.jump(60_000);
    expect(budget.available()).toBe(3);
  });

  test("gives exactly one token for five first tries at a ratio of 0.2", () => {
    const budget = createBudget({ ...settings, reservePerSecond: 0, reserveMax: 0 }, createFakeClock());
    for (let index = 0; index < 4; index++) budget.deposit();
    expect(budget.withdraw()).toBe(false);
    budget.deposit();
    expect(budget.withdraw()).toBe(true);
    expect(budget.withdraw()).toBe(false);
  });

  test("forgets deposits after the TTL and keeps them nine tenths of it", () => {
    const clock = createFakeClock();
    const budget = createBudget({ ...settings, ratio: 1, reservePerSecond: 0, reserveMax: 0 }, clock);
    budget.deposit();
    clock.jump(9_000);
    expect(budget.available()).toBe(1);
    clock.jump(1_000);
    expect(budget.available()).toBe(0);
    budget.deposit();
    clock.jump(3_600_000);
    expect(budget.available()).toBe(0);
  });

  test("never gives more than ratio × deposits + reserve over any sequence", () => {
    const command = fc.oneof(
      fc.record({ do: fc.constant("deposit" as const), times: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ do: fc.constant("withdraw" as const), times: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant("wait" as const), times: fc.integer({ min: 1, max: 15_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const clock = createFakeClock();
        const startMs = clock.nowMs();
        const budget = createBudget(settings, clock);
        let deposits = 0;
        let taken = 0;
        for (const { do: action, times } of commands) {
          if (action === "wait") clock.jump(times);
          else if (action === "withdraw") taken += take(budget.withdraw, times);
          else {
            deposits += times;
            for (let index = 0; index < times; index++) budget.deposit();
          }
          const reserve = 3 + (3 * (clock.nowMs() - startMs)) / 1_000;
          expect(taken).toBeLessThanOrEqual(0.2 * deposits + reserve + 1e-6);
        }
      }),
      { numRuns: 200 },
    );
  });
});
