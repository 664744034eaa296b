/**
 * Sets of requests, as lint reasons about them: a formula becomes a union of terms, a term fixes a set of values per
 * dimension. Sound: a set reported empty holds no request. Beyond {@link MAX_TERMS} terms nothing is claimed.
 */
import type { Atom, Formula } from "./formula.ts";

const MAX_TERMS = 256;

type Range = readonly [from: number, to: number];

/** The values that a term leaves to one dimension. */
type Cell =
  | { readonly kind: "number"; readonly ranges: readonly Range[] }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | {
      readonly kind: "pattern";
      readonly one: boolean;
      readonly match: "glob" | "contains";
      /** Each list: one of its patterns matches. */
      readonly some: readonly (readonly string[])[];
      /** None of these matches. */
      readonly none: readonly string[];
    }
  | { readonly kind: "opaque"; readonly holds: boolean };

type Term = ReadonlyMap<string, Cell>;

/** A union of terms; null: too many to reason about. */
export type RequestSet = readonly Term[] | null;

const EVERYTHING: readonly Term[] = [new Map()];

/** The requests for which `formula` holds. */
export function requestsOf(formula: Formula): RequestSet {
  return expand(formula, true);
}

/** The requests of `set` for which `formula` holds too. */
export function within(set: RequestSet, formula: Formula): RequestSet {
  return product(set, expand(formula, true));
}

/** The requests for which a formula holds, and all others: worked out once, to be taken from many sets. */
export interface Split {
  readonly inside: RequestSet;
  readonly outside: RequestSet;
}

export function splitBy(formula: Formula): Split {
  return { inside: expand(formula, true), outside: expand(formula, false) };
}

/** The requests of `set` that are outside. */
export function without(set: RequestSet, { inside, outside }: Split): RequestSet {
  if (set === null || inside === null || outside === null) return null;
  const left: Term[] = [];
  for (const term of set) {
    // A term that the formula does not touch stays whole, which keeps unions over many rules small.
    if (inside.every((other) => meet(term, other) === null)) left.push(term);
    else left.push(...outside.map((other) => meet(term, other)).filter((each) => each !== null));
    if (left.length > MAX_TERMS) return null;
  }
  return left;
}

/** Whether every request of `set` is inside: what {@link without} leaves is surely empty, told sooner. */
export function isSurelyInside(set: RequestSet, { inside, outside }: Split): boolean {
  if (set === null || inside === null || outside === null) return false;
  return set.every(
    (term) =>
      inside.some((other) => meet(term, other) !== null) && outside.every((other) => meet(term, other) === null),
  );
}

/** Whether no request is in `set`: true only when that is certain. */
export function isSurelyEmpty(set: RequestSet): boolean {
  return set?.length === 0;
}

function expand(formula: Formula, holds: boolean): RequestSet {
  switch (formula.kind) {
    case "not":
      return expand(formula.of, !holds);
    case "all":
      return holds ? conjunction(formula.of, holds) : disjunction(formula.of, holds);
    case "any":
      return holds ? disjunction(formula.of, holds) : conjunction(formula.of, holds);
    default: {
      const cell = cellOf(formula, holds);
      return isEmptyCell(cell) ? [] : [new Map([[formula.dimension, cell]])];
    }
  }
}

function conjunction(formulas: readonly Formula[], holds: boolean): RequestSet {
  return formulas.reduce<RequestSet>((set, formula) => product(set, expand(formula, holds)), EVERYTHING);
}

function disjunction(formulas: readonly Formula[], holds: boolean): RequestSet {
  const terms: Term[] = [];
  for (const formula of formulas) {
    const expanded = expand(formula, holds);
    if (expanded === null || terms.length + expanded.length > MAX_TERMS) return null;
    terms.push(...expanded);
  }
  return terms;
}

function product(a: RequestSet, b: RequestSet): RequestSet {
  if (a === null || b === null) return null;
  const terms: Term[] = [];
  for (const left of a) {
    for (const right of b) {
      const both = meet(left, right);
      if (both !== null) terms.push(both);
      if (terms.length > MAX_TERMS) return null;
    }
  }
  return terms;
}

/** The requests of both terms; null when there are none. */
function meet(a: Term, b: Term): Term | null {
  const both = new Map(a);
  for (const [dimension, cell] of b) {
    const other = both.get(dimension);
    const joined = other === undefined ? cell : meetCells(other, cell);
    if (isEmptyCell(joined)) return null;
    both.set(dimension, joined);
  }
  return both;
}

function meetCells(a: Cell, b: Cell): Cell {
  if (a.kind === "number" && b.kind === "number") return { kind: "number", ranges: meetRanges(a.ranges, b.ranges) };
  if (a.kind === "word" && b.kind === "word")
    return { kind: "word", words: a.words.filter((word) => b.words.includes(word)) };
  if (a.kind === "pattern" && b.kind === "pattern") {
    return { ...a, some: [...a.some, ...b.some], none: [...a.none, ...b.none] };
  }
  if (a.kind === "opaque" && b.kind === "opaque") return a.holds === b.holds ? a : { kind: "word", words: [] };
  // One dimension has one kind of cell: the table of conditions gives each its own name.
  return a;
}

function meetRanges(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  return a.flatMap(([from, to]) =>
    b
      .map(([otherFrom, otherTo]): Range => [Math.max(from, otherFrom), Math.min(to, otherTo)])
      .filter(([low, high]) => low <= high),
  );
}

function cellOf(atom: Atom, holds: boolean): Cell {
  switch (atom.kind) {
    case "number": {
      const { least, from, to } = atom;
      const ranges: readonly Range[] = holds ? [[Math.max(least, from), to]] : outside(least, from, to);
      return { kind: "number", ranges: ranges.filter(([low, high]) => low <= high) };
    }
    case "word":
      return { kind: "word", words: atom.domain.filter((word) => atom.words.includes(word) === holds) };
    case "pattern": {
      const { one, match, patterns } = atom;
      return holds
        ? { kind: "pattern", one, match, some: [patterns], none: [] }
        : { kind: "pattern", one, match, some: [], none: patterns };
    }
    case "opaque":
      return { kind: "opaque", holds };
  }
}

/** What lies outside of [from, to] from `least` on; everything when that range is empty. */
function outside(least: number, from: number, to: number): readonly Range[] {
  if (from > to) return [[least, Number.POSITIVE_INFINITY]];
  return [
    [least, from - 1],
    [to + 1, Number.POSITIVE_INFINITY],
  ].filter((range): range is [number, number] => range[0] !== Number.POSITIVE_INFINITY);
}

function isEmptyCell(cell: Cell): boolean {
  switch (cell.kind) {
    case "number":
      return cell.ranges.length === 0;
    case "word":
      return cell.words.length === 0;
    case "pattern":
      return isEmptyPattern(cell);
    case "opaque":
      return false;
  }
}

type PatternCell = Extract<Cell, { kind: "pattern" }>;

function isEmptyPattern(cell: PatternCell): boolean {
  const excluded = (pattern: string): boolean => cell.none.some((other) => covers(cell.match, other, pattern));
  if (cell.some.some((patterns) => patterns.every(excluded))) return true;
  if (!cell.one || cell.match !== "glob") return false;
  // A single value that must be one of a few plain names: try each.
  const plain = cell.some.find((patterns) => patterns.every((pattern) => !/[*?]/.test(pattern)));
  if (plain === undefined) return false;
  return plain.every(
    (name) =>
      excluded(name) || cell.some.some((patterns) => !patterns.some((pattern) => covers("glob", pattern, name))),
  );
}

/** Whether everything that `pattern` matches (for `contains`: every text with it) also matches `other`: true only if certain. */
function covers(match: "glob" | "contains", other: string, pattern: string): boolean {
  if (match === "contains") return pattern.includes(other);
  return coversGlob(other, pattern);
}

/**
 * Glob against glob: the wildcards of `pattern` are symbols that only as wide a wildcard of `other` takes. Goes back to the
 * last `*` of `other` only, so the work is at most the product of both lengths.
 */
function coversGlob(other: string, pattern: string): boolean {
  let at = 0;
  let from = 0;
  let lastStar = -1;
  let starFrom = 0;
  while (from < pattern.length) {
    const symbol = other[at];
    if (symbol === "*") {
      lastStar = at;
      starFrom = from;
      at += 1;
    } else if (symbol !== undefined && (symbol === "?" ? pattern[from] !== "*" : symbol === pattern[from])) {
      at += 1;
      from += 1;
    } else if (lastStar >= 0) {
      starFrom += 1;
      from = starFrom;
      at = lastStar + 1;
    } else {
      return false;
    }
  }
  while (other[at] === "*") at += 1;
  return at === other.length;
}
