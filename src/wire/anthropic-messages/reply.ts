import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { ReplyFacts, ReplyToolCall, StopClass } from "../format.ts";
import { readString } from "../facts.ts";
import { readUsage } from "./usage.ts";

/** Whether `json` is a buffered Message. */
export function isReply(json: Json): boolean {
  return isObject(json) && own(json, "type") === "message" && isArray(own(json, "content"));
}

const STOPS: Readonly<Record<string, Exclude<StopClass, null>>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool",
  refusal: "refusal",
  pause_turn: "pause",
};

/** A stop reason in the common vocabulary. */
export function classifyStop(reason: Json | undefined): StopClass {
  if (!isString(reason)) return null;
  return Object.hasOwn(STOPS, reason) ? (STOPS[reason] ?? "other") : "other";
}

/** Text of a refusal: its explanation, "" when it gives none; null when `reason` is no refusal. */
export function readRefusal(reason: Json | undefined, details: Json | undefined): string | null {
  return reason === "refusal" ? (readString(own(details, "explanation")) ?? "") : null;
}

function readToolUse(block: Json): ReplyToolCall {
  return {
    id: readString(own(block, "id")) ?? "",
    name: readString(own(block, "name")) ?? "",
    arguments: JSON.stringify(own(block, "input") ?? {}),
    kind: "function",
  };
}

const NO_BLOCKS: readonly Json[] = [];
const NO_CALLS: readonly ReplyToolCall[] = [];

function isToolUse(block: Json): boolean {
  return own(block, "type") === "tool_use";
}

function joinTexts(blocks: readonly Json[]): string {
  let all = "";
  for (const block of blocks) {
    const text = own(block, "type") === "text" ? own(block, "text") : undefined;
    if (isString(text)) all += text;
  }
  return all;
}

/** Reads a buffered Message. Text blocks are joined without a separator: citations cut one sentence into several. */
export function readReply(json: JsonObject): ReplyFacts {
  const content = own(json, "content");
  const blocks = isArray(content) ? content : NO_BLOCKS;
  const reason = own(json, "stop_reason");
  const usage = own(json, "usage");
  return {
    id: readString(own(json, "id")),
    model: readString(own(json, "model")),
    choices: [
      {
        text: joinTexts(blocks),
        toolCalls: blocks.some(isToolUse) ? blocks.filter(isToolUse).map(readToolUse) : NO_CALLS,
        refusal: readRefusal(reason, own(json, "stop_details")),
        stop: classifyStop(reason),
      },
    ],
    usage: readUsage(usage),
    serviceTier: readString(own(usage, "service_tier")),
  };
}
