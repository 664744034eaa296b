/** What every stream that the gateway writes must hold, whatever came in. */
import { expect } from "bun:test";
import { isObject, own, type Json, type JsonObject } from "../../src/base/json.ts";

/** A stream's text, or its frames in order. */
export type StreamText = string | readonly { readonly text: string }[];

/** One SSE frame, taken apart. */
export interface ReadFrame {
  /** Name of the `event:` line; "" without one. */
  readonly event: string;
  /** Text of the `data:` line; null for a comment. */
  readonly data: string | null;
  /** The JSON in it; null for comments and `[DONE]`. */
  readonly json: JsonObject | null;
}

/** Frames of a stream as the gateway writes it: LF, one `data:` line, an empty line behind each. */
export function readFrames(stream: StreamText): readonly ReadFrame[] {
  const text = typeof stream === "string" ? stream : stream.map((frame) => frame.text).join("");
  expect(text.includes("\r")).toBe(false);
  if (text !== "") expect(text.endsWith("\n\n")).toBe(true);
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      let event = "";
      let data: string | null = null;
      for (const line of frame.split("\n")) {
        if (line.startsWith("event: ")) event = line.slice(7);
        else if (line.startsWith("data: ")) data = line.slice(6);
        else expect(line.startsWith(":")).toBe(true);
      }
      const json: unknown = data === null || data === "[DONE]" ? null : JSON.parse(data);
      if (json !== null) expect(isObject(json)).toBe(true);
      return { event, data, json: json as JsonObject | null };
    });
}

/** A block of a Messages stream, put together. */
export interface ReadBlock {
  readonly type: string;
  readonly start: JsonObject;
  text: string;
  readonly deltas: JsonObject[];
}

/** A Messages stream, put together. */
export interface ReadMessage {
  readonly message: JsonObject;
  readonly blocks: readonly ReadBlock[];
  readonly delta: JsonObject;
  readonly usage: JsonObject;
}

const TEXT_FIELDS: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  input_json_delta: "partial_json",
};
const DELTA_OF: Readonly<Record<string, string>> = {
  text: "text_delta",
  thinking: "thinking_delta",
  tool_use: "input_json_delta",
  server_tool_use: "input_json_delta",
};
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Asserts a whole Messages stream: one block open at a time, indexes without gaps, a stop for each start, no delta
 * outside its block, tool input that is JSON or "" (unless the answer was cut), full counters, one terminal at the end.
 * Returns it put together.
 */
export function assertMessagesStream(stream: StreamText): ReadMessage {
  const frames = readFrames(stream).filter((frame) => frame.data !== null);
  const blocks: ReadBlock[] = [];
  let open: ReadBlock | null = null;
  let message: Json | undefined;
  let last: JsonObject | null = null;
  let stopped = false;
  for (const { event, json } of frames) {
    expect(json).not.toBeNull();
    expect(own(json, "type")).toBe(event);
    expect(stopped).toBe(false);
    if (event === "ping") continue;
    if (message === undefined) expect(event).toBe("message_start");
    switch (event) {
      case "message_start":
        expect(message).toBeUndefined();
        message = own(json, "message");
        expect(own(message, "content")).toEqual([]);
        expect(own(message, "role")).toBe("assistant");
        expect(own(message, "stop_reason")).toBeNull();
        break;
      case "content_block_start": {
        expect(open).toBeNull();
        expect(last).toBeNull();
        expect(own(json, "index")).toBe(blocks.length);
        const start = own(json, "content_block") as JsonObject;
        open = { type: own(start, "type") as string, start, text: "", deltas: [] };
        if (open.type === "tool_use") {
          expect(own(start, "input")).toEqual({});
          expect(own(start, "name")).not.toBe("");
          expect(own(start, "id")).not.toBe("");
        }
        blocks.push(open);
        break;
      }
      case "content_block_delta": {
        expect(own(json, "index")).toBe(blocks.length - 1);
        if (open === null) throw new Error("a delta outside an open block");
        const delta = own(json, "delta") as JsonObject;
        const type = own(delta, "type") as string;
        const field = TEXT_FIELDS[type];
        if (field !== undefined) {
          expect(type).toBe(DELTA_OF[open.type] ?? "");
          const text = own(delta, field) as string;
          expect(text).not.toBe("");
          expect(LONE_SURROGATE.test(text)).toBe(false);
          open.text += text;
        }
        open.deltas.push(delta);
        break;
      }
      case "content_block_stop":
        expect(open).not.toBeNull();
        expect(own(json, "index")).toBe(blocks.length - 1);
        if (open?.type === "thinking") expect(own(open.deltas.at(-1), "type")).toBe("signature_delta");
        open = null;
        break;
      case "message_delta":
        expect(open).toBeNull();
        expect(last).toBeNull();
        last = json;
        break;
      case "message_stop":
        expect(last).not.toBeNull();
        stopped = true;
        break;
      default:
        throw new Error(`unknown event ${event}`);
    }
  }
  expect(stopped).toBe(true);
  const delta = own(last, "delta") as JsonObject;
  const usage = own(last, "usage") as JsonObject;
  for (const counter of ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"]) {
    expect(typeof own(usage, counter)).toBe("number");
  }
  const isCut = own(delta, "stop_reason") === "max_tokens" || own(delta, "stop_reason") === "refusal";
  for (const block of blocks) {
    if (block.type !== "tool_use" || block.text === "" || isCut) continue;
    expect(() => JSON.parse(block.text)).not.toThrow();
  }
  return { message: message as JsonObject, blocks, delta, usage };
}

/** A Chat stream's first choice, put together. */
export interface ReadChat {
  readonly first: JsonObject;
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finish: string;
  readonly usage: JsonObject | null;
}

/**
 * Asserts a whole Chat stream of one choice: equal envelopes, the role once and first, dense tool indexes with id and
 * name once, arguments that are JSON (unless the answer was cut), one finish chunk, usage after it and only if asked, `[DONE]` last.
 * Returns it put together.
 */
export function assertChatStream(stream: StreamText, options: { readonly usage: boolean }): ReadChat {
  const frames = readFrames(stream).filter((frame) => frame.data !== null);
  expect(frames.at(-1)?.data).toBe("[DONE]");
  const calls: { id: string; name: string; arguments: string }[] = [];
  /** Calls whose text is free, not JSON. */
  const custom = new Set<number>();
  let first: JsonObject | null = null;
  let text = "";
  let finish: string | null = null;
  let usage: JsonObject | null = null;
  for (const { event, json } of frames.slice(0, -1)) {
    expect(event).toBe("");
    if (json === null) throw new Error("[DONE] before the end");
    expect(own(json, "object")).toBe("chat.completion.chunk");
    for (const key of ["id", "created", "model", "system_fingerprint"]) {
      expect(own(json, key)).toEqual(own(first ?? json, key) as never);
    }
    const choices = own(json, "choices") as readonly Json[];
    if (choices.length === 0) {
      expect(finish).not.toBeNull();
      expect(usage).toBeNull();
      usage = own(json, "usage") as JsonObject;
      expect(isObject(usage)).toBe(true);
      continue;
    }
    expect(Object.hasOwn(json, "usage")).toBe(options.usage);
    if (options.usage) expect(own(json, "usage")).toBeNull();
    expect(choices).toHaveLength(1);
    const choice = choices[0];
    expect(own(choice, "index")).toBe(0);
    expect(finish).toBeNull();
    const delta = own(choice, "delta") as JsonObject;
    expect(own(delta, "role")).toBe((first === null ? "assistant" : undefined) as never);
    first ??= json;
    text += (own(delta, "content") as string | null | undefined) ?? "";
    for (const entry of (own(delta, "tool_calls") ?? []) as readonly Json[]) {
      const index = own(entry, "index") as number;
      const fn = own(entry, "function") ?? own(entry, "custom");
      if (index === calls.length) {
        calls.push({ id: own(entry, "id") as string, name: own(fn, "name") as string, arguments: "" });
        if (own(entry, "custom") !== undefined) custom.add(index);
        expect(own(entry, "type")).toBe(custom.has(index) ? "custom" : "function");
        expect(calls[index]?.id).toBeTruthy();
        expect(calls[index]?.name).toBeTruthy();
      } else {
        expect(index).toBeLessThan(calls.length);
        for (const key of ["id", "type"]) expect(Object.hasOwn(entry as JsonObject, key)).toBe(false);
        expect(own(fn, "name")).toBeUndefined();
      }
      const call = calls[index];
      if (call !== undefined) call.arguments += (own(fn, "arguments") as string | undefined) ?? "";
    }
    const reason = own(choice, "finish_reason");
    if (reason !== null) {
      expect(delta).toEqual(expect.not.objectContaining({ content: expect.anything() }));
      finish = reason as string;
    }
  }
  if (first === null || finish === null) throw new Error("a stream without a first or a finish chunk");
  expect(usage !== null).toBe(options.usage);
  if (finish !== "length" && finish !== "content_filter") {
    for (const [index, call] of calls.entries()) {
      if (!custom.has(index)) expect(() => JSON.parse(call.arguments)).not.toThrow();
    }
  }
  return { first, text, calls, finish, usage };
}
