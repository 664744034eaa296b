/** The words that a policy's conditions look for in the texts of a request: all those of one text in one search. */
import { createWordSearch, type WordSearch } from "../base/word-search.ts";
import type { Policy } from "./policy.ts";

/** Conditions that search a text, by name. */
export const SEARCHES = ["system_contains", "prompt_contains"] as const;
export type SearchName = (typeof SEARCHES)[number];

export type TextSearches = Readonly<Record<SearchName, WordSearch>>;

const searches = new WeakMap<Policy, TextSearches>();

/** Compiled when a policy is asked for the first time. */
export function searchesOf(policy: Policy): TextSearches {
  const known = searches.get(policy);
  if (known !== undefined) return known;
  const made: TextSearches = {
    system_contains: createWordSearch(wordsOf(policy, "system_contains")),
    prompt_contains: createWordSearch(wordsOf(policy, "prompt_contains")),
  };
  searches.set(policy, made);
  return made;
}

function wordsOf({ recorded }: Policy, name: SearchName): readonly string[] {
  return recorded.flatMap(({ formula }) =>
    formula.kind === "pattern" && formula.match === "contains" && formula.dimension === name ? formula.patterns : [],
  );
}
