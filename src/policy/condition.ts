/** A condition of a `when` block, compiled; and what a kind of condition has to tell. */
import type { Json } from "../base/json.ts";
import type { ConditionContext } from "./context.ts";
import type { Formula } from "./formula.ts";
import type { Reader } from "./readers.ts";
import type { Source, Written } from "./source.ts";

export type Test = (context: ConditionContext) => boolean;

/** One key of a block and its value. */
export interface Condition {
  readonly name: string;
  readonly value: Json;
  /** Compact JSON that names the condition in a ledger's `facts.tested`. */
  readonly key: string;
  /** Rank by price: 0 a comparison, 1 a glob or a table, 2 a hash or a clock, 3 a search through text. */
  readonly cost: number;
  readonly test: Test;
  /** Why `test` gave false, for `explain`; never a text of the request. */
  readonly why: (context: ConditionContext) => string;
  readonly formula: Formula;
  /** Its outcome is kept in the ledger, because what it looks at is not. */
  readonly recorded: boolean;
  /** That outcome can also be told from what is kept. */
  readonly replayable: boolean;
  /** Conditions of nested blocks. */
  readonly nested: readonly Condition[];
}

/** A conjunction. */
export interface Block {
  /** In the order written. */
  readonly conditions: readonly Condition[];
  readonly test: Test;
}

/** What a kind of condition is. `rule` salts draws. */
export interface Kind<Value> {
  /** One line for docs and editors. */
  readonly doc: string;
  /** Type as the docs print it. */
  readonly type: string;
  readonly reader: Reader<Value>;
  readonly cost: number;
  readonly toJson: (value: Value) => Json;
  readonly test: (value: Value, rule: string) => Test;
  readonly why: (value: Value, context: ConditionContext, rule: string) => string;
  readonly formula: (value: Value, rule: string) => Formula;
  /** See {@link Condition}. `salted`: its outcome also depends on the rule's name. */
  readonly recorded?: "plain" | "salted";
  /** Whether a replay, which has no texts and names, can still test it. */
  readonly replayable?: (value: Value) => boolean;
}

/** A kind with its value type hidden: the form in which the table of conditions holds it. */
export interface ConditionType {
  readonly doc: string;
  readonly type: string;
  readonly reader: Reader<unknown>;
  readonly read: (source: Source, node: Written, label: string, rule: string) => Condition | undefined;
}

/** Hides the value's type of `kind`, which goes by `name`. */
export function defineCondition<Value>(name: string, kind: Kind<Value>): ConditionType {
  return {
    doc: kind.doc,
    type: kind.type,
    reader: kind.reader,
    read: (source, node, label, rule) => {
      const value = kind.reader.read(source, node, `${label}: ${name}`);
      return value === undefined ? undefined : compile(name, kind, value, rule);
    },
  };
}

function compile<Value>(name: string, kind: Kind<Value>, value: Value, rule: string): Condition {
  const json = kind.toJson(value);
  const key = JSON.stringify(kind.recorded === "salted" ? { [name]: json, rule } : { [name]: json });
  const live = kind.test(value, rule);
  const replayable = kind.replayable?.(value) ?? false;
  const recalled: Test = (context) => {
    const recall = context.input.recall;
    if (recall === undefined) return live(context);
    const known = recall(key);
    if (known !== null) return known;
    if (replayable) return live(context);
    context.leaveOpen(key);
    return false;
  };
  return {
    name,
    value: json,
    key,
    cost: kind.cost,
    test: kind.recorded === undefined ? live : recalled,
    why: (context) => kind.why(value, context, rule),
    formula: kind.formula(value, rule),
    recorded: kind.recorded !== undefined,
    replayable,
    nested: [],
  };
}

/** Holds when all of `tests` do, asked in their order. */
export function allOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (context) => {
    for (const test of tests) {
      if (!test(context)) return false;
    }
    return true;
  };
}

/** Holds when one of `tests` does, asked in their order. */
export function anyOf(tests: readonly Test[]): Test {
  return (context) => {
    for (const test of tests) {
      if (test(context)) return true;
    }
    return false;
  };
}

/** A block of `conditions`: all must hold; the cheap ones are asked first. */
export function createBlock(conditions: readonly Condition[]): Block {
  const tests = conditions.toSorted((a, b) => a.cost - b.cost).map((condition) => condition.test);
  return { conditions, test: allOf(tests) };
}

/** The first condition, as written, that fails, with the reason; null when all hold. */
export function firstFailure(block: Block, context: ConditionContext): string | null {
  const failed = block.conditions.find((condition) => !condition.test(context));
  return failed === undefined ? null : failed.why(context);
}

/** Every condition of `block` and of the blocks in it whose outcome the ledger keeps. */
export function recordedConditions(block: Block): readonly Condition[] {
  const walk = (conditions: readonly Condition[]): readonly Condition[] =>
    conditions.flatMap((condition) => [...(condition.recorded ? [condition] : []), ...walk(condition.nested)]);
  return walk(block.conditions);
}
