/** What a policy decides for one request: plain data, printable, the same in serve, explain, test and replay. */
import type { Json } from "../base/json.ts";
import { FALLBACK_REASONS } from "../base/names.ts";
import type { FallbackReason, ValidatorName } from "../base/names.ts";

/** What moves a request along its chain unless a rule says otherwise: all but a refusal. */
export const DEFAULT_FALLBACK_ON: readonly FallbackReason[] = FALLBACK_REASONS.filter((reason) => reason !== "refusal");

/** A duration in ms or `p95` of time to first content. */
export type HedgeAfter = number | "p95";

export interface ParamsBlock {
  /** Top-level fields set to a value. */
  readonly set: Readonly<Record<string, Json>>;
  /** Top-level numbers lowered to at most this. */
  readonly cap: Readonly<Record<string, number>>;
  readonly drop: readonly string[];
}

export interface TimeoutOverrides {
  readonly totalMs?: number;
  readonly ttftMs?: number;
  readonly responseMs?: number;
  readonly idleMs?: number;
}

export interface RetryOverrides {
  readonly max?: number;
  readonly baseMs?: number;
  readonly capMs?: number;
  readonly onTimeout?: boolean;
}

export interface HealSettings {
  readonly hold?: "preflush" | "full" | "off";
  readonly preflushBytes?: number;
  readonly feedback?: "none" | "errors";
}

/** One entry of the chain. */
export interface ChainEntry {
  readonly model: string;
  readonly params?: ParamsBlock;
  readonly timeout?: TimeoutOverrides;
}

/** What changes nothing. */
export const NO_PARAMS: ParamsBlock = { set: {}, cap: {}, drop: [] };

export interface Decision {
  /** Name of the rule that matched; null when none did. */
  readonly rule: string | null;
  /** First 12 hex digits of the policy's SHA-256; null without a policy. */
  readonly policy: string | null;
  /** As the client sent it. */
  readonly modelRequested: string;
  /** After aliases: what savings are measured against. */
  readonly modelAsked: string;
  /** First candidate. */
  readonly model: string;
  readonly validate: readonly ValidatorName[];
  /** Candidates after the first. */
  readonly fallbackChain: readonly ChainEntry[];
  readonly fallbackOn: readonly FallbackReason[];
  readonly heal: HealSettings;
  /** null: `off` said outright; undefined: the configured default. */
  readonly hedge?: { readonly after: HedgeAfter; readonly model?: string } | null;
  readonly retry: RetryOverrides;
  /** Of rule and defaults; replaces the provider's, up or down. */
  readonly timeout: TimeoutOverrides;
  /** The caller's own limits (override headers, SDK time limit): each lowers whatever limit holds, for every candidate. */
  readonly timeoutCeiling: TimeoutOverrides;
  readonly params: ParamsBlock;
  /** Rule tags (metric labels). */
  readonly tags: Readonly<Record<string, string>>;
  readonly block: { readonly status: number; readonly message: string } | null;
}
