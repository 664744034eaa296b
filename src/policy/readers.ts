/**
 * Typed readers of YAML nodes. A reader knows what it accepts in three forms that cannot drift apart: the check itself,
 * the words of its error, and a JSON Schema for editors.
 */
import { nearest } from "../base/diagnostic.ts";
import { parseDurationMs } from "../base/duration.ts";
import type { JsonObject } from "../base/json.ts";
import { quote } from "./source.ts";
import type { Resolved, Source, Written } from "./source.ts";
import { isMap, isScalar, isSeq } from "./yaml-nodes.ts";

export interface Reader<Value> {
  /** Completes "expected …". */
  readonly expects: string;
  readonly schema: JsonObject;
  /** The value, or undefined after reporting why not. `label` leads the message: `rule x: when: tokens_input_lt`. */
  readonly read: (source: Source, node: Written, label: string) => Value | undefined;
}

function describe(node: Resolved): string {
  if (node === null) return "nothing";
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  const { value } = node;
  if (value === null) return "nothing";
  return typeof value === "string" ? quote(value) : (node.source ?? JSON.stringify(value));
}

/** Reports that `expects` was not found, and gives undefined. */
export function refuse(
  source: Source,
  node: Written,
  resolved: Resolved,
  label: string,
  expects: string,
  hint = "",
): undefined {
  source.report(node, `${label}: expected ${expects}, found ${describe(resolved)}${hint}`);
  return undefined;
}

/** A reader of scalars: `accept` returns undefined for what is not acceptable. */
export function scalar<Value>(
  expects: string,
  schema: JsonObject,
  accept: (value: unknown) => Value | undefined,
  hint: (value: unknown) => string = () => "",
): Reader<Value> {
  return {
    expects,
    schema,
    read: (source, node, label) => {
      const resolved = source.resolve(node);
      if (resolved === undefined) return undefined;
      const value: unknown = isScalar(resolved) ? resolved.value : undefined;
      const accepted = isScalar(resolved) ? accept(value) : undefined;
      return accepted ?? refuse(source, node, resolved, label, expects, hint(value));
    },
  };
}

export const boolean: Reader<boolean> = scalar("true or false", { type: "boolean" }, (value) =>
  typeof value === "boolean" ? value : undefined,
);

export function integer(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Reader<number> {
  const bounded = maximum !== Number.MAX_SAFE_INTEGER;
  return scalar(
    bounded ? `an integer from ${minimum} to ${maximum}` : `an integer of at least ${minimum}`,
    { type: "integer", minimum, ...(bounded ? { maximum } : {}) },
    (value) =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= minimum && value <= maximum
        ? value
        : undefined,
  );
}

export function number(minimum: number, maximum = Number.MAX_VALUE): Reader<number> {
  const bounded = maximum !== Number.MAX_VALUE;
  return scalar(
    bounded ? `a number from ${minimum} to ${maximum}` : `a number of at least ${minimum}`,
    { type: "number", minimum, ...(bounded ? { maximum } : {}) },
    (value) => (typeof value === "number" && value >= minimum && value <= maximum ? value : undefined),
  );
}

/** Text of 1 to `maxChars` characters that `pattern` matches, when there is one. */
export function text(expects: string, maxChars: number, pattern?: RegExp): Reader<string> {
  const schema: JsonObject = {
    type: "string",
    minLength: 1,
    maxLength: maxChars,
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
  };
  return scalar(
    expects,
    schema,
    (value) =>
      typeof value === "string" && value !== "" && value.length <= maxChars && pattern?.test(value) !== false
        ? value
        : undefined,
    (value) => (typeof value === "number" || typeof value === "boolean" ? "; put it in quotes" : ""),
  );
}

/** One of `words`. */
export function word<const Word extends string>(words: readonly Word[]): Reader<Word> {
  return scalar(
    words.length === 1 ? `"${words[0]}"` : `one of ${words.join(", ")}`,
    { enum: words },
    (value) => words.find((known) => known === value),
    (value) => {
      const near = typeof value === "string" ? nearest(value, words) : null;
      return near === null ? "" : `; did you mean "${near}"?`;
    },
  );
}

/** A duration in ms: `250ms`, `2s`, `5m`, `1h`. */
export const duration: Reader<number> = scalar(
  "a duration such as 250ms, 2s or 5m",
  { type: "string", pattern: String.raw`^[0-9]+(\.[0-9]+)?(ms|s|m|h)$` },
  (value) => (typeof value === "string" ? (parseDurationMs(value) ?? undefined) : undefined),
  (value) => (typeof value === "number" ? "; add the unit" : ""),
);
