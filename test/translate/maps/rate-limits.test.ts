import { describe, expect, test } from "bun:test";
import {
  chatRateLimits,
  messagesRateLimits,
  parseDurationMs,
  renderDuration,
} from "../../../src/translate/maps/rate-limits.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

describe("durations", () => {
  test.each([
    ["6ms", 6],
    ["1.2s", 1200],
    ["1m30s", 90_000],
    ["1m2.5s", 62_500],
    ["8h38m24s", 31_104_000],
    ["0s", 0],
  ])("%s is read and written", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
    expect(renderDuration(ms)).toBe(text);
  });

  test.each(["", "soon", "12", "1m!", "-3s"])("%j is none", (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });

  test("a time that is past is 0s", () => {
    expect(renderDuration(-5)).toBe("0s");
  });
});

describe("rate limits for OpenAI clients", () => {
  test("carry OpenAI's names, resets as durations", () => {
    const headers = new Headers({
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-22T12:01:02Z",
      "anthropic-ratelimit-tokens-remaining": "900",
      "retry-after": "7",
      "anthropic-organization-id": "x",
    });
    expect(chatRateLimits(headers, NOON)).toEqual({
      "x-ratelimit-limit-requests": "50",
      "x-ratelimit-remaining-requests": "49",
      "x-ratelimit-reset-requests": "1m2s",
      "x-ratelimit-remaining-tokens": "900",
    });
  });

  test("take the tighter of input and output tokens where there is no limit on both", () => {
    const headers = new Headers({
      "anthropic-ratelimit-input-tokens-limit": "1000",
      "anthropic-ratelimit-input-tokens-remaining": "900",
      "anthropic-ratelimit-output-tokens-limit": "500",
      "anthropic-ratelimit-output-tokens-remaining": "20",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-22T12:00:00.5Z",
    });
    expect(chatRateLimits(headers, NOON)).toEqual({
      "x-ratelimit-limit-tokens": "500",
      "x-ratelimit-remaining-tokens": "20",
      "x-ratelimit-reset-tokens": "500ms",
    });
  });

  test("leave out a reset that is no instant", () => {
    expect(chatRateLimits(new Headers({ "anthropic-ratelimit-requests-reset": "soon" }), NOON)).toEqual({});
  });
});

describe("rate limits for Anthropic clients", () => {
  test("carry Anthropic's names, resets as instants, rounded up", () => {
    const headers = new Headers({
      "x-ratelimit-limit-requests": "10",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1.2s",
      "x-ratelimit-remaining-tokens": "5",
      "x-ratelimit-reset-tokens": "later",
      "openai-processing-ms": "3",
    });
    expect(messagesRateLimits(headers, NOON)).toEqual({
      "anthropic-ratelimit-requests-limit": "10",
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:02Z",
      "anthropic-ratelimit-tokens-remaining": "5",
    });
  });
});
