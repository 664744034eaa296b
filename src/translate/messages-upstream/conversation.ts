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

/** Hears of calls whose wait is over. */
export interface CallListener {
  readonly onClosed: (id: string) => void;
}

class History implements Conversation {
  readonly #draft: Draft;
  readonly #listener: CallListener | null;
  readonly #system: JsonObject[] = [];
  readonly #turns: Turn[] = [];
  /** Calls that wait for their results, in order, and the results that came; null: there was none yet. */
  #pending: Map<string, PendingCall> | null = null;
  #hasResults = false;
  /** System text that waits for a place where it may stand; null: none does. */
  #waiting: JsonObject[] | null = null;
  readonly #canStand: boolean;

  constructor(draft: Draft, listener: CallListener | null) {
    this.#draft = draft;
    this.#listener = listener;
    this.#canStand = draft.model.capabilities.midConversationSystem;
  }

  addLeading(blocks: readonly JsonObject[]): void {
    for (const block of blocks) push(this.#system, block);
  }

  addUser(blocks: readonly JsonObject[], index: number): void {
    for (const block of blocks) if (isResult(block)) this.#addInlineResult(block, index);
    this.#closeCalls(index);
    const turn = this.#open("user", index);
    for (const block of blocks) if (!isResult(block)) push(turn.blocks, block);
  }

  addAssistant(blocks: readonly JsonObject[], index: number): void {
    if (blocks.every(isBlank)) return;
    if (this.#hasResults || this.#turns.at(-1)?.role === "user") this.#closeCalls(index);
    if (this.#canStand && this.#waiting !== null && this.#turns.at(-1)?.role === "user") {
      this.#turns.push({ role: "system", results: [], blocks: this.#takeWaiting(), index });
    }
    const turn = this.#open("assistant", index);
    for (const block of blocks) if (this.#admit(block, index)) push(turn.blocks, block);
  }

  addSystem(blocks: readonly JsonObject[], index: number): void {
    const texts = blocks.filter((block) => !isBlank(block));
    if (texts.length === 0) return;
    if (!this.#canStand) this.#draft.report.adapt(this.#pathOf(index));
    const last = this.#turns.at(-1);
    const isOpen = !this.#canStand && last?.role === "user" && !this.#hasPending();
    const target = isOpen ? last.blocks : (this.#waiting ??= []);
    for (const block of texts) target.push(this.#canStand ? block : renderReminder(block));
  }

  addResult(result: JsonObject, shownId: string, index: number): void {
    const id = own(result, "tool_use_id");
    const call = isString(id) ? this.#pending?.get(id) : undefined;
    if (call !== undefined) {
      call.results.push(result);
      this.#hasResults = true;
      return;
    }
    this.#draft.report.adapt(this.#pathOf(index));
    const turn = this.#open("user", index);
    for (const block of orphanBlocks(shownId, result)) push(turn.blocks, block);
  }

  finish(count: number): Turns {
    this.#closeCalls(count);
    settle(this.#draft, this.#turns, this.#takeWaiting());
    return { system: this.#system, turns: this.#turns };
  }

  #open(role: "user" | "assistant", index: number): Turn {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last;
    const isHome = role === "user" && !this.#canStand;
    const turn: Turn = { role, results: [], blocks: isHome ? this.#takeWaiting() : [], index };
    this.#turns.push(turn);
    return turn;
  }

  #takeWaiting(): JsonObject[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    return waiting;
  }

  #hasPending(): boolean {
    return this.#pending !== null && this.#pending.size > 0;
  }

  #closeCalls(index: number): void {
    if (this.#pending === null || this.#pending.size === 0) return;
    const turn = this.#open("user", index);
    for (const [id, { results, at }] of this.#pending) {
      this.#listener?.onClosed(id);
      if (results.length === 0) this.#draft.report.adapt(this.#callsPath(at));
      turn.results.push(results.length === 0 ? missingResult(id) : mergeResults(results));
    }
    this.#pending.clear();
    this.#hasResults = false;
  }

  #addInlineResult(block: JsonObject, index: number): void {
    const asked = own(block, "tool_use_id");
    const shownId = isString(asked) ? asked : "";
    this.addResult({ ...block, tool_use_id: messagesToolId(shownId) }, shownId, index);
  }

  /** Remembers a call. Anthropic refuses two calls of one id, and their results could not be told apart. */
  #admit(block: JsonObject, index: number): boolean {
    const id = own(block, "id");
    if (own(block, "type") !== "tool_use" || !isString(id)) return true;
    this.#pending ??= new Map();
    if (this.#pending.has(id)) {
      this.#draft.report.adapt(this.#callsPath(index));
      return false;
    }
    this.#pending.set(id, { results: [], at: index });
    return true;
  }

  #pathOf(index: number): string {
    return `${this.#draft.fields.history}[${index}]`;
  }

  #callsPath(index: number): string {
    return this.#draft.fields.history === "messages" ? `${this.#pathOf(index)}.tool_calls` : this.#pathOf(index);
  }
}

/** Starts an empty history. `listener` hears of calls when their results are written down, or made up. */
export function createConversation(draft: Draft, listener: CallListener | null = null): Conversation {
  return new History(draft, listener);
}
