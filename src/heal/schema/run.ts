/** One validation under way: its budget, where in the value it is, and the first thing found wrong. */
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { Resource } from "./document.ts";
import { type PathStep, renderPath } from "./path.ts";

/** Properties and items of one value that some keyword has looked at, for `unevaluated…`. */
export interface Seen {
  readonly keys: Set<string>;
  readonly items: Set<number>;
  /** Items below this index were looked at. */
  itemsTo: number;
}

export function createSeen(): Seen {
  return { keys: new Set(), items: new Set(), itemsTo: 0 };
}

export function mergeSeen(into: Seen, from: Seen): void {
  for (const key of from.keys) into.keys.add(key);
  for (const item of from.items) into.items.add(item);
  into.itemsTo = Math.max(into.itemsTo, from.itemsTo);
}

/** Whether `value` satisfies a piece of schema. Marks what it looked at in `seen`, when that matters to anybody. */
export type Check = (value: Json, run: Run, seen: Seen | null) => boolean;

const NOT_VALIDATED = Symbol("not validated");

/** What is thrown where a validation cannot go on. Never leaves `json-schema.ts`. */
export interface NotValidated extends Error {
  readonly [NOT_VALIDATED]: true;
}

/** An error that ends a validation without a verdict; `reason` says why. */
export function notValidated(reason: string): NotValidated {
  return Object.assign(new Error(reason), { [NOT_VALIDATED]: true } as const);
}

export function isNotValidated(error: unknown): error is NotValidated {
  return error instanceof Error && Object.hasOwn(error, NOT_VALIDATED);
}

export interface RunLimits {
  readonly maxSteps: number;
  readonly maxMs: number;
}

export interface Run {
  /** Spends work; `steps` of 1 is a keyword or an entry, about a quarter of a microsecond. */
  readonly spend: (steps: number) => void;
  /** Runs `check` one level deeper into schema; bounds recursion. */
  readonly nest: (check: Check, value: Json, seen: Seen | null) => boolean;
  /** Runs `check` on a part of the value. */
  readonly descend: (name: PathStep, check: Check, value: Json) => boolean;
  /** Says what is wrong here; always false. */
  readonly fail: (message: string) => false;
  /** Runs `attempt` without its failures being told: a branch of `anyOf` may fail. */
  readonly quietly: (attempt: () => boolean) => boolean;
  /** The same where a branch that holds may make the whole fail: `not`, `oneOf`, `if`, `contains`. */
  readonly quietlyTurning: (attempt: () => boolean) => boolean;
  /** A pattern could not be checked and was taken for satisfied. */
  readonly skipPattern: () => true;
  /** Innermost last; read by `$dynamicRef`. */
  readonly scope: Resource[];
  /** What was found wrong first, with its JSON path; null while nothing was. */
  readonly failure: () => string | null;
  readonly skippedPatterns: () => number;
  /** A skipped pattern stood where it may have turned the verdict. */
  readonly isUncertain: () => boolean;
}

/** Schema levels nested in each other, through all the value: beyond this it is taken for a loop. */
const MAX_NESTING = 600;
/** The clock is read once in so many steps. */
const CLOCK_EVERY = 512;

export function createRun(limits: RunLimits, clock: Clock): Run {
  const endMs = clock.nowMs() + limits.maxMs;
  let steps = 0;
  let nextLook = CLOCK_EVERY;
  let nesting = 0;
  let quiet = 0;
  let turning = 0;
  let failure: string | null = null;
  let skippedPatterns = 0;
  let isUncertain = false;
  const path: PathStep[] = [];

  const spend = (count: number): void => {
    steps += count;
    if (steps < nextLook) return;
    nextLook = steps + CLOCK_EVERY;
    if (steps > limits.maxSteps) throw notValidated(`more than ${limits.maxSteps} steps of work`);
    if (clock.nowMs() > endMs) throw notValidated(`more than ${limits.maxMs} ms of work`);
  };
  const run: Run = {
    spend,
    nest: (check, value, seen) => {
      if (++nesting > MAX_NESTING) throw notValidated("schema and value nested too deeply");
      spend(1);
      const isValid = check(value, run, seen);
      nesting--;
      return isValid;
    },
    descend: (name, check, value) => {
      path.push(name);
      const isValid = check(value, run, null);
      path.pop();
      return isValid;
    },
    fail: (message) => {
      if (quiet === 0) failure ??= `${renderPath(path)} ${message}`;
      return false;
    },
    quietly: (attempt) => {
      quiet++;
      const isValid = attempt();
      quiet--;
      return isValid;
    },
    quietlyTurning: (attempt) => {
      turning++;
      const isValid = run.quietly(attempt);
      turning--;
      return isValid;
    },
    skipPattern: () => {
      skippedPatterns++;
      if (turning > 0) isUncertain = true;
      return true;
    },
    scope: [],
    failure: () => failure,
    skippedPatterns: () => skippedPatterns,
    isUncertain: () => isUncertain,
  };
  return run;
}
