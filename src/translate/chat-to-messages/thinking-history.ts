/**
 * Thinking blocks that come back in Chat messages. Claude wants them exactly as it sent them, all or none: a missing one
 * makes later ones invalid.
 */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import { thinkingType, type Draft } from "../messages-upstream/draft.ts";
import { bindThinking, isForeign, isThinkingBlock } from "../messages-upstream/thinking-blocks.ts";
import { ownText } from "../messages-upstream/own-text.ts";

const DETAILS_FORMAT = "anthropic-claude-v1";

/** What becomes of reasoning in the history. */
export const THINKING_HISTORY_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].reasoning_details, messages[].thinking_blocks",
    outcomes: ["M", "S"],
    becomes:
      "thinking blocks at their old places; when one is incomplete, or budget thinking lacks those of a pending tool call, none are sent",
  },
  {
    field: "messages[].reasoning_content, messages[].reasoning",
    outcomes: ["S"],
    becomes: "not sent: without a signature Claude would take it for its own words",
  },
];

/** A thinking block and its place among the blocks of the answer; null: before everything else. */
export interface PlacedThinking {
  readonly block: JsonObject;
  readonly at: number | null;
}

/** Thinking of the whole history, by message index. */
export type ThinkingHistory = ReadonlyMap<number, readonly PlacedThinking[]>;

/** Reads one entry of `reasoning_details`: a block, `lost` when its signature is gone, null when it is not Claude's. */
function readDetail(entry: Json): PlacedThinking | "lost" | null {
  const format = own(entry, "format");
  if (isString(format) && format !== DETAILS_FORMAT) return null;
  const at = own(entry, "block");
  const place = typeof at === "number" && at >= 0 ? at : null;
  if (own(entry, "type") === "reasoning.encrypted") {
    const data = own(entry, "data");
    return isString(data) ? { block: { type: "redacted_thinking", data }, at: place } : "lost";
  }
  if (own(entry, "type") !== "reasoning.text") return null;
  const signature = own(entry, "signature");
  const text = own(entry, "text");
  if (!isString(signature) || signature === "") return "lost";
  return { block: { type: "thinking", thinking: isString(text) ? text : "", signature }, at: place };
}

const NO_THINKING: ThinkingHistory = new Map();

function isOfAssistant(message: Json): boolean {
  return own(message, "role") === "assistant";
}

interface MessageThinking {
  readonly placed: readonly PlacedThinking[];
  readonly lost: boolean;
  /** Claude's own blocks stand in `content` itself. */
  readonly inline: boolean;
}

function readMessage(draft: Draft, message: JsonObject): MessageThinking {
  const content = own(message, "content");
  if (isArray(content) && content.some(isThinkingBlock)) {
    const isOwn = content.some((block) => isThinkingBlock(block) && !isForeign(block));
    return { placed: [], lost: false, inline: isOwn };
  }
  const details = own(message, "reasoning_details");
  if (isArray(details) && details.length > 0) return readDetails(details);
  const blocks = own(message, "thinking_blocks");
  if (isArray(blocks) && blocks.length > 0) {
    const placed = blocks
      .filter(isObject)
      .filter(isThinkingBlock)
      .map((block) => ({ block, at: null }));
    return { placed, lost: false, inline: false };
  }
  const stored = draft.thinkingStore === null ? null : recall(draft.thinkingStore.get, message);
  return { placed: (stored ?? []).map((block) => ({ block, at: null })), lost: false, inline: false };
}

function readDetails(details: readonly Json[]): MessageThinking {
  const placed: PlacedThinking[] = [];
  let lost = false;
  let expected = 0;
  for (const entry of details) {
    const read = readDetail(entry);
    if (read === null) continue;
    const index = own(entry, "index");
    if (read === "lost" || (typeof index === "number" && index !== expected)) lost = true;
    if (read !== "lost") placed.push(read);
    expected++;
  }
  return { placed, lost, inline: false };
}

function recall(get: (id: string) => readonly JsonObject[] | null, message: JsonObject): readonly JsonObject[] | null {
  const calls = own(message, "tool_calls");
  if (!isArray(calls)) return null;
  for (const call of calls) {
    const id = own(call, "id");
    const blocks = isString(id) ? get(id) : null;
    if (blocks !== null) return blocks;
  }
  return null;
}

/**
 * Collects the thinking of all assistant messages and decides whether it is sent. May take back the request's own
 * `thinking`, or add the controls that newer models need for it.
 * @returns the blocks to restore; null when no thinking of the history is to be sent, inline blocks included
 */
export function planThinkingHistory(draft: Draft, messages: readonly Json[]): ThinkingHistory | null {
  return messages.some(isOfAssistant) ? collectThinking(draft, messages) : NO_THINKING;
}

function collectThinking(draft: Draft, messages: readonly Json[]): ThinkingHistory | null {
  const history = new Map<number, readonly PlacedThinking[]>();
  const thinks = new Set<number>();
  let lost = false;
  messages.forEach((message, index) => {
    if (!isObject(message) || own(message, "role") !== "assistant") return;
    const read = readMessage(draft, message);
    lost ||= read.lost;
    const placed = read.placed.filter(({ block }) => !isForeign(block));
    if (placed.length > 0) history.set(index, placed);
    if (placed.length > 0 || read.inline) thinks.add(index);
  });
  const pending = firstOfToolLoop(messages);
  const hasGap = thinkingType(draft) === "enabled" && pending !== null && (lost || !thinks.has(pending));
  if (hasGap) {
    // Budget thinking wants the turn that called the tool to begin with thinking; without thinking nothing is asked.
    draft.body.thinking = undefined;
    if (own(draft.request, "thinking") === undefined) draft.report.adapt("reasoning_effort", "none");
    else draft.report.adapt("thinking");
    return null;
  }
  if (lost) return null;
  if (thinks.size > 0) bindThinking(draft);
  return history;
}

/** Index of the first assistant message after the last user message, while tool results are being given; else null. */
function firstOfToolLoop(messages: readonly Json[]): number | null {
  const isResult = (message: Json): boolean => {
    const role = own(message, "role");
    const content = own(message, "content");
    return (
      role === "tool" ||
      role === "function" ||
      (role === "user" && isArray(content) && content.some((part) => own(part, "type") === "tool_result"))
    );
  };
  const isTurn = (message: Json): boolean => !["system", "developer"].includes(ownText(message, "role"));
  const last = messages.findLast(isTurn);
  if (last === undefined || !isResult(last)) return null;
  const lastUser = messages.findLastIndex((message) => own(message, "role") === "user" && !isResult(message));
  const first = messages.findIndex((message, index) => index > lastUser && own(message, "role") === "assistant");
  return first < 0 ? null : first;
}

/** `blocks` of one assistant message with its thinking put back: at its old place, never after a tool call. */
export function restoreThinking(
  blocks: readonly JsonObject[],
  placed: readonly PlacedThinking[],
): readonly JsonObject[] {
  if (placed.length === 0) return blocks;
  const restored: JsonObject[] = [];
  let next = 0;
  for (const { block, at } of placed.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
    while (restored.length < (at ?? 0) && next < blocks.length && own(blocks[next], "type") !== "tool_use") {
      restored.push(blocks[next++] as JsonObject);
    }
    restored.push(block);
  }
  return restored.concat(blocks.slice(next));
}
