/** Catalog entries as files state them: read into a {@link Model} over a base, and printed back in the same fields. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../base/json.ts";
import { FORMAT_NAMES, PROVIDER_NAMES, type FormatName } from "../base/names.ts";
import { readCapabilities, renderCapabilities } from "./capabilities.ts";
import type { Mistakes } from "./mistakes.ts";
import { PRICE_TIERS, type Model, type Prices, type Rates, type TierPrices } from "./model.ts";

const KINDS = ["chat", "responses", "embedding"] as const;
const RATE_NAMES = {
  input: "input",
  output: "output",
  cacheRead: "cache_read",
  cacheWrite: "cache_write",
  cacheWriteLong: "cache_write_long",
} as const;
const MULTIPLIERS = ["us", "fast"] as const;

/** The fields of an entry beside `capabilities`, with what they say. */
export const ENTRY_FIELDS = {
  like: "Another model of the catalog: everything that this entry leaves out is taken from it, but for prices and the day of shutdown.",
  provider: "`openai` or `anthropic`.",
  kind: "`chat`, `responses` (served on `/v1/responses` only) or `embedding`.",
  formats: "List of `chat`, `messages`, `responses`: what the provider serves it on.",
  context_tokens: "Input and output together.",
  input_tokens: "Largest input alone, where the provider states that.",
  max_output_tokens: "Largest output, thinking included.",
  prompt_cache_min_tokens: "Shorter prefixes are not cached.",
  released_on: "`YYYY-MM-DD`.",
  shutdown_on: "Day of shutdown, `YYYY-MM-DD`.",
  capabilities: "A table, below.",
  usd_per_mtok:
    "US dollars per million tokens by tier (`standard`, `priority`, `flex`, `ultrafast`, `batches`): `input`, `output`, `cache_read`, `cache_write`, `cache_write_long` (Anthropic 1 h, OpenAI 12 h), and `above`: by a number of input tokens, the prices that replace these for the whole request once its input is over it. A cache price left out is that of `input`; a tier left out is unpriced.",
  price_multiplier: '`us` (for `inference_geo: "us"`) and `fast` (for `speed: "fast"`), on every price.',
} as const;

const ENTRY_NAMES = Object.keys(ENTRY_FIELDS);

/**
 * `json` laid over `base`: fields replace, `capabilities` and `price_multiplier` by field, `usd_per_mtok` by tier.
 * Wrong values are reported and leave those of `base`. `like` is the caller's to resolve into `base`.
 */
export function readEntry(
  id: string,
  json: JsonObject,
  base: Model,
  path: readonly string[],
  mistakes: Mistakes,
): Model {
  mistakes.unknownKeys(json, ENTRY_NAMES, path);
  const wrong = (key: string, allowed: string): void => mistakes.add([...path, key], `must be ${allowed}`);
  const word = <Word extends string>(key: string, words: readonly Word[], otherwise: Word): Word => {
    const value = own(json, key);
    if (value === undefined) return otherwise;
    const found = words.find((candidate) => candidate === value);
    if (found === undefined) wrong(key, `one of ${words.join(", ")}`);
    return found ?? otherwise;
  };
  const count = (key: string, otherwise: number | null): number | null => {
    const value = own(json, key);
    if (value === undefined) return otherwise;
    if (value === null || (typeof value === "number" && Number.isSafeInteger(value) && value > 0)) return value;
    wrong(key, "a whole number of tokens above 0");
    return otherwise;
  };
  const day = (key: string, otherwise: string | null): string | null => {
    const value = own(json, key);
    if (value === undefined) return otherwise;
    if (value === null || (isString(value) && /^\d{4}-\d{2}-\d{2}$/.test(value))) return value;
    wrong(key, 'a day such as "2027-01-14"');
    return otherwise;
  };
  const table = (key: string): JsonObject => {
    const value = own(json, key);
    if (isObject(value)) return value;
    if (value !== undefined && value !== null) wrong(key, "a table");
    return {};
  };
  const formats = (): readonly FormatName[] => {
    const value = own(json, "formats");
    if (value === undefined) return base.formats;
    if (isArray(value) && value.every(isFormat)) return value;
    wrong("formats", `a list of ${FORMAT_NAMES.join(", ")}`);
    return base.formats;
  };
  return {
    id,
    known: true,
    provider: word("provider", PROVIDER_NAMES, base.provider),
    kind: word("kind", KINDS, base.kind),
    formats: formats(),
    contextTokens: count("context_tokens", base.contextTokens),
    inputTokens: count("input_tokens", base.inputTokens),
    maxOutputTokens: count("max_output_tokens", base.maxOutputTokens),
    promptCacheMinTokens: count("prompt_cache_min_tokens", base.promptCacheMinTokens),
    releasedOn: day("released_on", base.releasedOn),
    shutdownOn: day("shutdown_on", base.shutdownOn),
    capabilities: readCapabilities(table("capabilities"), base.capabilities, [...path, "capabilities"], mistakes),
    prices: readPrices(table("usd_per_mtok"), base.prices, [...path, "usd_per_mtok"], mistakes),
    priceMultipliers: readMultipliers(table("price_multiplier"), base, [...path, "price_multiplier"], mistakes),
  };
}

/** Every field of an entry, as `arouter models --json` prints it; an unpriced model has no `usd_per_mtok`. */
export function renderEntry(model: Model): JsonObject {
  return {
    provider: model.provider,
    kind: model.kind,
    formats: model.formats,
    context_tokens: model.contextTokens,
    input_tokens: model.inputTokens,
    max_output_tokens: model.maxOutputTokens,
    prompt_cache_min_tokens: model.promptCacheMinTokens,
    released_on: model.releasedOn,
    shutdown_on: model.shutdownOn,
    capabilities: renderCapabilities(model.capabilities),
    ...(model.prices === null ? {} : { usd_per_mtok: mapValues(model.prices, renderTier) }),
    ...(Object.keys(model.priceMultipliers).length === 0 ? {} : { price_multiplier: model.priceMultipliers }),
  };
}

function isFormat(value: Json): value is FormatName {
  return FORMAT_NAMES.some((name) => name === value);
}

function readPrices(json: JsonObject, base: Prices | null, path: readonly string[], mistakes: Mistakes): Prices | null {
  mistakes.unknownKeys(json, PRICE_TIERS, path);
  const prices: Record<string, TierPrices> = { ...base };
  for (const tier of PRICE_TIERS) {
    const value = own(json, tier);
    if (value === undefined) continue;
    const at = [...path, tier];
    if (value === null) delete prices[tier];
    else if (isObject(value))
      prices[tier] = { base: readRates(value, at, mistakes, ["above"]), bands: readBands(value, at, mistakes) };
    else mistakes.add(at, "must be a table of prices");
  }
  return Object.keys(prices).length === 0 ? null : prices;
}

function readBands(json: JsonObject, path: readonly string[], mistakes: Mistakes): TierPrices["bands"] {
  const above = own(json, "above");
  if (above === undefined) return [];
  const at = [...path, "above"];
  if (!isObject(above)) {
    mistakes.add(at, "must be a table: a number of input tokens = { input, output, … }");
    return [];
  }
  const bands: TierPrices["bands"][number][] = [];
  for (const [key, rates] of Object.entries(above)) {
    if (!/^[1-9]\d{0,11}$/.test(key) || !isObject(rates)) {
      mistakes.add([...at, key], "must be a whole number of input tokens = { input, output, … }");
    } else {
      bands.push({ overTokens: Number(key), rates: readRates(rates, [...at, key], mistakes, []) });
    }
  }
  return bands.sort((a, b) => a.overTokens - b.overTokens);
}

function readRates(json: JsonObject, path: readonly string[], mistakes: Mistakes, also: readonly string[]): Rates {
  mistakes.unknownKeys(json, [...Object.values(RATE_NAMES), ...also], path);
  const rates: Record<string, number> = {};
  for (const [key, name] of Object.entries(RATE_NAMES)) {
    const value = own(json, name);
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) rates[key] = value;
    else if (value !== undefined) mistakes.add([...path, name], "must be US dollars per million tokens, 0 or more");
    else if (name === "input" || name === "output") mistakes.add(path, `lacks "${name}"`);
  }
  return { input: rates.input ?? 0, output: rates.output ?? 0, ...rates };
}

function readMultipliers(
  json: JsonObject,
  base: Model,
  path: readonly string[],
  mistakes: Mistakes,
): Model["priceMultipliers"] {
  mistakes.unknownKeys(json, MULTIPLIERS, path);
  const multipliers: Record<string, number> = { ...base.priceMultipliers };
  for (const name of MULTIPLIERS) {
    const value = own(json, name);
    if (typeof value === "number" && Number.isFinite(value) && value > 0) multipliers[name] = value;
    else if (value !== undefined) mistakes.add([...path, name], "must be a number above 0");
  }
  return multipliers;
}

function renderTier(tier: TierPrices): JsonObject {
  const bands = tier.bands.map((band) => [String(band.overTokens), renderRates(band.rates)] as const);
  return { ...renderRates(tier.base), ...(bands.length === 0 ? {} : { above: Object.fromEntries(bands) }) };
}

function renderRates(rates: Rates): JsonObject {
  const entries = Object.entries(RATE_NAMES).map(([key, name]) => [name, rates[key as keyof Rates]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [(typeof entry)[0], number] => entry[1] !== undefined));
}

function mapValues<Value>(record: Readonly<Record<string, Value>>, map: (value: Value) => Json): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
