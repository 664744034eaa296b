/**
 * The lines of the log besides the access line, and their fields. The log takes levels from here, and docs/observability.md
 * is written from it.
 */
export const LOG_LINES = {
  "attempt failed": {
    level: "warn",
    fields: ["id", "trace", "provider", "model", "class", "status", "cause", "upstream_request_id"],
    doc: "A provider's answer failed, or none came.",
  },
  "breaker open": { level: "warn", fields: ["provider", "model", "reason"], doc: "A breaker keeps requests away." },
  "breaker half_open": { level: "warn", fields: ["provider", "model", "reason"], doc: "It lets a few try again." },
  "breaker closed": { level: "info", fields: ["provider", "model", "reason"], doc: "It lets all through." },
  "request shed": { level: "warn", fields: ["reason"], doc: "A request was turned away for want of room." },
  "config reloaded": { level: "info", fields: ["policy"], doc: "The configuration that was read is in force." },
  "policy reloaded": { level: "info", fields: ["policy"], doc: "The policy that was read is in force." },
  "keys reloaded": { level: "info", fields: ["policy"], doc: "The keys that were read are in force." },
  "config not reloaded; the last good one stays": {
    level: "error",
    fields: ["policy", "problems"],
    doc: "The configuration that was read is wrong.",
  },
  "policy not reloaded; the last good one stays": {
    level: "error",
    fields: ["policy", "problems"],
    doc: "The policy that was read is wrong.",
  },
  "keys not reloaded; the last good one stays": {
    level: "error",
    fields: ["policy", "problems"],
    doc: "The keys that were read are wrong.",
  },
  reload: {
    level: "error",
    fields: ["file", "problem"],
    doc: "A mistake in what was read; at `warn`: a warning about what is in force.",
  },
  "ledger-dropped": { level: "warn", fields: ["count", "cause"], doc: "Lines of the ledger were lost." },
  "telemetry-dropped": { level: "warn", fields: ["count", "cause"], doc: "Spans were lost." },
  defect: { level: "error", fields: ["where", "cause", "at"], doc: "A bug of the gateway." },
  repeated: { level: "warn", fields: ["fault", "repeated"], doc: "A fault was held back that often, and is over." },
  "metrics listening": { level: "info", fields: ["address"], doc: "`/metrics` has its own address, and is there." },
  "worker ended": {
    level: "warn",
    fields: ["worker", "pid", "cause"],
    doc: "One of `server.workers` ended by itself; it is started again.",
  },
  "worker started": { level: "info", fields: ["worker", "pid"], doc: "It was started again." },
  draining: { level: "info", fields: ["signal"], doc: "The gateway was told to stop." },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly level: "info" | "warn" | "error";
      readonly fields: readonly LogLineField[];
      readonly doc: string;
    }
  >
>;

export type LogLine = keyof typeof LOG_LINES;

export const LOG_LINE_FIELDS = {
  id: "`x-arouter-request-id` of the request.",
  trace: "Its W3C trace id.",
  provider: "The provider asked.",
  model: "The model asked; none for the breaker of a whole provider.",
  class: "Outcome class.",
  status: "HTTP status of the provider's answer.",
  cause: "What went wrong, with its causes.",
  upstream_request_id: "The provider's id of the request.",
  reason: "Why.",
  policy: "Hash of the policy in force.",
  problems: "How many mistakes there are; a line each follows, of the first 20.",
  file: "`config`, `policy` or `keys`.",
  problem: "The mistake, with its place.",
  count: "How many were lost.",
  where: "Part of the gateway.",
  at: "Place in the code.",
  fault: "What was held back.",
  repeated: "How often it was held back; also on a line that is told again.",
  address: "Where it listens.",
  signal: "The signal.",
  worker: "Number of the worker, from 1.",
  pid: "Its process.",
} as const;

export type LogLineField = keyof typeof LOG_LINE_FIELDS;
