/** What follows from a decision and the settings alone, worked out once for all requests that share the decision. */
import type { ProviderName } from "../base/names.ts";
import type { ChainEntry, Decision } from "../policy/decision.ts";
import type { RetrySettings } from "../resilience/retry.ts";
import type { PhaseTimeouts } from "../upstream/upstream.ts";
import { phaseTimeouts, retrySettings, totalTimeoutMs } from "./call-policy.ts";
import { type FixedJudgement, fixedJudgement } from "./judge-settings.ts";
import type { GatewaySettings } from "./settings.ts";
import { listCandidates } from "./target.ts";

/** How a candidate is called. */
export interface CallTerms {
  readonly retry: RetrySettings;
  readonly timeouts: PhaseTimeouts;
}

export interface Plan {
  /** The candidates in order. */
  readonly entries: readonly ChainEntry[];
  readonly judgement: FixedJudgement;
  /** `timeout.total` with a provider's default, ms; 0 = none. */
  readonly totalMs: Readonly<Record<ProviderName, number>>;
  /** The terms of a candidate without timeouts of its own. */
  readonly terms: Readonly<Record<ProviderName, CallTerms>>;
}

const plans = new WeakMap<GatewaySettings, WeakMap<Decision, Plan>>();

/** The plan of `decision` under `settings`. */
export function planFor(settings: GatewaySettings, decision: Decision): Plan {
  let known = plans.get(settings);
  if (known === undefined) {
    known = new WeakMap();
    plans.set(settings, known);
  }
  let plan = known.get(decision);
  if (plan === undefined) {
    plan = makePlan(settings, decision);
    known.set(decision, plan);
  }
  return plan;
}

function makePlan(settings: GatewaySettings, decision: Decision): Plan {
  const { openai, anthropic } = settings.providers;
  return {
    entries: listCandidates(decision),
    judgement: fixedJudgement(settings, decision),
    totalMs: {
      openai: totalTimeoutMs(openai.timeout, decision),
      anthropic: totalTimeoutMs(anthropic.timeout, decision),
    },
    terms: { openai: termsOf(openai, decision), anthropic: termsOf(anthropic, decision) },
  };
}

function termsOf({ retry, timeout }: GatewaySettings["providers"][ProviderName], decision: Decision): CallTerms {
  return { retry: retrySettings(retry, decision), timeouts: phaseTimeouts(timeout, decision, undefined) };
}

/** How `entry` is called at `provider` by `plan`, which is that of `settings` and `decision`. */
export function callTerms(
  plan: Plan,
  settings: GatewaySettings,
  decision: Decision,
  provider: ProviderName,
  entry: ChainEntry,
): CallTerms {
  const terms = plan.terms[provider];
  if (entry.timeout === undefined) return terms;
  const timeouts = phaseTimeouts(settings.providers[provider].timeout, decision, entry.timeout);
  return { retry: terms.retry, timeouts };
}
