import { describe, expect, test } from "bun:test";
import { createGlob, globSpecificity } from "../../src/base/glob.ts";

describe("a glob", () => {
  for (const [glob, text, isMatch] of [
    ["gpt-4.1", "gpt-4.1", true],
    ["gpt-4.1", "gpt-4x1", false],
    ["*", "", true],
    ["*", "anything/at:all", true],
    ["claude-*", "claude-", true],
    ["claude-*", "xclaude-1", false],
    ["*haiku*", "claude-haiku-4-5", true],
    ["o?-mini", "o3-mini", true],
    ["o?-mini", "o-mini", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "aXcYb", false],
    ["[a]", "[a]", true],
    ["[a]", "a", false],
    ["", "", true],
    ["", "x", false],
  ] as const) {
    test(`${glob} ${isMatch ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
      expect(createGlob(glob)(text)).toBe(isMatch);
    });
  }

  test("with many stars stays linear enough on a hostile text", () => {
    const match = createGlob(`${"a*".repeat(30)}b`);
    const before = performance.now();
    expect(match("a".repeat(5_000))).toBe(false);
    expect(performance.now() - before).toBeLessThan(500);
  });

  test("is the more specific the more it spells out", () => {
    expect(globSpecificity("claude-*")).toBeGreaterThan(globSpecificity("*"));
    expect(globSpecificity("claude-sonnet-*")).toBeGreaterThan(globSpecificity("claude-*"));
  });
});
