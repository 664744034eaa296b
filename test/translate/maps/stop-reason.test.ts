import { describe, expect, test } from "bun:test";
import { finishReason, stopFields } from "../../../src/translate/maps/stop-reason.ts";

const NOTHING = { hasToolCall: false, refusal: null, stopSequence: null };

describe("finish_reason of an Anthropic answer", () => {
  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["pause_turn", "stop"],
    ["refusal", "content_filter"],
    ["compaction", "stop"],
    ["__proto__", "stop"],
    ["brand_new", "stop"],
    [null, "stop"],
  ] as const)("%s is %s", (stopReason, expected) => {
    expect(finishReason(stopReason)).toBe(expected);
  });
});

describe("stop_reason of an OpenAI answer", () => {
  test.each([
    ["stop", NOTHING, "end_turn"],
    ["stop", { ...NOTHING, hasToolCall: true }, "tool_use"],
    ["tool_calls", { ...NOTHING, hasToolCall: true }, "tool_use"],
    ["function_call", { ...NOTHING, hasToolCall: true }, "tool_use"],
    ["tool_calls", NOTHING, "end_turn"],
    ["length", NOTHING, "max_tokens"],
    ["length", { ...NOTHING, hasToolCall: true }, "max_tokens"],
    ["content_filter", NOTHING, "refusal"],
    ["stop", { ...NOTHING, refusal: "no" }, "refusal"],
    ["length", { ...NOTHING, refusal: "no" }, "max_tokens"],
    [null, NOTHING, "end_turn"],
  ] as const)("%s with %j is %s", (reason, facts, expected) => {
    expect(stopFields(reason, facts).stop_reason).toBe(expected);
  });

  test("a matched stop sequence is named, and wins", () => {
    expect(stopFields("length", { hasToolCall: true, refusal: null, stopSequence: "END" })).toEqual({
      stop_reason: "stop_sequence",
      stop_sequence: "END",
    });
  });

  test("a refusal explains itself; nothing else has stop_details", () => {
    expect(stopFields("stop", { ...NOTHING, refusal: "no" }).stop_details).toEqual({
      type: "refusal",
      category: null,
      explanation: "no",
    });
    expect(Object.hasOwn(stopFields("stop", NOTHING), "stop_details")).toBe(false);
  });
});
