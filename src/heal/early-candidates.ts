/** The alternatives still possible for one value of a streamed document, and how its parts narrow them. */
import { type Alternative, conjoin, MAX_ALTERNATIVES, type Shape, type Shapes } from "./early-shapes.ts";
import type { Json } from "../base/json.ts";

/** One alternative for a value; `owner` is the place of the alternative of the enclosing value that asks for it. */
export interface Candidate {
  readonly owner: number;
  readonly shapes: Alternative;
}

export function allowKind(candidates: readonly Candidate[], kind: number): readonly Candidate[] {
  return candidates.filter(({ shapes }) => shapes.every(({ kinds }) => (kinds & kind) !== 0));
}

/** Those that allow a number beginning with a minus. */
export function allowNegative(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(({ minimum, exclusiveMinimum }) => minimum <= 0 && exclusiveMinimum < 0),
  );
}

export function allowNumber(candidates: readonly Candidate[], value: number): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(
      (shape) =>
        (!shape.isInteger || Number.isInteger(value)) &&
        value >= shape.minimum &&
        value <= shape.maximum &&
        value > shape.exclusiveMinimum &&
        value < shape.exclusiveMaximum &&
        (shape.numbers === null || shape.numbers.has(value)),
    ),
  );
}

/** Those that allow a string of `length` code points; until it has ended only too long is wrong. */
export function allowLength(candidates: readonly Candidate[], length: number, hasEnded: boolean): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(({ minLength, maxLength }) => length <= maxLength && (!hasEnded || length >= minLength)),
  );
}

/** Those whose object may end with `keys`. */
export function allowObjectEnd(candidates: readonly Candidate[], keys: ReadonlySet<string>): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(
      ({ required, minProperties, maxProperties }) =>
        keys.size >= minProperties && keys.size <= maxProperties && required.every((key) => keys.has(key)),
    ),
  );
}

export function allowArrayEnd(candidates: readonly Candidate[], length: number): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(({ minItems, maxItems }) => length >= minItems && length <= maxItems),
  );
}

/** Those whose array may have an item at `index`. */
export function allowItem(candidates: readonly Candidate[], index: number): readonly Candidate[] {
  return candidates.filter(({ shapes }) =>
    shapes.every(({ maxItems, placed, rest }) => index < maxItems && (placed[index] ?? rest) !== false),
  );
}

/** The candidates for the member `key` of an object with `owners`. */
export function memberCandidates(owners: readonly Candidate[], key: string, shapes: Shapes): readonly Candidate[] {
  return childCandidates(owners, shapes, (shape) => shape.properties.get(key) ?? shape.additional);
}

/** The candidates for the item at `index` of an array with `owners`. */
export function itemCandidates(owners: readonly Candidate[], index: number, shapes: Shapes): readonly Candidate[] {
  return childCandidates(owners, shapes, ({ placed, rest }) => placed[index] ?? rest);
}

function childCandidates(
  owners: readonly Candidate[],
  shapes: Shapes,
  schemaIn: (shape: Shape) => Json,
): readonly Candidate[] {
  const children: Candidate[] = [];
  owners.forEach(({ shapes: parents }, owner) => {
    let alternatives: readonly Alternative[] = [[]];
    for (const parent of parents) {
      const expanded = shapes.expand(schemaIn(parent));
      alternatives = expanded.length === 0 ? [] : conjoin(alternatives, expanded);
      if (alternatives.length === 0) return;
    }
    // Too many in sum: this owner's child may then be anything.
    if (children.length + alternatives.length > 2 * MAX_ALTERNATIVES) children.push({ owner, shapes: [] });
    else for (const alternative of alternatives) children.push({ owner, shapes: alternative });
  });
  return children;
}

/** The owners for which some candidate of their child is left. */
export function keepOwners(owners: readonly Candidate[], children: readonly Candidate[]): readonly Candidate[] {
  const alive = new Set(children.map(({ owner }) => owner));
  return alive.size === owners.length ? owners : owners.filter((_, index) => alive.has(index));
}

/** Whether a candidate restricts which string or how long it is. */
export function restrictsStrings({ shapes }: Candidate): boolean {
  return shapes.some(
    ({ strings, minLength, maxLength }) => strings !== null || minLength > 0 || maxLength !== Number.POSITIVE_INFINITY,
  );
}

/**
 * A sorted list of texts, narrowed unit by unit to those that begin with what has come. Each step is two binary searches.
 */
export interface Narrowing {
  /** False once no text of the list begins so. */
  readonly push: (unit: number) => boolean;
  /** Whether what has come is one of the texts. */
  readonly isWhole: () => boolean;
}

export function createNarrowing(sorted: readonly string[]): Narrowing {
  let low = 0;
  let high = sorted.length;
  let length = 0;

  /** First place in [low, high) whose unit at `length` is ≥ `unit`. A text that has ended comes first. */
  const lowerBound = (unit: number): number => {
    let from = low;
    let to = high;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const text = sorted[middle] ?? "";
      if (text.length > length && text.charCodeAt(length) >= unit) to = middle;
      else from = middle + 1;
    }
    return from;
  };
  return {
    push: (unit) => {
      const from = lowerBound(unit);
      high = lowerBound(unit + 1);
      low = from;
      length++;
      return low < high;
    },
    isWhole: () => low < high && sorted[low]?.length === length,
  };
}

/** The texts that all lists of a candidate allow, or null when it has none. */
export function commonTexts(lists: readonly (readonly string[])[]): readonly string[] | null {
  const [first, ...others] = lists;
  if (first === undefined) return null;
  const sets = others.map((list) => new Set(list));
  return sets.length === 0 ? first : first.filter((text) => sets.every((set) => set.has(text)));
}
