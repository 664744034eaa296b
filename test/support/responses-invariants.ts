/** What every Responses stream that the gateway writes must hold, whatever came in. */
import { expect } from "bun:test";
import { own, type Json, type JsonObject } from "../../src/base/json.ts";
import { readFrames, type StreamText } from "./stream-invariants.ts";

/** Fields of an item, or of a part of it, that arrive in pieces: event without `.delta` → where the text ends up. */
const PIECES: Readonly<Record<string, (item: Json, event: JsonObject) => Json | undefined>> = {
  "response.output_text": (item, event) => own(partOf(item, event, "content", "content_index"), "text"),
  "response.refusal": (item, event) => own(partOf(item, event, "content", "content_index"), "refusal"),
  "response.reasoning_summary_text": (item, event) => own(partOf(item, event, "summary", "summary_index"), "text"),
  "response.function_call_arguments": (item) => own(item, "arguments"),
  "response.custom_tool_call_input": (item) => own(item, "input"),
};

function partOf(item: Json, event: JsonObject, list: string, index: string): Json | undefined {
  const parts = own(item, list) as readonly Json[];
  return parts[own(event, index) as number];
}

interface OpenItem {
  readonly index: number;
  readonly id: string;
  readonly type: string;
  /** Text of each kind of pieces, by event and place. */
  readonly pieces: Map<string, { readonly event: JsonObject; readonly kind: string; text: string }>;
}

/**
 * Asserts a whole Responses stream: numbers without gaps, event names equal to types, one item open at a time with dense
 * indexes and the same identity from its beginning to its end, pieces that add up to the item, a terminal that repeats all
 * items. Returns the Response at its end.
 */
export function assertResponsesStream(stream: StreamText): JsonObject {
  const frames = readFrames(stream).filter((frame) => frame.data !== null);
  const done: Json[] = [];
  let open: OpenItem | null = null;
  let final: JsonObject | null = null;
  let first: Json | undefined;
  for (const [number, { event, json }] of frames.entries()) {
    if (json === null) throw new Error("a frame without JSON");
    expect(own(json, "type")).toBe(event);
    expect(own(json, "sequence_number")).toBe(number);
    expect(final).toBeNull();
    if (number < 2) {
      expect(event).toBe(number === 0 ? "response.created" : "response.in_progress");
      expect(own(own(json, "response"), "status")).toBe("in_progress");
      first ??= own(json, "response");
      continue;
    }
    if (event === "response.completed" || event === "response.incomplete") {
      expect(open).toBeNull();
      final = own(json, "response") as JsonObject;
      expect(event).toBe(`response.${own(final, "status") as string}`);
      continue;
    }
    if (event === "response.output_item.added") {
      expect(open).toBeNull();
      const item = own(json, "item");
      expect(own(json, "output_index")).toBe(done.length);
      open = {
        index: done.length,
        id: own(item, "id") as string,
        type: own(item, "type") as string,
        pieces: new Map(),
      };
      expect(open.id).toMatch(/^[a-z]+_[A-Za-z0-9_-]+$/);
      continue;
    }
    if (open === null) throw new Error(`${event} outside an item`);
    expect(own(json, "output_index")).toBe(open.index);
    if (event === "response.output_item.done") {
      const item = own(json, "item") ?? null;
      expect(own(item, "id")).toBe(open.id);
      expect(own(item, "type")).toBe(open.type);
      for (const { event: place, kind, text } of open.pieces.values()) expect(PIECES[kind]?.(item, place)).toBe(text);
      done.push(item);
      open = null;
      continue;
    }
    expect(own(json, "item_id")).toBe(open.id);
    const kind = event.replace(/\.delta$/, "");
    if (kind === event) continue;
    const place = `${kind} ${String(own(json, "content_index"))} ${String(own(json, "summary_index"))}`;
    const pieces = open.pieces.get(place) ?? { event: json, kind, text: "" };
    expect(own(json, "delta")).not.toBe("");
    pieces.text += own(json, "delta") as string;
    open.pieces.set(place, pieces);
  }
  if (final === null) throw new Error("a stream without a terminal event");
  expect(own(final, "output")).toEqual(done as never);
  expect(own(final, "id")).toBe(own(first, "id") as never);
  for (const item of done) {
    if (own(item, "type") !== "function_call" || own(item, "status") === "incomplete") continue;
    expect(() => JSON.parse(own(item, "arguments") as string) as unknown).not.toThrow();
  }
  return final;
}
