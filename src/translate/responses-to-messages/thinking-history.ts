/**
 * Claude's thinking in the reasoning items of a Responses history. Claude wants its blocks exactly as it gave them, all or
 * none: a missing one makes later ones invalid.
 */
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { isSealedThinking, openThinking } from "../maps/thinking-envelope.ts";
import { thinkingType, type Draft } from "../messages-upstream/draft.ts";
import { bindThinking, isThinkingBlock } from "../messages-upstream/thinking-blocks.ts";
import type { Turn } from "../messages-upstream/turns.ts";
import type { FieldRow } from "../translator.ts";

/** What becomes of reasoning in the history. */
export const THINKING_HISTORY_ROWS: readonly FieldRow[] = [
  {
    field: "input[] reasoning",
    outcomes: ["M", "S"],
    becomes:
      "the thinking block in `encrypted_content`, in place; other vendors' reasoning is not sent; when one block is damaged, or budget thinking lacks that of a pending tool call, none are sent",
  },
];

/** Thinking blocks by the index of the item that they stand at; empty when none are sent. */
export type ThinkingHistory = ReadonlyMap<number, readonly JsonObject[]>;

/** A history that is sent without thinking. */
export const NO_THINKING: ThinkingHistory = new Map();

/** Whether the item is one of the model's: its turn goes on. */
function isOfModel(item: Json): boolean {
  const type = own(item, "type");
  if (type === undefined || type === "message") return own(item, "role") === "assistant";
  return isString(type) && (type === "reasoning" || type.endsWith("_call"));
}

/** Blocks kept for the call of this item, where its turn came back without reasoning. */
function recall(draft: Draft, item: JsonObject): readonly JsonObject[] {
  const id = own(item, "call_id");
  return draft.thinkingStore === null || !isString(id) ? [] : (draft.thinkingStore.get(id) ?? []);
}

/** Collects the thinking of the history and decides whether it is sent; adds the controls that newer models need for it. */
export function planThinkingHistory(draft: Draft, items: readonly Json[]): ThinkingHistory {
  const history = new Map<number, readonly JsonObject[]>();
  let lost = false;
  let turnStart = 0;
  let thinks = false;
  items.forEach((item, index) => {
    if (!isOfModel(item)) {
      thinks = false;
      turnStart = index + 1;
      return;
    }
    if (own(item, "type") === "reasoning") {
      const block = openThinking(own(item, "encrypted_content"));
      lost ||= block === null && isSealedThinking(own(item, "encrypted_content"));
      if (block === null) return;
      thinks = true;
      history.set(index, [block]);
    } else if (!thinks && isObject(item)) {
      const blocks = recall(draft, item);
      if (blocks.length === 0) return;
      thinks = true;
      history.set(turnStart, [...blocks, ...(history.get(turnStart) ?? [])]);
    }
  });
  if (lost) return NO_THINKING;
  if (history.size > 0) bindThinking(draft);
  return history;
}

/** Whether a turn of the model in the tool loop that is going on calls a tool without having begun with thinking. */
function lacksPendingThinking(turns: readonly Turn[]): boolean {
  const start = turns.findLastIndex((turn) => turn.role === "user" && turn.results.length === 0);
  return turns.slice(start + 1).some(({ role, blocks }) => role === "assistant" && callsUnthinking(blocks));
}

function callsUnthinking(blocks: readonly JsonObject[]): boolean {
  return blocks.some((block) => own(block, "type") === "tool_use") && !isThinkingBlock(blocks[0] ?? null);
}

/**
 * Takes back the request's own `thinking` where the history does not allow it: budget thinking wants the turn that called the
 * tool to begin with thinking; without thinking nothing is asked. Returns whether it did: the history goes without then.
 */
export function dropThinkingIfLost(draft: Draft, turns: readonly Turn[]): boolean {
  if (thinkingType(draft) !== "enabled" || !lacksPendingThinking(turns)) return false;
  draft.body.thinking = undefined;
  if (own(draft.request, "thinking") === undefined) draft.report.adapt(draft.fields.effort, "none");
  else draft.report.adapt("thinking");
  return true;
}
