/** Tests by what a request must have for them to hold: of many, only those are asked that a look at the request leaves. */
import type { Test } from "./condition.ts";
import type { ConditionContext } from "./context.ts";
import { READERS } from "./dimensions.ts";
import type { Family, NumberReader, TextReader } from "./dimensions.ts";
import type { Formula } from "./formula.ts";
import { guardsOf } from "./rule-guards.ts";
import type { Guard } from "./rule-guards.ts";
import type { SearchName } from "./text-search.ts";

/** A search for the first test that holds, or for all. */
export interface Hunt {
  /** Only tests before this one are asked. */
  limit: number;
  /** Else only the first is looked for, and becomes the limit. */
  readonly wantsAll: boolean;
  /** Those that held, in any order and perhaps twice; null: none so far. */
  all: number[] | null;
}

/** Tests that are found in one way. */
export interface Group {
  /** The first that is in it. */
  readonly first: number;
  readonly hunt: (context: ConditionContext, hunt: Hunt) => void;
}

/** Names of a family (headers, metadata) from which on a request's names are looked up in the rules, not the rules' in the request. */
const MANY_NAMES = 8;

type Positions = readonly number[];
type Tests = readonly Test[];

/** Groups of `tests`, by the first in each; `formulas` say the same as they. */
export function createGroups(formulas: readonly Formula[], tests: Tests): readonly Group[] {
  const texts = new Map<string, TextTable>();
  const families = new Map<Family, Map<string, TextTable>>();
  const numbers = new Map<string, NumberTable>();
  const words = new Map<SearchName, Map<string, number[]>>();
  const rest: number[] = [];
  const add = (guard: Guard, at: number): void => {
    switch (guard.kind) {
      case "text": {
        const { dimension, exact, text } = guard;
        const named = READERS.named(dimension);
        const table =
          named === null
            ? entryOf(texts, dimension, openText)
            : entryOf(entryOf(families, named.family, openNames), named.name, openText);
        push(exact ? table.exact : table.prefixes, text, at);
        table.first = Math.min(table.first, at);
        break;
      }
      case "number":
        entryOf(numbers, guard.dimension, openRanges).push({ from: guard.from, to: guard.to, at });
        break;
      case "word":
        push(entryOf(words, guard.by, openPositions), guard.word, at);
        break;
    }
  };
  for (const [at, formula] of formulas.entries()) {
    const guards = guardsOf(formula);
    if (guards === null) rest.push(at);
    for (const guard of guards?.any ?? []) add(guard, at);
  }
  const groups = [
    ...[...texts].map(([dimension, table]) => textGroup(READERS.text(dimension) ?? absent, table, tests)),
    ...[...families].flatMap(([family, tables]) => familyGroups(family, tables, tests)),
    ...[...numbers].map(([dimension, ranges]) => numberGroup(READERS.number(dimension) ?? absent, ranges, tests)),
    ...[...words].map(([by, positions]) => wordGroup(by, positions, tests)),
  ];
  const [first] = rest;
  if (first !== undefined) groups.push({ first, hunt: (context, hunt) => askEach(rest, tests, context, hunt) });
  return groups.sort((a, b) => a.first - b.first);
}

/** What nothing is known of. */
const absent = (): null => null;

function askEach(among: Positions | undefined, tests: Tests, context: ConditionContext, hunt: Hunt): void {
  if (among === undefined) return;
  for (const at of among) {
    if (at >= hunt.limit) return;
    if (tests[at]?.(context) === true) note(at, hunt);
  }
}

/** That a test held. */
function note(at: number, hunt: Hunt): void {
  if (!hunt.wantsAll) hunt.limit = at;
  else if (hunt.all === null) hunt.all = [at];
  else hunt.all.push(at);
}

interface TextTable {
  readonly exact: Map<string, number[]>;
  readonly prefixes: Map<string, number[]>;
  first: number;
}

function openText(): TextTable {
  return { exact: new Map(), prefixes: new Map(), first: Number.POSITIVE_INFINITY };
}

/** Tests by values of a text, in full or how they begin. */
function lookUp({ exact, prefixes }: TextTable, tests: Tests) {
  const lengths = [...new Set([...prefixes.keys()].map(({ length }) => length))].sort((a, b) => a - b);
  return (value: string, context: ConditionContext, hunt: Hunt): void => {
    askEach(exact.get(value), tests, context, hunt);
    for (const length of lengths) {
      if (length > value.length) return;
      askEach(prefixes.get(value.slice(0, length)), tests, context, hunt);
    }
  };
}

function textGroup(read: TextReader, table: TextTable, tests: Tests): Group {
  const ask = lookUp(table, tests);
  return {
    first: table.first,
    hunt: (context, hunt) => {
      const value = read(context);
      if (value !== null) ask(value, context, hunt);
    },
  };
}

function openNames(): Map<string, TextTable> {
  return new Map();
}

function familyGroups(family: Family, tables: ReadonlyMap<string, TextTable>, tests: Tests): readonly Group[] {
  if (tables.size < MANY_NAMES)
    return [...tables].map(([name, table]) => textGroup((context) => family.get(context, name), table, tests));
  const groups = new Map(
    [...tables].map(([name, { first, ...table }]) => [name, { first, ask: lookUp({ ...table, first }, tests) }]),
  );
  return [
    {
      first: Math.min(...[...tables.values()].map(({ first }) => first)),
      hunt: (context, hunt) => {
        for (const name of family.names(context)) {
          const group = groups.get(name);
          if (group === undefined || group.first >= hunt.limit) continue;
          const value = family.get(context, name);
          if (value !== null) group.ask(value, context, hunt);
        }
      },
    },
  ];
}

interface Range {
  /** Outside, like `to`. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
}
type NumberTable = Range[];

function openRanges(): NumberTable {
  return [];
}

function numberGroup(read: NumberReader, table: NumberTable, tests: Tests): Group {
  const ranges = table.toSorted((a, b) => a.from - b.from);
  return {
    first: Math.min(...ranges.map(({ at }) => at)),
    hunt: (context, hunt) => {
      const value = read(context) ?? -1;
      for (const { from, to, at } of ranges) {
        if (from >= value) return;
        if (value < to && at < hunt.limit && tests[at]?.(context) === true) note(at, hunt);
      }
    },
  };
}

function openPositions(): Map<string, number[]> {
  return new Map();
}

function wordGroup(by: SearchName, positions: ReadonlyMap<string, Positions>, tests: Tests): Group {
  return {
    first: Math.min(...[...positions.values()].flatMap(([first]) => (first === undefined ? [] : [first]))),
    hunt: (context, hunt) => {
      for (const word of context.wordsFound(by)) askEach(positions.get(word), tests, context, hunt);
    },
  };
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, open: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = open();
  map.set(key, made);
  return made;
}

function push(map: Map<string, number[]>, key: string, at: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [at]);
  else if (known.at(-1) !== at) known.push(at);
}
