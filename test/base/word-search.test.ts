/** The search for many words at once, against the search for each. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createWordScan, createWordSearch } from "../../src/base/word-search.ts";

// "a" and "\u4061" have the same place in the scan's table; "@" and "`", "[" and "{" where case is ignored.
const ascii = fc.constantFrom("a", "b", "k", "@", "{", ".", "\n");
const other = fc.constantFrom("a", "b", "i", "\u0161", "\u4061");
const written = fc.constantFrom(
  "a",
  "A",
  "b",
  "B",
  "k",
  "K",
  "\u212a",
  "@",
  "`",
  "[",
  "{",
  ".",
  "x",
  "\n",
  "\u0160",
  "\u4061",
  "\u0130",
);
const word = (unit: fc.Arbitrary<string>, maxLength: number) => fc.string({ unit, minLength: 1, maxLength });
// Few and many, short and long, so that some lengths are scanned for and others are not.
const wordsOf = (unit: fc.Arbitrary<string>) =>
  fc.array(fc.oneof(word(unit, 3), word(unit, 6), word(unit, 40)), { maxLength: 60 });

describe("a search for many words", () => {
  test("finds those that a search for each finds", () => {
    const counts = { found: 0, missed: 0 };
    fc.assert(
      fc.property(
        fc.oneof(wordsOf(ascii), wordsOf(other)),
        fc.array(fc.oneof(fc.string({ unit: written, maxLength: 60 }), fc.nat(1)), { maxLength: 4 }),
        (words, around) => {
          const known = (at: number) => words[at % words.length] ?? "";
          const whole = around
            .map((part, at) => (typeof part === "string" ? part : part === 0 ? known(at) : known(at).toUpperCase()))
            .join("");
          const expected = new Set(words.filter((each) => whole.toLowerCase().includes(each)));
          expect(createWordSearch(words)(whole)).toEqual(expected);
          counts.found += expected.size;
          counts.missed += words.length - expected.size;
        },
      ),
      { numRuns: 1000 },
    );
    expect(counts.found).toBeGreaterThan(500);
    expect(counts.missed).toBeGreaterThan(500);
  });

  test("finds what any character of Unicode becomes in lower case", () => {
    const search = createWordSearch(Array.from("abcdefghijklmnopqrstuvwxyz"));
    for (let code = 0; code < 0x20000; code += 1) {
      const text = String.fromCodePoint(code);
      const expected = Array.from(text.toLowerCase()).filter((char) => /[a-z]/.test(char));
      if ([...search(text)].join("") !== expected.join("")) throw new Error(`U+${code.toString(16)}`);
    }
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

  test("tells long words apart that begin alike", () => {
    const start = "and so on, ".repeat(10);
    const search = createWordSearch([`${start}one`, `${start}two`]);
    expect(search(`${start.toUpperCase()}TWO`)).toEqual(new Set([`${start}two`]));
    expect(search(start)).toEqual(new Set());
  });

  test("finds nothing without words", () => {
    expect(createWordSearch([])("any text")).toEqual(new Set());
    expect(createWordScan([]).isIn("any text")).toBe(false);
  });
});
