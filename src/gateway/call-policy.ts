/** How the resilience layers treat one candidate: the provider's settings, as decision and caller changed them. */
import type { Attempts } from "../resilience/attempts.ts";
import { hedgeDelayMs } from "../resilience/hedge.ts";
import type { RetrySettings } from "../resilience/retry.ts";
import type { Decision, TimeoutOverrides } from "../policy/decision.ts";
import { gateKey } from "../upstream/stack.ts";
import type { HedgePlan, PhaseTimeouts, UpstreamRequest } from "../upstream/upstream.ts";
import type { Exchange } from "./exchange.ts";
import type { ProviderDefaults } from "./settings.ts";
import type { Target } from "./target.ts";

/** Retry settings of `defaults` under `decision`. */
export function retrySettings(defaults: ProviderDefaults["retry"], decision: Decision): RetrySettings {
  const { retry } = decision;
  return {
    ...defaults,
    baseMs: retry.baseMs ?? defaults.baseMs,
    capMs: retry.capMs ?? defaults.capMs,
    maxRetries: retry.max ?? defaults.max,
    isTimeoutRetried: retry.onTimeout ?? defaults.onTimeout,
  };
}

/** The lower of a limit and a ceiling, where 0 means none. */
function lower(limitMs: number, ceilingMs: number | undefined): number {
  if (ceilingMs === undefined || ceilingMs <= 0) return limitMs;
  return limitMs <= 0 ? ceilingMs : Math.min(limitMs, ceilingMs);
}

/** Phase limits of one attempt: a chain entry's go before the rule's, those before the provider's; the caller only lowers. */
export function phaseTimeouts(
  defaults: ProviderDefaults["timeout"],
  decision: Decision,
  entry: TimeoutOverrides | undefined,
): PhaseTimeouts {
  const limits = { ...defaults, ...decision.timeout, ...entry };
  const ceiling = decision.timeoutCeiling;
  return {
    ttftMs: lower(limits.ttftMs, ceiling.ttftMs),
    responseMs: lower(limits.responseMs, ceiling.responseMs),
    idleMs: lower(limits.idleMs, ceiling.idleMs),
    streamTotalMs: defaults.streamTotalMs,
  };
}

/** `timeout.total` of the request; 0 = none. */
export function totalTimeoutMs(defaults: ProviderDefaults["timeout"], decision: Decision): number {
  return lower(decision.timeout.totalMs ?? defaults.totalMs, decision.timeoutCeiling.totalMs);
}

/** The share of `limits.provider_in_flight` from which no more extra load is added. */
const HEDGE_LOAD_LIMIT = 0.8;

export interface LegEncoder {
  /** The second leg's request; null when its model cannot serve this one. */
  encodeLeg(model: string): UpstreamRequest | null;
}

/** The hedge of a candidate; null when it has none. */
export function planHedge(
  exchange: Exchange,
  target: Target,
  decision: Decision,
  attempts: Attempts,
  encoder: LegEncoder,
): HedgePlan | null {
  const provider = target.provider.name;
  const defaults = exchange.snapshot.settings.providers[provider].hedge;
  const configured = defaults.after === null ? null : { after: defaults.after, model: defaults.model ?? undefined };
  const hedge = decision.hedge === undefined ? configured : decision.hedge;
  if (hedge === null || !exchange.facts.replayable) return null;
  return openHedge(exchange, target, hedge, attempts, encoder);
}

function openHedge(
  exchange: Exchange,
  target: Target,
  hedge: { readonly after: number | "p95"; readonly model?: string | undefined },
  attempts: Attempts,
  encoder: LegEncoder,
): HedgePlan {
  const { state, settings } = exchange.snapshot;
  const provider = target.provider.name;
  const defaults = settings.providers[provider].hedge;
  const { model } = target.entry;
  return {
    delayMs: () => {
      if (hedge.after !== "p95") return hedge.after;
      // A buffered answer has no time to first content to learn a delay from.
      if (!exchange.facts.stream) return null;
      return hedgeDelayMs(state.latency(provider, model).quantile(0.95), defaults);
    },
    second: () => {
      const request = encoder.encodeLeg(hedge.model ?? model);
      if (request === null || !attempts.allowsExtra()) return null;
      const legs = [
        { provider, model },
        { provider: request.provider, model: request.model },
      ];
      const calm = legs.every(
        (leg) =>
          state.breakers.view(leg.provider, leg.model).isClosed &&
          state.gates.remainingMs(gateKey(leg.provider, leg.model)) === 0 &&
          state.bulkhead(leg.provider).load() < HEDGE_LOAD_LIMIT,
      );
      if (!calm || state.hedgeBudget(request.provider).available() < 1) return null;
      if (!state.retryBudget(request.provider).withdraw()) return null;
      return state.hedgeBudget(request.provider).withdraw() ? request : null;
    },
  };
}
