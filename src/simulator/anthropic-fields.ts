/** Top-level fields of Messages; `beta`: the header value that a field needs. */
import type { Shape } from "./anthropic-checks.ts";

/** Shape of a top-level field and the beta that it is behind. */
export interface AnthropicField extends Shape {
  /** Start of an `anthropic-beta` value without which the field is unknown. */
  readonly beta?: string;
}

const OBJECT: Shape = { type: "object", nullable: true };

/** Every top-level field. */
export const MESSAGES_FIELDS: Readonly<Record<string, AnthropicField>> = {
  model: { type: "string" },
  messages: { type: "array" },
  max_tokens: { type: "integer", least: 0 },
  cache_control: OBJECT,
  container: { type: "string", nullable: true },
  inference_geo: { type: "string", nullable: true },
  metadata: OBJECT,
  output_config: OBJECT,
  service_tier: { type: "string", oneOf: ["auto", "standard_only"] },
  stop_sequences: { type: "strings" },
  stream: { type: "boolean" },
  system: { type: "string or array" },
  temperature: { type: "number", least: 0, most: 1 },
  thinking: { type: "object" },
  tool_choice: { type: "object" },
  tools: { type: "array" },
  top_k: { type: "integer", least: 0, nullable: true },
  top_p: { type: "number", least: 0, most: 1 },
  context_management: { ...OBJECT, beta: "context-management" },
  mcp_servers: { type: "array", nullable: true, beta: "mcp-client" },
  output_format: { ...OBJECT, beta: "structured-outputs" },
  speed: { type: "string", oneOf: ["fast", "standard"], nullable: true, beta: "fast-mode" },
  thread: { ...OBJECT, beta: "message-threads" },
  fallbacks: { type: "array", nullable: true, beta: "server-side-fallback" },
  fallback_credit_token: { type: "string", nullable: true, beta: "fallback-credit" },
  diagnostics: { ...OBJECT, beta: "cache-diagnosis" },
  billing_policy: { ...OBJECT, beta: "user-profiles-billing" },
  compaction: { ...OBJECT, beta: "compact" },
  user_profile_id: { type: "string", nullable: true, beta: "user-profiles" },
};

/** Whether a beta of that start was asked for; without headers to look at (null) every one counts as asked for. */
export function hasBeta(betas: readonly string[] | null, start: string): boolean {
  return betas === null || betas.some((beta) => beta.startsWith(start));
}

/** Fields that count_tokens does not take. */
export const NOT_COUNTED: readonly string[] = [
  "max_tokens",
  "stream",
  "stop_sequences",
  "temperature",
  "top_k",
  "top_p",
  "metadata",
  "service_tier",
  "inference_geo",
];

/** Types of tools without `input_schema`, by their start; the dated rest is not checked. */
export const SERVER_TOOLS: readonly string[] = [
  "web_search_",
  "web_fetch_",
  "code_execution_",
  "tool_search_tool_",
  "bash_",
  "text_editor_",
  "memory_",
  "computer_",
  "advisor_",
  "browser_toolset_",
];

/** Keys of a client tool. */
export const TOOL_KEYS: readonly string[] = [
  "type",
  "name",
  "description",
  "input_schema",
  "cache_control",
  "strict",
  "defer_loading",
  "input_examples",
  "eager_input_streaming",
  "allowed_callers",
];

/** First version that takes no sampling parameters. */
export const NO_SAMPLING_VERSION = "2026-10-21";
