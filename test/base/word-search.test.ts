/** The search for many words at once, against the search for each. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createWordScan, createWordSearch } from "../../src/base/word-search.ts";

// "a" and "\u4061" have the same place in the scan's table.
const unit = fc.constantFrom("a", "b", "\u0161", "\u4061");
const word = (maxLength: number) => fc.string({ unit, minLength: 1, maxLength });
const text = fc.string({ unit, maxLength: 60 });

describe("a search for many words", () => {
  test("finds those that a search for each finds", () => {
    const counts = { found: 0, missed: 0 };
    fc.assert(
      fc.property(
        // Few and many, short and long, so that some lengths are scanned for and others are not.
        fc.array(fc.oneof(word(3), word(6), word(40)), { maxLength: 60 }),
        fc.array(fc.oneof(text, fc.constant(null)), { maxLength: 4 }),
        (words, around) => {
          const whole = around.map((part, at) => part ?? words[at % words.length] ?? "").join("");
          const expected = new Set(words.filter((each) => whole.includes(each)));
          expect(createWordSearch(words)(whole)).toEqual(expected);
          counts.found += expected.size;
          counts.missed += words.length - expected.size;
        },
      ),
      { numRuns: 500 },
    );
    expect(counts.found).toBeGreaterThan(500);
    expect(counts.missed).toBeGreaterThan(500);
  });

  test("finds words that begin, end or are within others", () => {
    const words = ["abcdefgh", "abcdefghij", "cdefghij", "bcdefghi", "ghijklmn", "efghijkl"];
    expect(createWordSearch(words)("abcdefghijk")).toEqual(new Set(["abcdefgh", "abcdefghij", "cdefghij", "bcdefghi"]));
  });

  test("finds each of a thousand words that begin alike", () => {
    const words = Array.from({ length: 1000 }, (_, at) => `ignore all that was said, number ${at}.`);
    const search = createWordSearch(words);
    for (const at of [0, 9, 500, 999])
      expect([...search(`please ${words[at]} thanks`)]).toEqual(words.slice(at, at + 1));
    expect(search("ignore all that was said, number 1000.")).toEqual(new Set());
  });

  test("finds nothing without words", () => {
    expect(createWordSearch([])("any text")).toEqual(new Set());
    expect(createWordScan([]).isIn("any text")).toBe(false);
  });
});
