/** Sums up a replay: what moves, from where to where, and what that would have cost. */
import type { Usage } from "../base/usage.ts";
import type { Catalog } from "../catalog/model.ts";
import { costUsd } from "../catalog/price.ts";
import type { ProviderName } from "../base/names.ts";
import { own } from "../base/json.ts";
import type { LedgerAttempt, LedgerEntry } from "../observe/ledger-read.ts";
import type { Decision } from "../policy/decision.ts";
import type { Replayed } from "./replay-entry.ts";

/** Dollars of requests that move and whose price is known on both sides. */
export interface Money {
  costBefore: number;
  costAfter: number;
  /** Requests that move but have no price on one side. */
  unpriced: number;
}

export interface RuleTally extends Money {
  requests: number;
  moved: number;
  changed: number;
}

export interface MoveTally extends Money {
  readonly ruleFrom: string | null;
  readonly ruleTo: string | null;
  readonly modelFrom: string;
  /** null: blocked. */
  readonly modelTo: string | null;
  requests: number;
}

export interface ReplayTally {
  lines: number;
  /** Lines that are none of a ledger. */
  unreadable: number;
  /** Nothing was decided then. */
  none: number;
  same: number;
  changed: number;
  moved: number;
  /** By the condition, or the reason, that stood in the way. */
  readonly undecided: Map<string, number>;
  /** Policies under which the lines were recorded. */
  readonly policies: Set<string | null>;
  /** By the rule on record. */
  readonly rules: Map<string | null, RuleTally>;
  readonly moves: Map<string, MoveTally>;
}

/** Clients choose model names, so the list of moves is bounded; those beyond share one entry. */
const MAX_MOVES = 10_000;
const MAX_POLICIES = 1000;

export function createReplayTally(): ReplayTally {
  return {
    lines: 0,
    unreadable: 0,
    none: 0,
    same: 0,
    changed: 0,
    moved: 0,
    undecided: new Map(),
    policies: new Set(),
    rules: new Map(),
    moves: new Map(),
  };
}

export interface Pricing {
  readonly catalog: Catalog;
  readonly providerOf: (model: string) => ProviderName | null;
}

/** Counts one entry and what became of it. */
export function addReplayed(tally: ReplayTally, entry: LedgerEntry, replayed: Replayed, pricing: Pricing): void {
  if (replayed.kind === "none") {
    tally.none += 1;
    return;
  }
  if (tally.policies.size < MAX_POLICIES) tally.policies.add(entry.policy);
  const rule = ruleOf(tally, entry.rule);
  rule.requests += 1;
  if (replayed.kind === "undecided") {
    tally.undecided.set(replayed.why, (tally.undecided.get(replayed.why) ?? 0) + 1);
    return;
  }
  const { decision, result } = replayed;
  tally[result] += 1;
  if (result === "same") return;
  if (result === "changed") {
    rule.changed += 1;
    return;
  }
  rule.moved += 1;
  const move = moveOf(tally, entry, decision);
  move.requests += 1;
  const after = costAfter(entry, decision, pricing);
  for (const money of [rule, move]) {
    if (after === null || entry.costUsd === null) money.unpriced += 1;
    else {
      money.costBefore += entry.costUsd;
      money.costAfter += after;
    }
  }
}

function ruleOf({ rules }: ReplayTally, name: string | null): RuleTally {
  let rule = rules.get(name);
  if (rule === undefined) {
    rule = { requests: 0, moved: 0, changed: 0, costBefore: 0, costAfter: 0, unpriced: 0 };
    rules.set(name, rule);
  }
  return rule;
}

function moveOf({ moves }: ReplayTally, entry: LedgerEntry, decision: Decision): MoveTally {
  const recorded = own(entry.decision, "model");
  const modelFrom = typeof recorded === "string" ? recorded : "";
  const modelTo = decision.block === null ? decision.model : null;
  const key = JSON.stringify([entry.rule, decision.rule, modelFrom, modelTo]);
  const known = moves.get(key);
  if (known !== undefined) return known;
  const isFull = moves.size >= MAX_MOVES;
  const rest = isFull ? moves.get("") : undefined;
  if (rest !== undefined) return rest;
  const move: MoveTally = {
    ...(isFull
      ? { ruleFrom: null, ruleTo: null, modelFrom: "other", modelTo: "other" }
      : { ruleFrom: entry.rule, ruleTo: decision.rule, modelFrom, modelTo }),
    requests: 0,
    costBefore: 0,
    costAfter: 0,
    unpriced: 0,
  };
  moves.set(isFull ? "" : key, move);
  return move;
}

/** Cost if the model now decided on had answered at its first attempt, with the tokens of the answer on record. */
function costAfter(entry: LedgerEntry, decision: Decision, { catalog, providerOf }: Pricing): number | null {
  if (decision.block !== null) return 0;
  const answer = answerOf(entry);
  if (answer === null) return null;
  const provider = providerOf(decision.model) ?? undefined;
  const isSameProvider = provider !== undefined && provider === providerOf(answer.model);
  return costUsd(catalog.find(decision.model, provider), answer.usage, {
    serviceTier: isSameProvider ? answer.serviceTier : null,
  });
}

function answerOf(entry: LedgerEntry): (LedgerAttempt & { readonly usage: Usage }) | null {
  const answered = entry.attempts.filter(
    (attempt): attempt is LedgerAttempt & { readonly usage: Usage } => attempt.usage !== null,
  );
  return answered.findLast(({ model }) => model === entry.model) ?? answered.at(-1) ?? null;
}
