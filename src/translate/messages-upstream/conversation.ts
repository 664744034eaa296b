/**
 * Turns of a history as Claude wants them: they alternate, begin with the user and answer every tool call at once. No
 * OpenAI history promises any of it.
 */
import { isString, own, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { mergeResults, missingResult, orphanBlocks } from "./calls.ts";
import type { Draft } from "./draft.ts";
import { isBlank, push, renderReminder, settle, type Turn } from "./turns.ts";

/** Takes the history message by message (or item by item); `index` is the place in the client's array. */
export interface Conversation {
  /** Text for `system`: only what stands before everything else. */
  readonly addLeading: (blocks: readonly JsonObject[]) => void;
  /** Text of a later system message: in place, where the model lets it stand, else a reminder beside a user turn. */
  readonly addSystem: (blocks: readonly JsonObject[], index: number) => void;
  /** Blocks of the user; tool results among them go to their calls. */
  readonly addUser: (blocks: readonly JsonObject[], index: number) => void;
  readonly addAssistant: (blocks: readonly JsonObject[], index: number) => void;
  /** A tool's result; `shownId` is the id of its call as the client spells it. */
  readonly addResult: (result: JsonObject, shownId: string, index: number) => void;
  /**
   * Answers what is still open and gives the history the end that Claude wants; `count` is the number of messages.
   * @throws GatewayError `invalid-request` for a user turn without content
   */
  readonly finish: (count: number) => Turns;
}

/** A translated history. */
export interface Turns {
  readonly system: JsonObject[];
  readonly turns: Turn[];
}

/** A call that waits for its results. */
interface PendingCall {
  readonly results: JsonObject[];
  /** Place of the call in the client's array. */
  readonly at: number;
}

const isResult = (block: JsonObject): boolean => own(block, "type") === "tool_result";

/** Starts an empty history. `onMissing` hears of calls whose result was made up. */
export function createConversation(draft: Draft, onMissing: (id: string) => void = () => undefined): Conversation {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** Calls that wait for their results, in order, and the results that came. */
  const pending = new Map<string, PendingCall>();
  let hasResults = false;
  /** System text that waits for a place where it may stand. */
  const waiting: JsonObject[] = [];
  const canStand = draft.model.capabilities.midConversationSystem;
  const pathOf = (index: number): string => `${draft.fields.history}[${index}]`;
  const callsPath = (index: number): string =>
    draft.fields.history === "messages" ? `${pathOf(index)}.tool_calls` : pathOf(index);

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
    for (const [id, { results, at }] of pending) {
      onMissing(id);
      if (results.length === 0) draft.report.adapt(callsPath(at));
      turn.results.push(results.length === 0 ? missingResult(id) : mergeResults(results));
    }
    pending.clear();
    hasResults = false;
  };

  const addResult = (result: JsonObject, shownId: string, index: number): void => {
    const id = own(result, "tool_use_id");
    const call = isString(id) ? pending.get(id) : undefined;
    if (call !== undefined) {
      call.results.push(result);
      hasResults = true;
      return;
    }
    draft.report.adapt(pathOf(index));
    const turn = open("user", index);
    for (const block of orphanBlocks(shownId, result)) push(turn.blocks, block);
  };

  return {
    addResult,
    addLeading: (blocks) => {
      for (const block of blocks) push(system, block);
    },
    addUser: (blocks, index) => {
      for (const block of blocks.filter(isResult)) {
        const asked = own(block, "tool_use_id");
        const shownId = isString(asked) ? asked : "";
        addResult({ ...block, tool_use_id: messagesToolId(shownId) }, shownId, index);
      }
      closeCalls(index);
      const turn = open("user", index);
      for (const block of blocks) if (!isResult(block)) push(turn.blocks, block);
    },
    addAssistant: (blocks, index) => {
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
            draft.report.adapt(callsPath(index));
            continue;
          }
          pending.set(id, { results: [], at: index });
        }
        push(turn.blocks, block);
      }
    },
    addSystem: (blocks, index) => {
      const texts = blocks.filter((block) => !isBlank(block));
      if (texts.length === 0) return;
      if (!canStand) draft.report.adapt(pathOf(index));
      const last = turns.at(-1);
      const isOpen = !canStand && last?.role === "user" && pending.size === 0;
      const target = isOpen ? last.blocks : waiting;
      for (const block of texts) target.push(canStand ? block : renderReminder(block));
    },
    finish: (count) => {
      closeCalls(count);
      settle(draft, turns, waiting);
      return { system, turns };
    },
  };
}
