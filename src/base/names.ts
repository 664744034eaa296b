/** Words used everywhere: in headers, metrics, ledger and configuration. */

/** The wire format of a request: `/v1/chat/completions`, `/v1/messages`, `/v1/responses`. */
export type FormatName = "chat" | "messages" | "responses";
export const FORMAT_NAMES = ["chat", "messages", "responses"] as const satisfies readonly FormatName[];

export type ProviderName = "openai" | "anthropic";
export const PROVIDER_NAMES = ["openai", "anthropic"] as const satisfies readonly ProviderName[];

/** Reasoning efforts, weakest first. */
export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

/** Names of the answer validators. */
export const VALIDATOR_NAMES = [
  "json_schema",
  "json",
  "tool_arguments",
  "non_empty",
  "complete",
  "no_refusal",
] as const;
export type ValidatorName = (typeof VALIDATOR_NAMES)[number];

/** Outcome classes of one attempt. @see docs/resilience.md */
export const OUTCOME_CLASSES = [
  "ok",
  "stale_conn",
  "connect",
  "timeout",
  "server",
  "rate",
  "quota",
  "auth",
  "context",
  "no_model",
  "policy",
  "client",
  "broken",
  "invalid",
  "stalled",
  "aborted",
  "local",
] as const;
export type OutcomeClass = (typeof OUTCOME_CLASSES)[number];

/** What may move a request along its fallback chain. */
export const FALLBACK_REASONS = [
  "error",
  "rate_limit",
  "overloaded",
  "timeout",
  "context_length",
  "validation",
  "refusal",
] as const;
export type FallbackReason = (typeof FALLBACK_REASONS)[number];
