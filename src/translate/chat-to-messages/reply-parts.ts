/** What buffered and streamed answers of Chat have in common. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Finish } from "../chat-client/chunk-writer.ts";
import { finishReason } from "../maps/stop-reason.ts";
import type { ChatReplyPlan } from "./reply-plan.ts";

const CHAT_PREFIX = "chatcmpl-";
const MESSAGES_PREFIX = "msg_";

/** The answer's id for Chat clients: Anthropic's with the other prefix. */
export function chatId(id: Json | undefined): string {
  if (!isString(id)) return CHAT_PREFIX;
  return CHAT_PREFIX + (id.startsWith(MESSAGES_PREFIX) ? id.slice(MESSAGES_PREFIX.length) : id);
}

/** `scanned`: a stop sequence that the gateway looked for ended the text. */
export function planFinish(plan: ChatReplyPlan, stopReason: Json | undefined, scanned: boolean): Finish {
  if (scanned) return { reason: "stop", native: "stop_sequence" };
  const native = isString(stopReason) ? stopReason : null;
  const reason = finishReason(native);
  if (reason !== "tool_calls") return { reason, native };
  if (plan.jsonTool !== null) return { reason: "stop", native };
  return { reason: plan.legacyFunctions ? "function_call" : reason, native };
}

/** Joins thinking texts for people to read. */
export const THINKING_SEPARATOR = "\n\n";

/** One entry of `reasoning_details`: a whole thinking block, its place among them and among all blocks. */
export function renderDetail(block: JsonObject, index: number, position: number): JsonObject {
  const place = { format: "anthropic-claude-v1", index, block: position };
  if (own(block, "type") === "redacted_thinking") {
    return { type: "reasoning.encrypted", data: own(block, "data") ?? "", ...place };
  }
  const text = own(block, "thinking") ?? "";
  return { type: "reasoning.text", text, signature: own(block, "signature") ?? "", ...place };
}

/** Citations of one text block, sorted by what Chat has a shape for. */
export interface Citations {
  readonly annotations: JsonObject[];
  /** Those without a shape in Chat, as they came. */
  readonly others: Json[];
}

/** Adds one citation of the text between `start` and `end` (UTF-16 units of the whole content). */
export function addCitation(citations: Citations, citation: Json, start: number, end: number): void {
  const url = own(citation, "url");
  if (own(citation, "type") !== "web_search_result_location" || !isString(url)) {
    citations.others.push(citation);
    return;
  }
  const title = own(citation, "title");
  citations.annotations.push({
    type: "url_citation",
    url_citation: { url, title: isString(title) ? title : "", start_index: start, end_index: end },
  });
}
