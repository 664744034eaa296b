/** Mistakes in a configuration or policy file, as data: where, how bad and what to do. */

export interface Diagnostic {
  /** As the user named it, or as it was found. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly severity: "error" | "warning";
  /** Lowercase start, one line; never a secret. */
  readonly text: string;
}

/** One line, `FILE:LINE:COL: error: TEXT`, as editors and CI annotators read it. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, text } = diagnostic;
  return `${file}:${line}:${column}: ${severity}: ${text}`;
}

/** Orders by file, line, column, so that one run's report is stable. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

/**
 * The word of `words` that `word` was most likely meant to be; null when none is close: more than a third of its
 * letters (two edits are granted to any word of four letters and more) would have to change. Letter case is ignored,
 * and two swapped neighbours are one edit.
 */
export function nearest(word: string, words: Iterable<string>): string | null {
  const allowed = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = allowed + 1;
  for (const candidate of words) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "X"?`, or nothing when no word is near: ready to be put behind an error text. */
export function suggestion(word: string, words: Iterable<string>): string {
  const near = nearest(word, words);
  return near === null ? "" : `; did you mean "${near}"?`;
}

/** Optimal string alignment: inserts, deletes, replaces and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
