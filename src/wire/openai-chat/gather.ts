import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject, MutableJsonObject } from "../../base/json.ts";
import type { ReplyGatherer } from "../format.ts";

interface CallState {
  id: Json | undefined;
  type: Json | undefined;
  readonly body: Map<string, Json>;
}

interface ChoiceState {
  /** Fields of the message other than calls. */
  readonly message: Map<string, Json>;
  readonly calls: Map<number, CallState>;
  readonly legacy: Map<string, Json>;
  readonly logprobs: Map<string, Json>;
  finish: Json;
  /** Fields beside the delta that are not known here. */
  beside: JsonObject;
}

/** Fields whose pieces are one value: strings are joined, lists too, anything else is replaced. `null` never replaces. */
function append(fields: Map<string, Json>, name: string, piece: Json): void {
  const before = fields.get(name);
  if (piece === null) {
    if (before === undefined) fields.set(name, null);
  } else if (isString(piece) && isString(before)) fields.set(name, before + piece);
  // A list kept here is our own copy: copying it for every chunk would make long log probabilities quadratic.
  else if (isArray(piece) && isArray(before)) (before as Json[]).push(...piece);
  else fields.set(name, isArray(piece) ? [...piece] : piece);
}

function appendAll(fields: Map<string, Json>, pieces: Json | undefined): void {
  if (isObject(pieces)) for (const [name, piece] of Object.entries(pieces)) append(fields, name, piece);
}

/** Identities, which some servers repeat in every piece. */
function keepFirst(fields: Map<string, Json>, name: string, value: Json | undefined): void {
  if (isString(value) && value !== "" && !isString(fields.get(name))) fields.set(name, value);
}

function readBody(fields: Map<string, Json>, body: Json | undefined): void {
  if (!isObject(body)) return;
  keepFirst(fields, "name", own(body, "name"));
  for (const name of ["arguments", "input"]) {
    const piece = own(body, name);
    if (piece !== undefined) append(fields, name, piece);
  }
}

function readCall(calls: Map<number, CallState>, call: Json, position: number): void {
  const index = own(call, "index");
  const key = typeof index === "number" ? index : position;
  let state = calls.get(key);
  if (state === undefined) {
    state = { id: undefined, type: undefined, body: new Map() };
    calls.set(key, state);
  }
  state.id ??= own(call, "id");
  state.type ??= own(call, "type");
  readBody(state.body, own(call, "custom") ?? own(call, "function"));
}

function readDelta(choice: ChoiceState, delta: Json | undefined): void {
  if (!isObject(delta)) return;
  for (const [name, piece] of Object.entries(delta)) {
    if (name === "tool_calls") {
      if (isArray(piece)) piece.forEach((call, position) => readCall(choice.calls, call, position));
    } else if (name === "function_call") readBody(choice.legacy, piece);
    else if (name === "role") keepFirst(choice.message, name, piece);
    else append(choice.message, name, piece);
  }
}

function finishCall(call: CallState): JsonObject {
  const type = call.type ?? "function";
  const body = Object.fromEntries(call.body);
  return type === "custom"
    ? { id: call.id ?? "", type, custom: body }
    : { id: call.id ?? "", type, function: { arguments: "", ...body } };
}

function inOrder<T>(entries: ReadonlyMap<number, T>): [number, T][] {
  return [...entries].sort(([a], [b]) => a - b);
}

function finishChoice(index: number, choice: ChoiceState): JsonObject {
  const message: MutableJsonObject = {
    role: "assistant",
    content: null,
    refusal: null,
    ...Object.fromEntries(choice.message),
  };
  if (choice.calls.size > 0) {
    message["tool_calls"] = inOrder(choice.calls).map(([, call]) => finishCall(call));
    if (message["content"] === "") message["content"] = null;
  }
  if (choice.legacy.size > 0) message["function_call"] = Object.fromEntries(choice.legacy);
  return {
    index,
    ...choice.beside,
    message: message as JsonObject,
    logprobs: choice.logprobs.size > 0 ? Object.fromEntries(choice.logprobs) : null,
    finish_reason: choice.finish,
  };
}

/**
 * Gathers a Chat stream. Pieces are joined per choice and per call index; the last usage that is not null counts.
 * @see https://platform.openai.com/docs/api-reference/chat-streaming (read 2026-11-24)
 */
export function openGatherer(): ReplyGatherer {
  const choices = new Map<number, ChoiceState>();
  /** Fields of the chunks that are the answer's own; the last that is not null counts. */
  const envelope = new Map<string, Json>();

  const read = (json: JsonObject): void => {
    for (const [name, value] of Object.entries(json)) {
      if (name === "choices" || name === "object" || name === "obfuscation") continue;
      if (value !== null || !envelope.has(name)) envelope.set(name, value);
    }
    const list = own(json, "choices");
    if (!isArray(list)) return;
    for (const each of list) {
      if (!isObject(each)) continue;
      const { index, delta, logprobs, finish_reason: finish, ...beside } = each;
      const key = typeof index === "number" ? index : 0;
      let choice = choices.get(key);
      if (choice === undefined) {
        choice = {
          message: new Map(),
          calls: new Map(),
          legacy: new Map(),
          logprobs: new Map(),
          finish: null,
          beside: {},
        };
        choices.set(key, choice);
      }
      readDelta(choice, delta);
      appendAll(choice.logprobs, logprobs);
      if (isString(finish)) choice.finish = finish;
      choice.beside = { ...choice.beside, ...beside };
    }
  };

  return {
    read,
    reply: () => {
      const { id = "", created = 0, model = "", usage, ...rest } = Object.fromEntries(envelope);
      return {
        id,
        object: "chat.completion",
        created,
        model,
        choices: inOrder(choices).map(([index, choice]) => finishChoice(index, choice)),
        ...(isObject(usage) ? { usage } : {}),
        ...rest,
      };
    },
  };
}
