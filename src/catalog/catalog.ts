/** The catalog: what each model is and costs. Built in, dated, extended by configuration; never fetched while running. */
import { suggestion } from "../base/diagnostic.ts";
import { isObject, isString, own, type Json, type JsonObject } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { readEntry } from "./entry.ts";
import { createMistakes, type CatalogMistake, type Mistakes } from "./mistakes.ts";
import type { Capabilities, Catalog, Model } from "./model.ts";
import builtIn from "./models.json" with { type: "json" };

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
  builtInModels ??= readBuiltIn();
  const { unknown } = builtInModels;
  const models = new Map(builtInModels.models);
  const mistakes: { overlay: number; mistake: CatalogMistake }[] = [];
  overlays.forEach((overlay, index) => {
    const found = createMistakes();
    layOver(models, unknown, overlay, found);
    mistakes.push(...found.list.map((mistake) => ({ overlay: index, mistake })));
  });
  return { catalog: assemble(models, unknown), mistakes };
}

/** An id without its date suffix (`-20250929`, `-2024-07-18`); the id itself when it has none. */
export function undatedId(id: string): string {
  return id.replace(DATE_SUFFIX, "");
}

type UnknownModels = Readonly<Record<ProviderName, Model>>;

interface BuiltIn {
  readonly models: ReadonlyMap<string, Model>;
  readonly unknown: UnknownModels;
}

/** Read once: every start and reload lays its overlays over the same. */
let builtInModels: BuiltIn | null = null;

function assemble(models: ReadonlyMap<string, Model>, unknown: UnknownModels): Catalog {
  const strangers = new Map<string, Model>();
  return {
    asOf: builtIn.as_of,
    models: [...models.values()],
    find: (id, hint) => {
      const exact = models.get(id);
      if (exact !== undefined) return exact;
      const key = hint === undefined ? id : `${id}\n${hint}`;
      const cached = strangers.get(key);
      if (cached !== undefined) return cached;
      const model = resolveStranger(models, unknown, id, hint);
      if (strangers.size >= MAX_CACHED_IDS) strangers.clear();
      strangers.set(key, model);
      return model;
    },
  };
}

function resolveStranger(
  models: ReadonlyMap<string, Model>,
  unknown: UnknownModels,
  id: string,
  hint: ProviderName | undefined,
): Model {
  const undated = models.get(undatedId(id));
  if (undated !== undefined) return { ...undated, id, releasedOn: releaseDay(id) ?? undated.releasedOn };
  return { ...unknown[hint ?? providerOf(id)], id, releasedOn: releaseDay(id) };
}

function providerOf(id: string): ProviderName {
  return id.startsWith("claude") ? "anthropic" : "openai";
}

function layOver(
  models: Map<string, Model>,
  unknown: UnknownModels,
  overlay: CatalogOverlay,
  mistakes: Mistakes,
): void {
  for (const [id, json] of Object.entries(overlay)) {
    if (!isObject(json)) {
      mistakes.add([id], "must be a table of model fields");
      continue;
    }
    models.set(id, readEntry(id, json, baseOf(models, unknown, id, json, mistakes), [id], mistakes));
  }
}

function baseOf(
  models: ReadonlyMap<string, Model>,
  unknown: UnknownModels,
  id: string,
  json: JsonObject,
  mistakes: Mistakes,
): Model {
  const like = own(json, "like");
  const current = models.get(id);
  if (like === undefined) {
    const provider = own(json, "provider");
    const hint = provider === "openai" || provider === "anthropic" ? provider : undefined;
    return current ?? resolveStranger(models, unknown, id, hint);
  }
  const liked = isString(like) ? models.get(like) : undefined;
  if (liked !== undefined) return alike(id, liked, current);
  mistakes.add([id, "like"], likeMistake(like, models));
  return current ?? resolveStranger(models, unknown, id, undefined);
}

function likeMistake(like: Json, models: ReadonlyMap<string, Model>): string {
  if (!isString(like)) return "must be the name of a model in the catalog";
  return `no model "${like}" in the catalog${suggestion(like, models.keys())}`;
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

/** Reads models.json, whatever order its entries refer to each other in. */
function readBuiltIn(): BuiltIn {
  const models = new Map<string, Model>();
  const entries: JsonObject = builtIn.models;
  const mistakes = createMistakes();
  const read = (id: string, json: JsonObject): Model => {
    const known = models.get(id);
    if (known !== undefined) return known;
    const like = own(json, "like");
    const liked = isString(like) ? own(entries, like) : undefined;
    const base =
      isString(like) && isObject(liked)
        ? alike(id, read(like, liked), undefined)
        : { ...EMPTY, releasedOn: releaseDay(id) };
    return readEntry(id, json, base, [id], mistakes);
  };
  for (const [id, json] of Object.entries(entries)) if (isObject(json)) models.set(id, read(id, json));
  const unknownOf = (json: JsonObject): Model => ({ ...read("", json), known: false });
  const unknown = { openai: unknownOf(builtIn.unknown.openai), anthropic: unknownOf(builtIn.unknown.anthropic) };
  const [first] = mistakes.list;
  if (first !== undefined) throw new Error(`built-in catalog: ${first.path.join(".")} ${first.text}`);
  dateUndated(models);
  return { models, unknown };
}

/** An undated id is as old as its oldest dated sibling. */
function dateUndated(models: Map<string, Model>): void {
  for (const model of [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const undated = models.get(undatedId(model.id));
    if (undated !== undefined && undated.releasedOn === null) {
      models.set(undated.id, { ...undated, releasedOn: model.releasedOn });
    }
  }
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
