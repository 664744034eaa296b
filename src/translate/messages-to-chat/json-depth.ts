/** Tells when JSON text that arrives in pieces is whole, without parsing it. */
export interface JsonDepth {
  readonly push: (text: string) => void;
  /** The outermost object or array has been closed. */
  readonly complete: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Creates the scanner for one value. */
export function createJsonDepth(): JsonDepth {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isComplete = false;
  return {
    push: (text) => {
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index);
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (code === BACKSLASH) isEscaped = true;
          else if (code === QUOTE) isInString = false;
        } else if (code === QUOTE) {
          isInString = true;
        } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
          depth++;
        } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
          depth--;
          if (depth <= 0) isComplete = true;
        }
      }
    },
    get complete() {
      return isComplete;
    },
  };
}
