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

/** Whether an output item is a call that the client has to answer. */
export function isToolCall(item: Json): boolean {
  const type = own(item, "type");
  return type === "function_call" || type === "custom_tool_call";
}

export function readToolCall(item: Json): ReplyToolCall {
  const custom = own(item, "type") === "custom_tool_call";
  return {
    id: readString(own(item, "call_id")) ?? readString(own(item, "id")) ?? "",
    name: readString(own(item, "name")) ?? "",
    arguments: readString(own(item, custom ? "input" : "arguments")) ?? "",
    kind: custom ? "custom" : "function",
  };
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
