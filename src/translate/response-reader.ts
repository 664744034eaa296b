/**
 * Reads an answer of the Responses API, whole or as a stream, as one sequence of pieces in the order of its output items.
 * What a stream tells of a later item while an earlier one is open waits for its turn.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming (read 2026-11-24)
 */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../base/json.ts";

/** A call as it begins. */
export interface ResponseCall {
  /** `call_id`; "" when the provider gave none. */
  readonly id: string;
  readonly name: string;
  /** Its input is free text, not JSON. */
  readonly custom: boolean;
}

/** Takes the pieces. Between the ends of two items only pieces of one item come. */
export interface ResponseSink {
  /** Summary of the reasoning, or its text where the provider gives that; parts are joined by an empty line. */
  readonly reasoning: (text: string) => void;
  /** `item` as it was at its end, with its id and encrypted content. */
  readonly endReasoning: (item: JsonObject) => void;
  readonly text: (text: string) => void;
  readonly refusal: (text: string) => void;
  /** `item` as it was at its end: its content holds the annotations. */
  readonly endMessage: (item: JsonObject) => void;
  readonly openCall: (call: ResponseCall) => void;
  readonly input: (text: string) => void;
  readonly endCall: () => void;
  /** An item of any other type, at its end. */
  readonly other: (item: JsonObject) => void;
}

export interface ResponseReader {
  /** Takes one event. */
  readonly push: (event: JsonObject) => void;
  /** Ends what the stream left open; call once, after its terminal. */
  readonly end: () => void;
  /** The Response as last told; empty before. */
  readonly response: JsonObject;
}

interface OpenItem {
  readonly index: number;
  readonly type: Json | undefined;
  /** Something of it was given already: its end repeats that. */
  wrote: boolean;
  /** The next text begins a further part of the summary. */
  breaks: boolean;
}

const NOTHING: JsonObject = {};

function textOf(value: Json | undefined): string {
  return isString(value) ? value : "";
}

function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function isCall(type: Json | undefined): boolean {
  return type === "function_call" || type === "custom_tool_call";
}

/** Creates a reader of one stream. */
export function createResponseReader(sink: ResponseSink): ResponseReader {
  const waiting = new Map<number, JsonObject[]>();
  const ended = new Set<number>();
  let open: OpenItem | null = null;
  let response: JsonObject = NOTHING;

  const openItem = (index: number, item: Json | undefined): OpenItem => {
    open = { index, type: own(item, "type"), wrote: false, breaks: false };
    if (isCall(open.type)) {
      const custom = open.type === "custom_tool_call";
      sink.openCall({ id: textOf(own(item, "call_id")), name: textOf(own(item, "name")), custom });
    }
    return open;
  };

  const closeItem = (item: JsonObject): void => {
    if (open === null) return;
    if (!open.wrote) fillItem(item, sink);
    endItem(open.type, item, sink);
    ended.add(open.index);
    open = null;
  };

  const write = (event: JsonObject, sinkText: (text: string) => void): void => {
    const delta = textOf(own(event, "delta"));
    if (open === null || delta === "") return;
    sinkText(open.breaks ? `\n\n${delta}` : delta);
    open.breaks = false;
    open.wrote = true;
  };

  const handle = (event: JsonObject, index: number): void => {
    switch (own(event, "type")) {
      case "response.output_item.added":
        if (open === null) openItem(index, own(event, "item"));
        break;
      case "response.output_item.done": {
        const item = own(event, "item");
        if (open === null) openItem(index, item);
        closeItem(isObject(item) ? item : NOTHING);
        break;
      }
      case "response.reasoning_summary_part.added":
        if (open !== null) open.breaks = open.wrote;
        break;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        write(event, sink.reasoning);
        break;
      case "response.output_text.delta":
        write(event, sink.text);
        break;
      case "response.refusal.delta":
        write(event, sink.refusal);
        break;
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        write(event, sink.input);
        break;
      default:
    }
  };

  /** Replays the events that waited, item after item, as far as the open item allows. */
  const drain = (): void => {
    while (open === null && waiting.size > 0) {
      let index = Infinity;
      for (const key of waiting.keys()) if (key < index) index = key;
      const events = waiting.get(index) ?? [];
      waiting.delete(index);
      for (const event of events) handle(event, index);
    }
  };

  const finish = (output: readonly Json[]): void => {
    output.forEach((item, index) => {
      if (!isObject(item) || ended.has(index)) return;
      if (open?.index !== index) {
        waiting.delete(index);
        openItem(index, item);
      }
      closeItem(item);
    });
    closeItem(NOTHING);
    while (waiting.size > 0) {
      drain();
      closeItem(NOTHING);
    }
  };

  return {
    push: (event) => {
      const told = own(event, "response");
      if (isObject(told)) response = told;
      const index = own(event, "output_index");
      if (typeof index !== "number" || ended.has(index)) return;
      if (open !== null && open.index !== index) {
        const events = waiting.get(index);
        if (events === undefined) waiting.set(index, [event]);
        else events.push(event);
        return;
      }
      handle(event, index);
      drain();
    },
    end: () => finish(list(own(response, "output"))),
    get response() {
      return response;
    },
  };
}

/** Reads a whole Response. */
export function readResponse(response: JsonObject, sink: ResponseSink): void {
  const reader = createResponseReader(sink);
  reader.push({ response });
  reader.end();
}

/** Gives all that an item holds. */
function fillItem(item: JsonObject, sink: ResponseSink): void {
  const type = own(item, "type");
  if (type === "reasoning") {
    const summary = list(own(item, "summary"));
    const parts = (summary.length > 0 ? summary : list(own(item, "content"))).map((part) => textOf(own(part, "text")));
    const text = parts.filter((part) => part !== "").join("\n\n");
    if (text !== "") sink.reasoning(text);
  } else if (type === "message") {
    for (const part of list(own(item, "content"))) {
      const text = textOf(own(part, "text"));
      const refusal = textOf(own(part, "refusal"));
      if (text !== "") sink.text(text);
      if (refusal !== "") sink.refusal(refusal);
    }
  } else if (isCall(type)) {
    const text = textOf(own(item, type === "function_call" ? "arguments" : "input"));
    if (text !== "") sink.input(text);
  }
}

function endItem(type: Json | undefined, item: JsonObject, sink: ResponseSink): void {
  if (type === "reasoning") sink.endReasoning(item);
  else if (type === "message") sink.endMessage(item);
  else if (isCall(type)) sink.endCall();
  else sink.other(item);
}

/** Chat's word for why a Response ended. */
export function responseFinish(response: JsonObject): "stop" | "length" | "content_filter" {
  if (own(response, "status") !== "incomplete") return "stop";
  return own(own(response, "incomplete_details"), "reason") === "content_filter" ? "content_filter" : "length";
}
