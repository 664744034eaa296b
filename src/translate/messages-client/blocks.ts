/** Writes content blocks as events, one open at a time, indexes without gaps. */
import type { JsonObject } from "../../base/json.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import type { StreamFrame } from "../translator.ts";

/** One event of a Messages stream: its name is its `type`. */
export function renderFrame(type: string, json: JsonObject): StreamFrame {
  return { text: `event: ${type}\ndata: ${JSON.stringify(json)}\n\n`, json };
}

export type BlockKind = "text" | "thinking" | "tool_use";

/** How a block's text stands in a delta. */
interface TextDelta {
  /** The delta as JSON, as far as the text. */
  readonly open: string;
  readonly json: (text: string) => JsonObject;
}

const DELTAS: Readonly<Record<BlockKind, TextDelta>> = {
  text: { open: '{"type":"text_delta","text":', json: (text) => ({ type: "text_delta", text }) },
  thinking: {
    open: '{"type":"thinking_delta","thinking":',
    json: (thinking) => ({ type: "thinking_delta", thinking }),
  },
  tool_use: {
    open: '{"type":"input_json_delta","partial_json":',
    json: (text) => ({ type: "input_json_delta", partial_json: text }),
  },
};

export interface BlockWriter {
  /** Kind of the open block; null when none is. */
  readonly open: BlockKind | null;
  /** Starts a block; none may be open. */
  readonly start: (kind: BlockKind, block: JsonObject) => void;
  /** Adds text to the open block; "" does nothing. */
  readonly write: (text: string) => void;
  /** Adds another delta to the open block: a signature, a citation. */
  readonly delta: (delta: JsonObject) => void;
  /** Ends the open block, if there is one. */
  readonly stop: () => void;
  /** Writes a block that comes whole, without deltas; none may be open. */
  readonly whole: (block: JsonObject) => void;
}

/** Creates a writer that hands its frames to `emit`. */
export function createBlockWriter(emit: (frame: StreamFrame) => void): BlockWriter {
  let index = -1;
  let open: BlockKind | null = null;
  // A token's text is all that differs between the deltas of a block: the rest of the frame is built once.
  let prefix = "";
  const hold = createSurrogateHold();

  const emitText = (text: string): void => {
    if (open === null || text === "") return;
    emit({
      text: `${prefix}${JSON.stringify(text)}}}\n\n`,
      json: { type: "content_block_delta", index, delta: DELTAS[open].json(text) },
    });
  };

  const emitStart = (block: JsonObject): void => {
    emit(renderFrame("content_block_start", { type: "content_block_start", index, content_block: block }));
  };

  return {
    get open() {
      return open;
    },
    start: (kind, block) => {
      index++;
      open = kind;
      prefix = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${DELTAS[kind].open}`;
      emitStart(block);
    },
    write: (text) => emitText(hold.push(text)),
    delta: (delta) => {
      emitText(hold.end());
      emit(renderFrame("content_block_delta", { type: "content_block_delta", index, delta }));
    },
    stop: () => {
      if (open === null) return;
      emitText(hold.end());
      open = null;
      emit(renderFrame("content_block_stop", { type: "content_block_stop", index }));
    },
    whole: (block) => {
      index++;
      emitStart(block);
      emit(renderFrame("content_block_stop", { type: "content_block_stop", index }));
    },
  };
}
