/** Reads the text of a custom tool's call out of `{"input":"…"}` while that JSON is still arriving. */
import { customInput } from "./reply-parts.ts";

/** A push decoder for one call. */
export interface InputDecoder {
  /** Takes a piece of JSON text and returns the text it completes. */
  readonly push: (fragment: string) => string;
  /** The rest: all of it when the JSON did not begin as expected. */
  readonly end: () => string;
}

const HEAD = /^\s*\{\s*"input"\s*:\s*"/;
/** Longest beginning that is looked at; anything longer has another shape. */
const MAX_HEAD_CHARS = 256;

/** Creates the decoder for one call. */
export function createInputDecoder(): InputDecoder {
  let state: "head" | "string" | "closed" | "other" = "head";
  let held = "";

  /** Decodes the string so far, up to its closing quote or an escape that is not whole yet. */
  const decode = (): string => {
    let end = 0;
    while (end < held.length) {
      const code = held.charCodeAt(end);
      if (code === 0x22) {
        state = "closed";
        break;
      }
      if (code !== 0x5c) {
        end++;
        continue;
      }
      const escapeChars = held[end + 1] === "u" ? 6 : 2;
      if (end + escapeChars > held.length) break;
      end += escapeChars;
    }
    const text = JSON.parse(`"${held.slice(0, end)}"`) as string;
    held = state === "closed" ? "" : held.slice(end);
    return text;
  };

  return {
    push: (fragment) => {
      if (state === "closed") return "";
      held += fragment;
      if (state === "other") return "";
      if (state === "head") {
        const head = HEAD.exec(held);
        if (head === null) {
          if (held.length > MAX_HEAD_CHARS) state = "other";
          return "";
        }
        state = "string";
        held = held.slice(head[0].length);
      }
      try {
        return decode();
      } catch {
        // A control character or a bad escape: what is left is shown as it came.
        state = "closed";
        const rest = held;
        held = "";
        return rest;
      }
    },
    end: () => {
      const rest = held;
      held = "";
      return state === "head" || state === "other" ? customInput(rest) : "";
    },
  };
}
