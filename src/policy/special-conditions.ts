/** Conditions with a shape of their own: maps by name, draws and breaker states. */
import { PROVIDER_NAMES } from "../base/names.ts";
import { allOf, defineCondition } from "./condition.ts";
import type { Test } from "./condition.ts";
import { BREAKER_STATES } from "./context.ts";
import { FAMILIES } from "./dimensions.ts";
import type { BreakerState, ConditionContext } from "./context.ts";
import { createDraw, drawPercent } from "./draw.ts";
import { ALWAYS, NEVER, not } from "./formula.ts";
import type { Formula } from "./formula.ts";
import { anyGlob, joinOr, textGlob, unlist } from "./kinds.ts";
import { dictionary, either, mapped, oneOrMany, record } from "./containers.ts";
import { boolean, number, scalar, word } from "./readers.ts";
import type { Reader } from "./readers.ts";
import { isMap } from "./yaml-nodes.ts";

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const CREDENTIALS = ["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "set-cookie"];

/** Globs, `true` (present) or `false` (absent), of one name. */
type NameTest = readonly string[] | boolean;

const nameTest: Reader<NameTest> = either(
  (node) => node !== null && "value" in node && typeof node.value === "boolean",
  boolean,
  oneOrMany(textGlob),
);

function nameTestHolds(test: NameTest): (value: string | null) => boolean {
  if (typeof test === "boolean") return (value) => (value !== null) === test;
  const matches = anyGlob(test);
  return (value) => value !== null && matches(value);
}

function nameTestFormula(dimension: string, test: NameTest): Formula {
  const patterns = typeof test === "boolean" ? ["*"] : test;
  const formula: Formula = { kind: "pattern", dimension, one: true, match: "glob", patterns };
  return test === false ? not(formula) : formula;
}

function nameTests(
  name: "header" | "metadata",
  doc: string,
  names: { readonly expects: string; readonly pattern: RegExp; readonly turn?: (key: string) => string },
  read: (context: ConditionContext, key: string) => string | null,
) {
  return defineCondition<ReadonlyMap<string, NameTest>>(name, {
    doc,
    type: "map from name to glob, list of globs, `true` (present) or `false` (absent)",
    reader: dictionary(names, nameTest),
    cost: 1,
    toJson: (tests) =>
      Object.fromEntries([...tests].map(([key, test]) => [key, typeof test === "boolean" ? test : unlist(test)])),
    test: (tests) => {
      const compiled = [...tests].map(([key, test]): Test => {
        const holds = nameTestHolds(test);
        return (context) => holds(read(context, key));
      });
      return allOf(compiled);
    },
    why: (tests, context) => {
      for (const [key, test] of tests) {
        const value = read(context, key);
        if (nameTestHolds(test)(value)) continue;
        return value === null ? `${name} ${key} is absent` : `${name} ${key} does not match`;
      }
      return `${name} does not match`;
    },
    formula: (tests) => ({
      kind: "all",
      of: [...tests].map(([key, test]) => nameTestFormula(`${name}:${key}`, test)),
    }),
    recorded: "plain",
  });
}

const header = nameTests(
  "header",
  "request headers by name, letter case of the name ignored; credentials cannot be matched",
  {
    expects: `a header name, not a credential (${CREDENTIALS.join(", ")})`,
    pattern: new RegExp(`^(?!(?:${CREDENTIALS.map(ignoreCase).join("|")})$)${HEADER_NAME.source.slice(1)}`),
    turn: (key) => key.toLowerCase(),
  },
  FAMILIES.header.get,
);

/** JSON Schema patterns have no flags. */
function ignoreCase(name: string): string {
  return name.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

const metadata = nameTests(
  "metadata",
  "string entries of the body's `metadata`",
  { expects: "a metadata key of 1 to 64 characters", pattern: /^[^\u0000-\u001f]{1,64}$/ },
  FAMILIES.metadata.get,
);

/** A share of requests. `by`: `request`, `user`, or `header:NAME` in lowercase. */
interface Percent {
  readonly value: number;
  readonly by: string;
}

const share = number(0, 100);
const drawnBy: Reader<string> = scalar(
  "request, user or header:NAME",
  { type: "string", pattern: "^(request|user|header:.+)$" },
  (value) => {
    if (value === "request" || value === "user") return value;
    if (typeof value !== "string" || !value.startsWith("header:")) return undefined;
    const name = value.slice(7).toLowerCase();
    return HEADER_NAME.test(name) && !CREDENTIALS.includes(name) ? `header:${name}` : undefined;
  },
);
const percentBlock = record(
  {
    value: { reader: share, doc: "percent of the draws that match" },
    by: { reader: drawnBy, doc: "what is drawn by; `request` unless said" },
  },
  { required: ["value"] },
);

function subjectOf(by: string): (context: ConditionContext) => string | null {
  if (by === "request") return (context) => context.input.requestId;
  if (by === "user") return (context) => context.facts.user;
  const name = by.slice(7);
  return (context) => context.input.headers.get(name);
}

const percent = defineCondition<Percent>("percent", {
  doc: "a stable share, drawn by a hash salted with the rule's name; a request without the user or header never matches",
  type: "number, or `{ value, by: request | user | header:NAME }`",
  reader: either<Percent, Percent>(
    isMap,
    mapped(percentBlock, ({ value = 0, by = "request" }) => ({ value, by })),
    mapped(share, (value) => ({ value, by: "request" })),
  ),
  cost: 2,
  toJson: ({ value, by }) => (by === "request" ? value : { value, by }),
  test: ({ value, by }, rule) => {
    const subject = subjectOf(by);
    const draw = createDraw(rule);
    return (context) => {
      const drawnFor = subject(context);
      return drawnFor !== null && draw(drawnFor) < value;
    };
  },
  why: ({ value, by }, context, rule) => {
    const drawnFor = subjectOf(by)(context);
    if (drawnFor === null) return `percent: there is no ${by} to draw by`;
    return `percent drew ${drawPercent(rule, drawnFor).toFixed(2)}, not under ${value}`;
  },
  formula: ({ value, by }, rule) => {
    if (value === 0) return NEVER;
    if (value === 100 && by === "request") return ALWAYS;
    const drawn: Formula = {
      kind: "number",
      dimension: `percent:${rule}:${by}`,
      least: -1,
      from: 0,
      to: Math.ceil(value * 1e6) - 1,
    };
    if (by === "request") return drawn;
    // There has to be something to draw by.
    return { kind: "all", of: [{ kind: "pattern", dimension: by, one: true, match: "glob", patterns: ["*"] }, drawn] };
  },
  recorded: "salted",
  replayable: ({ by }) => by === "request",
});

const providerState = defineCondition<ReadonlyMap<string, readonly BreakerState[]>>("provider_state", {
  doc: "the provider's circuit breaker as seen when the decision is made",
  type: `map from provider to one or a list of ${BREAKER_STATES.map((state) => `\`${state}\``).join(" ")}`,
  reader: dictionary(
    { expects: joinOr(PROVIDER_NAMES), pattern: new RegExp(`^(${PROVIDER_NAMES.join("|")})$`) },
    oneOrMany(word(BREAKER_STATES)),
  ),
  cost: 0,
  toJson: (states) => Object.fromEntries([...states].map(([provider, wanted]) => [provider, unlist(wanted)])),
  test: (states) => {
    const compiled = [...states].map(
      ([provider, wanted]): Test =>
        (context) =>
          wanted.includes(stateOf(context, provider)),
    );
    return allOf(compiled);
  },
  why: (states, context) => {
    const [provider = "", wanted = []] =
      [...states].find(([name, allowed]) => !allowed.includes(stateOf(context, name))) ?? [];
    return `provider_state ${provider} is ${stateOf(context, provider)}, not ${joinOr(wanted)}`;
  },
  formula: (states) => ({
    kind: "all",
    of: [...states].map(([provider, wanted]) => ({
      kind: "word",
      dimension: `provider_state:${provider}`,
      domain: BREAKER_STATES,
      words: wanted,
    })),
  }),
});

/** A provider that nothing is known of has a closed breaker. */
function stateOf(context: ConditionContext, provider: string): BreakerState {
  const name = PROVIDER_NAMES.find((known) => known === provider);
  return (name === undefined ? undefined : context.input.providerState[name]) ?? "closed";
}

export const SPECIAL_CONDITIONS = { header, metadata, percent, provider_state: providerState } as const;
