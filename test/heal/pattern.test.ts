import { describe, expect, test } from "bun:test";
import { compilePattern } from "../../src/heal/pattern.ts";

const LIMITS = { maxChars: 512 };

describe("pattern", () => {
  test.each<[string, string]>([
    ["^\\d{3}-\\d{4}$", "555-1234"],
    ["^\\s+$", "\u00a0\u2003\ufeff \n"],
    ["^\\S+$", "a\u00a0b"],
    ["^[\\s,]+$", ",\u3000"],
    ["^.$", "\u2028"],
    ["^.$", "😀"],
    ["^\\w+$", "é"],
    ["\\bfoo\\b", "a foo b"],
    ["^\\u0041\\x42\\u{43}$", "ABC"],
    ["^\\ud83d\\ude00$", "😀"],
    ["^[\\u0410-\\u044f]+$", "Привет"],
    ["^\\p{L}+$", "éß"],
    ["^\\p{Letter}+$", "éß"],
    ["^\\p{Script=Greek}+$", "αβ"],
    ["^\\P{Lu}$", "A"],
    ["^[[]x$", "[x"],
    ["^[^\\]]*$", "a]b"],
    ["^\\cA$", "\u0001"],
    ["^(?:a|b)+?$", "abab"],
    ["^(?<year>\\d+)$", "2026"],
    ["^\\/[a\\-b]+$", "/a-b"],
    ["a$", "a\n"],
    ["^$", ""],
  ])("means by %s what ECMA 262 means, of %p", (source, text) => {
    // These patterns are ours and harmless, so the engine may be the judge.
    expect(compilePattern(source, LIMITS)?.test(text)).toBe(new RegExp(source, "u").test(text));
  });

  test.each([
    "(?=a)",
    "(?!a)",
    "(?<=a)b",
    "(a)\\1",
    "\\k<n>",
    "[]",
    "[^]",
    "(",
    "a)",
    "[a",
    "{",
    "a{",
    "\\A",
    "\\Q",
    "(?i)a",
    "\\ud83d",
    "\\",
    "a{2000}",
    "x".repeat(513),
  ])("does not take %s", (source) => {
    expect(compilePattern(source, LIMITS)).toBeNull();
  });

  test("does not take a short pattern with a huge program", () => {
    const startMs = performance.now();
    expect(compilePattern(`(${"a{31}".repeat(80)}){31}`, LIMITS)).toBeNull();
    expect(compilePattern("((a{100}){100}){100}", LIMITS)).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(100);
  });
});
