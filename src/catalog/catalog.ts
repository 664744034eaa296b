/** The catalog: what each model is and costs. Built in, dated, extended by configuration; never fetched while running. */
import { suggestion } from "../base/diagnostic.ts";
import { isObject, isString, own, type Json, type JsonObject } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { readEntry } from "./entry.ts";
import { createMistakes, type CatalogMistake, type Mistakes } from "./mistakes.ts";
import type { Capabilities, Catalog, Model } from "./model.ts";
import builtInText from "./models.json" with { type: "text" };

/** Clients choose the ids they ask for, so the cache of answers for strange ones is bounded. */
const MAX_CACHED_IDS = 4096;

const DATE_SUFFIX = /-(\d{4})-?(\d{2})-?(\d{2})$/;

/** An overlay: models by name, in the fields of {@link readEntry}. */
export type CatalogOverlay = JsonObject;

/** A catalog with what was wrong in its overlays; wrong values keep what was below them. */
export interface BuiltCatalog {
  readonly catalog: Catalog;
  /** By the overlay's place in the list. */
  readonly mistakes: readonly { readonly overlay: number; readonly mistake: CatalogMistake }[];
}

/**
 * Lays `overlays` over the built-in models, in order. A name that is in the catalog is changed, a new one is added:
 * over its `like`, else over what {@link Catalog.find} has for it.
 */
export function createCatalog(overlays: readonly CatalogOverlay[] = []): BuiltCatalog {
  const models = layeredModels();
  const mistakes: { overlay: number; mistake: CatalogMistake }[] = [];
  overlays.forEach((overlay, index) => {
    const found = createMistakes();
    layOver(models, overlay, found);
    mistakes.push(...found.list.map((mistake) => ({ overlay: index, mistake })));
  });
  return { catalog: assemble(models), mistakes };
}

/** An id without its date suffix (`-20250929`, `-2024-07-18`); the id itself when it has none. */
export function undatedId(id: string): string {
  return id.replace(DATE_SUFFIX, "");
}

/** Models by id. */
interface Models {
  readonly get: (id: string) => Model | undefined;
  /** Built-in ones in the order of their file, then added ones. */
  readonly ids: () => readonly string[];
}

interface LayeredModels extends Models {
  readonly set: (id: string, model: Model) => void;
}

/** The built-in models, to be covered by others. */
function layeredModels(): LayeredModels {
  const over = new Map<string, Model>();
  return {
    get: (id) => over.get(id) ?? builtInModel(id),
    ids: () => [...new Set([...Object.keys(builtIn().models), ...over.keys()])],
    set: (id, model) => void over.set(id, model),
  };
}

function assemble(models: Models): Catalog {
  const strangers = new Map<string, Model>();
  let all: readonly Model[] | null = null;
  return {
    get asOf() {
      return builtIn().as_of;
    },
    has: (id) => models.get(id) !== undefined,
    get models() {
      all ??= models.ids().flatMap((id) => models.get(id) ?? []);
      return all;
    },
    find: (id, hint) => {
      const exact = models.get(id);
      if (exact !== undefined) return exact;
      const key = hint === undefined ? id : `${id}\n${hint}`;
      const cached = strangers.get(key);
      if (cached !== undefined) return cached;
      const model = resolveStranger(models, id, hint);
      if (strangers.size >= MAX_CACHED_IDS) strangers.clear();
      strangers.set(key, model);
      return model;
    },
  };
}

function resolveStranger(models: Models, id: string, hint: ProviderName | undefined): Model {
  const undated = models.get(undatedId(id));
  if (undated !== undefined) return { ...undated, id, releasedOn: releaseDay(id) ?? undated.releasedOn };
  return { ...unknownModel(hint ?? providerOf(id)), id, releasedOn: releaseDay(id) };
}

function providerOf(id: string): ProviderName {
  return id.startsWith("claude") ? "anthropic" : "openai";
}

function layOver(models: LayeredModels, overlay: CatalogOverlay, mistakes: Mistakes): void {
  for (const [id, json] of Object.entries(overlay)) {
    if (!isObject(json)) {
      mistakes.add([id], "must be a table of model fields");
      continue;
    }
    models.set(id, readEntry(id, json, baseOf(models, id, json, mistakes), [id], mistakes));
  }
}

function baseOf(models: Models, id: string, json: JsonObject, mistakes: Mistakes): Model {
  const like = own(json, "like");
  const current = models.get(id);
  if (like === undefined) {
    const provider = own(json, "provider");
    const hint = provider === "openai" || provider === "anthropic" ? provider : undefined;
    return current ?? resolveStranger(models, id, hint);
  }
  const liked = isString(like) ? models.get(like) : undefined;
  if (liked !== undefined) return alike(id, liked, current);
  mistakes.add([id, "like"], likeMistake(like, models));
  return current ?? resolveStranger(models, id, undefined);
}

function likeMistake(like: Json, models: Models): string {
  if (!isString(like)) return "must be the name of a model in the catalog";
  return `no model "${like}" in the catalog${suggestion(like, models.ids())}`;
}

/** What `like` brings: what a model is, not what one product costs or when it ends. */
function alike(id: string, liked: Model, current: Model | undefined): Model {
  return {
    ...liked,
    id,
    releasedOn: current?.releasedOn ?? releaseDay(id),
    shutdownOn: current?.shutdownOn ?? null,
    prices: current?.prices ?? null,
    priceMultipliers: current?.priceMultipliers ?? {},
  };
}

function releaseDay(id: string): string | null {
  const match = DATE_SUFFIX.exec(id);
  return match === null ? null : `${match[1]}-${match[2]}-${match[3]}`;
}

/** What models.json holds. */
interface BuiltIn {
  readonly as_of: string;
  readonly unknown: Readonly<Record<ProviderName, JsonObject>>;
  readonly models: JsonObject;
}

let parsed: BuiltIn | null = null;

/** Parsed when it is first asked: as a module of its own it would be built at each start, member by member. */
function builtIn(): BuiltIn {
  // The compiler takes every .json for a module with a value.
  parsed ??= JSON.parse(builtInText as unknown as string) as BuiltIn;
  return parsed;
}

/** Entries as models.json states them, and models with their days; each is read when it is first asked for, so that a start waits for none. */
const stated = new Map<string, Model>();
const dated = new Map<string, Model>();

/** @throws Error when models.json is wrong about it; a test reads them all */
function builtInModel(id: string): Model | undefined {
  const known = dated.get(id);
  if (known !== undefined) return known;
  const json = own(builtIn().models, id);
  if (!isObject(json)) return undefined;
  const entry = readStated(id, json);
  const model = entry.releasedOn === null ? { ...entry, releasedOn: oldestRelease(id) } : entry;
  dated.set(id, model);
  return model;
}

function readStated(id: string, json: JsonObject): Model {
  const known = stated.get(id);
  if (known !== undefined) return known;
  const like = own(json, "like");
  const liked = isString(like) ? own(builtIn().models, like) : undefined;
  const base =
    isString(like) && isObject(liked)
      ? alike(id, readStated(like, liked), undefined)
      : { ...EMPTY, releasedOn: releaseDay(id) };
  const mistakes = createMistakes();
  const model = readEntry(id, json, base, [id], mistakes);
  const [first] = mistakes.list;
  if (first !== undefined) throw new Error(`built-in catalog: ${first.path.join(".")} ${first.text}`);
  stated.set(id, model);
  return model;
}

/** An undated id is as old as its oldest dated sibling. */
function oldestRelease(id: string): string | null {
  const siblings = Object.keys(builtIn().models)
    .filter((other) => other.startsWith(`${id}-`) && undatedId(other) === id)
    .sort();
  for (const sibling of siblings) {
    const json = own(builtIn().models, sibling);
    const day = isObject(json) ? readStated(sibling, json).releasedOn : null;
    if (day !== null) return day;
  }
  return null;
}

const unknownModels = new Map<ProviderName, Model>();

/** What a provider's model that nobody knows is taken for. */
function unknownModel(provider: ProviderName): Model {
  let model = unknownModels.get(provider);
  if (model === undefined) {
    model = { ...readStated(`unknown ${provider}`, builtIn().unknown[provider]), known: false };
    unknownModels.set(provider, model);
  }
  return model;
}

const NO_CAPABILITIES: Capabilities = {
  reasoning: "none",
  thinkingByDefault: false,
  canDisableThinking: false,
  betweenTools: false,
  preservedThinking: false,
  efforts: [],
  defaultEffort: null,
  sampling: "no",
  forcedToolUse: false,
  prefill: false,
  structuredOutputs: false,
  midConversationSystem: false,
  tools: false,
  parallelToolControl: false,
  stop: false,
  toolsOnChat: "no",
  outputCapField: "max_completion_tokens",
  refusesMaxTokens: false,
  vision: false,
  pdf: false,
  audioInput: false,
  cacheBreakpoints: false,
  fastMode: false,
  webSearch: false,
  developerRole: false,
};

const EMPTY: Model = {
  id: "",
  provider: "openai",
  known: true,
  kind: "chat",
  formats: [],
  contextTokens: null,
  inputTokens: null,
  maxOutputTokens: null,
  releasedOn: null,
  shutdownOn: null,
  promptCacheMinTokens: null,
  capabilities: NO_CAPABILITIES,
  prices: null,
  priceMultipliers: {},
};

/** The catalog without overlays. */
export const builtInCatalog: Catalog = createCatalog().catalog;
