import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createAttempts } from "../../src/resilience/attempts.ts";

describe("attempts", () => {
  test("are numbered from 1 and refused beyond the limit", () => {
    const attempts = createAttempts(2, 0);
    expect([attempts.start(), attempts.start(), attempts.start()]).toEqual([1, 2, null]);
    expect(attempts.used()).toBe(2);
  });

  test("leave one for each candidate still to come, however the extras are asked for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }),
        (max, extras) => {
          const attempts = createAttempts(max, extras.length - 1);
          let reached = 0;
          extras.forEach((wanted, index) => {
            attempts.setCandidatesLeft(extras.length - 1 - index);
            if (attempts.start() !== null) reached++;
            for (let extra = 0; extra < wanted && attempts.allowsExtra(); extra++) attempts.start();
          });
          expect(attempts.used()).toBeLessThanOrEqual(max);
          expect(reached).toBe(Math.min(max, extras.length));
        },
      ),
    );
  });
});
