/** Thinking of a streamed answer: text to show as it comes, whole blocks to keep. */
import { own, type JsonObject } from "../../base/json.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { THINKING_SEPARATOR } from "./reply-parts.ts";

/** A thinking block that is still arriving. */
export interface OpenThinking {
  readonly start: JsonObject;
  text: string;
  signature: string;
  /** Position among the blocks of the whole answer. */
  readonly at: number;
}

/** Collects the thinking blocks of one answer. */
export interface ThinkingStream {
  /** Opens a block; `shown` is text that came with it. */
  readonly open: (block: JsonObject, at: number) => { readonly block: OpenThinking; readonly shown: string };
  /** Takes a delta and returns the text to show, possibly none. */
  readonly push: (block: OpenThinking, delta: JsonObject) => string;
  readonly close: (block: OpenThinking) => void;
  /** The complete blocks, in order. */
  readonly blocks: readonly { readonly block: JsonObject; readonly at: number }[];
}

/** Creates the collector of one answer. */
export function createThinkingStream(): ThinkingStream {
  const hold = createSurrogateHold();
  const blocks: { readonly block: JsonObject; readonly at: number }[] = [];
  let hasShown = false;
  let needsSeparator = false;

  const show = (piece: string): string => {
    const text = hold.push(piece);
    if (text === "") return "";
    const full = needsSeparator ? THINKING_SEPARATOR + text : text;
    needsSeparator = false;
    hasShown = true;
    return full;
  };
  return {
    blocks,
    open: (start, at) => {
      const text = ownText(start, "thinking");
      needsSeparator = hasShown;
      return { block: { start, text, signature: ownText(start, "signature"), at }, shown: show(text) };
    },
    push: (block, delta) => {
      block.signature += ownText(delta, "signature");
      const piece = ownText(delta, "thinking");
      block.text += piece;
      return show(piece);
    },
    close: ({ start, text, signature, at }) => {
      const isOpaque = own(start, "type") === "redacted_thinking";
      blocks.push({ block: isOpaque ? start : { type: "thinking", thinking: text, signature }, at });
    },
  };
}
