import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { ReplyChoice, ReplyFacts, ReplyToolCall, StopClass } from "../format.ts";
import { readString, readText } from "../facts.ts";
import { readUsage } from "./usage.ts";

/** Whether `json` is a buffered Chat answer. */
export function isReply(json: Json): boolean {
  return isObject(json) && isArray(own(json, "choices"));
}

const STOPS: Readonly<Record<string, Exclude<StopClass, null>>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool",
  function_call: "tool",
  content_filter: "refusal",
};

/**
 * A finish reason in the common vocabulary. `stop` with tool calls is a call (a named `tool_choice` ends so), with a refusal
 * a refusal.
 */
export function classifyStop(finish: Json | undefined, hasCalls: boolean, refused: boolean): StopClass {
  if (!isString(finish)) return null;
  const stop = Object.hasOwn(STOPS, finish) ? (STOPS[finish] ?? "other") : "other";
  if (stop !== "stop") return stop;
  if (refused) return "refusal";
  return hasCalls ? "tool" : "stop";
}

function readToolCall(call: Json): ReplyToolCall {
  const id = readString(own(call, "id")) ?? "";
  const custom = own(call, "custom");
  const body = isObject(custom) ? custom : own(call, "function");
  const name = readString(own(body, "name")) ?? "";
  return isObject(custom)
    ? { id, name, arguments: readString(own(body, "input")) ?? "", kind: "custom" }
    : { id, name, arguments: readString(own(body, "arguments")) ?? "", kind: "function" };
}

const NO_CALLS: readonly ReplyToolCall[] = [];

function readToolCalls(message: Json | undefined): readonly ReplyToolCall[] {
  const calls = own(message, "tool_calls");
  const legacy = own(message, "function_call");
  const read = isArray(calls) ? calls.map(readToolCall) : NO_CALLS;
  return isObject(legacy) ? [...read, readToolCall({ function: legacy })] : read;
}

function readChoice(choice: Json): ReplyChoice {
  const message = own(choice, "message");
  const toolCalls = readToolCalls(message);
  const refusal = readString(own(message, "refusal"));
  return {
    text: readText(own(message, "content")),
    toolCalls,
    refusal,
    stop: classifyStop(own(choice, "finish_reason"), toolCalls.length > 0, refusal !== null),
  };
}

/** Reads a buffered answer. */
export function readReply(json: JsonObject): ReplyFacts {
  const choices = own(json, "choices");
  return {
    id: readString(own(json, "id")),
    model: readString(own(json, "model")),
    choices: isArray(choices) ? choices.map(readChoice) : [],
    usage: readUsage(own(json, "usage")),
    serviceTier: readString(own(json, "service_tier")),
  };
}
