/** Encrypted reasoning in Chat messages: given with an answer, taken back with the history. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { mintSignature, readSignature, renderReasoningItem } from "../maps/reasoning-signature.ts";
import type { FieldRow } from "../translator.ts";
import type { Draft, ReplyPlan } from "./draft.ts";

const FORMAT = "openai-responses-v1";

export const REASONING_HISTORY_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].reasoning_details, messages[].thinking_blocks",
    outcomes: ["M", "S"],
    becomes:
      "`reasoning` items at their old places, where the gateway gave them for the same model (extension); any other reasoning has no effect",
  },
];

/** A reasoning item of an answer as a block, and its place among the items that Chat can carry. */
export interface PlacedReasoning {
  /** `{type: "thinking", thinking, signature}`, as Messages clients get it. */
  readonly block: JsonObject;
  readonly at: number;
}

/** The block for a reasoning `item`; null when it has nothing to give back. `text` is its summary. */
export function readReasoning(item: JsonObject, text: string, at: number, modelId: string): PlacedReasoning | null {
  const id = own(item, "id");
  const sealed = own(item, "encrypted_content");
  if (!isString(id) || !isString(sealed)) return null;
  const signature = mintSignature({ id, encryptedContent: sealed, model: modelId });
  return { block: { type: "thinking", thinking: text, signature }, at };
}

/** `reasoning_details` of an answer: an entry for each item. */
export function renderDetails(reasoning: readonly PlacedReasoning[]): readonly JsonObject[] {
  return reasoning.map(({ block, at }, index) => ({
    type: "reasoning.text",
    text: own(block, "thinking") ?? "",
    signature: own(block, "signature") ?? "",
    format: FORMAT,
    index,
    block: at,
  }));
}

/** Keeps reasoning by call id, for clients that do not send it back. */
export function rememberReasoning(
  { thinkingStore }: ReplyPlan,
  callIds: readonly string[],
  reasoning: readonly PlacedReasoning[],
): void {
  if (thinkingStore === null || reasoning.length === 0) return;
  const blocks = reasoning.map(({ block, at }) => ({ ...block, at }));
  for (const id of callIds) thinkingStore.put(id, blocks);
}

interface PlacedItem {
  readonly item: JsonObject;
  readonly at: number;
}

/** Reasoning items that an assistant message brings back, by place. */
function recallItems(message: JsonObject, draft: Draft): readonly PlacedItem[] {
  const items: PlacedItem[] = [];
  const add = (signature: Json | undefined, text: Json | undefined, at: Json | undefined): void => {
    const envelope = readSignature(signature);
    const summary = isString(text) ? text : "";
    const item = envelope === null ? null : renderReasoningItem(envelope, summary, draft.context.modelId);
    if (item !== null) items.push({ item, at: typeof at === "number" ? at : 0 });
  };
  const details = own(message, "reasoning_details");
  const blocks = own(message, "thinking_blocks");
  if (isArray(details) && details.length > 0) {
    for (const entry of details) add(own(entry, "signature"), own(entry, "text"), own(entry, "block"));
  } else {
    const held = isArray(blocks) && blocks.length > 0 ? blocks : recallStored(message, draft);
    for (const block of held) add(own(block, "signature"), own(block, "thinking"), own(block, "at"));
  }
  return items;
}

function recallStored(message: JsonObject, draft: Draft): readonly JsonObject[] {
  const { thinkingStore } = draft.context;
  const calls = own(message, "tool_calls");
  if (thinkingStore === null || !isArray(calls)) return [];
  for (const call of calls) {
    const id = own(call, "id");
    const blocks = isString(id) ? thinkingStore.get(id) : null;
    if (blocks !== null) return blocks;
  }
  return [];
}

/** The items of an assistant message with its reasoning put back: at its old place, never at the end. */
export function restoreReasoning(
  items: readonly JsonObject[],
  message: JsonObject,
  draft: Draft,
): readonly JsonObject[] {
  const placed = items.length === 0 ? [] : recallItems(message, draft);
  if (placed.length === 0) return items;
  const restored: JsonObject[] = [];
  let next = 0;
  for (const { item, at } of placed.toSorted((a, b) => a.at - b.at)) {
    // What follows reasoning belongs to it: one item at least is kept behind.
    for (; restored.length < at && next < items.length - 1; next++) {
      const before = items[next];
      if (isObject(before)) restored.push(before);
    }
    restored.push(item);
  }
  return [...restored, ...items.slice(next)];
}
