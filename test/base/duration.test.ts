import { describe, expect, test } from "bun:test";
import { parseDurationMs, renderDurationMs } from "../../src/base/duration.ts";

describe("a duration", () => {
  for (const [text, ms] of [
    ["250ms", 250],
    ["2s", 2_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["24h", 86_400_000],
    ["0s", 0],
    ["0.5ms", 0.5],
    ["24.1h", null],
    ["2", null],
    ["s", null],
    ["-1s", null],
    ["1 s", null],
    ["1d", null],
    ["1e3s", null],
    [".5s", null],
    ["1.s", null],
    ["2S", null],
    ["", null],
    ["1s\n", null],
  ] as const) {
    test(`${JSON.stringify(text)} is ${ms}`, () => expect(parseDurationMs(text)).toBe(ms));
  }

  for (const [ms, text] of [
    [0, "0s"],
    [1, "1ms"],
    [1_500, "1500ms"],
    [90_000, "90s"],
    [120_000, "2m"],
    [7_200_000, "2h"],
  ] as const) {
    test(`${ms} ms is written ${text} and read again`, () => {
      expect(renderDurationMs(ms)).toBe(text);
      expect(parseDurationMs(text)).toBe(ms);
    });
  }
});
