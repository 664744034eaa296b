/** Usage to US dollars. */
import { totalInput, type Usage } from "../base/usage.ts";
import type { Model, Rates, TierPrices } from "./model.ts";

/** What decides the price beside model and usage: the words of the provider's answer, not of the request. */
export interface PriceOptions {
  /** `service_tier` of the answer; `default`, `auto` and null are the standard tier. */
  readonly serviceTier?: string | null;
  /** Anthropic `speed`. */
  readonly speed?: string | null;
  /** Anthropic `inference_geo`. */
  readonly inferenceGeo?: string | null;
  /** Whether the batch API answered. */
  readonly batch?: boolean;
}

const PICO = 1e12;
/** A rate of one dollar per million tokens is this many pico-dollars per token. */
const PICO_PER_TOKEN = 1e6;

/**
 * US dollars for `usage`; null when unpriced: no prices, none for the tier, or none for the speed asked.
 * Long-context bands replace the rates of the whole request. Summed in whole pico-dollars, so exact to 1e-12.
 */
export function costUsd(model: Model, usage: Usage, options: PriceOptions = {}): number | null {
  const tier = tierPrices(model, options);
  const factor = priceFactor(model, options);
  if (tier === null || factor === null) return null;
  const rates = bandRates(tier, totalInput(usage));
  const total =
    pico(usage.input, rates.input, factor) +
    pico(usage.cacheRead, rates.cacheRead ?? rates.input, factor) +
    pico(usage.cacheWrite, rates.cacheWrite ?? rates.input, factor) +
    pico(usage.cacheWriteLong, rates.cacheWriteLong ?? rates.input, factor) +
    pico(usage.output, rates.output, factor);
  return total / PICO;
}

/** Pico-dollars for `tokens` at `rate` dollars per million. */
function pico(tokens: number, rate: number, factor: number): number {
  return tokens * Math.round(rate * factor * PICO_PER_TOKEN);
}

/** `0.` and 12 places. */
const MAX_SHORT = 14;

/** Plain decimals, at most 12 places, no trailing zeros: `0.000585`, `0`, `-0.25`. */
export function renderUsd(dollars: number): string {
  // The shortest form is the same text where it is a plain one of few digits, and is quicker to have.
  const shortest = String(dollars);
  if (shortest.length <= MAX_SHORT && Math.abs(dollars) < 1000 && !shortest.includes("e")) return shortest;
  const text = dollars.toFixed(12).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

function tierPrices(model: Model, options: PriceOptions): TierPrices | null {
  const tier = options.batch === true ? "batches" : tierName(options.serviceTier ?? null);
  if (model.prices === null || !Object.hasOwn(model.prices, tier)) return null;
  return model.prices[tier] ?? null;
}

function tierName(serviceTier: string | null): string {
  switch (serviceTier) {
    case null:
    case "auto":
    case "default":
      return "standard";
    case "batch":
      return "batches";
    default:
      return serviceTier;
  }
}

/** Product of the multipliers in force; null when one is in force that the model has no figure for. */
function priceFactor(model: Model, options: PriceOptions): number | null {
  const us = options.inferenceGeo === "us" ? (model.priceMultipliers.us ?? null) : 1;
  const fast = options.speed === "fast" ? (model.priceMultipliers.fast ?? null) : 1;
  return us === null || fast === null ? null : us * fast;
}

function bandRates(tier: TierPrices, inputTokens: number): Rates {
  if (tier.bands.length === 0) return tier.base;
  return bandOver(tier, inputTokens)?.rates ?? tier.base;
}

function bandOver({ bands }: TierPrices, inputTokens: number): TierPrices["bands"][number] | undefined {
  return bands.findLast((band) => inputTokens > band.overTokens);
}
