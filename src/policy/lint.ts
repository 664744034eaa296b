/** What `arouter check` warns of: rules that cannot do what they seem to, and targets that cannot serve them. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { ProviderName } from "../base/names.ts";
import type { Catalog, Model } from "../catalog/model.ts";
import { blockFormula } from "./conditions.ts";
import type { Formula } from "./formula.ts";
import { not } from "./formula.ts";
import { isSurelyEmpty, isSurelyInside, requestsOf, splitBy, within, without } from "./requests-space.ts";
import type { RequestSet, Split } from "./requests-space.ts";
import type { Policy, Rule } from "./policy.ts";
import type { Position } from "./source.ts";
import type { Then } from "./then.ts";

/** Days before a model's shutdown from which on it is warned of. */
const SHUTDOWN_NOTICE_DAYS = 60;
const DAY_MS = 86_400_000;
/** Terms held against terms, over a whole policy, until several rules together are not looked at any more: about a second of work. */
const MAX_UNION_STEPS = 100_000;

export interface LintEnvironment {
  readonly catalog: Catalog;
  /** The configured provider that serves a model; null when none does. */
  readonly providerOf: (model: string) => ProviderName | null;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
}

/** Warnings about `policy`, in the order of the file. */
export function lintPolicy(policy: Policy, environment: LintEnvironment): readonly Diagnostic[] {
  const warnings: Diagnostic[] = [];
  const warn = (position: Position, text: string): void => {
    warnings.push({ ...position, severity: "warning", text });
  };
  for (const { rule, text } of deadRules(policy.rules)) warn(rule.position, `rule ${rule.name}: ${text}`);
  for (const rule of policy.rules) {
    for (const text of ruleTargets(policy, rule, environment)) warn(rule.position, `rule ${rule.name}: ${text}`);
  }
  const { defaults, defaultsPosition } = policy;
  if (defaultsPosition !== null) {
    for (const name of targetsOf(defaults)) {
      for (const text of aboutTarget(policy, name, environment)) warn(defaultsPosition, `defaults: ${text}`);
    }
  }
  for (const { pattern, model, position } of policy.aliases) {
    for (const text of aboutModel(model, environment)) warn(position, `alias ${pattern}: ${text}`);
  }
  return warnings;
}

/** A rule that no request reaches or matches, and why. */
export interface DeadRule {
  readonly rule: Rule;
  readonly reason: "contradictory" | "shadowed" | "unreachable" | "catches-all";
  readonly text: string;
}

/**
 * Rules that are dead for certain, and catch-all rules that kill the ones below. What is found is proved; a rule whose
 * conditions are too many to reason about is not reported.
 */
export function deadRules(rules: readonly Rule[]): readonly DeadRule[] {
  const found: DeadRule[] = [];
  const living: LivingRule[] = [];
  const budget = { steps: MAX_UNION_STEPS };
  for (const [index, rule] of rules.entries()) {
    const requests = requestsOf(blockFormula(rule.when));
    if (rule.when.conditions.length === 0) {
      const below = rules.slice(index + 1);
      if (below.length > 0) {
        const text = `has no conditions, so ${below.length === 1 ? "the rule" : `the ${below.length} rules`} below cannot be reached`;
        found.push({ rule, reason: "catches-all", text });
        return found;
      }
    }
    const dead = isSurelyEmpty(requests) ? contradiction(rule) : shadowOf(rule, requests, living, budget);
    if (dead === null) living.push({ rule, takes: splitBy(blockFormula(rule.when)) });
    else found.push(dead);
  }
  return found;
}

function contradiction(rule: Rule): DeadRule {
  const { conditions } = rule.when;
  for (const [index, first] of conditions.entries()) {
    if (isSurelyEmpty(requestsOf(first.formula))) {
      return { rule, reason: "contradictory", text: `can never match: no request fulfils ${first.name}` };
    }
    for (const second of conditions.slice(index + 1)) {
      if (!isSurelyEmpty(within(requestsOf(first.formula), second.formula))) continue;
      return {
        rule,
        reason: "contradictory",
        text: `can never match: ${first.name} and ${second.name} exclude each other`,
      };
    }
  }
  return { rule, reason: "contradictory", text: "can never match: its conditions exclude each other" };
}

/** A rule that requests reach, and which it takes. */
interface LivingRule {
  readonly rule: Rule;
  readonly takes: Split;
}

function shadowOf(
  rule: Rule,
  requests: RequestSet,
  above: readonly LivingRule[],
  budget: { steps: number },
): DeadRule | null {
  let left = requests;
  for (const { rule: other, takes } of above) {
    if (isSurelyInside(requests, takes)) {
      const text = `is never reached: rule ${other.name} (line ${other.position.line}) takes every request that it matches`;
      return { rule, reason: "shadowed", text };
    }
    budget.steps -= (left?.length ?? 0) * (takes.inside?.length ?? 0);
    left = budget.steps < 0 ? null : without(left, takes);
  }
  if (!isSurelyEmpty(left)) return null;
  return { rule, reason: "unreachable", text: "is never reached: the rules above take every request that it matches" };
}

function modelsOf({ model }: Then): readonly string[] {
  switch (model?.kind) {
    case undefined:
      return [];
    case "one":
      return [model.model];
    case "by-provider":
      return Object.values(model.models);
    case "weighted":
      return model.choices.map((choice) => choice.model);
  }
}

/** Every model that `then` may send a request to, each once: its own, its chain, its hedge. */
export function targetsOf(then: Then): readonly string[] {
  const chain = (then.fallbackChain ?? []).map((entry) => entry.model);
  const hedge = then.hedge?.model === undefined ? [] : [then.hedge.model];
  return [...new Set([...modelsOf(then), ...chain, ...hedge])];
}

function ruleTargets(policy: Policy, { when, then }: Rule, environment: LintEnvironment): readonly string[] {
  const first = modelsOf(then);
  const formula = blockFormula(when);
  return targetsOf(then).flatMap((name) => [
    ...aboutTarget(policy, name, environment),
    ...incapable(findModel(name, environment), formula, first.includes(name)),
  ]);
}

function aboutTarget(policy: Policy, name: string, environment: LintEnvironment): readonly string[] {
  const isAlias = policy.aliases.some(({ pattern }) => pattern === name);
  const hint = `"${name}" is an alias, and aliases stand for what apps ask for only; name the model`;
  return [...(isAlias ? [hint] : []), ...aboutModel(name, environment)];
}

function findModel(name: string, { catalog, providerOf }: LintEnvironment): Model {
  return catalog.find(name, providerOf(name) ?? undefined);
}

function aboutModel(name: string, environment: LintEnvironment): readonly string[] {
  const { providerOf, wallMs } = environment;
  const model = findModel(name, environment);
  const found: string[] = [];
  if (providerOf(name) === null) found.push(`no configured provider serves model "${name}"`);
  if (!model.known)
    found.push(`model "${name}" is not in the catalog: it counts as the newest of its provider, unpriced`);
  else if (model.prices === null)
    found.push(`model "${name}" is unpriced: cost and savings of its answers stay unknown`);
  if (model.shutdownOn !== null) {
    const days = Math.ceil((Date.parse(`${model.shutdownOn}T00:00:00Z`) - wallMs) / DAY_MS);
    if (days <= 0) found.push(`model "${name}" was shut down on ${model.shutdownOn}`);
    else if (days <= SHUTDOWN_NOTICE_DAYS)
      found.push(`model "${name}" is shut down on ${model.shutdownOn}, in ${days} days`);
  }
  return found;
}

interface Need {
  readonly formula: Formula;
  readonly what: string;
  readonly lacks: (model: Model) => boolean;
  /** The condition that keeps such requests away; null: only warn when every match has the need. */
  readonly guard: string | null;
}

const NEEDS: readonly Need[] = [
  {
    formula: { kind: "opaque", dimension: "has_image" },
    what: "images",
    lacks: (model) => !model.capabilities.vision,
    guard: "no_image: true",
  },
  {
    formula: { kind: "number", dimension: "tools", least: 0, from: 1, to: Number.POSITIVE_INFINITY },
    what: "tools",
    lacks: (model) => !model.capabilities.tools,
    guard: "no_tools: true",
  },
  {
    formula: { kind: "opaque", dimension: "has_document" },
    what: "documents",
    lacks: (model) => !model.capabilities.pdf,
    guard: null,
  },
  {
    formula: { kind: "opaque", dimension: "has_audio" },
    what: "audio",
    lacks: (model) => !model.capabilities.audioInput,
    guard: null,
  },
  {
    formula: {
      kind: "word",
      dimension: "tool_choice",
      domain: ["", "auto", "none", "required", "named"],
      words: ["required", "named"],
    },
    what: "forced tool use",
    lacks: (model) => !model.capabilities.forcedToolUse,
    guard: null,
  },
];

/** What `model` cannot do for requests that match `when`. `first`: it is the rule's model, not one of its chain. */
function incapable(model: Model, when: Formula, first: boolean): readonly string[] {
  if (!model.known) return [];
  const requests = requestsOf(when);
  // Of a rule that never matches anything could be said.
  if (isSurelyEmpty(requests)) return [];
  const always = (formula: Formula): boolean => isSurelyEmpty(within(requests, not(formula)));
  const never = (formula: Formula): boolean => isSurelyEmpty(within(requests, formula));
  const consequence = first ? "is used all the same" : "is always skipped";
  const found = NEEDS.filter((need) => need.lacks(model)).flatMap(({ formula, what, guard }) => {
    if (never(formula)) return [];
    if (always(formula)) return [`model "${model.id}" does not take ${what}, which every match has; it ${consequence}`];
    if (guard === null || !first) return [];
    return [`model "${model.id}" does not take ${what}, which a match may have; add ${guard} to the conditions`];
  });
  const room = model.inputTokens ?? model.contextTokens;
  const larger: Formula = {
    kind: "number",
    dimension: "tokens_input",
    least: 0,
    from: (room ?? 0) + 1,
    to: Number.POSITIVE_INFINITY,
  };
  if (room !== null && always(larger)) {
    found.push(`model "${model.id}" takes ${room} tokens, fewer than every match has; it ${consequence}`);
  }
  return found;
}
