/** Stop sequences that the upstream cannot be asked to honour are found here, in the text as it passes. */
export interface StopScanner {
  /** Takes more text and returns what may be shown; nothing after a match. */
  readonly push: (text: string) => string;
  /** The text that was held back as the possible start of a sequence; call once, at the end of the text. */
  readonly end: () => string;
  /** The sequence that ended the text; null while there is none. */
  readonly matched: string | null;
}

/**
 * Creates a scanner for `sequences`, of which empty ones are ignored. The sequence that is complete first wins, the
 * longer one of two that end together, so that the way the text is cut into pieces makes no difference. Holds back at most
 * the longest sequence's length minus one.
 */
export function createStopScanner(sequences: readonly string[]): StopScanner {
  const wanted = sequences.filter((sequence) => sequence !== "");
  let held = "";
  let matched: string | null = null;

  const firstMatch = (text: string): { readonly start: number; readonly sequence: string } | null => {
    let best: { readonly start: number; readonly sequence: string } | null = null;
    for (const sequence of wanted) {
      const start = text.indexOf(sequence);
      if (start < 0) continue;
      const end = start + sequence.length;
      const bestEnd = best === null ? Infinity : best.start + best.sequence.length;
      if (end < bestEnd || (end === bestEnd && best !== null && start < best.start)) best = { start, sequence };
    }
    return best;
  };

  const heldLength = (text: string): number => {
    let longest = 0;
    for (const sequence of wanted) {
      for (let length = Math.min(sequence.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(sequence.slice(0, length))) {
          longest = length;
          break;
        }
      }
    }
    return longest;
  };

  return {
    push: (text) => {
      if (matched !== null) return "";
      const all = held + text;
      const match = firstMatch(all);
      if (match !== null) {
        matched = match.sequence;
        held = "";
        return all.slice(0, match.start);
      }
      const keep = heldLength(all);
      held = keep === 0 ? "" : all.slice(-keep);
      return keep === 0 ? all : all.slice(0, -keep);
    },
    end: () => {
      const rest = held;
      held = "";
      return rest;
    },
    get matched() {
      return matched;
    },
  };
}
