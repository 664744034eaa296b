import { describe, expect, test } from "bun:test";
import { estimateOutputTokens, JSON_CLASSES, TEXT_CLASSES, TEXT_WEIGHTS, weighSpan } from "../../src/wire/tokens.ts";

describe("weighSpan", () => {
  const TEXT =
    'const fooBar = { "key": 12345 };\n\n\tif (a\\b) {\r\n\t\treturn "é, Привет, 今天天气, 😀 ≠ ½";\n    }\n';

  test.each([
    ["as UTF-8", JSON.stringify(TEXT)],
    [
      "with escapes only",
      JSON.stringify(TEXT).replaceAll(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ),
    ],
  ])("weighs a text in JSON, %s, like the text that it spells", (_name, json) => {
    const weigh = (text: string, classes: Uint8Array): number =>
      weighSpan(text, 0, text.length, TEXT_WEIGHTS.anthropic, classes);
    const bytes = Buffer.from(json.slice(1, -1)).toString("latin1");
    expect(weigh(bytes, JSON_CLASSES)).toBeCloseTo(weigh(TEXT, TEXT_CLASSES), 6);
  });
});

describe("estimateOutputTokens", () => {
  test("rounds up", () => {
    expect([
      estimateOutputTokens(0, "openai"),
      estimateOutputTokens(1, "openai"),
      estimateOutputTokens(430, "openai"),
    ]).toEqual([0, 1, 100]);
  });
});
