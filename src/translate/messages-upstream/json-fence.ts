/** Removes a Markdown fence around a text that was asked to be bare JSON. */
export interface FenceStripper {
  /** Takes more text and returns what may be shown. */
  readonly push: (text: string) => string;
  /** What was held back, without a closing fence; call once. */
  readonly end: () => string;
}

/** Most characters held back at either end. */
const MAX_HELD_CHARS = 16;
/** White space, three backticks, a language and a line end. */
const OPENING = /^\s*```[A-Za-z]*[ \t]*\r?\n/;
const MAYBE_OPENING = /^\s*(?:`{0,2}|```[A-Za-z]*[ \t]*\r?)$/;
const CLOSING = /\s*```\s*$/;

/** Creates a stripper for one answer. Text without an opening fence passes unchanged. */
export function createFenceStripper(): FenceStripper {
  let state: "start" | "fenced" | "plain" = "start";
  let held = "";

  const holdEnd = (text: string): string => {
    held = text.slice(-MAX_HELD_CHARS);
    return text.slice(0, -MAX_HELD_CHARS);
  };

  return {
    push: (text) => {
      if (state === "plain") return text;
      const all = held + text;
      if (state === "fenced") return holdEnd(all);
      const opening = OPENING.exec(all);
      if (opening !== null) {
        state = "fenced";
        return holdEnd(all.slice(opening[0].length));
      }
      if (all.length <= MAX_HELD_CHARS && MAYBE_OPENING.test(all)) {
        held = all;
        return "";
      }
      state = "plain";
      held = "";
      return all;
    },
    end: () => {
      const rest = state === "fenced" ? held.replace(CLOSING, "") : held;
      held = "";
      state = "plain";
      return rest;
    },
  };
}
