/** What a rule asks for, and how it is laid over `defaults`. */
import type { FallbackReason, ProviderName, ValidatorName } from "../base/names.ts";
import type {
  ChainEntry,
  HealSettings,
  HedgeAfter,
  ParamsBlock,
  RetryOverrides,
  TimeoutOverrides,
} from "./decision.ts";

/** Candidates of one request: the rule's model and its chain. */
export const MAX_CANDIDATES = 8;
export const MODEL_NAME = /^[A-Za-z0-9._:/-]{1,128}$/;
export const TAG_NAME = /^[a-z_][a-z0-9_]{0,31}$/;

/** The model a rule asks for: one, one per provider asked for, or a weighted draw. */
export type ModelChoice =
  | { readonly kind: "one"; readonly model: string }
  | { readonly kind: "by-provider"; readonly models: Readonly<Partial<Record<ProviderName, string>>> }
  | { readonly kind: "weighted"; readonly choices: readonly WeightedModel[] };

export interface WeightedModel {
  readonly model: string;
  /** Above 0; shares are relative to the sum. */
  readonly weight: number;
}

export interface Block4xx {
  readonly status: number;
  readonly message: string;
}

/** A `then` block; absent parts are left to `defaults` and the configuration. */
export interface Then {
  readonly model?: ModelChoice;
  readonly validate?: readonly ValidatorName[];
  readonly fallbackChain?: readonly ChainEntry[];
  readonly fallbackOn?: readonly FallbackReason[];
  readonly heal?: HealSettings;
  /** null: `off`. */
  readonly hedge?: { readonly after: HedgeAfter; readonly model?: string } | null;
  readonly retry?: RetryOverrides;
  readonly timeout?: TimeoutOverrides;
  readonly params?: ParamsBlock;
  readonly tags?: Readonly<Record<string, string>>;
  readonly block?: Block4xx;
}

/**
 * `then` laid over `defaults`: settings (`heal`, `retry`, `timeout`, `tags`, `params`) are joined key by key, everything
 * else is replaced. A `block` on either side is not joined with anything: the rule's own `then` wins.
 */
export function overDefaults(defaults: Then, then: Then): Then {
  if (then.block !== undefined) return then;
  const { block: _unused, ...base } = defaults;
  return {
    ...base,
    ...then,
    ...(base.heal === undefined ? {} : { heal: { ...base.heal, ...then.heal } }),
    ...(base.retry === undefined ? {} : { retry: { ...base.retry, ...then.retry } }),
    ...(base.timeout === undefined ? {} : { timeout: { ...base.timeout, ...then.timeout } }),
    ...(base.tags === undefined ? {} : { tags: { ...base.tags, ...then.tags } }),
    ...(base.params === undefined ? {} : { params: joinParams(base.params, then.params) }),
  };
}

function joinParams(base: ParamsBlock, own: ParamsBlock | undefined): ParamsBlock {
  if (own === undefined) return base;
  const named = new Set([...Object.keys(own.set), ...Object.keys(own.cap), ...own.drop]);
  const kept = <Value>(fields: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => !named.has(name)));
  return {
    set: { ...kept(base.set), ...own.set },
    cap: { ...kept(base.cap), ...own.cap },
    drop: [...base.drop.filter((name) => !named.has(name)), ...own.drop],
  };
}
