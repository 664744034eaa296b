/**
 * Finds the first rule that matches, or all conditions that hold, without trying them all: by values that a request must have for a rule to match at all,
 * read from the rules' formulas. What no formula or table tells is tried as before.
 */
import type { Block, Condition } from "./condition.ts";
import { blockFormula } from "./conditions.ts";
import type { ConditionContext } from "./context.ts";
import { createGroups } from "./rule-groups.ts";
import type { Hunt } from "./rule-groups.ts";

/** Position of the first of the blocks that hold; −1: none. */
export type FindFirst = (context: ConditionContext) => number;

/** Positions of all conditions that hold, ascending. */
export type FindAll = (context: ConditionContext) => readonly number[];

/** Fewer than this are tried one by one: that is as fast. */
const LEAST = 16;

/** Compiles `blocks` once, for any number of contexts. */
export function indexBlocks(blocks: readonly Block[]): FindFirst {
  if (blocks.length < LEAST) return (context) => blocks.findIndex(({ test }) => test(context));
  const tests = blocks.map(({ test }) => test);
  const groups = createGroups(blocks.map(blockFormula), tests);
  const none = blocks.length;
  return (context) => {
    const hunt: Hunt = { limit: none, all: null };
    for (const group of groups) {
      if (group.first >= hunt.limit) break;
      group.hunt(context, hunt);
    }
    return hunt.limit === none ? -1 : hunt.limit;
  };
}

const NOTHING: readonly number[] = [];

/** Compiles `conditions` once, for any number of contexts. */
export function indexConditions(conditions: readonly Condition[]): FindAll {
  const tests = conditions.map(({ test }) => test);
  if (conditions.length < LEAST) return (context) => tests.flatMap((test, at) => (test(context) ? [at] : []));
  const groups = createGroups(
    conditions.map(({ formula }) => formula),
    tests,
  );
  return (context) => {
    const all: number[] = [];
    const hunt: Hunt = { limit: conditions.length, all };
    for (const group of groups) group.hunt(context, hunt);
    if (all.length === 0) return NOTHING;
    all.sort((a, b) => a - b);
    return all.filter((at, index) => at !== all[index - 1]);
  };
}
