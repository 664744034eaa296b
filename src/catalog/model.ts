/** What a model is: the facts that decide model-dependent behaviour. Built by catalog.ts, never guessed from a name. */
import type { Effort, FormatName, ProviderName } from "../base/names.ts";

/** US dollars per million tokens. An absent cache price is that of `input`. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  /** Default lifetime (Anthropic 5 min). */
  readonly cacheWrite?: number;
  /** Long lifetime (Anthropic 1 h, OpenAI 12 h). */
  readonly cacheWriteLong?: number;
}

export interface TierPrices {
  readonly base: Rates;
  /** Replaces `base` for the whole request once its input is over `overTokens`; ascending. */
  readonly bands: readonly { readonly overTokens: number; readonly rates: Rates }[];
}

/** Names of service tiers that have prices of their own; `batches` is the batch API. */
export const PRICE_TIERS = ["standard", "priority", "flex", "ultrafast", "batches"] as const;

/** By tier, see {@link PRICE_TIERS}; a tier that is absent is unpriced. */
export type Prices = Readonly<Record<string, TierPrices>>;

/** Resolved: every unknown is already settled by WIRE rule 3 (unknown = the newest family, the strictest). */
export interface Capabilities {
  /**
   * Claude: which `thinking` is accepted. `effort`: an OpenAI reasoning model. `none`: does not reason.
   * `adaptive+budget` takes both forms, `budget` only `enabled` with a budget.
   */
  readonly reasoning: "none" | "budget" | "adaptive" | "adaptive+budget" | "effort";
  /** Thinking happens although nothing asks for it. */
  readonly thinkingByDefault: boolean;
  /** `thinking: disabled` (Claude) or effort `none` (OpenAI) is accepted. */
  readonly canDisableThinking: boolean;
  /** `thinking: between_tools` is accepted. */
  readonly betweenTools: boolean;
  /** Earlier thinking is bound to the prefix: send block-binding controls with it. */
  readonly preservedThinking: boolean;
  /** Efforts accepted; empty when the model takes none. */
  readonly efforts: readonly Effort[];
  readonly defaultEffort: Effort | null;
  /** `both`: temperature and top_p together; `one`: either; `effort-none`: only while effort is none; `no`: refused. */
  readonly sampling: "both" | "one" | "effort-none" | "no";
  readonly forcedToolUse: boolean;
  readonly prefill: boolean;
  readonly structuredOutputs: boolean;
  readonly midConversationSystem: boolean;
  readonly tools: boolean;
  readonly parallelToolControl: boolean;
  /** OpenAI `stop` is accepted. */
  readonly stop: boolean;
  /** Function tools on Chat Completions: accepted, only with `reasoning_effort: none`, or refused. */
  readonly toolsOnChat: "yes" | "effort-none" | "no";
  /** Name of the output cap on Chat. */
  readonly outputCapField: "max_completion_tokens" | "max_tokens";
  /** `max_tokens` is refused on Chat (reasoning models). */
  readonly refusesMaxTokens: boolean;
  readonly vision: boolean;
  readonly pdf: boolean;
  readonly audioInput: boolean;
  /** Explicit cache markers: `prompt_cache_breakpoint` on OpenAI parts, `cache_control` on Claude's blocks. */
  readonly cacheBreakpoints: boolean;
  /** `speed: "fast"` is accepted (Claude). */
  readonly fastMode: boolean;
  readonly webSearch: boolean;
  /** The system role is called `developer`. */
  readonly developerRole: boolean;
}

export interface Model {
  /** Id as looked up (what was asked, even when only its undated form is in the catalog). */
  readonly id: string;
  readonly provider: ProviderName;
  /** False: not in the catalog, treated as the newest family of its provider. */
  readonly known: boolean;
  readonly kind: "chat" | "responses" | "embedding";
  /** Formats the provider serves it on. */
  readonly formats: readonly FormatName[];
  /** Input and output together, unless `inputTokens` is given. */
  readonly contextTokens: number | null;
  /** Largest input alone, where the provider states that. */
  readonly inputTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Day in its date suffix, or in that of its oldest dated sibling, `YYYY-MM-DD`. */
  readonly releasedOn: string | null;
  /** Day of shutdown, `YYYY-MM-DD`. */
  readonly shutdownOn: string | null;
  readonly promptCacheMinTokens: number | null;
  readonly capabilities: Capabilities;
  /** null: unpriced. */
  readonly prices: Prices | null;
  /** On every price: `us` for `inference_geo: "us"`, `fast` for `speed: "fast"`. Both at once multiply. */
  readonly priceMultipliers: Readonly<Record<string, number>>;
}

export interface Catalog {
  /** Day or month of its facts, `YYYY-MM`. */
  readonly asOf: string;
  /**
   * The model called `id`: itself, without its date suffix, or the unknown model of its provider (by `hint`, else
   * `claude*` → anthropic, anything else → openai).
   */
  readonly find: (id: string, hint?: ProviderName) => Model;
  /** Whether the model is listed under this very id. */
  readonly has: (id: string) => boolean;
  /** Every known model; the first reading of it reads them all. */
  readonly models: readonly Model[];
}
