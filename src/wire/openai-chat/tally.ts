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
  text: string;
  refusal: string | null;
  finish: string | null;
  readonly calls: Map<number, CallState>;
}

/** Key of the one call of the older `function_call` form. */
const LEGACY_CALL = -1;
/** Fields of a delta that hold text. */
const TEXT_FIELDS = ["content", "refusal", "reasoning_content", "reasoning"] as const;

/**
 * Reads the chunks of a Chat stream. A stream is complete when every choice has its finish reason; usage may come before,
 * after or never, the last that is not null counts.
 */
export function openTally(options: TallyOptions): StreamTally {
  const choices = new Map<number, ChoiceState>();
  let id: string | null = null;
  let model: string | null = null;
  let serviceTier: string | null = null;
  let usage: Usage | null = null;
  let error: InBandError | null = null;
  let started = false;
  let done = false;
  let contentBytes = 0;
  let finished = 0;

  const choiceAt = (index: number): ChoiceState => {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = { text: "", refusal: null, finish: null, calls: new Map() };
      choices.set(index, choice);
    }
    return choice;
  };

  const readCall = (choice: ChoiceState, key: number, call: Json): void => {
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
      contentBytes += utf8Length(fragment);
      if (options.collect) state.arguments += fragment;
    }
  };

  const readDelta = (index: number, choice: ChoiceState, delta: Json | undefined): void => {
    for (const field of TEXT_FIELDS) {
      const text = own(delta, field);
      if (!isString(text) || text === "") continue;
      started = true;
      contentBytes += utf8Length(text);
      if (field === "content") options.onText?.(index, text);
      if (field === "refusal") choice.refusal = options.collect ? (choice.refusal ?? "") + text : "";
      else if (field === "content" && options.collect) choice.text += text;
    }
    const calls = own(delta, "tool_calls");
    if (isArray(calls) && calls.length > 0) {
      started = true;
      calls.forEach((call, position) => {
        const place = own(call, "index");
        readCall(choice, typeof place === "number" ? place : position, call);
      });
    }
    const legacy = own(delta, "function_call");
    if (legacy !== undefined && legacy !== null) {
      started = true;
      readCall(choice, LEGACY_CALL, { function: legacy });
    }
    const audio = own(delta, "audio");
    if (audio !== undefined && audio !== null) started = true;
  };

  const read = (json: JsonObject): void => {
    error ??= readErrorEnvelope(json);
    id ??= readString(own(json, "id"));
    model ??= readString(own(json, "model"));
    serviceTier ??= readString(own(json, "service_tier"));
    usage = readUsage(own(json, "usage")) ?? usage;
    const list = own(json, "choices");
    if (!isArray(list)) return;
    for (const each of list) {
      const index = own(each, "index");
      const place = typeof index === "number" ? index : 0;
      const choice = choiceAt(place);
      readDelta(place, choice, own(each, "delta"));
      const finish = own(each, "finish_reason");
      if (!isString(finish)) continue;
      started = true;
      if (choice.finish === null) finished += 1;
      choice.finish = finish;
    }
  };

  const facts = (): ReplyFacts => ({
    id,
    model,
    choices: [...choices]
      .sort(([a], [b]) => a - b)
      .map(([, choice]): ReplyChoice => ({
        text: choice.text,
        toolCalls: [...choice.calls].sort(([a], [b]) => a - b).map(([, call]) => call),
        refusal: choice.refusal,
        stop: classifyStop(choice.finish, choice.calls.size > 0, choice.refusal !== null),
      })),
    usage,
    serviceTier,
  });

  return {
    read,
    readDone: () => {
      done = true;
    },
    get started() {
      return started;
    },
    get contentBytes() {
      return contentBytes;
    },
    get complete() {
      return finished >= options.choices;
    },
    get done() {
      return done;
    },
    get error() {
      return error;
    },
    get outputEstimate() {
      return estimateOutputTokens(contentBytes, "openai");
    },
    facts,
  };
}
