/**
 * The output items of one answer, with the events that tell of them: one item open at a time, indexes without gaps, a `done`
 * for everything that was added.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming (read 2026-11-24)
 */
import type { JsonObject } from "../../base/json.ts";
import { sealThinking } from "../maps/thinking-envelope.ts";
import type { EventWriter } from "./events.ts";

/** How an item ended. */
export type ItemStatus = "completed" | "incomplete";

/** The kinds of calls: their items, and the event that brings their input in pieces (null: it comes whole). */
export type CallShape = "function" | "custom" | "search";

/** A call as the caller is to see it. */
export interface OutputCall {
  readonly callId: string;
  readonly name: string;
  readonly namespace: string | null;
  readonly shape: CallShape;
}

/** Takes an answer in pieces. A new item closes the one before it. */
export interface Output {
  readonly text: (piece: string) => void;
  /** Adds an annotation to the text so far. */
  readonly annotate: (annotation: JsonObject) => void;
  /** UTF-16 units of the text in the open message; 0 without one. */
  readonly textLength: number;
  readonly refusal: (text: string) => void;
  readonly openReasoning: () => void;
  readonly reasoning: (piece: string) => void;
  /** `block`: the thinking block, whole. */
  readonly closeReasoning: (block: JsonObject) => void;
  readonly openCall: (call: OutputCall) => void;
  readonly input: (piece: string) => void;
  /** A search that ran at the provider. */
  readonly webSearch: (query: string) => void;
  /** Closes the open item. */
  readonly close: (status: ItemStatus) => void;
  /** The items that are closed. */
  readonly items: readonly JsonObject[];
}

interface OpenItem {
  readonly close: (status: ItemStatus) => JsonObject;
}

interface OpenText extends OpenItem {
  readonly kind: "text";
  readonly write: (piece: string) => void;
  readonly annotate: (annotation: JsonObject) => void;
  readonly length: () => number;
}

interface OpenCall extends OpenItem {
  readonly kind: "call";
  readonly write: (piece: string) => void;
}

interface OpenReasoning extends OpenItem {
  readonly kind: "reasoning";
  readonly write: (piece: string) => void;
  readonly seal: (block: JsonObject) => void;
}

/** Creates the output of the answer `base` (its id without a prefix). */
export function createOutput(writer: EventWriter, base: string): Output {
  const items: JsonObject[] = [];
  let open: OpenText | OpenCall | OpenReasoning | null = null;

  const place = (prefix: string): { readonly item_id: string; readonly output_index: number } => ({
    item_id: `${prefix}_${base}_${items.length}`,
    output_index: items.length,
  });

  const add = (item: JsonObject): void =>
    writer.send("response.output_item.added", { output_index: items.length, item });

  const close = (status: ItemStatus): void => {
    if (open === null) return;
    const item = open.close(status);
    open = null;
    writer.send("response.output_item.done", { output_index: items.length, item });
    items.push(item);
  };

  const openText = (): OpenText => {
    if (open?.kind === "text") return open;
    close("completed");
    return (open = startText(writer, place("msg"), add));
  };

  return {
    items,
    close,
    text: (piece) => {
      if (piece !== "") openText().write(piece);
    },
    annotate: (annotation) => {
      if (open?.kind === "text") open.annotate(annotation);
    },
    get textLength() {
      return open?.kind === "text" ? open.length() : 0;
    },
    refusal: (text) => {
      close("completed");
      const item = sendRefusal(writer, place("msg"), add, text);
      writer.send("response.output_item.done", { output_index: items.length, item });
      items.push(item);
    },
    openReasoning: () => {
      close("completed");
      open = startReasoning(writer, place("rs"), add);
    },
    reasoning: (piece) => {
      if (open?.kind === "reasoning" && piece !== "") open.write(piece);
    },
    closeReasoning: (block) => {
      if (open?.kind !== "reasoning") return;
      open.seal(block);
      close("completed");
    },
    openCall: (call) => {
      close("completed");
      open = startCall(writer, place(CALLS[call.shape].prefix), add, call);
    },
    input: (piece) => {
      if (open?.kind === "call" && piece !== "") open.write(piece);
    },
    webSearch: (query) => {
      close("completed");
      const at = place("ws");
      const item = { id: at.item_id, type: "web_search_call", status: "completed", action: { type: "search", query } };
      add({ ...item, status: "in_progress" });
      for (const step of ["in_progress", "searching", "completed"]) writer.send(`response.web_search_call.${step}`, at);
      writer.send("response.output_item.done", { output_index: at.output_index, item });
      items.push(item);
    },
  };
}

interface Place {
  readonly item_id: string;
  readonly output_index: number;
}

type Add = (item: JsonObject) => void;

function startText(writer: EventWriter, at: Place, add: Add): OpenText {
  const item = { id: at.item_id, type: "message", role: "assistant" };
  const part = { ...at, content_index: 0 };
  const annotations: JsonObject[] = [];
  let text = "";
  add({ ...item, status: "in_progress", content: [] });
  writer.send("response.content_part.added", {
    ...part,
    part: { type: "output_text", annotations: [], logprobs: [], text: "" },
  });
  const sendDelta = writer.openDeltas("response.output_text.delta", part, { logprobs: [] });
  return {
    kind: "text",
    length: () => text.length,
    write: (piece) => {
      text += piece;
      sendDelta(piece);
    },
    annotate: (annotation) => {
      const annotation_index = annotations.length;
      annotations.push(annotation);
      writer.send("response.output_text.annotation.added", { ...part, annotation_index, annotation });
    },
    close: (status) => {
      const whole = { type: "output_text", annotations, logprobs: [], text };
      writer.send("response.output_text.done", { ...part, text, logprobs: [] });
      writer.send("response.content_part.done", { ...part, part: whole });
      return { ...item, status, content: [whole] };
    },
  };
}

function sendRefusal(writer: EventWriter, at: Place, add: Add, refusal: string): JsonObject {
  const item = { id: at.item_id, type: "message", role: "assistant" };
  const part = { ...at, content_index: 0 };
  const whole = { type: "refusal", refusal };
  add({ ...item, status: "in_progress", content: [] });
  writer.send("response.content_part.added", { ...part, part: { type: "refusal", refusal: "" } });
  writer.send("response.refusal.delta", { ...part, delta: refusal });
  writer.send("response.refusal.done", { ...part, refusal });
  writer.send("response.content_part.done", { ...part, part: whole });
  return { ...item, status: "completed", content: [whole] };
}

function startReasoning(writer: EventWriter, at: Place, add: Add): OpenReasoning {
  const item = { id: at.item_id, type: "reasoning" };
  const part = { ...at, summary_index: 0 };
  let text = "";
  let sealed: string | null = null;
  let sendDelta: ((delta: string) => void) | null = null;
  add({ ...item, summary: [] });
  const openPart = (): ((delta: string) => void) => {
    writer.send("response.reasoning_summary_part.added", { ...part, part: { type: "summary_text", text: "" } });
    return writer.openDeltas("response.reasoning_summary_text.delta", part);
  };
  return {
    kind: "reasoning",
    write: (piece) => {
      text += piece;
      sendDelta ??= openPart();
      sendDelta(piece);
    },
    seal: (block) => {
      sealed = sealThinking(block);
    },
    close: () => {
      const summary = sendDelta === null ? [] : [{ type: "summary_text", text }];
      for (const whole of summary) {
        writer.send("response.reasoning_summary_text.done", { ...part, text });
        writer.send("response.reasoning_summary_part.done", { ...part, part: whole });
      }
      return { ...item, summary, ...(sealed === null ? {} : { encrypted_content: sealed }) };
    },
  };
}

interface CallKind {
  readonly prefix: string;
  readonly type: string;
  /** Field of the item that holds the input. */
  readonly field: string;
  /** Event of its pieces, without `.delta`; null: it comes whole, as JSON and not as text. */
  readonly event: string | null;
}

const CALLS: Readonly<Record<CallShape, CallKind>> = {
  function: { prefix: "fc", type: "function_call", field: "arguments", event: "response.function_call_arguments" },
  custom: { prefix: "ctc", type: "custom_tool_call", field: "input", event: "response.custom_tool_call_input" },
  search: { prefix: "tsc", type: "tool_search_call", field: "arguments", event: null },
};

function startCall(writer: EventWriter, at: Place, add: Add, call: OutputCall): OpenCall {
  const kind = CALLS[call.shape];
  const { namespace, name } = call;
  const names = { ...(namespace === null ? {} : { namespace }), name };
  const item = {
    id: at.item_id,
    type: kind.type,
    call_id: call.callId,
    ...(call.shape === "search" ? { execution: "client" } : names),
  };
  let input = "";
  add({ ...item, status: "in_progress", [kind.field]: kind.event === null ? {} : "" });
  const sendDelta = kind.event === null ? null : writer.openDeltas(`${kind.event}.delta`, { ...at });
  return {
    kind: "call",
    write: (piece) => {
      input += piece;
      sendDelta?.(piece);
    },
    close: (status) => {
      if (kind.event === null) return { ...item, status, [kind.field]: parseSearch(input) };
      const done = call.shape === "function" ? { name, arguments: input } : { input };
      writer.send(`${kind.event}.done`, { ...at, ...done });
      return { ...item, status, [kind.field]: input };
    },
  };
}

function parseSearch(text: string): JsonObject {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as JsonObject) : {};
  } catch {
    return {};
  }
}
