/** Every metric: its name, labels and meaning. The registry is built from it, and so is the table of docs/observability.md. */

export interface MetricRow {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One line, for `# HELP` and the docs. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, ascending; histograms only. */
  readonly buckets?: readonly number[];
  /** What the figures of several workers make together; else their sum. */
  readonly together?: "max" | "min";
}

/** Seconds: from a cached refusal to a long reasoning answer. */
const REQUEST_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];
const FIRST_TOKEN_SECONDS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 40, 80, 160, 320];
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
/**
 * Buckets that the GenAI conventions ask for.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ (read 2026-11-24)
 */
const GEN_AI_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const GEN_AI_TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

// Literal types are kept, so that a label that a metric does not have does not compile.
const counter = <const Labels extends readonly string[]>(name: string, labels: Labels, help: string) =>
  ({ name, type: "counter", help, labels }) as const;
const gauge = <const Labels extends readonly string[]>(
  name: string,
  labels: Labels,
  help: string,
  together: MetricRow["together"] | "sum" = "sum",
) => ({ name, type: "gauge", help, labels, ...(together === "sum" ? {} : { together }) }) as const;
/** What every worker counts alike, as it happens to all of them. */
const shared = <const Labels extends readonly string[]>(name: string, labels: Labels, help: string) =>
  ({ name, type: "counter", help, labels, together: "max" }) as const;
const histogram = <const Labels extends readonly string[]>(
  name: string,
  labels: Labels,
  buckets: readonly number[],
  help: string,
) => ({ name, type: "histogram", help, labels, buckets }) as const;

export const METRICS = {
  requests: counter(
    "arouter_requests_total",
    ["format", "provider", "model", "status", "stream", "rule"],
    "Requests by what was delivered; status 499: the client left.",
  ),
  attempts: counter(
    "arouter_attempts_total",
    ["provider", "model", "class", "rule"],
    "Requests sent to providers, by outcome class: tries, fallbacks and legs of hedges.",
  ),
  retries: counter("arouter_retries_total", ["provider", "class", "rule"], "Retries, by the class that caused them."),
  fallbacks: counter("arouter_fallbacks_total", ["reason", "rule"], "Moves along a fallback chain, by their reason."),
  heals: counter(
    "arouter_heals_total",
    ["result", "rule"],
    "Requests that healing had to do with: healed, exhausted (nothing passed), overflow (too long to hold).",
  ),
  validations: counter(
    "arouter_validations_total",
    ["validator", "result", "rule"],
    "Answers judged, by validator: pass, fail or skipped.",
  ),
  hedges: counter("arouter_hedges_total", ["provider", "result", "rule"], "Hedged tries, by the leg that won."),
  tokens: counter(
    "arouter_tokens_total",
    ["provider", "model", "kind", "source", "rule"],
    "Tokens of all attempts. input leaves out cache_read and cache_write; output contains reasoning.",
  ),
  cost: counter(
    "arouter_cost_usd_total",
    ["provider", "model", "rule"],
    "US dollars spent on attempts; unpriced ones count nothing.",
  ),
  saved: counter(
    "arouter_saved_usd_total",
    ["rule"],
    "US dollars saved against the model asked for; the net saving is this less arouter_lost_usd_total.",
  ),
  lost: counter(
    "arouter_lost_usd_total",
    ["rule"],
    "US dollars spent beyond what the model asked for would have cost.",
  ),
  taggedRequests: counter(
    "arouter_tagged_requests_total",
    ["tag", "value", "rule"],
    "Requests by the tags of their rule.",
  ),
  taggedCost: counter(
    "arouter_tagged_cost_usd_total",
    ["tag", "value", "rule"],
    "US dollars spent, by the tags of the rule.",
  ),
  taggedSaved: counter(
    "arouter_tagged_saved_usd_total",
    ["tag", "value", "rule"],
    "US dollars saved, by the tags of the rule.",
  ),
  taggedLost: counter(
    "arouter_tagged_lost_usd_total",
    ["tag", "value", "rule"],
    "US dollars lost, by the tags of the rule.",
  ),
  keyRequests: counter(
    "arouter_key_requests_total",
    ["key", "status"],
    "Requests by the name of the caller's key in `[auth] keys`; none without one.",
  ),
  keyCost: counter(
    "arouter_key_cost_usd_total",
    ["key"],
    "US dollars spent, by the name of the caller's key; unpriced requests count nothing.",
  ),
  breakerTransitions: counter(
    "arouter_breaker_transitions_total",
    ["provider", "model", "to", "reason"],
    "Circuit breaker changes; an empty model is the provider's own breaker.",
  ),
  translationDropped: counter(
    "arouter_translation_dropped_total",
    ["field"],
    "Request fields that a translation could not carry.",
  ),
  shed: counter("arouter_shed_total", ["reason"], "Requests turned away for want of room."),
  configReloads: shared("arouter_config_reloads_total", ["file", "result"], "Reloads, by the file that changed."),
  ledgerDropped: counter(
    "arouter_ledger_dropped_total",
    [],
    "Ledger lines that could not be written, or were found torn.",
  ),
  telemetryDropped: counter("arouter_telemetry_dropped_total", [], "Spans that could not be delivered."),
  observerErrors: counter("arouter_observer_errors_total", ["observer"], "Events that an observer failed to handle."),
  breakerState: gauge(
    "arouter_breaker_state",
    ["provider", "model"],
    "0 closed, 1 half-open, 2 open; an empty model is the provider's own breaker.",
    "max",
  ),
  inFlight: gauge("arouter_in_flight", ["provider"], "Attempts under way."),
  queueDepth: gauge("arouter_queue_depth", [], "Requests waiting for a place."),
  upstreamUp: gauge(
    "arouter_upstream_up",
    ["provider"],
    "1, or 0 while the provider's breaker is open or its last answer refused the key.",
    "min",
  ),
  configLastReload: gauge("arouter_config_last_reload_success", [], "1, or 0 when the last reload was refused.", "min"),
  policyInfo: gauge("arouter_policy_info", ["hash"], "The policy in force, as x-arouter-policy shows it.", "max"),
  workers: gauge("arouter_workers", [], "Processes that serve the port (server.workers).", "max"),
  workerRestarts: shared(
    "arouter_worker_restarts_total",
    [],
    "Workers that ended by themselves and were started again.",
  ),
  buildInfo: gauge("arouter_build_info", ["version", "commit"], "The program that runs.", "max"),
  requestDuration: histogram(
    "arouter_request_duration_seconds",
    ["format", "provider", "model"],
    REQUEST_SECONDS,
    "From arrival to the end of the answer.",
  ),
  timeToFirstToken: histogram(
    "arouter_time_to_first_token_seconds",
    ["provider", "model"],
    FIRST_TOKEN_SECONDS,
    "From sending a streamed attempt to its first content.",
  ),
  overhead: histogram(
    "arouter_overhead_seconds",
    ["format"],
    OVERHEAD_SECONDS,
    "The gateway's own time until the headers leave, waits for upstream left out.",
  ),
  genAiDuration: histogram(
    "gen_ai_client_operation_duration_seconds",
    ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
    GEN_AI_SECONDS,
    "Duration of an attempt, by the GenAI semantic conventions; an empty error_type is a success.",
  ),
  genAiTokens: histogram(
    "gen_ai_client_token_usage",
    ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"],
    GEN_AI_TOKENS,
    "Tokens of an attempt, by the GenAI semantic conventions; input contains what a cache gave.",
  ),
  processCpu: counter("process_cpu_seconds_total", [], "User and system CPU time spent, in seconds."),
  processResident: gauge("process_resident_memory_bytes", [], "Resident memory, in bytes."),
  processHeap: gauge("process_heap_bytes", [], "Size of the JavaScript heap, in bytes."),
  processStart: gauge("process_start_time_seconds", [], "Start of the process, in seconds since the epoch.", "min"),
  processOpenFiles: gauge("process_open_fds", [], "Open file descriptors; only where the system tells."),
  processMaxFiles: gauge("process_max_fds", [], "Limit of open file descriptors; only where the system tells."),
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricKey = keyof typeof METRICS;
