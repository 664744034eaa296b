/**
 * What a condition says, as data that `lint` can reason about: a Boolean formula over independent dimensions of a request.
 * Treating dimensions as independent only adds requests that cannot occur, so "no request matches" stays true of real ones.
 */
export type Atom =
  /** An integer of a dimension whose values start at `least` (−1 stands for absent) lies in [from, to]. */
  | {
      readonly kind: "number";
      readonly dimension: string;
      readonly least: number;
      readonly from: number;
      readonly to: number;
    }
  /** The dimension's value, one of `domain` ("" stands for absent), is one of `words`. */
  | {
      readonly kind: "word";
      readonly dimension: string;
      readonly domain: readonly string[];
      readonly words: readonly string[];
    }
  /** A text (`one`), or one of several, matches a glob of `patterns`, or contains one of them. */
  | {
      readonly kind: "pattern";
      readonly dimension: string;
      readonly one: boolean;
      readonly match: "glob" | "contains";
      readonly patterns: readonly string[];
    }
  /** Anything else that is either true or false. */
  | { readonly kind: "opaque"; readonly dimension: string };

export type Formula =
  | Atom
  | { readonly kind: "all"; readonly of: readonly Formula[] }
  | { readonly kind: "any"; readonly of: readonly Formula[] }
  | { readonly kind: "not"; readonly of: Formula };

export const ALWAYS: Formula = { kind: "all", of: [] };
export const NEVER: Formula = { kind: "any", of: [] };

export function not(of: Formula): Formula {
  return { kind: "not", of };
}
