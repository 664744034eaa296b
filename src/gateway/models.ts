/** `GET /v1/models`: both providers' lists and the policy's aliases as one, in either vendor's shape. */
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import type { HttpClient } from "../upstream/http.ts";
import { askModels } from "../upstream/probe.ts";
import type { Provider } from "../upstream/upstream.ts";
import type { Snapshot } from "./settings.ts";

/** One model as the lists show it. */
interface Listed {
  readonly id: string;
  readonly provider: ProviderName;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly displayName: string;
  /** The provider's own entry, whose further fields are kept in its own shape. */
  readonly raw: JsonObject;
}

export interface ModelsOptions {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly client: HttpClient;
  readonly userAgent: string;
  readonly cacheMs: () => number;
}

/** Paging of Anthropic's list. */
export interface Paging {
  readonly limit: number;
  readonly afterId: string | null;
  readonly beforeId: string | null;
}

export interface Models {
  /** The list in OpenAI's shape. */
  readonly listOpenAi: () => Promise<JsonObject>;
  /** A page of the list in Anthropic's shape. */
  readonly listAnthropic: (paging: Paging) => Promise<JsonObject>;
  /** One model. @throws GatewayError `not-found` */
  readonly find: (id: string, shape: ProviderName) => Promise<JsonObject>;
}

const ASK_TIMEOUT_MS = 5000;

export function createModels(options: ModelsOptions): Models {
  const { clock } = options;
  let cached: {
    readonly snapshot: Snapshot;
    readonly untilMs: number;
    readonly list: Promise<readonly Listed[]>;
  } | null = null;

  const list = (): Promise<readonly Listed[]> => {
    const snapshot = options.snapshot();
    const nowMs = clock.nowMs();
    if (cached === null || cached.snapshot !== snapshot || cached.untilMs <= nowMs) {
      const asked = askAll(options, snapshot);
      cached = { snapshot, untilMs: nowMs + options.cacheMs(), list: asked.then(({ models }) => models) };
      // A list that lacks a provider is not kept: the next caller asks again.
      const mine = cached;
      void asked.then(({ isWhole }) => {
        if (!isWhole && cached === mine) cached = null;
      });
    }
    return cached.list;
  };

  return {
    listOpenAi: async () => ({ object: "list", data: (await list()).map(toOpenAi) }),
    listAnthropic: async (paging) => page(await list(), paging),
    find: async (id, shape) => {
      const found = (await list()).find((model) => model.id === id);
      if (found === undefined) {
        throw new GatewayError("not-found", `the model \`${id}\` does not exist here`, { param: "model" });
      }
      return shape === "anthropic" ? toAnthropic(found) : toOpenAi(found);
    },
  };
}

async function askAll(
  options: ModelsOptions,
  snapshot: Snapshot,
): Promise<{ readonly models: readonly Listed[]; readonly isWhole: boolean }> {
  const { registry, policy } = snapshot;
  const lists = await Promise.all(registry.configured.map((name) => askOne(options, registry.get(name))));
  const models = new Map<string, Listed>();
  for (const model of lists.flatMap((each) => each ?? [])) {
    // A model that the configuration sends elsewhere is not this provider's to list.
    if (registry.resolve(model.id) === model.provider && !models.has(model.id)) models.set(model.id, model);
  }
  for (const { pattern, model: meant } of policy.aliases) {
    const target = models.get(meant);
    if (/[*?]/.test(pattern) || models.has(pattern)) continue;
    const provider = registry.resolve(meant);
    if (provider === null || registry.get(provider) === null) continue;
    models.set(pattern, { id: pattern, provider, created: target?.created ?? 0, displayName: pattern, raw: {} });
  }
  return { models: [...models.values()], isWhole: lists.every((each) => each !== null) };
}

/** The models of one provider; null when it cannot be asked. */
async function askOne(options: ModelsOptions, provider: Provider | null): Promise<readonly Listed[] | null> {
  if (provider === null) return null;
  const { models } = await askModels({ ...options, timeoutMs: ASK_TIMEOUT_MS }, provider);
  return models?.flatMap((entry) => readListed(entry, provider.name)) ?? null;
}

function readListed(entry: Json, provider: ProviderName): readonly Listed[] {
  const id = own(entry, "id");
  if (!isObject(entry) || typeof id !== "string") return [];
  const created = own(entry, "created");
  const createdAt = own(entry, "created_at");
  const name = own(entry, "display_name");
  const seconds =
    typeof created === "number"
      ? created
      : typeof createdAt === "string"
        ? Math.floor(Date.parse(createdAt) / 1000)
        : 0;
  return [
    {
      id,
      provider,
      created: Number.isFinite(seconds) ? seconds : 0,
      displayName: typeof name === "string" ? name : id,
      raw: entry,
    },
  ];
}

/** @see https://platform.openai.com/docs/api-reference/models/object (read 2026-11-24) */
function toOpenAi({ id, provider, created, raw }: Listed): JsonObject {
  if (provider === "openai") return { object: "model", created, owned_by: "openai", ...raw, id };
  return { id, object: "model", created, owned_by: "anthropic" };
}

/** @see https://docs.anthropic.com/en/api/models-list (read 2026-11-24) */
function toAnthropic({ id, provider, created, displayName, raw }: Listed): JsonObject {
  const createdAt = new Date(created * 1000).toISOString().replace(".000Z", "Z");
  const base = { type: "model", id, display_name: displayName, created_at: createdAt };
  return provider === "anthropic" ? { ...base, ...raw, id } : base;
}

function page(models: readonly Listed[], { limit, afterId, beforeId }: Paging): JsonObject {
  let from = 0;
  let to = models.length;
  if (afterId !== null) from = models.findIndex(({ id }) => id === afterId) + 1;
  if (beforeId !== null) {
    const before = models.findIndex(({ id }) => id === beforeId);
    to = before < 0 ? models.length : before;
    from = Math.max(from, to - limit);
  }
  const shown = models.slice(from, Math.min(to, from + limit));
  return {
    data: shown.map(toAnthropic),
    has_more: beforeId === null ? from + shown.length < to : from > 0,
    first_id: shown[0]?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
  };
}
