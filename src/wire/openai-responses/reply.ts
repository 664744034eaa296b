import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { InBandError, ReplyFacts, ReplyToolCall, StopClass } from "../format.ts";
import { readErrorEnvelope } from "../errors.ts";
import { readString } from "../facts.ts";
import { readUsage } from "./usage.ts";

/** Whether `json` is a buffered Response, complete or still `queued`. */
export function isReply(json: Json): boolean {
  return isObject(json) && own(json, "object") === "response";
}

/** The error of a body: an envelope, an `error` event, or the one in a Response that failed, in its last event too. */
export function readError(json: Json): InBandError | null {
  if (own(json, "type") === "response.failed") {
    return (
      readErrorEnvelope(own(json, "response") ?? null) ?? { type: null, code: null, message: "the response failed" }
    );
  }
  if (own(json, "type") === "error" && isString(own(json, "message"))) {
    return readErrorEnvelope({
      error: { type: null, code: own(json, "code") ?? null, message: own(json, "message") ?? null },
    });
  }
  return readErrorEnvelope(json);
}

/**
 * Whether an output item is a call that the client has to answer: of a tool that it declared, or of one that OpenAI defines
 * and the client runs.
 * @see https://platform.openai.com/docs/api-reference/responses/object#responses-object-output (read 2026-11-24)
 */
export function isToolCall(item: Json): boolean {
  switch (own(item, "type")) {
    case "function_call":
    case "custom_tool_call":
    case "computer_call":
    case "local_shell_call":
    case "apply_patch_call":
    case "mcp_approval_request":
      return true;
    case "tool_search_call":
      return own(item, "execution") === "client";
    case "shell_call":
      return own(own(item, "environment"), "type") !== "container_reference";
    default:
      return false;
  }
}

/** The call of an item that {@link isToolCall} says is one. What OpenAI defines has no schema of the request's: it is custom. */
export function readToolCall(item: Json): ReplyToolCall {
  const type = readString(own(item, "type")) ?? "";
  return {
    id: readString(own(item, "call_id")) ?? readString(own(item, "id")) ?? "",
    name: readString(own(item, "name")) ?? type.replace(/_call$/, ""),
    arguments: readInput(item),
    kind: type === "function_call" ? "function" : "custom",
  };
}

/** Where the kinds of calls hold what they ask for. */
const INPUT_FIELDS = ["arguments", "input", "action", "operation"];

function readInput(item: Json): string {
  for (const name of INPUT_FIELDS) {
    const input = own(item, name) ?? null;
    if (input !== null) return isString(input) ? input : JSON.stringify(input);
  }
  return "";
}

interface MessageText {
  text: string;
  refusal: string | null;
}

function readMessages(output: readonly Json[]): MessageText {
  const read: MessageText = { text: "", refusal: null };
  for (const item of output) {
    const content = own(item, "content");
    if (own(item, "type") !== "message" || !isArray(content)) continue;
    for (const part of content) {
      if (own(part, "type") === "output_text") read.text += readString(own(part, "text")) ?? "";
      else if (own(part, "type") === "refusal")
        read.refusal = (read.refusal ?? "") + (readString(own(part, "refusal")) ?? "");
    }
  }
  return read;
}

/** The end of a Response in the common vocabulary; null while it is queued or in progress. */
export function classifyStop(response: Json | undefined, hasCalls: boolean, refused: boolean): StopClass {
  switch (own(response, "status")) {
    case "completed":
      if (refused) return "refusal";
      return hasCalls ? "tool" : "stop";
    case "incomplete":
      switch (own(own(response, "incomplete_details"), "reason")) {
        case "max_output_tokens":
          return "length";
        case "content_filter":
          return "refusal";
        default:
          return "other";
      }
    case "failed":
    case "cancelled":
      return "other";
    default:
      return null;
  }
}

/** Reads a buffered Response. Its message items are one choice. */
export function readReply(json: JsonObject): ReplyFacts {
  const items = own(json, "output");
  const output = isArray(items) ? items : [];
  const toolCalls = output.filter(isToolCall).map(readToolCall);
  const { text, refusal } = readMessages(output);
  return {
    id: readString(own(json, "id")),
    model: readString(own(json, "model")),
    choices: [{ text, toolCalls, refusal, stop: classifyStop(json, toolCalls.length > 0, refusal !== null) }],
    usage: readUsage(own(json, "usage")),
    serviceTier: readString(own(json, "service_tier")),
  };
}
