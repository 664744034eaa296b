/** What buffered and streamed answers have in common. */
import { isArray, isString, own, parseLossless, type Json, type JsonObject } from "../../base/json.ts";
import { finishReason } from "../maps/stop-reason.ts";
import type { ReplyPlan } from "./draft.ts";

/** Times that a paused answer is sent back to go on. */
export const MAX_CONTINUATIONS = 8;

const REFUSAL_TEXT = "The model declined to answer this request.";

/** The answer's id for Chat clients: Anthropic's with the other prefix. */
export function chatId(id: Json | undefined): string {
  return `chatcmpl-${isString(id) ? id.replace(/^msg_/, "") : ""}`;
}

/** Why the answer ended, in Chat's words. */
export interface Finish {
  readonly reason: string;
  /** Anthropic's own word; null when it gave none. */
  readonly native: string | null;
}

/** `scanned`: a stop sequence that the gateway looked for ended the text. */
export function planFinish(plan: ReplyPlan, stopReason: Json | undefined, scanned: boolean): Finish {
  if (scanned) return { reason: "stop", native: "stop_sequence" };
  const native = isString(stopReason) ? stopReason : null;
  const reason = finishReason(native);
  if (reason !== "tool_calls") return { reason, native };
  if (plan.jsonTool !== null) return { reason: "stop", native };
  return { reason: plan.legacyFunctions ? "function_call" : reason, native };
}

/** Text of `refusal` for an answer that Claude broke off; null for every other one. */
export function refusalText(stopReason: Json | undefined, stopDetails: Json | undefined): string | null {
  if (stopReason !== "refusal") return null;
  const explanation = own(stopDetails, "explanation");
  return isString(explanation) && explanation !== "" ? explanation : REFUSAL_TEXT;
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

/** The argument that was wrapped in `value` (see tools.ts), as JSON text; the text itself when it has another shape. */
export function unwrapArguments(text: string): string {
  if (text === "") return "{}";
  try {
    const value = own(parseLossless(text), "value");
    return value === undefined ? text : JSON.stringify(value);
  } catch {
    return text;
  }
}

/** The free text of a custom tool's call from the JSON text of its input. */
export function customInput(text: string): string {
  if (text === "") return "";
  try {
    const input = own(JSON.parse(text) as Json, "input");
    return isString(input) ? input : text;
  } catch {
    return text;
  }
}

/** Sum of two Anthropic usages, field by field; what is no number is taken from the later one. */
export function addUsages(first: JsonObject, second: JsonObject): JsonObject {
  const sum: Record<string, Json> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = own(first, key);
    if (typeof value === "number" && typeof before === "number") sum[key] = before + value;
    else if (isPlain(value) && isPlain(before)) sum[key] = addUsages(before, value);
    else if (value !== null || before === undefined) sum[key] = value;
  }
  return sum;
}

function isPlain(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isArray(value);
}
