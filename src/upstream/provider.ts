/** The two providers: base URL, credentials, and which of the client's headers each may see. */
import { createGlob, globSpecificity } from "../base/glob.ts";
import type { ProviderName } from "../base/names.ts";
import { forwardedHeaders } from "./headers.ts";
import type { Provider } from "./upstream.ts";

/** What a provider needs of `[providers.openai]`. */
export interface OpenAiSettings {
  readonly baseUrl: string;
  /** The key, or null: then no credentials are sent. */
  readonly key: () => string | null;
  readonly organization: string | null;
  readonly project: string | null;
}

/** What a provider needs of `[providers.anthropic]`. */
export interface AnthropicSettings {
  readonly baseUrl: string;
  readonly key: () => string | null;
  /** `anthropic-version` of translated requests and of clients that send none. */
  readonly version: string;
}

/** A base URL with `/v1` exactly once and no trailing slash: vendors' SDKs differ in whether it is part of it. */
export function normalizeBaseUrl(baseUrl: string): string {
  const bare = baseUrl.replace(/\/+$/, "");
  return bare.endsWith("/v1") ? bare : `${bare}/v1`;
}

export function createOpenAi(settings: OpenAiSettings): Provider {
  const pinned: Record<string, string> = {};
  if (settings.organization !== null) pinned["openai-organization"] = settings.organization;
  if (settings.project !== null) pinned["openai-project"] = settings.project;
  return {
    name: "openai",
    baseUrl: normalizeBaseUrl(settings.baseUrl),
    formats: ["chat", "responses"],
    authHeaders: () => {
      const key = settings.key();
      return key === null ? pinned : { ...pinned, authorization: `Bearer ${key}` };
    },
    forwardHeaders: (client, sameFormat) => forwardedHeaders(client, "openai", sameFormat),
  };
}

export function createAnthropic(settings: AnthropicSettings): Provider {
  return {
    name: "anthropic",
    baseUrl: normalizeBaseUrl(settings.baseUrl),
    formats: ["messages"],
    authHeaders: (): Record<string, string> => {
      const key = settings.key();
      return key === null ? {} : { "x-api-key": key };
    },
    forwardHeaders: (client, sameFormat) => ({
      "anthropic-version": settings.version,
      ...forwardedHeaders(client, "anthropic", sameFormat),
    }),
  };
}

/** Resolves model names to providers. */
export interface ProviderRegistry {
  /** The provider, when it is configured (has a key). */
  readonly get: (name: ProviderName) => Provider | null;
  /**
   * The provider meant by `model`: the more specific of the matching globs wins, whether or not it is configured
   * (a Claude model is not sent to OpenAI because Anthropic's key is missing). null: none matches.
   */
  readonly resolve: (model: string) => ProviderName | null;
  /** The provider meant by `model`, when it is configured. */
  readonly serving: (model: string) => ProviderName | null;
  readonly configured: readonly ProviderName[];
}

/** One provider's place in the registry. */
export interface RegistryEntry {
  readonly provider: Provider;
  /** Globs of `providers.x.models`. */
  readonly models: readonly string[];
  readonly configured: boolean;
}

const CACHE_LIMIT = 4096;

export function createProviderRegistry(entries: readonly RegistryEntry[]): ProviderRegistry {
  const globs = entries
    .flatMap(({ provider, models }) =>
      models.map((glob) => ({ name: provider.name, match: createGlob(glob), weight: globSpecificity(glob) })),
    )
    .toSorted((a, b) => b.weight - a.weight);
  const configured = entries.filter((entry) => entry.configured).map(({ provider }) => provider);
  const byName = new Map(configured.map((provider) => [provider.name, provider]));
  const find = (model: string): ProviderName | null => globs.find(({ match }) => match(model))?.name ?? null;
  // Names come from clients: the cache is bounded, and dropped whole when it is full.
  const cache = new Map<string, ProviderName | null>();
  const resolve = (model: string): ProviderName | null => {
    const cached = cache.get(model);
    if (cached !== undefined) return cached;
    const found = find(model);
    if (cache.size >= CACHE_LIMIT) cache.clear();
    cache.set(model, found);
    return found;
  };
  return {
    get: (name) => byName.get(name) ?? null,
    configured: configured.map(({ name }) => name),
    resolve,
    serving: (model) => {
      const name = resolve(model);
      return name !== null && byName.has(name) ? name : null;
    },
  };
}
