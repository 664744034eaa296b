import { isArray, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { readErrorEnvelope } from "../errors.ts";
import { readString } from "../facts.ts";
import type { InBandError, ReplyChoice, ReplyFacts, ReplyToolCall, StreamTally, TallyOptions } from "../format.ts";
import { estimateOutputTokens } from "../tokens.ts";
import { utf8Length } from "../utf8-length.ts";
import { classifyStop } from "./reply.ts";
import { readUsage } from "./usage.ts";

interface CallState {
  id: string;
  name: string;
  arguments: string;
  kind: ReplyToolCall["kind"];
}

interface ChoiceState {
  readonly index: number;
  text: string;
  refusal: string | null;
  finish: string | null;
  /** null: none yet. */
  calls: Map<number, CallState> | null;
}

/** Key of the one call of the older `function_call` form. */
const LEGACY_CALL = -1;
/** Fields of a delta that hold text. */
const TEXT_FIELDS = ["content", "refusal", "reasoning_content", "reasoning"] as const;

/**
 * Reads the chunks of a Chat stream. A stream is complete when every choice has its finish reason; usage may come before,
 * after or never, the last that is not null counts.
 */
class ChatTally implements StreamTally {
  started = false;
  contentBytes = 0;
  done = false;
  error: InBandError | null = null;
  readonly #options: TallyOptions;
  /** The one that was told of first: nearly always the only one. */
  #first: ChoiceState | null = null;
  #others: Map<number, ChoiceState> | null = null;
  #id: string | null = null;
  #model: string | null = null;
  #serviceTier: string | null = null;
  #usage: Usage | null = null;
  #finished = 0;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  get complete(): boolean {
    return this.#finished >= this.#options.choices;
  }

  get outputEstimate(): number {
    return estimateOutputTokens(this.contentBytes, "openai");
  }

  read(json: JsonObject): void {
    this.error ??= readErrorEnvelope(json);
    this.#id ??= readString(own(json, "id"));
    this.#model ??= readString(own(json, "model"));
    this.#serviceTier ??= readString(own(json, "service_tier"));
    this.#usage = readUsage(own(json, "usage")) ?? this.#usage;
    const list = own(json, "choices");
    if (!isArray(list)) return;
    for (const each of list) {
      const index = own(each, "index");
      const choice = this.#choiceAt(typeof index === "number" ? index : 0);
      this.#readDelta(choice, own(each, "delta"));
      const finish = own(each, "finish_reason");
      if (!isString(finish)) continue;
      this.started = true;
      if (choice.finish === null) this.#finished += 1;
      choice.finish = finish;
    }
  }

  readDone(): void {
    this.done = true;
  }

  facts(): ReplyFacts {
    const choices = this.#first === null ? [] : [this.#first, ...(this.#others?.values() ?? [])];
    return {
      id: this.#id,
      model: this.#model,
      choices: choices.sort((a, b) => a.index - b.index).map(factsOfChoice),
      usage: this.#usage,
      serviceTier: this.#serviceTier,
    };
  }

  #choiceAt(index: number): ChoiceState {
    if (this.#first === null) return (this.#first = openChoice(index));
    if (this.#first.index === index) return this.#first;
    this.#others ??= new Map();
    let choice = this.#others.get(index);
    if (choice === undefined) {
      choice = openChoice(index);
      this.#others.set(index, choice);
    }
    return choice;
  }

  #readDelta(choice: ChoiceState, delta: Json | undefined): void {
    const { collect, onText } = this.#options;
    for (const field of TEXT_FIELDS) {
      const text = own(delta, field);
      if (!isString(text) || text === "") continue;
      this.started = true;
      this.contentBytes += utf8Length(text);
      if (field === "content") onText?.(choice.index, text);
      if (field === "refusal") choice.refusal = collect ? (choice.refusal ?? "") + text : "";
      else if (field === "content" && collect) choice.text += text;
    }
    const calls = own(delta, "tool_calls");
    if (isArray(calls) && calls.length > 0) {
      this.started = true;
      calls.forEach((call, position) => {
        const place = own(call, "index");
        this.#readCall(choice, typeof place === "number" ? place : position, call);
      });
    }
    const legacy = own(delta, "function_call");
    if (legacy !== undefined && legacy !== null) {
      this.started = true;
      this.#readCall(choice, LEGACY_CALL, { function: legacy });
    }
    const audio = own(delta, "audio");
    if (audio !== undefined && audio !== null) this.started = true;
  }

  #readCall(choice: ChoiceState, key: number, call: Json): void {
    choice.calls ??= new Map();
    let state = choice.calls.get(key);
    if (state === undefined) {
      state = { id: "", name: "", arguments: "", kind: "function" };
      choice.calls.set(key, state);
    }
    const custom = own(call, "custom");
    const body = custom ?? own(call, "function");
    if (custom !== undefined) state.kind = "custom";
    const callId = own(call, "id");
    const name = own(body, "name");
    if (isString(callId) && state.id === "") state.id = callId;
    if (isString(name) && state.name === "") state.name = name;
    const fragment = own(body, custom === undefined ? "arguments" : "input");
    if (isString(fragment) && fragment !== "") {
      this.contentBytes += utf8Length(fragment);
      if (this.#options.collect) state.arguments += fragment;
    }
  }
}

function openChoice(index: number): ChoiceState {
  return { index, text: "", refusal: null, finish: null, calls: null };
}

function factsOfChoice({ text, refusal, finish, calls }: ChoiceState): ReplyChoice {
  const toolCalls = [...(calls ?? [])].sort(([a], [b]) => a - b).map(([, call]) => call);
  return { text, toolCalls, refusal, stop: classifyStop(finish, toolCalls.length > 0, refusal !== null) };
}

export function openTally(options: TallyOptions): StreamTally {
  return new ChatTally(options);
}
