/** What a request used and cost, over all its attempts. */
import { costUsd } from "../catalog/price.ts";
import type { Catalog } from "../catalog/model.ts";
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import type { Usage } from "../base/usage.ts";
import type { Facts } from "../wire/format.ts";

/** The usage of an answer that reported none. */
export function estimateUsage(facts: Facts, outputTokens: number): Usage {
  return {
    input: facts.tokensInput,
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: outputTokens,
    reasoning: 0,
    source: "estimated",
  };
}

/** How a request asked to be priced: `speed: fast` and `inference_geo: us` multiply. */
export interface PriceTerms {
  readonly speed: string | null;
  readonly inferenceGeo: string | null;
}

function attemptCost(catalog: Catalog, attempt: AttemptRecord, terms: PriceTerms): number | null {
  if (attempt.usage === null) return null;
  return costUsd(catalog.find(attempt.model, attempt.provider), attempt.usage, {
    serviceTier: attempt.serviceTier,
    ...terms,
  });
}

/**
 * Prices the attempts and what the decision saved: cost of the model asked for with the same usage at its own prices, less
 * the cost of all attempts. An attempt without usage (it never got an answer) costs nothing; an unpriced one leaves the
 * total unknown, never 0.
 */
export function settleCosts(catalog: Catalog, record: RequestRecord, terms: PriceTerms): void {
  let total: number | null = 0;
  for (const attempt of record.attempts) {
    if (attempt.usage === null) continue;
    attempt.costUsd = attemptCost(catalog, attempt, terms);
    total = total === null || attempt.costUsd === null ? null : total + attempt.costUsd;
  }
  if (!record.attempts.some(({ usage }) => usage !== null)) return;
  record.costUsd = total === null ? null : roundPico(total);
  if (total === null || record.usage === null || record.modelAsked === null) return;
  const asked = catalog.find(record.modelAsked);
  const would = costUsd(asked, record.usage, { serviceTier: null, ...terms });
  record.savedUsd = would === null ? null : roundPico(would - total);
}

/** Sums of exact prices, without the noise that binary fractions add behind the twelfth place. */
function roundPico(dollars: number): number {
  return Math.round(dollars * 1e12) / 1e12;
}
