/**
 * Streams as other servers of the same format send them, and as the vendors might: valid, but hard on a reader that takes one
 * provider's habits for the format. `[[sim: quirk name]]`, several of them in turn.
 *
 * | name | stream |
 * | --- | --- |
 * | `interleave` | Chat: fragments of parallel calls alternate |
 * | `repeat-id` | Chat: every fragment repeats id, type and name |
 * | `no-role` | Chat: no delta has a role |
 * | `early-usage` | Chat: usage stands in the first chunk and in every other, none at the end |
 * | `stop-finish` | Chat: finish reason `stop` although tools were called |
 * | `empty-tool-calls` | Chat: text deltas carry `tool_calls: []` |
 * | `whole-arguments` | arguments come in one piece: Chat in the first delta, Messages in the block's start, Responses only at the end |
 * | `unknown-events` | events, deltas and fields that nobody has heard of |
 * | `crlf`, `cr`, `bom`, `comments`, `no-space` | the same events, framed otherwise |
 */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { arrayOf } from "./read-chat.ts";

/** Every quirk. */
export const QUIRKS = {
  interleave: (frames) => interleave(frames),
  "repeat-id": (frames) => repeatIds(frames),
  "no-role": (frames) => mapDeltas(frames, withoutRole),
  "early-usage": (frames) => earlyUsage(frames),
  "stop-finish": (frames) =>
    frames.map((frame) => frame.replace('"finish_reason":"tool_calls"', '"finish_reason":"stop"')),
  "empty-tool-calls": (frames) =>
    mapDeltas(frames, (delta) => (typeof own(delta, "content") === "string" ? { ...delta, tool_calls: [] } : delta)),
  "whole-arguments": (frames) => wholeArguments(frames),
  "unknown-events": (frames) =>
    frames.flatMap((frame, index) => (index === 1 ? [unknownEvent(frame), frame] : [frame])),
  crlf: (frames) => frames.map((frame) => frame.replaceAll("\n", "\r\n")),
  cr: (frames) => frames.map((frame) => frame.replaceAll("\n", "\r")),
  bom: (frames) => frames.map((frame, index) => (index === 0 ? `\uFEFF${frame}` : frame)),
  comments: (frames) => frames.map((frame) => `: a comment\n${frame}: another\n\n`),
  "no-space": (frames) => frames.map((frame) => frame.replaceAll(/^(event|data): /gm, "$1:")),
} as const satisfies Readonly<Record<string, (frames: readonly string[]) => readonly string[]>>;

/** The frames as a server with that quirk sends them; an unknown name changes nothing. */
export function applyQuirk(frames: readonly string[], name: string): readonly string[] {
  const quirk = (Object.keys(QUIRKS) as (keyof typeof QUIRKS)[]).find((known) => known === name);
  return quirk === undefined ? frames : QUIRKS[quirk](frames);
}

/** The JSON of a frame's data; null for `[DONE]`. */
function dataOf(frame: string): JsonObject | null {
  const data = /^data: (\{.*)$/m.exec(frame)?.[1];
  return data === undefined ? null : (JSON.parse(data) as JsonObject);
}

function withData(frame: string, data: JsonObject): string {
  return frame.replace(/^data: .*$/m, () => `data: ${JSON.stringify(data)}`);
}

function mapData(frames: readonly string[], change: (data: JsonObject) => JsonObject): readonly string[] {
  return frames.map((frame) => {
    const data = dataOf(frame);
    return data === null ? frame : withData(frame, change(data));
  });
}

function mapDeltas(frames: readonly string[], change: (delta: JsonObject) => JsonObject): readonly string[] {
  return mapData(frames, (data) => {
    const choices = own(data, "choices");
    if (choices === undefined) return data;
    const changed = arrayOf(choices).map((choice): Json => {
      const delta = own(choice, "delta");
      return isObject(choice) && isObject(delta) ? { ...choice, delta: change(delta) } : choice;
    });
    return { ...data, choices: changed };
  });
}

/** The first call that a Chat frame carries; null without one. */
function callOf(frame: string): Json | null {
  const choice = arrayOf(own(dataOf(frame) ?? {}, "choices"))[0];
  return arrayOf(own(own(choice, "delta"), "tool_calls"))[0] ?? null;
}

function withoutRole(delta: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(delta).filter(([key]) => key !== "role"));
}

function interleave(frames: readonly string[]): readonly string[] {
  const lanes: string[][] = [];
  for (const frame of frames) {
    const index = own(callOf(frame), "index");
    if (typeof index === "number") (lanes[index] ??= []).push(frame);
  }
  const first = frames.findIndex((frame) => callOf(frame) !== null);
  if (lanes.length < 2) return frames;
  const longest = Math.max(...lanes.map((lane) => lane.length));
  const mixed = Array.from({ length: longest }, (_, at) => lanes.flatMap((lane) => lane[at] ?? [])).flat();
  return [...frames.slice(0, first), ...mixed, ...frames.slice(first + mixed.length)];
}

function repeatIds(frames: readonly string[]): readonly string[] {
  const starts = new Map<Json, JsonObject>();
  return mapDeltas(frames, (delta) => {
    const calls = own(delta, "tool_calls");
    if (calls === undefined) return delta;
    const repeated = arrayOf(calls).map((call): Json => {
      const index = own(call, "index") ?? 0;
      const start = starts.get(index);
      if (isObject(call) && start === undefined) starts.set(index, call);
      if (start === undefined || !isObject(call)) return call;
      const name = own(own(start, "function"), "name") ?? "";
      return { ...start, ...call, function: { name, ...(own(call, "function") as JsonObject) } };
    });
    return { ...delta, tool_calls: repeated };
  });
}

function earlyUsage(frames: readonly string[]): readonly string[] {
  const last = frames.map(dataOf).findLast((data) => isObject(own(data, "usage")));
  const usage = own(last, "usage");
  if (usage === undefined || last === undefined || last === null) return frames;
  const rest = frames.filter((frame) => arrayOf(own(dataOf(frame), "choices")).length > 0 || dataOf(frame) === null);
  return [`data: ${JSON.stringify({ ...last, usage })}\n\n`, ...mapData(rest, (data) => ({ ...data, usage }))];
}

function wholeArguments(frames: readonly string[]): readonly string[] {
  if (frames.some((frame) => callOf(frame) !== null)) return wholeChatArguments(frames);
  const inputs = new Map<Json, string>();
  for (const frame of frames) {
    const data = dataOf(frame);
    const piece = own(own(data, "delta"), "partial_json");
    if (typeof piece === "string")
      inputs.set(own(data, "index") ?? 0, (inputs.get(own(data, "index") ?? 0) ?? "") + piece);
  }
  const kept = frames.filter(
    (frame) => !frame.includes('"partial_json"') && !frame.includes("event: response.function_call_arguments.delta"),
  );
  return mapData(kept, (data) => {
    const input = inputs.get(own(data, "index") ?? 0);
    const block = own(data, "content_block");
    if (!isObject(block) || input === undefined || input === "") return data;
    return { ...data, content_block: { ...block, input: JSON.parse(input) as Json } };
  });
}

function wholeChatArguments(frames: readonly string[]): readonly string[] {
  const texts = new Map<Json, string>();
  const argumentsOf = (call: Json | null): string => String(own(own(call, "function"), "arguments") ?? "");
  for (const frame of frames) {
    const call = callOf(frame);
    const index = own(call, "index") ?? 0;
    if (call !== null) texts.set(index, (texts.get(index) ?? "") + argumentsOf(call));
  }
  const kept = frames.filter((frame) => callOf(frame) === null || own(callOf(frame), "id") !== undefined);
  return mapDeltas(kept, (delta) => {
    const calls = own(delta, "tool_calls");
    if (calls === undefined) return delta;
    const filled = arrayOf(calls).map((call): Json => {
      const fn = own(call, "function");
      return isObject(call) && isObject(fn)
        ? { ...call, function: { ...fn, arguments: texts.get(own(call, "index") ?? 0) ?? "" } }
        : call;
    });
    return { ...delta, tool_calls: filled };
  });
}

/** An event of an unknown type in the format of `like`. */
function unknownEvent(like: string): string {
  if (!like.startsWith("event:"))
    return `data: ${JSON.stringify({ ...dataOf(like), choices: [], x_unknown: { a: 1 } })}\n\n`;
  return 'event: x_unknown\ndata: {"type":"x_unknown","index":0,"delta":{"type":"x_unknown_delta","text":"no"}}\n\n';
}
