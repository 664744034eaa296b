import { describe, expect, test } from "bun:test";
import { readClient } from "../../src/policy/client.ts";

describe("the client", () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ["claude-cli/2.1.0 (external, cli)", "claude-code"],
    ["codex_cli_rs/0.90.0 (Ubuntu 24.4.0; x86_64) xterm", "codex"],
    ["OpenAI/Python 2.15.0", "openai-python"],
    ["AsyncOpenAI/Python 2.15.0", "openai-python"],
    ["OpenAI/JS 7.57.0", "openai-node"],
    ["Anthropic/Python 0.80.0", "anthropic-python"],
    ["AsyncAnthropic/Python 0.80.0", "anthropic-python"],
    ["Anthropic/JS 1.12.0", "anthropic-typescript"],
    ["Agents/Python 0.6.0", "openai-agents-python"],
    ["litellm/1.80.0", "litellm"],
    ["Go-http-client/2.0", "go"],
    ["Mozilla/5.0 claude-cli/1", null],
    ["", null],
  ];
  for (const [userAgent, client] of rows) {
    test(`"${userAgent}" is ${client ?? "nobody known"}`, () => {
      expect(readClient(userAgent)).toBe(client);
    });
  }

  test("is nobody without a user-agent", () => {
    expect(readClient(null)).toBeNull();
  });
});
