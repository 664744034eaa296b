/** A candidate whose turn has come: which provider, which surface, which translation. */
import type { Model } from "../catalog/model.ts";
import type { FormatName, ProviderName } from "../base/names.ts";
import { GatewayError } from "../base/errors.ts";
import type { ChainEntry, Decision } from "../policy/decision.ts";
import { findTranslator } from "../translate/table.ts";
import type { Translator } from "../translate/translator.ts";
import type { Provider } from "../upstream/upstream.ts";
import { formatByName } from "../wire/formats.ts";
import type { WireFormat } from "../wire/format.ts";
import type { Exchange } from "./exchange.ts";
import { chooseSurface } from "./surface.ts";

export interface Target {
  readonly entry: ChainEntry;
  readonly model: Model;
  readonly provider: Provider;
  /** The surface called. */
  readonly surface: WireFormat;
  /** null: the client's format is the surface's, its bytes pass through. */
  readonly translator: Translator | null;
}

/** Path of each surface below the base URL. */
export const SURFACE_PATHS: Readonly<Record<FormatName, string>> = {
  chat: "/chat/completions",
  messages: "/messages",
  responses: "/responses",
};

/** The candidates of a decision in order, without repeats, at most {@link MAX_CANDIDATES}. */
export function listCandidates(decision: Decision): readonly ChainEntry[] {
  const entries: ChainEntry[] = [];
  const seen = new Set<string>();
  for (const entry of [{ model: decision.model }, ...decision.fallbackChain]) {
    if (seen.has(entry.model)) continue;
    seen.add(entry.model);
    entries.push(entry);
  }
  return entries.slice(0, MAX_CANDIDATES);
}

const MAX_CANDIDATES = 8;

/**
 * Resolves a candidate for the request of `exchange`.
 * @throws GatewayError `not-found` when no configured provider serves the model,
 * `unsupported-translation` when no pair joins the two formats
 */
export function resolveTarget(exchange: Pick<Exchange, "snapshot" | "format" | "facts">, entry: ChainEntry): Target {
  const { snapshot, format, facts } = exchange;
  const { registry, catalog, settings } = snapshot;
  const name = registry.resolve(entry.model);
  const provider = name === null ? null : registry.get(name);
  if (name === null || provider === null) throw unservedModel(entry.model, name);
  const model = catalog.find(entry.model, name);
  const isSwapped = entry.model !== facts.model;
  const { openaiSurface } = settings;
  const surface = formatByName(chooseSurface(provider.formats, { model, facts, isSwapped, openaiSurface }));
  const translator = surface.name === format.name ? null : findTranslator(format.name, surface.name);
  if (surface.name !== format.name && translator === null) {
    throw new GatewayError(
      "unsupported-translation",
      `requests of the ${format.name} format cannot be translated for ${provider.name} models; use /v1/chat/completions or /v1/messages`,
      { status: 404, param: "model" },
    );
  }
  return { entry, model, provider, surface, translator };
}

/** The 404 for a model that nobody serves; names the provider whose key is missing, when that is why. */
export function unservedModel(model: string, provider: ProviderName | null): GatewayError {
  const why = provider === null ? "no configured provider serves it" : `the ${provider} provider has no API key`;
  return new GatewayError("not-found", `the model \`${model}\` does not exist here: ${why}`, { param: "model" });
}
