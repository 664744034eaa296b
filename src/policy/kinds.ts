/** Families of conditions: numbers, presence, words, globs and texts. */
import { createGlob } from "../base/glob.ts";
import type { Json } from "../base/json.ts";
import { defineCondition } from "./condition.ts";
import type { ConditionType, Kind } from "./condition.ts";
import type { ConditionContext } from "./context.ts";
import { not } from "./formula.ts";
import type { Formula } from "./formula.ts";
import { oneOrMany } from "./containers.ts";
import { boolean, integer, text, word } from "./readers.ts";
import type { Reader } from "./readers.ts";
import type { SearchName } from "./text-search.ts";

type Table = Readonly<Record<string, ConditionType>>;

/** A list of one is printed as its only entry. */
export function unlist(values: readonly string[]): Json {
  return values.length === 1 ? (values[0] ?? "") : values;
}

/** `a`, `a or b`, `a, b or c`. */
export function joinOr(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const COMPARISONS = {
  lt: { words: "under", holds: (value: number, bound: number) => value < bound, from: 0, to: -1 },
  lte: { words: "at most", holds: (value: number, bound: number) => value <= bound, from: 0, to: 0 },
  gt: { words: "over", holds: (value: number, bound: number) => value > bound, from: 1, to: 0 },
  gte: { words: "at least", holds: (value: number, bound: number) => value >= bound, from: 0, to: 0 },
} as const;

/** `noun_lt`, `noun_lte`, `noun_gt` and `noun_gte`. `least` is −1 for a number that may be absent. */
export function numbers(
  noun: string,
  doc: string,
  least: 0 | -1,
  cost: number,
  read: (context: ConditionContext) => number | null,
): Table {
  const kinds = Object.entries(COMPARISONS).map(([suffix, { words, holds, from, to }]) => {
    const upper = suffix === "lt" || suffix === "lte";
    const kind: Kind<number> = {
      doc: `${doc}: ${words} this`,
      type: "integer",
      reader: integer(0),
      cost,
      toJson: (bound) => bound,
      test: (bound) => (context) => {
        const value = read(context);
        return value !== null && holds(value, bound);
      },
      why: (bound, context) => {
        const value = read(context);
        return value === null ? `${noun} is absent` : `${noun} is ${value}, not ${words} ${bound}`;
      },
      formula: (bound) => ({
        kind: "number",
        dimension: noun,
        least,
        from: upper ? 0 : bound + from,
        to: upper ? bound + to : Number.POSITIVE_INFINITY,
      }),
    };
    return [`${noun}_${suffix}`, defineCondition(`${noun}_${suffix}`, kind)] as const;
  });
  return Object.fromEntries(kinds);
}

/** A Boolean fact under its own name. */
export function flag(
  name: string,
  doc: string,
  read: (context: ConditionContext) => boolean,
  formula: Formula = { kind: "opaque", dimension: name },
): Table {
  return {
    [name]: defineCondition<boolean>(name, {
      doc,
      type: "true, false",
      reader: boolean,
      cost: 0,
      toJson: (wanted) => wanted,
      test: (wanted) => (context) => read(context) === wanted,
      why: (wanted) => `${name} is ${!wanted}, not ${wanted}`,
      formula: (wanted) => (wanted ? formula : not(formula)),
    }),
  };
}

/** `has_noun` and `no_noun`. */
export function presence(
  noun: string,
  doc: string,
  read: (context: ConditionContext) => boolean,
  formula: Formula = { kind: "opaque", dimension: `has_${noun}` },
): Table {
  return {
    ...flag(`has_${noun}`, doc, read, formula),
    ...flag(`no_${noun}`, `has_${noun} does not hold`, (context) => !read(context), not(formula)),
  };
}

/** A fact that is one of a few words, or absent. */
export function words<const Word extends string>(
  name: string,
  doc: string,
  allowed: readonly Word[],
  optional: boolean,
  read: (context: ConditionContext) => Word | null,
): Table {
  const domain = optional ? ["", ...allowed] : allowed;
  return {
    [name]: defineCondition<readonly Word[]>(name, {
      doc,
      type: `one or a list of ${allowed.map((each) => `\`${each}\``).join(" ")}`,
      reader: oneOrMany(word(allowed)),
      cost: 0,
      toJson: unlist,
      test: ([only, ...others]) => {
        if (others.length === 0) return (context) => read(context) === only;
        const wanted = new Set<string | null>([only ?? null, ...others]);
        return (context) => wanted.has(read(context));
      },
      why: (wanted, context) => `${name} is ${read(context) ?? "absent"}, not ${joinOr(wanted)}`,
      formula: (wanted) => ({ kind: "word", dimension: name, domain, words: wanted }),
    }),
  };
}

/** A glob over names as providers, apps and operators give them. */
export const nameGlob: Reader<string> = text(
  "a name or glob (letters, digits, . _ : / @ + -, with * and ? as wildcards)",
  256,
  /^[A-Za-z0-9._:/@+*?-]+$/,
);

/** A glob over any text of a header or a metadata value. */
export const textGlob: Reader<string> = text(
  "a text or glob without control characters",
  256,
  /^[^\u0000-\u001f\u007f]+$/,
);

/** Whether any of `patterns` matches; plain names are looked up in a set. */
export function anyGlob(patterns: readonly string[]): (value: string) => boolean {
  const plain = new Set(patterns.filter((pattern) => !/[*?]/.test(pattern)));
  const globs = patterns.filter((pattern) => /[*?]/.test(pattern)).map(createGlob);
  const [only] = patterns;
  if (globs.length === 0 && plain.size === 1) return (value) => value === only;
  if (globs.length === 0) return (value) => plain.has(value);
  const [glob] = globs;
  if (plain.size === 0 && globs.length === 1 && glob !== undefined) return glob;
  return (value) => plain.has(value) || globs.some((matches) => matches(value));
}

/** A fact that is a name or absent, matched by globs. `recorded`: the ledger keeps the outcome, not the name. */
export function globs(
  name: string,
  doc: string,
  read: (context: ConditionContext) => string | null,
  options: { readonly recorded?: true; readonly reader?: Reader<string> } = {},
): Table {
  return {
    [name]: defineCondition<readonly string[]>(name, {
      doc,
      type: "glob, or a list of globs",
      reader: oneOrMany(options.reader ?? nameGlob),
      cost: 1,
      toJson: unlist,
      test: (patterns) => {
        const matches = anyGlob(patterns);
        return (context) => {
          const value = read(context);
          return value !== null && matches(value);
        };
      },
      why: (patterns, context) => {
        if (options.recorded === true) return `${name} is not ${joinOr(patterns)}`;
        return `${name} is ${read(context) ?? "absent"}, not ${joinOr(patterns)}`;
      },
      formula: (patterns) => ({ kind: "pattern", dimension: name, one: true, match: "glob", patterns }),
      ...(options.recorded === true ? { recorded: "plain" as const } : {}),
    }),
  };
}

/** A text that contains one of the given ones, letter case ignored. */
export function contains(name: SearchName, doc: string): Table {
  return {
    [name]: defineCondition<readonly string[]>(name, {
      doc,
      type: "text, or a list of texts",
      reader: oneOrMany(text("a text", 1024)),
      cost: 3,
      toJson: unlist,
      test: (parts) => {
        const wanted = parts.map((part) => part.toLowerCase());
        return (context) => {
          const found = context.wordsFound(name);
          return found.size > 0 && wanted.some((part) => found.has(part));
        };
      },
      why: (parts) => `${name}: ${parts.length === 1 ? "the text does not occur" : "none of the texts occurs"}`,
      formula: (parts) => ({
        kind: "pattern",
        dimension: name,
        one: true,
        match: "contains",
        patterns: parts.map((part) => part.toLowerCase()),
      }),
      recorded: "plain",
    }),
  };
}
