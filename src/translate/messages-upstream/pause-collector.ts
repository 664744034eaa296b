/** Keeps the blocks of a streamed answer as they would stand in a whole one, to send them back when it pauses. */
import { isArray, isObject, isString, own, parseLossless, type Json, type JsonObject } from "../../base/json.ts";
import { ownText } from "./own-text.ts";

/** Fed with the events of every block; `blocks` are those that are complete. */
export interface PauseCollector {
  readonly start: (index: number, block: JsonObject) => void;
  readonly delta: (index: number, delta: JsonObject) => void;
  readonly stop: (index: number) => void;
  readonly blocks: readonly JsonObject[];
}

interface OpenBlock {
  readonly start: JsonObject;
  text: string;
  signature: string;
  readonly citations: Json[];
}

/** Creates a collector for one answer and its continuations. */
export function createPauseCollector(): PauseCollector {
  const open = new Map<number, OpenBlock>();
  const blocks: JsonObject[] = [];
  return {
    blocks,
    start: (index, block) => void open.set(index, { start: block, text: "", signature: "", citations: [] }),
    delta: (index, delta) => {
      const block = open.get(index);
      if (block === undefined) return;
      for (const name of ["text", "thinking", "partial_json"]) {
        const piece = own(delta, name);
        if (isString(piece)) block.text += piece;
      }
      const signature = own(delta, "signature");
      if (isString(signature)) block.signature += signature;
      const citation = own(delta, "citation");
      if (citation !== undefined) block.citations.push(citation);
    },
    stop: (index) => {
      const block = open.get(index);
      if (block === undefined) return;
      open.delete(index);
      blocks.push(close(block));
    },
  };
}

function close(block: OpenBlock): JsonObject {
  switch (own(block.start, "type")) {
    case "text": {
      const text = `${ownText(block.start, "text")}${block.text}`;
      const before = own(block.start, "citations");
      const citations = [...(isArray(before) ? before : []), ...block.citations];
      return { ...block.start, text, ...(citations.length === 0 ? {} : { citations }) };
    }
    case "thinking":
      return {
        ...block.start,
        thinking: `${ownText(block.start, "thinking")}${block.text}`,
        signature: `${ownText(block.start, "signature")}${block.signature}`,
      };
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      return block.text === "" ? block.start : { ...block.start, input: parseInput(block.text) };
    default:
      return block.start;
  }
}

function parseInput(text: string): Json {
  try {
    const input = parseLossless(text);
    return isObject(input) ? input : {};
  } catch {
    return {};
  }
}
