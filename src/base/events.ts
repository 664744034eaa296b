/**
 * What the pipeline tells its observers. Stages emit, observers subscribe; no stage knows a metric, a span or a log.
 */
import type { ErrorKind } from "./errors.ts";
import type { TraceContext } from "./ids.ts";
import type { FallbackReason, FormatName, OutcomeClass, ProviderName, ValidatorName } from "./names.ts";
import type { Usage } from "./usage.ts";
import type { Json } from "./json.ts";

/** How a request ended. Every accepted request ends in exactly one of them. */
export type Outcome = "complete" | "upstream_error" | "gateway_error" | "in_band_error" | "client_gone";

export type HealResult = "healed" | "exhausted" | "overflow";
export type ValidationResult = "pass" | "fail" | "skipped";

/** An answer by the provider's words: its id, the model that it names, and why each of its choices ended. */
export interface AnswerNote {
  readonly id: string | null;
  readonly model: string | null;
  readonly finishReasons: readonly string[];
}

/** One upstream HTTP request: a try, a fallback or a leg of a hedge. Times in ms. */
export interface AttemptRecord {
  /** From 1 in order of start. */
  readonly number: number;
  readonly spanId: string;
  readonly model: string;
  readonly provider: ProviderName;
  readonly upstreamFormat: FormatName;
  readonly leg: "primary" | "hedge";
  /** Try of this candidate, from 0: above 0 it is a retry. */
  readonly retry: number;
  /** Goes on with a paused answer: a part of the attempt before it, not counted as one. */
  readonly continues: boolean;
  class: OutcomeClass;
  /** HTTP status of the upstream's answer; null without one. */
  status: number | null;
  /** Milliseconds since the request arrived. */
  readonly startedMs: number;
  ttftMs: number | null;
  ms: number | null;
  usage: Usage | null;
  /** US dollars; null when unpriced. */
  costUsd: number | null;
  serviceTier: string | null;
  /** What the answer says of itself; null while there is none. */
  answer: AnswerNote | null;
  /** Upstream's request id. */
  upstreamRequestId: string | null;
  /** Short text of a failure: no key, prompt or body. */
  failure: string | null;
}

/** Result of one validator on one candidate's answer. */
export interface ValidationRecord {
  readonly validator: ValidatorName;
  readonly result: ValidationResult;
  readonly attempt: number;
  readonly reason: string | null;
}

/** The decision as plain data, as the ledger, `-trace` and `-dry-run` print it. */
export type DecisionSummary = { readonly [key: string]: Json };

/** Everything worth telling about one request. Filled while it runs, complete at `exchange-finished`. */
export interface RequestRecord {
  readonly id: string;
  readonly trace: TraceContext;
  /** Milliseconds since the epoch at arrival. */
  readonly wallMs: number;
  readonly route: string;
  readonly method: string;
  readonly format: FormatName | null;
  stream: boolean;
  /** Name of the caller's key in `[auth] keys`. */
  key: string | null;
  client: string | null;
  userAgent: string | null;
  clientRequestId: string | null;
  rule: string | null;
  policy: string | null;
  modelRequested: string | null;
  /** Model asked for after aliases: what savings are measured against. */
  modelAsked: string | null;
  model: string | null;
  provider: ProviderName | null;
  upstreamFormat: FormatName | null;
  outcome: Outcome | null;
  status: number | null;
  error: ErrorKind | null;
  /** Message of the error that was delivered, redacted; null when none. */
  errorMessage: string | null;
  facts: { readonly [key: string]: Json } | null;
  decision: DecisionSummary | null;
  /** Names of the `x-arouter-*` overrides in force. */
  overrides: readonly string[];
  heal: HealResult | null;
  validation: ValidationResult | null;
  validations: ValidationRecord[];
  fallbackReason: OutcomeClass | null;
  /** Moves along the chain, in order, by reason of `fallback_on`. */
  fallbacks: FallbackReason[];
  hedge: "primary" | "hedge" | null;
  /** A retry was due and the provider's budget was empty: its failures are many, and the caller's retries would add to them. */
  retryRefused: boolean;
  attempts: AttemptRecord[];
  /** Candidates in order with their last class, `ok` or `skipped`. */
  chain: { readonly model: string; readonly result: OutcomeClass | "skipped" }[];
  dropped: readonly string[];
  adapted: readonly string[];
  /** Rule tags, metric labels too. */
  tags: Readonly<Record<string, string>>;
  /** Caller's tags (`x-arouter-tags`): log and ledger only. */
  callerTags: Readonly<Record<string, string>>;
  /** Estimated at arrival. */
  tokensInputEstimate: number | null;
  /** Usage of the answer delivered. */
  usage: Usage | null;
  /** US dollars over all attempts; null when any is unpriced. */
  costUsd: number | null;
  savedUsd: number | null;
  /** Own time until the headers leave, waits for upstream excluded. */
  overheadMs: number | null;
  /** Arrival to first content handed to the client. */
  ttftMs: number | null;
  /** Arrival to end. */
  ms: number | null;
  bytesIn: number;
  bytesOut: number;
  /** The client's request body, kept only when ledger or traces ask for it. */
  requestBytes: Uint8Array | null;
  /** The answer as delivered, JSON or an event stream, kept only when traces ask for it. */
  answer: string | null;
}

export type GatewayEvent =
  | { readonly type: "exchange-started"; readonly record: RequestRecord }
  | { readonly type: "decision-made"; readonly record: RequestRecord }
  | { readonly type: "attempt-started"; readonly record: RequestRecord; readonly attempt: AttemptRecord }
  | { readonly type: "attempt-finished"; readonly record: RequestRecord; readonly attempt: AttemptRecord }
  | {
      readonly type: "retry-scheduled";
      readonly record: RequestRecord;
      readonly provider: ProviderName;
      readonly class: OutcomeClass;
      readonly waitMs: number;
    }
  | {
      readonly type: "hedge-launched";
      readonly record: RequestRecord;
      readonly provider: ProviderName;
      readonly afterMs: number;
    }
  | {
      readonly type: "hedge-finished";
      readonly record: RequestRecord;
      readonly provider: ProviderName;
      readonly result: "primary" | "hedge" | "failed";
    }
  | {
      readonly type: "candidate-rejected";
      readonly record: RequestRecord;
      readonly model: string;
      readonly class: OutcomeClass;
      readonly reason: string;
    }
  | {
      readonly type: "breaker-changed";
      readonly provider: ProviderName;
      /** "" for the provider's own breaker. */
      readonly model: string;
      readonly to: "closed" | "open" | "half_open";
      readonly reason: string;
    }
  | { readonly type: "request-shed"; readonly reason: string; readonly record: RequestRecord | null }
  | {
      readonly type: "config-reloaded";
      readonly file: "config" | "policy" | "keys";
      readonly ok: boolean;
      readonly messages: readonly string[];
      /** Policy hash now in force. */
      readonly policy: string | null;
    }
  | { readonly type: "ledger-dropped"; readonly count: number; readonly reason: string }
  | { readonly type: "telemetry-dropped"; readonly count: number; readonly reason: string }
  | { readonly type: "defect"; readonly where: string; readonly error: unknown }
  | { readonly type: "exchange-finished"; readonly record: RequestRecord };

export type Emit = (event: GatewayEvent) => void;
/** Takes events; a throw is counted by the bus, never felt by the pipeline. */
export interface Observer {
  readonly name: string;
  /** The events that it is to be told of; all without. */
  readonly events?: readonly GatewayEvent["type"][];
  readonly observe: (event: GatewayEvent) => void;
  /** Flushes what is buffered; called once at shutdown. */
  readonly close?: () => Promise<void>;
}
