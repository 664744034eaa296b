/**
 * Finds the first rule that matches, or all conditions that hold, without trying them all: by values that a request must have for a rule to match at all,
 * read from the rules' formulas. What no formula or table tells is tried as before.
 */
import type { Block, Condition, Test } from "./condition.ts";
import { blockFormula } from "./conditions.ts";
import type { ConditionContext } from "./context.ts";
import { READERS } from "./dimensions.ts";
import type { NumberReader, TextReader } from "./dimensions.ts";
import type { Formula } from "./formula.ts";
import { guardsOf } from "./rule-guards.ts";
import type { Guard } from "./rule-guards.ts";

/** Position of the first of the blocks that hold; −1: none. */
export type FindFirst = (context: ConditionContext) => number;

/** Positions of all conditions that hold, ascending. */
export type FindAll = (context: ConditionContext) => readonly number[];

/** Fewer than this are tried one by one: that is as fast. */
const LEAST = 16;

interface TextGroup {
  readonly kind: "text";
  readonly read: TextReader;
  readonly exact: Map<string, number[]>;
  readonly prefixes: Map<string, number[]>;
  /** Of the prefixes, ascending. */
  lengths: readonly number[];
  /** The first that is in it. */
  first: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

interface NumberGroup {
  readonly kind: "number";
  readonly read: NumberReader;
  /** By `from`, ascending. */
  ranges: Range[];
  first: number;
}

interface RestGroup {
  readonly kind: "rest";
  readonly members: readonly number[];
  readonly first: number;
}

type Group = TextGroup | NumberGroup | RestGroup;

function push(map: Map<string, number[]>, key: string, at: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [at]);
  else if (known.at(-1) !== at) known.push(at);
}

/** All groups, by the first formula in each. */
function groupFormulas(formulas: readonly Formula[]): readonly Group[] {
  const groups = new Map<string, TextGroup | NumberGroup>();
  const rest: number[] = [];
  const groupOf = (guard: Guard, at: number): TextGroup | NumberGroup => {
    const key = `${guard.kind} ${guard.dimension}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group = openGroup(guard, at);
    groups.set(key, group);
    return group;
  };
  for (const [at, formula] of formulas.entries()) {
    const guards = guardsOf(formula);
    if (guards === null) rest.push(at);
    for (const guard of guards?.any ?? []) addTo(groupOf(guard, at), guard, at);
  }
  for (const group of groups.values()) {
    if (group.kind === "number") group.ranges.sort((a, b) => a.from - b.from);
    else group.lengths = [...new Set([...group.prefixes.keys()].map(({ length }) => length))].sort((a, b) => a - b);
  }
  const [first] = rest;
  const all: Group[] = [...groups.values()];
  if (first !== undefined) all.push({ kind: "rest", members: rest, first });
  return all.sort((a, b) => a.first - b.first);
}

function openGroup({ kind, dimension }: Guard, first: number): TextGroup | NumberGroup {
  if (kind === "number") return { kind, read: READERS.number(dimension) ?? (() => null), ranges: [], first };
  const read = READERS.text(dimension) ?? (() => null);
  return { kind, read, exact: new Map(), prefixes: new Map(), lengths: [], first };
}

function addTo(group: TextGroup | NumberGroup, guard: Guard, at: number): void {
  if (group.kind === "number" && guard.kind === "number") group.ranges.push({ from: guard.from, to: guard.to, at });
  if (group.kind === "text" && guard.kind === "text") push(guard.exact ? group.exact : group.prefixes, guard.text, at);
}

/** Compiles `blocks` once, for any number of contexts. */
export function indexBlocks(blocks: readonly Block[]): FindFirst {
  if (blocks.length < LEAST) return (context) => blocks.findIndex(({ test }) => test(context));
  const tests = blocks.map(({ test }) => test);
  const groups = groupFormulas(blocks.map(blockFormula));
  const none = blocks.length;

  /** The first of `among` that holds and is before `best`; else `best`. */
  const firstOf = (among: readonly number[] | undefined, best: number, context: ConditionContext): number => {
    if (among === undefined) return best;
    for (const at of among) {
      if (at >= best) return best;
      if (tests[at]?.(context) === true) return at;
    }
    return best;
  };

  const firstByText = (group: TextGroup, best: number, context: ConditionContext): number => {
    const value = group.read(context);
    if (value === null) return best;
    let found = firstOf(group.exact.get(value), best, context);
    for (const length of group.lengths) {
      if (length > value.length) break;
      found = firstOf(group.prefixes.get(value.slice(0, length)), found, context);
    }
    return found;
  };

  const firstByNumber = ({ read, ranges }: NumberGroup, best: number, context: ConditionContext): number => {
    const value = read(context) ?? -1;
    let found = best;
    for (const { from, to, at } of ranges) {
      if (from >= value) break;
      if (value < to && at < found && tests[at]?.(context) === true) found = at;
    }
    return found;
  };

  return (context) => {
    let best = none;
    for (const group of groups) {
      if (group.first >= best) break;
      switch (group.kind) {
        case "text":
          best = firstByText(group, best, context);
          break;
        case "number":
          best = firstByNumber(group, best, context);
          break;
        case "rest":
          best = firstOf(group.members, best, context);
          break;
      }
    }
    return best === none ? -1 : best;
  };
}

/** Compiles `conditions` once, for any number of contexts. */
export function indexConditions(conditions: readonly Condition[]): FindAll {
  const tests = conditions.map(({ test }) => test);
  if (conditions.length < LEAST) return (context) => tests.flatMap((test, at) => (test(context) ? [at] : []));
  const groups = groupFormulas(conditions.map(({ formula }) => formula));
  return (context) => {
    const found: number[] = [];
    for (const group of groups) {
      switch (group.kind) {
        case "text":
          addByText(group, tests, context, found);
          break;
        case "number":
          addByNumber(group, tests, context, found);
          break;
        case "rest":
          addHolding(group.members, tests, context, found);
          break;
      }
    }
    found.sort((a, b) => a - b);
    return found.filter((at, index) => at !== found[index - 1]);
  };
}

type Tests = readonly Test[];

function addHolding(among: readonly number[], tests: Tests, context: ConditionContext, found: number[]): void {
  for (const at of among) if (tests[at]?.(context) === true) found.push(at);
}

function addByText(group: TextGroup, tests: Tests, context: ConditionContext, found: number[]): void {
  const value = group.read(context);
  if (value === null) return;
  addHolding(group.exact.get(value) ?? [], tests, context, found);
  for (const length of group.lengths) {
    if (length > value.length) return;
    addHolding(group.prefixes.get(value.slice(0, length)) ?? [], tests, context, found);
  }
}

function addByNumber({ read, ranges }: NumberGroup, tests: Tests, context: ConditionContext, found: number[]): void {
  const value = read(context) ?? -1;
  for (const { from, to, at } of ranges) {
    if (from >= value) return;
    if (value < to && tests[at]?.(context) === true) found.push(at);
  }
}
