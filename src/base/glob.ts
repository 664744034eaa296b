/** Globs over names: `*` is any run of characters (`/` too), `?` is one. No classes, no braces. */

/**
 * A predicate for `pattern`; the whole text must match, case matters. Patterns come from configuration, texts may come from
 * clients: a regular expression would backtrack once per `*`, this takes the leftmost place for each piece and never goes
 * back, so the work is at most pattern times text.
 */
export function createGlob(pattern: string): (text: string) => boolean {
  if (pattern === "*") return () => true;
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  const pieces = pattern.split(/\*+/);
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return (text) => text.length === pattern.length && fits(text, pattern, 0);
  return (text) => {
    if (!fits(text, first, 0)) return false;
    let from = first.length;
    for (const piece of rest) {
      const at = find(text, piece, from);
      if (at < 0) return false;
      from = at + piece.length;
    }
    const end = text.length - last.length;
    return end >= from && fits(text, last, end);
  };
}

/** Whether `piece`, in which `?` is any character, stands at `at`. */
function fits(text: string, piece: string, at: number): boolean {
  if (!piece.includes("?")) return text.startsWith(piece, at);
  if (at + piece.length > text.length) return false;
  for (let index = 0; index < piece.length; index++) {
    if (piece[index] !== "?" && piece[index] !== text[at + index]) return false;
  }
  return true;
}

function find(text: string, piece: string, from: number): number {
  if (!piece.includes("?")) return text.indexOf(piece, from);
  for (let at = from; at + piece.length <= text.length; at++) {
    if (fits(text, piece, at)) return at;
  }
  return -1;
}

/** How much of a name a glob pins: its length without wildcards. */
export function globSpecificity(pattern: string): number {
  return pattern.replace(/[*?]/g, "").length;
}
