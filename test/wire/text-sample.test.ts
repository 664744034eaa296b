import { describe, expect, test } from "bun:test";
import { createLongText } from "../../src/wire/long-text.ts";
import { createTextSample, estimateTokens } from "../../src/wire/text-sample.ts";
import { TEXT_CLASSES, TEXT_WEIGHTS, weighSpan } from "../../src/wire/tokens.ts";

describe("estimateTokens", () => {
  test("knows an empty text from a short one", () => {
    expect(estimateTokens("", "openai")).toBe(0);
    expect(estimateTokens(" ", "openai")).toBe(1);
  });

  test.each([
    ["prose", "The quick brown fox jumps over the lazy dog. ".repeat(40), 400],
    ["JSON", '{"name":"Alice","tags":["a","b"],"age":36}'.repeat(20), 360],
    ["Cyrillic", "Привет, как дела? ".repeat(30), 210],
    ["Chinese", "今天天气很好我们去公园".repeat(20), 200],
    ["digits", "1234567890 ".repeat(20), 110],
  ])("is near a tokenizer's count for %s", (_name, text, about) => {
    const estimate = estimateTokens(text, "openai");
    expect(estimate / about).toBeGreaterThan(0.6);
    expect(estimate / about).toBeLessThan(1.6);
    expect(estimateTokens(text, "anthropic")).toBeGreaterThan(estimate * 0.9);
  });

  test("grows with the text and is linear in it", () => {
    const once = estimateTokens("some words, 12 numbers and\nlines ".repeat(100), "openai");
    const tenfold = estimateTokens("some words, 12 numbers and\nlines ".repeat(1000), "openai");
    expect(tenfold / once).toBeCloseTo(10, 1);
  });

  test("samples a long text near what its parts add up to, whatever it is made of", () => {
    const parts = [
      "The quick brown fox jumps over the lazy dog. ",
      '{"name":"Alice","tags":["a","b"],"age":36}\n',
      "Привет, как дела? ",
      "今天天气很好我们去公园",
      "const camelCase = fooBarBaz(1234567, 0x1f);\n    return camelCase;\n",
    ].flatMap((part) => Array.from({ length: 9 }, () => part.repeat(Math.ceil(3000 / part.length))));
    const whole = parts.reduce((sum, part) => sum + estimateTokens(part, "openai"), 0);
    expect(estimateTokens(parts.join(""), "openai") / whole).toBeGreaterThan(0.93);
    expect(estimateTokens(parts.join(""), "openai") / whole).toBeLessThan(1.07);
  });

  test("costs 200 KB about a millisecond", () => {
    const text = 'const value = { "key": 123, camelCase: true };\n'.repeat(4300);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 20; run += 1) {
      const start = performance.now();
      estimateTokens(text, "anthropic");
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(2);
  });
});

describe("createTextSample", () => {
  const PARTS = [
    "The quick brown fox jumps over the lazy dog. ",
    '{"name":"Alice","tags":["a","b"],"age":36}\n',
    "Привет, как дела? ",
    "今天天气很好我们去公园",
    "const camelCase = fooBarBaz(1234567, 0x1f);\n    return camelCase;\n",
  ];

  function weighAll(texts: readonly string[]): number {
    return texts.reduce((sum, text) => sum + weighSpan(text, 0, text.length, TEXT_WEIGHTS.openai, TEXT_CLASSES), 0);
  }

  function sampleAll(texts: readonly string[]): number {
    const sample = createTextSample("openai");
    for (const text of texts) sample.add(text);
    return sample.tokens();
  }

  test("reads a few short texts whole", () => {
    const texts = PARTS.map((part) => part.repeat(10));
    expect(sampleAll(texts)).toBeCloseTo(weighAll(texts), 6);
    expect(sampleAll([])).toBe(0);
    expect(sampleAll(["", ""])).toBe(0);
  });

  test.each([
    ["many short texts", 1, 4000],
    ["texts that are longer than a window", 5, 800],
    ["long texts that repeat themselves", 200, 20],
    ["one text beyond those that are read whole", 90, 1],
  ])("comes near the whole of %s", (_name, repeats, count) => {
    const texts = Array.from({ length: count }, () => PARTS.map((part) => part.repeat(repeats))).flat();
    expect(sampleAll(texts) / weighAll(texts)).toBeGreaterThan(0.93);
    expect(sampleAll(texts) / weighAll(texts)).toBeLessThan(1.07);
  });

  test("reads a long text in its bytes like the string that it spells", () => {
    const texts = PARTS.map((part) => part.repeat(400));
    const sample = createTextSample("openai");
    for (const text of texts) {
      const bytes = Buffer.from(JSON.stringify(text));
      sample.add(createLongText(bytes, 1, bytes.length - 1));
    }
    expect(sample.tokens() / weighAll(texts)).toBeGreaterThan(0.9);
    expect(sample.tokens() / weighAll(texts)).toBeLessThan(1.1);
  });
});
