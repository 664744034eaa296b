import { isArray, isObject, isString, own, parseLossless } from "../../base/json.ts";
import type { Json, JsonObject, MutableJsonObject } from "../../base/json.ts";
import type { ReplyGatherer } from "../format.ts";
import { mergeUsage } from "./usage.ts";

/** A content block under construction. */
interface BlockState {
  readonly start: JsonObject;
  /** Text by field, for deltas that append. */
  readonly texts: Map<string, string>;
  readonly citations: Json[];
  /** JSON text of a tool's input; null while no delta brought any. */
  input: string | null;
}

/** Fields that deltas append to. */
const APPENDED: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "signature",
  compaction_delta: "content",
};

function readBlockDelta(state: BlockState, delta: Json | undefined): void {
  const type = own(delta, "type");
  if (!isString(type)) return;
  if (type === "input_json_delta") {
    const fragment = own(delta, "partial_json");
    if (isString(fragment)) state.input = (state.input ?? "") + fragment;
    return;
  }
  if (type === "citations_delta") {
    const citation = own(delta, "citation");
    if (citation !== undefined) state.citations.push(citation);
    return;
  }
  const field = Object.hasOwn(APPENDED, type) ? APPENDED[type] : undefined;
  const fragment = field === undefined ? undefined : own(delta, field);
  if (field !== undefined && isString(fragment)) state.texts.set(field, (state.texts.get(field) ?? "") + fragment);
}

/** A tool's input. Text that is no JSON (the answer was cut in it) stays text: such a call must not look executable. */
function parseInput(text: string): Json {
  if (text.trim() === "") return {};
  try {
    return parseLossless(text);
  } catch {
    return { _raw_arguments: text };
  }
}

function finishBlock(state: BlockState): JsonObject {
  const block: MutableJsonObject = { ...state.start };
  for (const [field, text] of state.texts) {
    const before = own(state.start, field);
    block[field] = isString(before) ? before + text : text;
  }
  if (state.citations.length > 0) {
    const before = own(state.start, "citations");
    block["citations"] = [...(isArray(before) ? before : []), ...state.citations];
  }
  if (state.input !== null && state.input !== "") block["input"] = parseInput(state.input);
  return block as JsonObject;
}

/**
 * Gathers a Messages stream. Blocks keep their order, usage is what was reported last, numbers in tool inputs keep their
 * spelling.
 * @see https://docs.anthropic.com/en/docs/build-with-claude/streaming (read 2026-11-24)
 */
export function openGatherer(): ReplyGatherer {
  const blocks = new Map<Json | undefined, BlockState>();
  let message: JsonObject = {};
  let usage: JsonObject | null = null;
  /** What `message_delta` brings: its `delta`, and fields beside it such as `context_management`. */
  let ending: JsonObject = {};

  const read = (json: JsonObject): void => {
    switch (own(json, "type")) {
      case "message_start": {
        const start = own(json, "message");
        if (isObject(start)) message = start;
        usage = mergeUsage(usage, own(message, "usage"));
        break;
      }
      case "content_block_start": {
        const start = own(json, "content_block");
        if (isObject(start)) blocks.set(own(json, "index"), { start, texts: new Map(), citations: [], input: null });
        break;
      }
      case "content_block_delta": {
        const block = blocks.get(own(json, "index"));
        if (block !== undefined) readBlockDelta(block, own(json, "delta"));
        break;
      }
      case "message_delta": {
        const { type: _type, delta, usage: reported, ...beside } = json;
        ending = { ...ending, ...beside, ...(isObject(delta) ? delta : {}) };
        usage = mergeUsage(usage, reported);
        break;
      }
      default:
    }
  };

  return {
    read,
    reply: () => ({
      ...message,
      ...ending,
      content: [...blocks.values()].map(finishBlock),
      ...(usage === null ? {} : { usage }),
    }),
  };
}
