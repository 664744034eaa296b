/** Keeps the halves of a surrogate pair together when text arrives in pieces. */
export interface SurrogateHold {
  /** Takes more text; a high surrogate at its end waits for the next piece. */
  readonly push: (text: string) => string;
  /** The lone surrogate that nothing followed, or "". */
  readonly end: () => string;
}

/** Creates the hold for one run of text. */
export function createSurrogateHold(): SurrogateHold {
  let held = "";
  return {
    push: (text) => {
      if (text === "") return "";
      const last = text.charCodeAt(text.length - 1);
      const isHigh = last >= 0xd800 && last <= 0xdbff;
      if (!isHigh && held === "") return text;
      const all = held + text;
      held = isHigh ? all.slice(-1) : "";
      return isHigh ? all.slice(0, -1) : all;
    },
    end: () => {
      const rest = held;
      held = "";
      return rest;
    },
  };
}
