/** One request and a policy → one decision. Pure: the same code decides in serve, explain, test and replay. */
import { invalidRequest } from "../base/errors.ts";
import { nearest } from "../base/diagnostic.ts";
import type { ProviderName } from "../base/names.ts";
import { createContext } from "./context.ts";
import type { ConditionContext, PolicyInput } from "./context.ts";
import { firstFailure } from "./condition.ts";
import { DEFAULT_FALLBACK_ON, NO_PARAMS } from "./decision.ts";
import type { ChainEntry, Decision } from "./decision.ts";
import { drawPercent } from "./draw.ts";
import type { Policy, Rule } from "./policy.ts";
import { indexBlocks } from "./rule-index.ts";
import type { FindFirst } from "./rule-index.ts";
import { MAX_CANDIDATES } from "./then.ts";
import type { ModelChoice, Then } from "./then.ts";
import { NO_OVERRIDES } from "./overrides.ts";

/** What became of one rule. */
export interface RuleTrace {
  readonly rule: string;
  readonly result: "matched" | "forced" | "failed" | "not-reached";
  /** The first condition, as written, that failed; null unless `failed`. */
  readonly why: string | null;
}

export interface Decided {
  readonly decision: Decision;
  /** One entry per rule, in order; null unless asked for. */
  readonly trace: readonly RuleTrace[] | null;
  /** Replay: the first condition that the record could not decide, so that the decision is worth nothing; else null. */
  readonly undecided: string | null;
  /** What the conditions saw: the ledger's facts are read from the same, so that texts are lowered once. */
  readonly context: ConditionContext;
}

const NOTHING: Then = {};

/**
 * Decides; `NO_POLICY` decides too, by overrides alone.
 * @throws GatewayError `invalid-request` when `x-arouter-rule` names no rule, or a header a model that nobody serves
 */
export function decide(policy: Policy, input: PolicyInput, options: { readonly trace?: boolean } = {}): Decided {
  const { overrides } = input;
  const context = createContext(policy, input);
  const rule = overrides.noRoute ? null : findRule(policy, context, overrides.rule ?? null);
  const then = rule?.then ?? (overrides.noRoute ? NOTHING : policy.defaults);
  const trace = options.trace === true ? traceRules(policy, context, rule) : null;
  return { decision: decisionOf(policy, then, rule, context), trace, undecided: context.undecided(), context };
}

function findRule(policy: Policy, context: ConditionContext, forced: string | null): Rule | null {
  const { rules } = policy;
  if (forced !== null) {
    const rule = rules.find(({ name }) => name === forced);
    if (rule !== undefined) return rule;
    throw unknownRule(
      forced,
      rules.map(({ name }) => name),
    );
  }
  // A replay has to meet undecided conditions in the order of the rules.
  if (context.input.recall !== undefined) return rules.find(({ when }) => when.test(context)) ?? null;
  return rules[finderOf(policy)(context)] ?? null;
}

const finders = new WeakMap<Policy, FindFirst>();

/** Compiled at a policy's first decision. */
function finderOf(policy: Policy): FindFirst {
  const known = finders.get(policy);
  if (known !== undefined) return known;
  const find = indexBlocks(policy.rules.map(({ when }) => when));
  finders.set(policy, find);
  return find;
}

function unknownRule(name: string, rules: readonly string[]) {
  const near = nearest(name, rules);
  const hint = near === null ? "the policy has no such rule" : `did you mean "${near}"?`;
  return invalidRequest(`header x-arouter-rule: unknown rule "${name}"; ${hint}`, "x-arouter-rule", "invalid_header");
}

function traceRules(policy: Policy, context: ConditionContext, chosen: Rule | null): readonly RuleTrace[] {
  const { overrides } = context.input;
  let over = overrides.noRoute;
  return policy.rules.map((rule) => {
    if (rule === chosen) {
      over = true;
      return { rule: rule.name, result: overrides.rule === undefined ? "matched" : "forced", why: null };
    }
    if (over || overrides.rule !== undefined) return { rule: rule.name, result: "not-reached", why: null };
    return { rule: rule.name, result: "failed", why: firstFailure(rule.when, context) };
  });
}

/** Picks among the models of `choice`; null: leave the model asked for. */
function chooseModel(
  choice: ModelChoice,
  salt: string,
  requestId: string,
  provider: ProviderName | null,
): string | null {
  switch (choice.kind) {
    case "one":
      return choice.model;
    case "by-provider":
      return provider === null ? null : (choice.models[provider] ?? null);
    case "weighted": {
      const total = choice.choices.reduce((sum, { weight }) => sum + weight, 0);
      // Salted apart from `percent`, or a rule for the first 10 % would always draw the first model.
      let left = (drawPercent(`${salt}/model`, requestId) / 100) * total;
      for (const { model, weight } of choice.choices) {
        left -= weight;
        if (left < 0) return model;
      }
      return choice.choices.at(-1)?.model ?? null;
    }
  }
}

/** Decisions that are kept for each rule, and for a policy's defaults, and the longest name in them: clients may name any model. */
const MAX_KEPT = 64;
const MAX_NAME = 128;
const kept = new WeakMap<Rule | Policy, Map<string, Decision>>();

/**
 * The decision for a model by `then`. Where nothing else has a say in it (no override, no draw, no provider), it is the same
 * object for all requests: what is derived from it can be kept too.
 */
function decisionOf(policy: Policy, then: Then, rule: Rule | null, context: ConditionContext): Decision {
  const isPlain = context.input.overrides === NO_OVERRIDES && (then.model === undefined || then.model.kind === "one");
  if (!isPlain || context.input.facts.model.length > MAX_NAME) return assemble(policy, then, rule, context);
  let byModel = kept.get(rule ?? policy);
  if (byModel === undefined) {
    byModel = new Map();
    kept.set(rule ?? policy, byModel);
  }
  const { model } = context.input.facts;
  let decision = byModel.get(model);
  if (decision === undefined) {
    decision = assemble(policy, then, rule, context);
    if (byModel.size >= MAX_KEPT) byModel.clear();
    byModel.set(model, decision);
  }
  return decision;
}

function assemble(policy: Policy, then: Then, rule: Rule | null, context: ConditionContext): Decision {
  const { input, model: modelAsked, provider } = context;
  const { overrides } = input;
  /** A model that a header names: it must be one that is served here. */
  const named = (header: string, name: string): string => {
    const meant = policy.resolveAlias(name);
    if (input.providerOf(meant) !== null) return meant;
    throw invalidRequest(
      `header ${header}: no configured provider serves the model "${name}"`,
      header,
      "invalid_header",
    );
  };
  const chosen =
    overrides.model !== undefined
      ? named("x-arouter-model", overrides.model)
      : then.model === undefined
        ? null
        : chooseModel(then.model, rule?.name ?? "defaults", input.requestId, provider);
  const model = chosen ?? modelAsked;
  const chain =
    overrides.fallbackChain?.map((name): ChainEntry => ({ model: named("x-arouter-fallback-chain", name) })) ??
    then.fallbackChain ??
    [];
  const race = overrides.hedge === undefined ? then.hedge : overrides.hedge;
  const hedge =
    overrides.hedge?.model === undefined
      ? race
      : { ...overrides.hedge, model: named("x-arouter-hedge", overrides.hedge.model) };
  return {
    rule: rule?.name ?? null,
    policy: policy.hash12,
    modelRequested: input.facts.model,
    modelAsked,
    model,
    validate: overrides.validate ?? then.validate ?? [],
    fallbackChain: distinct(model, chain),
    fallbackOn: then.fallbackOn ?? DEFAULT_FALLBACK_ON,
    heal: overrides.hold === undefined ? (then.heal ?? {}) : { ...then.heal, hold: overrides.hold },
    ...(hedge === undefined ? {} : { hedge }),
    retry: overrides.retryMax === undefined ? (then.retry ?? {}) : { ...then.retry, max: overrides.retryMax },
    timeout: then.timeout ?? {},
    timeoutCeiling: overrides.timeout,
    params: then.params ?? NO_PARAMS,
    tags: then.tags ?? {},
    block: then.block ?? null,
  };
}

/** The chain without the first candidate and without repetitions, at most {@link MAX_CANDIDATES} with it. */
function distinct(first: string, chain: readonly ChainEntry[]): readonly ChainEntry[] {
  if (chain.length === 0) return chain;
  const seen = new Set([first]);
  return chain
    .filter(({ model }) => {
      const fresh = !seen.has(model);
      seen.add(model);
      return fresh;
    })
    .slice(0, MAX_CANDIDATES - 1);
}
