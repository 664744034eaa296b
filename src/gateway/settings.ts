/** What the pipeline needs of the configuration: plain values, handed in by the composition root. */
import type { ProviderName } from "../base/names.ts";
import type { BackoffSettings } from "../resilience/backoff.ts";
import type { Catalog } from "../catalog/model.ts";
import type { Dispatch } from "../resilience/dispatch.ts";
import type { TranslationOptions } from "../translate/translator.ts";
import type { ProviderRegistry } from "../upstream/provider.ts";
import type { UpstreamState } from "../upstream/stack.ts";
import type { UpstreamAnswer, UpstreamRequest } from "../upstream/upstream.ts";
import type { Policy } from "../policy/policy.ts";
import type { ParseLimits } from "../wire/format.ts";

/** Defaults of one provider that a rule or a header may override. */
export interface ProviderDefaults {
  readonly retry: BackoffSettings & {
    readonly max: number;
    readonly onTimeout: boolean;
    readonly retryAfterPatienceMs: number;
    readonly retryAfterCapMs: number;
  };
  readonly timeout: {
    readonly totalMs: number;
    readonly ttftMs: number;
    readonly responseMs: number;
    readonly idleMs: number;
    readonly streamTotalMs: number;
  };
  readonly hedge: {
    readonly after: number | "p95" | null;
    readonly model: string | null;
    readonly afterMinMs: number;
    readonly afterMaxMs: number;
  };
}

export interface GatewaySettings {
  readonly limits: ParseLimits & {
    readonly maxAttempts: number;
    readonly responseBytes: number;
    readonly schemaBytes: number;
    readonly schemaDepth: number;
    readonly patternChars: number;
  };
  readonly translation: TranslationOptions;
  readonly strictTranslation: boolean;
  /** `providers.openai.surface`: the API that translated requests use. */
  readonly openaiSurface: "auto" | "chat";
  readonly thinkingStore: boolean;
  /** `router.overrides`. */
  readonly overrides: "all" | "none" | readonly string[];
  readonly streamUsage: "estimate" | "request";
  readonly echoRequestedModel: boolean;
  readonly upstreamAuthStatus: 401 | 502;
  readonly betas: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly heal: {
    readonly hold: "auto" | "off" | "preflush" | "full";
    readonly preflushBytes: number;
    readonly rawBytes: number;
    readonly holdTimeMs: number;
    readonly feedback: "none" | "errors";
  };
  readonly stream: { readonly keepaliveMs: number; readonly commitAfterMs: number };
  readonly clientWriteMs: number;
  readonly signalClient: boolean;
  readonly providers: Readonly<Record<ProviderName, ProviderDefaults>>;
  /** Keep request bodies in the record, for a ledger or traces that want them. */
  readonly keepBodies: boolean;
  /** Keep answers in the record, for traces that show content. */
  readonly keepAnswers: boolean;
}

/** Everything that a reload may change, as one value: a request in flight keeps the one it started with. */
export interface Snapshot {
  readonly settings: GatewaySettings;
  readonly policy: Policy;
  readonly catalog: Catalog;
  readonly registry: ProviderRegistry;
  readonly state: UpstreamState;
  readonly dispatch: Dispatch<UpstreamRequest, UpstreamAnswer>;
  /** Takes the configuration's secrets out of a text: upstream errors may repeat the key that they refuse. */
  readonly redact: (text: string) => string;
}
