/** The series that a request counts into, found by what tells requests apart and kept: most requests are like the one before. */
import type { ProviderName, OutcomeClass } from "../base/names.ts";
import type { Usage } from "../base/usage.ts";
import { NONE } from "./labels.ts";
import type { Meters } from "./meters.ts";
import type { BoundCounter, BoundHistogram } from "./series.ts";

/** Of requests of one format, provider, model and rule. */
export interface RequestSeries {
  readonly requests: (status: number | null, stream: boolean) => BoundCounter;
  readonly duration: BoundHistogram;
  readonly overhead: BoundHistogram;
  readonly saved: BoundCounter;
  readonly lost: BoundCounter;
  readonly tagged: (tag: string, value: string) => TaggedSeries;
}

interface TaggedSeries {
  readonly requests: BoundCounter;
  readonly cost: BoundCounter;
  readonly saved: BoundCounter;
  readonly lost: BoundCounter;
}

/** Of attempts at one provider and model for one rule. */
export interface AttemptSeries {
  readonly outcome: (name: OutcomeClass) => { readonly attempts: BoundCounter; readonly duration: BoundHistogram };
  readonly timeToFirstToken: BoundHistogram;
  readonly tokens: (source: Usage["source"]) => TokenSeries;
  readonly cost: BoundCounter;
  readonly inputTokens: BoundHistogram;
  readonly outputTokens: BoundHistogram;
}

interface TokenSeries {
  readonly input: BoundCounter;
  readonly output: BoundCounter;
  readonly cacheRead: BoundCounter;
  readonly cacheWrite: BoundCounter;
  readonly reasoning: BoundCounter;
}

/** All by labels, whose values are bounded: what is kept is too. */
export interface SeriesByRequest {
  readonly ofRequest: (format: string, provider: string, model: string, rule: string) => RequestSeries;
  readonly ofAttempt: (provider: ProviderName, model: string, rule: string) => AttemptSeries;
}

export function createSeriesByRequest(meters: Meters): SeriesByRequest {
  const requests = new Map<string, Map<string, Map<string, Map<string, RequestSeries>>>>();
  const attempts = new Map<ProviderName, Map<string, Map<string, AttemptSeries>>>();
  return {
    ofRequest: (format, provider, model, rule) => {
      const byRule = within(within(within(requests, format), provider), model);
      return byRule.get(rule) ?? kept(byRule, rule, createRequestSeries(meters, { format, provider, model, rule }));
    },
    ofAttempt: (provider, model, rule) => {
      const byRule = within(within(attempts, provider), model);
      return byRule.get(rule) ?? kept(byRule, rule, createAttemptSeries(meters, { provider, model, rule }));
    },
  };
}

/** The map that `maps` has for `key`, made if need be. */
function within<Key, InnerKey, Value>(maps: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  return maps.get(key) ?? kept(maps, key, new Map<InnerKey, Value>());
}

function kept<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Value {
  map.set(key, value);
  return value;
}

interface RequestLabels {
  readonly format: string;
  readonly provider: string;
  readonly model: string;
  readonly rule: string;
}

function createRequestSeries(meters: Meters, { format, provider, model, rule }: RequestLabels): RequestSeries {
  const whole = new Map<number | null, BoundCounter>();
  const streamed = new Map<number | null, BoundCounter>();
  const byTag = new Map<string, Map<string, TaggedSeries>>();
  return {
    requests: (status, stream) => {
      const byStatus = stream ? streamed : whole;
      const known = byStatus.get(status);
      if (known !== undefined) return known;
      const result = { status: String(status ?? NONE), stream: String(stream) };
      return kept(byStatus, status, meters.requests.bind({ format, provider, model, ...result, rule }));
    },
    duration: meters.requestDuration.bind({ format, provider, model }),
    overhead: meters.overhead.bind({ format }),
    saved: meters.saved.bind({ rule }),
    lost: meters.lost.bind({ rule }),
    tagged: (tag, value) => {
      const byValue = within(byTag, tag);
      const known = byValue.get(value);
      if (known !== undefined) return known;
      const tagged = { tag, value, rule };
      return kept(byValue, value, {
        requests: meters.taggedRequests.bind(tagged),
        cost: meters.taggedCost.bind(tagged),
        saved: meters.taggedSaved.bind(tagged),
        lost: meters.taggedLost.bind(tagged),
      });
    },
  };
}

interface AttemptLabels {
  readonly provider: ProviderName;
  readonly model: string;
  readonly rule: string;
}

function createAttemptSeries(meters: Meters, labels: AttemptLabels): AttemptSeries {
  const { provider, model, rule } = labels;
  const genAi = { gen_ai_operation_name: "chat", gen_ai_provider_name: provider, gen_ai_request_model: model } as const;
  const outcomes = new Map<OutcomeClass, ReturnType<AttemptSeries["outcome"]>>();
  const sources = new Map<Usage["source"], TokenSeries>();
  return {
    outcome: (name) =>
      outcomes.get(name) ??
      kept(outcomes, name, {
        attempts: meters.attempts.bind({ provider, model, class: name, rule }),
        duration: meters.genAiDuration.bind({ ...genAi, error_type: name === "ok" ? "" : name }),
      }),
    timeToFirstToken: meters.timeToFirstToken.bind({ provider, model }),
    tokens: (source) => {
      const known = sources.get(source);
      if (known !== undefined) return known;
      const of = (kind: string): BoundCounter => meters.tokens.bind({ provider, model, kind, source, rule });
      return kept(sources, source, {
        input: of("input"),
        output: of("output"),
        cacheRead: of("cache_read"),
        cacheWrite: of("cache_write"),
        reasoning: of("reasoning"),
      });
    },
    cost: meters.cost.bind(labels),
    inputTokens: meters.genAiTokens.bind({ ...genAi, gen_ai_token_type: "input" }),
    outputTokens: meters.genAiTokens.bind({ ...genAi, gen_ai_token_type: "output" }),
  };
}
