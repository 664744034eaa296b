/** What a request must have for a formula to hold, as values that can be looked up. */
import { READERS } from "./dimensions.ts";
import { not } from "./formula.ts";
import type { Atom, Formula } from "./formula.ts";
import type { SearchName } from "./text-search.ts";

/** One of the ways in which a block may hold: `key` is under `dimension`. */
export type Guard =
  | { readonly kind: "text"; readonly dimension: string; readonly text: string; readonly exact: boolean }
  /** `from` and `to` are outside. */
  | { readonly kind: "number"; readonly dimension: string; readonly from: number; readonly to: number }
  /** A word that is in a text. */
  | { readonly kind: "word"; readonly by: SearchName; readonly word: string };

/** Ways of which at least one is a block's whenever it holds, and how few requests they let through: the more the fewer. */
export interface Guards {
  readonly any: readonly Guard[];
  readonly rank: number;
}

/** `excluded`: on top for words, by the share of all words that a request must not have. */
const RANK = { never: 5, exact: 4, prefix: 3, found: 2.75, word: 2, excluded: 0.5, number: 1, presence: 0 } as const;

/** null: nothing that can be looked up is necessary for `formula`. */
export function guardsOf(formula: Formula): Guards | null {
  switch (formula.kind) {
    case "all":
      return formula.of
        .map(guardsOf)
        .reduce((best, each) => ((each?.rank ?? -1) > (best?.rank ?? -1) ? each : best), null);
    case "any":
      return unite(formula.of.map(guardsOf));
    case "not":
      return guardsOfNot(formula.of);
    default:
      return guardsOfAtom(formula);
  }
}

function unite(each: readonly (Guards | null)[]): Guards | null {
  const known = each.filter((guards) => guards !== null);
  if (known.length < each.length) return null;
  return { any: known.flatMap(({ any }) => any), rank: Math.min(RANK.never, ...known.map(({ rank }) => rank)) };
}

function guardsOfNot(formula: Formula): Guards | null {
  switch (formula.kind) {
    case "all":
      return guardsOf({ kind: "any", of: formula.of.map(not) });
    case "any":
      return guardsOf({ kind: "all", of: formula.of.map(not) });
    case "not":
      return guardsOf(formula.of);
    case "number": {
      const { dimension, least, from, to } = formula;
      const outside = [
        numberGuard(dimension, least, from - 1),
        numberGuard(dimension, to + 1, Number.POSITIVE_INFINITY),
      ];
      return READERS.number(dimension) === null ? null : { any: outside, rank: RANK.number };
    }
    case "word": {
      const { domain, words } = formula;
      return guardsOfAtom({ ...formula, words: domain.filter((word) => !words.includes(word)) });
    }
    case "opaque":
      return textGuards(formula.dimension, ["false"], RANK.word + RANK.excluded / 2);
    case "pattern":
      return null;
  }
}

function guardsOfAtom(atom: Atom): Guards | null {
  const { dimension } = atom;
  switch (atom.kind) {
    case "number":
      return READERS.number(dimension) === null
        ? null
        : { any: [numberGuard(dimension, atom.from, atom.to)], rank: RANK.number };
    case "word":
      return textGuards(
        dimension,
        atom.words,
        RANK.word + RANK.excluded * (1 - atom.words.length / atom.domain.length),
      );
    case "opaque":
      return textGuards(dimension, ["true"], RANK.word + RANK.excluded / 2);
    case "pattern":
      if (atom.match === "contains") return wordGuards(dimension, atom.patterns);
      return atom.one ? globGuards(dimension, atom.patterns) : null;
  }
}

/** Formulas count in whole numbers from 0 on, clients may not: what lies between two or below counts to both sides. */
function numberGuard(dimension: string, from: number, to: number): Guard {
  return { kind: "number", dimension, from: from <= 0 ? Number.NEGATIVE_INFINITY : from - 1, to: to + 1 };
}

function textGuards(dimension: string, texts: readonly string[], rank: number): Guards | null {
  if (!isText(dimension)) return null;
  return { any: texts.map((text) => ({ kind: "text", dimension, text, exact: true })), rank };
}

function isText(dimension: string): boolean {
  return READERS.text(dimension) !== null || READERS.named(dimension) !== null;
}

function wordGuards(dimension: string, words: readonly string[]): Guards | null {
  const by = READERS.search(dimension);
  return by === null ? null : { any: words.map((word) => ({ kind: "word", by, word })), rank: RANK.found };
}

/** A pattern with wildcards is looked up by what stands before the first. */
function globGuards(dimension: string, patterns: readonly string[]): Guards | null {
  if (!isText(dimension)) return null;
  const any = patterns.map((pattern): Guard => {
    const text = /^[^*?]*/.exec(pattern)?.[0] ?? "";
    return { kind: "text", dimension, text, exact: text === pattern };
  });
  const isExact = any.every((guard) => guard.kind === "text" && guard.exact);
  const hasPrefix = patterns.every((pattern) => !/^[*?]/.test(pattern));
  return { any, rank: isExact ? RANK.exact : hasPrefix ? RANK.prefix : RANK.presence };
}
