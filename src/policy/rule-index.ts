/**
 * Finds the first rule that matches, or all conditions that hold, without trying them all: by values that a request must have for a rule to match at all,
 * read from the rules' formulas. What no formula or table tells is tried as before.
 */
import type { Block, Condition, Test } from "./condition.ts";
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
  const tests = blocks.map(({ test }) => test);
  if (blocks.length < LEAST) return findFirst(tests);
  const groups = createGroups(blocks.map(blockFormula), tests);
  const none = blocks.length;
  return (context) => {
    const hunt: Hunt = { limit: none, wantsAll: false, all: null };
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
  if (conditions.length < LEAST) return findAll(tests);
  const groups = createGroups(
    conditions.map(({ formula }) => formula),
    tests,
  );
  return (context) => {
    const hunt: Hunt = { limit: conditions.length, wantsAll: true, all: null };
    for (const group of groups) group.hunt(context, hunt);
    return hunt.all === null ? NOTHING : ascending(hunt.all);
  };
}

/** Each once. */
function ascending(positions: number[]): readonly number[] {
  positions.sort((a, b) => a - b);
  return positions.filter((at, index) => at !== positions[index - 1]);
}

function findFirst(tests: readonly Test[]): FindFirst {
  return (context) => {
    for (let at = 0; at < tests.length; at += 1) if (tests[at]?.(context) === true) return at;
    return -1;
  };
}

function findAll(tests: readonly Test[]): FindAll {
  return (context) => {
    let found: number[] | null = null;
    for (let at = 0; at < tests.length; at += 1) if (tests[at]?.(context) === true) (found ??= []).push(at);
    return found ?? NOTHING;
  };
}
