import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  chatUsageFromMessages,
  messagesUsageFromChat,
  renderChatUsage,
  renderMessagesUsage,
} from "../../../src/translate/maps/usage.ts";

const USAGE = {
  input: 10,
  cacheRead: 60,
  cacheWrite: 25,
  cacheWriteLong: 5,
  output: 7,
  reasoning: 4,
  source: "reported",
} as const;
const CHAT =
  '{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},"completion_tokens_details":{"reasoning_tokens":4}}';
const MESSAGES =
  '{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,"output_tokens":7,"output_tokens_details":{"thinking_tokens":4}}';

describe("usage", () => {
  test("is written in one order of keys", () => {
    expect(JSON.stringify(renderChatUsage(USAGE))).toBe(CHAT);
    expect(JSON.stringify(renderMessagesUsage(USAGE))).toBe(MESSAGES);
  });

  test("#17 #18 OpenAI's prompt tokens lose cache reads and writes", () => {
    expect(JSON.stringify(messagesUsageFromChat(JSON.parse(CHAT)))).toBe(MESSAGES);
  });

  test("#19 Anthropic's input tokens gain both", () => {
    expect(JSON.stringify(chatUsageFromMessages(JSON.parse(MESSAGES)))).toBe(CHAT);
  });

  test("counters that are absent or null are 0, never null", () => {
    expect(JSON.stringify(messagesUsageFromChat({ prompt_tokens: 3, prompt_tokens_details: null }))).toBe(
      '{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,"output_tokens_details":{"thinking_tokens":0}}',
    );
    expect(chatUsageFromMessages({ input_tokens: 3, cache_read_input_tokens: null })).toMatchObject({
      prompt_tokens: 3,
      total_tokens: 3,
    });
  });

  test("input never falls below 0", () => {
    expect(
      messagesUsageFromChat({ prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 9 } })["input_tokens"],
    ).toBe(0);
  });

  test("Anthropic's own details are copied as extensions", () => {
    const extension = { cache_creation: { ephemeral_5m_input_tokens: 1 }, server_tool_use: { web_search_requests: 2 } };
    expect(chatUsageFromMessages({ input_tokens: 1, output_tokens: 1, ...extension })).toMatchObject(extension);
    expect(Object.keys(chatUsageFromMessages({ server_tool_use: null }))).not.toContain("server_tool_use");
  });

  test("Responses names are read too", () => {
    expect(
      messagesUsageFromChat({
        input_tokens: 100,
        output_tokens: 7,
        input_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
        output_tokens_details: { reasoning_tokens: 4 },
      }),
    ).toEqual(JSON.parse(MESSAGES));
  });

  test("survives the round trip", () => {
    const count = fc.nat(1_000_000);
    fc.assert(
      fc.property(count, count, count, count, count, (input, cacheRead, cacheWrite, output, reasoning) => {
        const usage = {
          input,
          cacheRead,
          cacheWrite,
          cacheWriteLong: 0,
          output,
          reasoning,
          source: "reported",
        } as const;
        expect(messagesUsageFromChat(renderChatUsage(usage))).toEqual(renderMessagesUsage(usage));
        expect(chatUsageFromMessages(renderMessagesUsage(usage))).toEqual(renderChatUsage(usage));
      }),
      { numRuns: 50 },
    );
  });
});
