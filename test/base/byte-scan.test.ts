/** The search for many words in bytes, against the search for each in the text. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createByteScan } from "../../src/base/byte-scan.ts";

describe("a search for many words in bytes", () => {
  test("finds one where a search of the text for each finds one", () => {
    const unit = fc.constantFrom("a", "b", "\u0161", "\u4061", "😀");
    const word = fc.string({ unit, minLength: 2, maxLength: 9 });
    const counts = { found: 0, missed: 0 };
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.array(fc.oneof(fc.string({ unit, maxLength: 12 }), fc.constant(null)), { maxLength: 3 }),
        (words, around) => {
          const whole = around.map((part, at) => part ?? words[at % words.length] ?? "").join("");
          const expected = words.some((each) => whole.includes(each));
          const bytes = Buffer.from(`before${whole}after`);
          const end = bytes.length - "after".length;
          expect(createByteScan(words)(bytes, "before".length, end)).toBe(expected);
          counts[expected ? "found" : "missed"] += 1;
        },
      ),
      { numRuns: 1000 },
    );
    expect(counts.found).toBeGreaterThan(200);
    expect(counts.missed).toBeGreaterThan(200);
  });
  test("finds nothing that is only half within the bounds", () => {
    const scan = createByteScan(["secret-key"]);
    const bytes = Buffer.from("a secret-key");
    expect(scan(bytes, 0, bytes.length)).toBe(true);
    expect(scan(bytes, 0, bytes.length - 1)).toBe(false);
    expect(scan(bytes, 3, bytes.length)).toBe(false);
  });
  test("finds a word longer than a step can be", () => {
    const scan = createByteScan(["x".repeat(200) + "y".repeat(400)]);
    expect(scan(Buffer.from("x".repeat(500) + "y".repeat(400)), 0, 900)).toBe(true);
    expect(scan(Buffer.from("x".repeat(199) + "y".repeat(500)), 0, 699)).toBe(false);
  });
  test("finds nothing without words", () => {
    expect(createByteScan([])(Buffer.from("any text"), 0, 8)).toBe(false);
  });
});
