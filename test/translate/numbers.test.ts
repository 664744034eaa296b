import { describe, expect, test } from "bun:test";
import { hasNumberAtRisk } from "../../src/translate/numbers.ts";

describe("numbers that a double does not give back", () => {
  test.each([
    ["0", false],
    ["9007199254740991", false],
    ["0.1", false],
    ["-12.5", false],
    ["9007199254740993", true],
    ["12345678901234567890", true],
    ["0.12345678901234567890", true],
    ["1e400", true],
    ["-0", true],
  ])("%s: %p", (source, expected) => {
    expect(hasNumberAtRisk(JSON.parse(source))).toBe(expected);
    expect(hasNumberAtRisk(JSON.parse(`{"a":["x",{"b":${source}}],"c":null}`))).toBe(expected);
  });
});
