/** What a request used and cost, over all its attempts. */
import { costUsd, type PriceOptions } from "../catalog/price.ts";
import type { Catalog } from "../catalog/model.ts";
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import { estimatedUsage, type Usage } from "../base/usage.ts";
import type { Facts } from "../wire/format.ts";

/** The usage of an answer that reported none. */
export function estimateUsage(facts: Facts, outputTokens: number): Usage {
  return estimatedUsage(facts.tokensInput, outputTokens);
}

/** How a request asked to be priced: `speed: fast` and `inference_geo: us` multiply. */
export interface PriceTerms {
  readonly speed: string | null;
  readonly inferenceGeo: string | null;
}

/** At the prices of everybody. */
export const NO_TERMS: PriceTerms = { speed: null, inferenceGeo: null };

function attemptCost(catalog: Catalog, attempt: AttemptRecord, terms: PriceTerms): number | null {
  if (attempt.usage === null) return null;
  const model = catalog.find(attempt.model, attempt.provider);
  return costUsd(model, attempt.usage, priceOptions(attempt.serviceTier, terms));
}

function priceOptions(serviceTier: string | null, { speed, inferenceGeo }: PriceTerms): PriceOptions {
  return { serviceTier, speed, inferenceGeo };
}

/**
 * Whether the provider was at work when the gateway let go: a hedge's loser (which may end after its request), a client that
 * left, a time limit. It bills the prompt at least.
 */
function isAbandoned(attempt: AttemptRecord): boolean {
  return attempt.ms === null || attempt.class === "aborted" || attempt.class === "timeout";
}

/**
 * Prices the attempts and what the decision saved: cost of the model asked for with the same usage at its own prices, less
 * the cost of all attempts. An abandoned attempt that told no usage has its prompt as an estimate; any other without usage
 * got no answer, and costs nothing. An unpriced one leaves the total unknown, never 0.
 */
export function settleCosts(catalog: Catalog, record: RequestRecord, terms: PriceTerms): void {
  let total: number | null = 0;
  for (const attempt of record.attempts) {
    if (isAbandoned(attempt) && !attempt.continues && record.tokensInputEstimate !== null) {
      attempt.usage ??= estimatedUsage(record.tokensInputEstimate, 0);
    }
  }
  for (const attempt of record.attempts) {
    if (attempt.usage === null) continue;
    attempt.costUsd = attemptCost(catalog, attempt, terms);
    total = total === null || attempt.costUsd === null ? null : total + attempt.costUsd;
  }
  if (!record.attempts.some(toldUsage)) return;
  record.costUsd = total === null ? null : roundPico(total);
  if (total === null || record.usage === null || record.modelAsked === null) return;
  const asked = catalog.find(record.modelAsked);
  const would = costUsd(asked, record.usage, priceOptions(null, terms));
  record.savedUsd = would === null ? null : roundPico(would - total);
}

function toldUsage({ usage }: AttemptRecord): boolean {
  return usage !== null;
}

/** Sums of exact prices, without the noise that binary fractions add behind the twelfth place. */
function roundPico(dollars: number): number {
  return Math.round(dollars * 1e12) / 1e12;
}
