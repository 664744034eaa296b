/**
 * The messages of a Chat request as Claude's turns. Claude wants turns that alternate, begin with the user and answer
 * every tool call at once; a Chat history promises none of it.
 */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import type { FieldRow } from "../translator.ts";
import { renderAssistant } from "./assistant.ts";
import { mergeResults, missingResult, orphanBlocks, renderResult } from "./calls.ts";
import { renderContent } from "./content.ts";
import type { Draft } from "./draft.ts";
import { planThinkingHistory } from "./thinking-history.ts";
import { isBlank, push, renderReminder, settle, type Turn } from "./turns.ts";

/** What becomes of messages. */
export const MESSAGE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[] with role system or developer, leading",
    outcomes: ["M"],
    becomes: "`system`: one text block for each message or part",
  },
  {
    field: "messages[] with role system or developer, later",
    outcomes: ["M", "A"],
    becomes:
      "a `system` turn in place (after the user turn it precedes), or a `<system-reminder>` in the neighbouring user turn; never moved to `system`",
  },
  {
    field: "messages[] with role user",
    outcomes: ["M", "A", "R"],
    becomes:
      "a user turn, neighbours merged; `Continue.` is added where a user turn is missing; one without content is refused",
  },
  {
    field: "messages[] with role assistant",
    outcomes: ["M", "A"],
    becomes:
      "an assistant turn, neighbours merged, empty ones left out; at the end of the history it is kept as the answer's beginning or followed by `Continue.`",
  },
  { field: "messages[].name", outcomes: ["S"], becomes: "not sent" },
  { field: "messages[].audio", outcomes: ["R"], becomes: "refused" },
];

/** A translated history. */
export interface History {
  readonly system: JsonObject[];
  readonly turns: Turn[];
}

function isSystem(message: Json): boolean {
  const role = own(message, "role");
  return role === "system" || role === "developer";
}

function systemBlocks(draft: Draft, message: JsonObject, index: number): readonly JsonObject[] {
  const path = `messages[${index}].content`;
  const blocks = renderContent(message, { path, markerTtl: draft.markerTtl });
  if (blocks.some((block) => own(block, "type") !== "text")) {
    throw unsupported(path, "system messages take text only; put images and files into a user message");
  }
  return blocks;
}

/**
 * Translates the history.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the message
 */
export function renderHistory(draft: Draft): History {
  const messages = own(draft.source, "messages");
  if (!isArray(messages) || messages.length === 0) {
    throw invalidRequest(
      "messages must be an array with at least one message",
      "messages",
      "missing_required_parameter",
    );
  }
  const thinking = planThinkingHistory(draft, messages);
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** Calls that wait for their results, in order, and the results that came. */
  const pending = new Map<string, JsonObject[]>();
  let pendingFrom = 0;
  let hasResults = false;
  /** Calls of the legacy shape that wait for a `function` message, in order. */
  const legacyCalls = new Set<string>();
  let legacyCount = 0;
  /** System text that waits for a place where it may stand. */
  const waiting: JsonObject[] = [];
  const canStand = draft.model.capabilities.midConversationSystem;

  const open = (role: "user" | "assistant", index: number): Turn => {
    const last = turns.at(-1);
    if (last?.role === role) return last;
    const turn: Turn = { role, results: [], blocks: [], index };
    turns.push(turn);
    if (role === "user" && !canStand) for (const block of waiting.splice(0)) turn.blocks.push(block);
    return turn;
  };

  const closeCalls = (index: number): void => {
    if (pending.size === 0) return;
    const turn = open("user", index);
    for (const [id, results] of pending) {
      legacyCalls.delete(id);
      if (results.length === 0) draft.report.adapt(`messages[${pendingFrom}].tool_calls`);
      turn.results.push(results.length === 0 ? missingResult(id) : mergeResults(results));
    }
    pending.clear();
    hasResults = false;
  };

  const addResult = (id: string, shownId: string, result: JsonObject, index: number): void => {
    const results = pending.get(id);
    if (results !== undefined) {
      results.push(result);
      hasResults = true;
      return;
    }
    draft.report.adapt(`messages[${index}]`);
    const turn = open("user", index);
    for (const block of orphanBlocks(shownId, result)) push(turn.blocks, block);
  };

  const addUser = (message: JsonObject, index: number): void => {
    const context = { path: `messages[${index}].content`, markerTtl: draft.markerTtl };
    const blocks = renderContent(message, context);
    const isResult = (block: JsonObject): boolean => own(block, "type") === "tool_result";
    for (const block of blocks.filter(isResult)) {
      const asked = own(block, "tool_use_id");
      const id = messagesToolId(isString(asked) ? asked : "");
      addResult(id, isString(asked) ? asked : "", { ...block, tool_use_id: id }, index);
    }
    closeCalls(index);
    const turn = open("user", index);
    for (const block of blocks) if (!isResult(block)) push(turn.blocks, block);
  };

  const addAssistant = (message: JsonObject, index: number): void => {
    const blocks = renderAssistant(draft, message, index, { thinking, nextLegacyId });
    if (blocks.every(isBlank)) return;
    if (hasResults || turns.at(-1)?.role === "user") closeCalls(index);
    const last = turns.at(-1);
    if (canStand && waiting.length > 0 && last?.role === "user") {
      turns.push({ role: "system", results: [], blocks: waiting.splice(0), index });
    }
    const turn = open("assistant", index);
    for (const block of blocks) {
      const id = own(block, "id");
      if (own(block, "type") === "tool_use" && isString(id)) {
        if (pending.has(id)) {
          // Anthropic refuses two calls of one id, and their results could not be told apart.
          draft.report.adapt(`messages[${index}].tool_calls`);
          continue;
        }
        if (pending.size === 0) pendingFrom = index;
        pending.set(id, []);
      }
      push(turn.blocks, block);
    }
  };

  const addSystem = (message: JsonObject, index: number): void => {
    const blocks = systemBlocks(draft, message, index).filter((block) => !isBlank(block));
    if (blocks.length === 0) return;
    if (!canStand) draft.report.adapt(`messages[${index}]`);
    const last = turns.at(-1);
    const isOpen = !canStand && last?.role === "user" && pending.size === 0;
    const target = isOpen ? last.blocks : waiting;
    for (const block of blocks) target.push(canStand ? block : renderReminder(block));
  };

  const nextLegacyId = (): string => {
    const id = `call_fn_${legacyCount++}`;
    legacyCalls.add(id);
    return id;
  };

  const takeLegacyCall = (): string => {
    const [id = ""] = legacyCalls;
    legacyCalls.delete(id);
    return id;
  };

  const addToolMessage = (message: JsonObject, index: number, role: Json | undefined): void => {
    const path = `messages[${index}]`;
    const asked = role === "tool" ? own(message, "tool_call_id") : undefined;
    if (role === "tool" && !isString(asked)) {
      throw invalidRequest("a tool message needs a tool_call_id", `${path}.tool_call_id`, "missing_required_parameter");
    }
    const name = own(message, "name");
    const shownId = isString(asked) ? asked : isString(name) ? name : "";
    const id = isString(asked) ? messagesToolId(asked) : takeLegacyCall();
    addResult(id, shownId, renderResult(draft, message, id, `${path}.content`), index);
  };

  let isLeading = true;
  messages.forEach((message, index) => {
    if (!isObject(message)) throw invalidRequest("a message must be an object", `messages[${index}]`);
    if (isLeading && isSystem(message)) {
      for (const block of systemBlocks(draft, message, index)) push(system, block);
      return;
    }
    isLeading = false;
    const role = own(message, "role");
    switch (role) {
      case "system":
      case "developer":
        return addSystem(message, index);
      case "user":
        return addUser(message, index);
      case "assistant":
        return addAssistant(message, index);
      case "tool":
      case "function":
        return addToolMessage(message, index, role);
      default:
        throw invalidRequest("role must be system, developer, user, assistant or tool", `messages[${index}].role`);
    }
  });
  closeCalls(messages.length);
  settle(draft, turns, waiting);
  return { system, turns };
}
