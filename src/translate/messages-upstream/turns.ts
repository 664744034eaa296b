/** Turns of a Messages request, and what Claude wants of the first and the last one. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, isString, own, type JsonObject } from "../../base/json.ts";
import { takesMarker, withMarker } from "./cache-markers.ts";
import { thinkingType, type Draft } from "./draft.ts";
import { ownText } from "./own-text.ts";
import { outputFormat } from "./thinking.ts";

/** One turn: results of tools come before everything else. */
export interface Turn {
  readonly role: "user" | "assistant" | "system";
  readonly results: JsonObject[];
  readonly blocks: JsonObject[];
  /** Index of the message or item that opened it. */
  readonly index: number;
}

/** Whether `block` is text of white space only, which Anthropic refuses. */
export function isBlank(block: JsonObject): boolean {
  const text = own(block, "text");
  return own(block, "type") === "text" && (!isString(text) || text.trim() === "");
}

/** Adds a block; a blank one is left out and its cache marker moves to the block before. */
export function push(blocks: JsonObject[], block: JsonObject): void {
  if (!isBlank(block)) {
    blocks.push(block);
    return;
  }
  const marker = own(block, "cache_control");
  const before = blocks.at(-1);
  if (isObject(marker) && before !== undefined && takesMarker(before)) {
    blocks[blocks.length - 1] = withMarker(before, marker);
  }
}

/** System text for a user turn, marked as such. */
export function renderReminder(block: JsonObject): JsonObject {
  return { ...block, text: `<system-reminder>\n${ownText(block, "text")}\n</system-reminder>` };
}

/** Gives the history the beginning and the end that Claude wants, and a place to the text that still waits for one. */
export function settle(draft: Draft, turns: Turn[], waiting: JsonObject[]): void {
  for (const turn of turns) refuseEmpty(draft, turn);
  const canStand = draft.model.capabilities.midConversationSystem;
  const trailing = withHints(draft, waiting);
  const first = turns[0];
  const last = turns.at(-1);
  if (first !== undefined && first.role !== "user") turns.unshift(continueTurn(draft));
  if (last === undefined) turns.push(continueTurn(draft));
  else if (last.role === "assistant") {
    if (trailing.length > 0 && !canStand) turns.push({ role: "user", results: [], blocks: [], index: last.index });
    else if (trailing.length > 0 || !takesPrefill(draft)) turns.push(continueTurn(draft));
    else trimPrefill(last);
  }
  if (trailing.length === 0) return;
  if (canStand) turns.push({ role: "system", results: [], blocks: trailing, index: turns.length });
  else for (const block of trailing) turns.at(-1)?.blocks.push(block);
}

function refuseEmpty(draft: Draft, { role, results, blocks, index }: Turn): void {
  if (role !== "user" || results.length + blocks.length > 0) return;
  throw invalidRequest(
    "a user message has no content; send text, an image or a file",
    `${draft.fields.history}[${index}].content`,
  );
}

function withHints(draft: Draft, waiting: JsonObject[]): JsonObject[] {
  if (draft.hints.length === 0) return waiting;
  const hints = draft.hints.map((text): JsonObject => ({ type: "text", text }));
  return [...waiting, ...(draft.model.capabilities.midConversationSystem ? hints : hints.map(renderReminder))];
}

function continueTurn(draft: Draft): Turn {
  draft.report.adapt(draft.fields.history);
  return { role: "user", results: [], blocks: [{ type: "text", text: "Continue." }], index: 0 };
}

/** Whether an assistant turn at the end becomes the beginning of the answer, rather than a message before it. */
export function takesPrefill(draft: Draft): boolean {
  const type = thinkingType(draft);
  const isThinking = type !== null && type !== "disabled";
  return draft.model.capabilities.prefill && !isThinking && outputFormat(draft) === null && !draft.forced;
}

/** Anthropic refuses a beginning that ends in white space. */
function trimPrefill(turn: Turn): void {
  const block = turn.blocks.at(-1);
  const text = own(block, "text");
  if (block === undefined || own(block, "type") !== "text" || !isString(text)) return;
  turn.blocks[turn.blocks.length - 1] = { ...block, text: text.trimEnd() };
}
