/** Why an answer ended: Anthropic's `stop_reason` and OpenAI's `finish_reason`, both ways. */
import type { JsonObject } from "../../base/json.ts";

/** The `finish_reason` values that answers in the Chat format carry. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  pause_turn: "stop",
  refusal: "content_filter",
  compaction: "stop",
};

/**
 * The `finish_reason` for an Anthropic `stop_reason`; `stop` for null and for words not known.
 * @see https://docs.anthropic.com/en/api/handling-stop-reasons (read 2026-11-24)
 */
export function finishReason(stopReason: string | null): FinishReason {
  return stopReason !== null && Object.hasOwn(FINISH_REASONS, stopReason)
    ? (FINISH_REASONS[stopReason] ?? "stop")
    : "stop";
}

/** What decides a `stop_reason` besides the `finish_reason`. */
export interface StopFacts {
  /** The answer holds at least one tool call. */
  readonly hasToolCall: boolean;
  /** Text of `message.refusal`; null without one. */
  readonly refusal: string | null;
  /** The stop sequence that the gateway's own scanner matched; null when none did. */
  readonly stopSequence: string | null;
}

/** The three fields of a Message that say why it ended; `stop_details` only with a refusal. */
export interface StopFields {
  readonly stop_reason: "end_turn" | "stop_sequence" | "max_tokens" | "tool_use" | "refusal";
  readonly stop_sequence: string | null;
  readonly stop_details?: JsonObject;
}

const FILTERED = "The answer was stopped by the provider's content filter.";

function refused(explanation: string): StopFields {
  return {
    stop_reason: "refusal",
    stop_sequence: null,
    stop_details: { type: "refusal", category: null, explanation },
  };
}

/**
 * The stop fields of a Message for an OpenAI `finish_reason`. A call in the answer counts more than the word: a named
 * `tool_choice` ends with `stop` although a tool was called.
 * @see https://platform.openai.com/docs/api-reference/chat/object (read 2026-11-24)
 */
export function stopFields(reason: string | null, facts: StopFacts): StopFields {
  if (facts.stopSequence !== null) return { stop_reason: "stop_sequence", stop_sequence: facts.stopSequence };
  if (reason === "content_filter") return refused(facts.refusal ?? FILTERED);
  if (reason === "length") return { stop_reason: "max_tokens", stop_sequence: null };
  if (facts.hasToolCall) return { stop_reason: "tool_use", stop_sequence: null };
  if (facts.refusal !== null) return refused(facts.refusal);
  return { stop_reason: "end_turn", stop_sequence: null };
}
