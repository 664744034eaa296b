import { expect, test } from "bun:test";
import fc from "fast-check";
import { createTimeText } from "../../src/observe/time-text.ts";

test("is what a date writes, also across seconds and back", () => {
  const timeText = createTimeText();
  const near = fc.integer({ min: Date.UTC(2026, 10, 24, 8, 0, 0), max: Date.UTC(2026, 10, 24, 8, 0, 3) });
  const any = fc.integer({ min: 0, max: Date.UTC(2100, 0) });
  fc.assert(
    fc.property(fc.oneof(near, any, fc.double({ min: 0, max: 4e12, noNaN: true })), (wallMs) => {
      expect(timeText(wallMs)).toBe(new Date(wallMs).toISOString());
    }),
    { numRuns: 2000 },
  );
});
