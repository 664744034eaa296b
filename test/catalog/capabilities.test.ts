/** What decides translation, by family, as the vendors' pages and recorded traffic show it. */
import { describe, expect, test } from "bun:test";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import type { Capabilities } from "../../src/catalog/model.ts";

const of = (id: string): Capabilities => builtInCatalog.find(id).capabilities;
const upToMax = ["low", "medium", "high", "xhigh", "max"];

describe("Claude", () => {
  test.each<[string, Partial<Capabilities>]>([
    [
      "claude-fable-5-1",
      {
        reasoning: "adaptive",
        thinkingByDefault: true,
        canDisableThinking: false,
        sampling: "no",
        forcedToolUse: false,
        prefill: false,
        defaultEffort: "high",
        midConversationSystem: true,
        preservedThinking: true,
      },
    ],
    [
      "claude-opus-5-5",
      {
        reasoning: "adaptive",
        thinkingByDefault: true,
        canDisableThinking: false,
        sampling: "no",
        forcedToolUse: false,
        prefill: false,
        defaultEffort: "medium",
        midConversationSystem: true,
        preservedThinking: true,
      },
    ],
    [
      "claude-sonnet-5-5",
      {
        betweenTools: true,
        thinkingByDefault: true,
        canDisableThinking: false,
        sampling: "no",
        forcedToolUse: false,
        defaultEffort: "high",
        preservedThinking: true,
      },
    ],
    [
      "claude-haiku-5-5",
      {
        betweenTools: false,
        thinkingByDefault: true,
        canDisableThinking: true,
        sampling: "no",
        forcedToolUse: true,
        defaultEffort: "medium",
        preservedThinking: true,
      },
    ],
    [
      "claude-fable-5",
      {
        thinkingByDefault: true,
        canDisableThinking: false,
        sampling: "no",
        forcedToolUse: true,
        preservedThinking: false,
      },
    ],
    [
      "claude-opus-5",
      {
        thinkingByDefault: true,
        canDisableThinking: true,
        sampling: "no",
        forcedToolUse: true,
        defaultEffort: "high",
        preservedThinking: false,
        fastMode: true,
      },
    ],
    [
      "claude-sonnet-5",
      {
        thinkingByDefault: true,
        canDisableThinking: true,
        sampling: "no",
        forcedToolUse: true,
        midConversationSystem: false,
      },
    ],
    [
      "claude-opus-4-8",
      {
        thinkingByDefault: false,
        canDisableThinking: true,
        sampling: "no",
        forcedToolUse: true,
        midConversationSystem: true,
      },
    ],
    [
      "claude-opus-4-7",
      { reasoning: "adaptive", thinkingByDefault: false, sampling: "no", midConversationSystem: false },
    ],
    [
      "claude-opus-4-6",
      { reasoning: "adaptive+budget", sampling: "one", prefill: false, midConversationSystem: false },
    ],
    [
      "claude-sonnet-4-6",
      { reasoning: "adaptive+budget", sampling: "one", prefill: false, midConversationSystem: false },
    ],
    ["claude-opus-4-5", { reasoning: "budget", sampling: "one", prefill: true, efforts: ["low", "medium", "high"] }],
    [
      "claude-sonnet-4-5-20250929",
      {
        reasoning: "budget",
        thinkingByDefault: false,
        sampling: "one",
        prefill: true,
        efforts: [],
        midConversationSystem: false,
        structuredOutputs: true,
      },
    ],
    ["claude-haiku-4-5", { reasoning: "budget", sampling: "one", prefill: true, efforts: [] }],
  ])("%s", (id, expected) => {
    expect(of(id)).toMatchObject(expected);
  });
  test("takes efforts up to max but for 4.6, which lacks xhigh", () => {
    for (const id of ["claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5", "claude-opus-4-7"])
      expect(of(id).efforts as readonly string[]).toEqual(upToMax);
    for (const id of ["claude-opus-4-6", "claude-sonnet-4-6"])
      expect(of(id).efforts).toEqual(["low", "medium", "high", "max"]);
  });
});

describe("OpenAI", () => {
  test.each<[string, Partial<Capabilities>]>([
    [
      "gpt-6-astra",
      { sampling: "no", toolsOnChat: "no", stop: false, cacheBreakpoints: true, canDisableThinking: false },
    ],
    [
      "gpt-6.1-sol",
      { sampling: "no", toolsOnChat: "no", stop: false, cacheBreakpoints: true, canDisableThinking: false },
    ],
    ["gpt-6-sol", { sampling: "no", toolsOnChat: "effort-none", stop: false, canDisableThinking: true }],
    ["gpt-5.6", { sampling: "effort-none", toolsOnChat: "effort-none", cacheBreakpoints: true, defaultEffort: null }],
    ["gpt-5.5", { sampling: "effort-none", toolsOnChat: "effort-none", cacheBreakpoints: false }],
    [
      "gpt-5.4-nano",
      { sampling: "effort-none", toolsOnChat: "effort-none", defaultEffort: "none", thinkingByDefault: false },
    ],
    ["gpt-5.1", { sampling: "effort-none", toolsOnChat: "yes", defaultEffort: "none" }],
    [
      "gpt-5",
      { sampling: "no", toolsOnChat: "yes", efforts: ["minimal", "low", "medium", "high"], thinkingByDefault: true },
    ],
    ["gpt-5-pro", { toolsOnChat: "no", tools: true }],
    ["o1", { sampling: "no", parallelToolControl: false, stop: false, toolsOnChat: "yes" }],
    ["o3", { sampling: "no", parallelToolControl: false, stop: false }],
    ["o3-mini", { sampling: "no", parallelToolControl: false, stop: true, vision: false }],
    ["o4-mini", { sampling: "no", parallelToolControl: false, stop: false, vision: true }],
    [
      "gpt-4o",
      {
        reasoning: "none",
        sampling: "both",
        stop: true,
        toolsOnChat: "yes",
        refusesMaxTokens: false,
        developerRole: false,
        parallelToolControl: true,
      },
    ],
    [
      "gpt-4.1-mini",
      {
        reasoning: "none",
        sampling: "both",
        stop: true,
        toolsOnChat: "yes",
        refusesMaxTokens: false,
        structuredOutputs: true,
      },
    ],
    ["gpt-4o-2024-05-13", { structuredOutputs: false }],
    ["gpt-audio", { audioInput: true, vision: false, reasoning: "none" }],
    ["text-embedding-3-small", { tools: false, vision: false, reasoning: "none", sampling: "no" }],
  ])("%s", (id, expected) => {
    expect(of(id)).toMatchObject(expected);
  });
  test("names the output cap alike everywhere, and refuses the old name where it reasons", () => {
    for (const { provider, capabilities } of builtInCatalog.models) {
      if (provider !== "openai") continue;
      expect(capabilities.outputCapField).toBe("max_completion_tokens");
      expect(capabilities.refusesMaxTokens).toBe(capabilities.reasoning === "effort");
      expect(capabilities.developerRole).toBe(capabilities.reasoning === "effort");
    }
  });
});
