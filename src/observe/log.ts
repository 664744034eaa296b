/**
 * The log: one JSON object a line, or readable text. An access line per request, lines for what the operator should know.
 * Never a prompt, an answer or a key; control characters escaped, values cut.
 */
import type { GatewayEvent, Observer, RequestRecord } from "../base/events.ts";
import type { Json } from "../base/json.ts";
import { totalInput } from "../base/usage.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, Json | undefined>>;

export interface LogOptions {
  readonly level: () => LogLevel;
  readonly format: "json" | "text";
  /** One line per request. */
  readonly access: boolean;
  readonly write: (line: string) => void;
  readonly wallMs: () => number;
  /** Takes every secret out of a text. */
  readonly redact: (text: string) => string;
}

export interface Log extends Observer {
  readonly log: (level: LogLevel, message: string, fields?: LogFields) => void;
}

const MAX_VALUE_CHARS = 256;
/** A fault that repeats is told once in this time, then with the number left out. */
const REPEAT_MS = 10_000;
const MAX_REPEATS = 256;

/** Control characters, and separators that some readers take for line ends. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}…`;
}

export function createLog(options: LogOptions): Log {
  const { redact } = options;
  const repeats = new Map<string, { untilMs: number; left: number }>();

  const safe = (value: Json | undefined): Json | undefined =>
    typeof value === "string" ? shorten(redact(value)) : value;

  const write = (level: LogLevel, message: string, fields: LogFields): void => {
    const time = new Date(options.wallMs()).toISOString();
    const entries = Object.entries(fields).map(([name, value]) => [name, safe(value)] as const);
    if (options.format === "json") {
      const line = JSON.stringify({ time, level, message: safe(message), ...Object.fromEntries(entries) });
      options.write(`${escapeControls(line)}\n`);
      return;
    }
    const rest = entries
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => ` ${name}=${typeof value === "string" ? quote(value) : JSON.stringify(value)}`);
    options.write(
      `${escapeControls(`${time.slice(11, 23)} ${level.padEnd(5)} ${shorten(redact(message))}${rest.join("")}`)}\n`,
    );
  };

  const log: Log["log"] = (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(options.level())) write(level, message, fields);
  };

  /** Logs unless the same thing was logged a moment ago. */
  const logOnce = (key: string, level: LogLevel, message: string, fields: LogFields): void => {
    const nowMs = options.wallMs();
    const repeat = repeats.get(key);
    if (repeat !== undefined && nowMs < repeat.untilMs) {
      repeat.left += 1;
      return;
    }
    if (repeats.size >= MAX_REPEATS) repeats.clear();
    repeats.set(key, { untilMs: nowMs + REPEAT_MS, left: 0 });
    log(level, message, repeat === undefined || repeat.left === 0 ? fields : { ...fields, repeated: repeat.left });
  };

  return {
    name: "log",
    log,
    observe: (event) => observe(event, options.access, log, logOnce),
  };
}

function quote(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text);
}

type Write = Log["log"];
type WriteOnce = (key: string, level: LogLevel, message: string, fields: LogFields) => void;

function observe(event: GatewayEvent, access: boolean, log: Write, logOnce: WriteOnce): void {
  switch (event.type) {
    case "exchange-finished":
      if (access) log(accessLevel(event.record), "request", accessFields(event.record));
      return;
    case "attempt-finished": {
      const { attempt, record } = event;
      if (attempt.failure === null || attempt.class === "aborted") return;
      logOnce(`attempt ${attempt.provider} ${attempt.model} ${attempt.class}`, "warn", "attempt failed", {
        id: record.id,
        provider: attempt.provider,
        model: attempt.model,
        class: attempt.class,
        status: attempt.status,
        cause: attempt.failure,
        upstream_request_id: attempt.upstreamRequestId,
      });
      return;
    }
    case "breaker-changed":
      log(event.to === "closed" ? "info" : "warn", `breaker ${event.to}`, {
        provider: event.provider,
        model: event.model === "" ? undefined : event.model,
        reason: event.reason,
      });
      return;
    case "config-reloaded":
      log(
        event.ok ? "info" : "error",
        event.ok ? `${event.file} reloaded` : `${event.file} not reloaded; the last good one stays`,
        {
          policy: event.policy,
          problems: event.messages.length === 0 ? undefined : event.messages.join("; "),
        },
      );
      return;
    case "request-shed":
      logOnce(`shed ${event.reason}`, "warn", "request shed", { reason: event.reason });
      return;
    case "defect":
      logOnce(`defect ${event.where}`, "error", "defect", { where: event.where, cause: describe(event.error) });
      return;
    case "ledger-dropped":
    case "telemetry-dropped":
      logOnce(event.type, "warn", event.type, { count: event.count, reason: event.reason });
      return;
    default:
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function accessLevel({ status, outcome }: RequestRecord): LogLevel {
  if (outcome === "in_band_error") return "warn";
  return status !== null && status >= 500 ? "warn" : "info";
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}

/** Everything needed to find a request again. */
function accessFields(record: RequestRecord): LogFields {
  const { usage } = record;
  return {
    id: record.id,
    trace: record.trace.traceId,
    method: record.method,
    route: record.route,
    status: record.status,
    outcome: record.outcome,
    error: record.error ?? undefined,
    cause: record.errorMessage ?? undefined,
    format: record.format ?? undefined,
    stream: record.stream,
    rule: record.rule ?? undefined,
    policy: record.policy ?? undefined,
    model_requested: record.modelRequested ?? undefined,
    model: record.model ?? undefined,
    provider: record.provider ?? undefined,
    attempts: record.attempts.length,
    chain:
      record.chain.length > 1 ? record.chain.map(({ model, result }) => `${model}=${result}`).join(", ") : undefined,
    heal: record.heal ?? undefined,
    tokens_input: usage === null ? undefined : totalInput(usage),
    tokens_output: usage?.output,
    usage: usage?.source,
    cost_usd: record.costUsd ?? undefined,
    saved_usd: record.savedUsd ?? undefined,
    ms: round(record.ms),
    ttft_ms: round(record.ttftMs),
    overhead_ms: round(record.overheadMs),
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    dropped: record.dropped.length === 0 ? undefined : record.dropped.join(", "),
    adapted: record.adapted.length === 0 ? undefined : record.adapted.join(", "),
    key: record.key ?? undefined,
    client: record.client ?? undefined,
    user_agent: record.userAgent ?? undefined,
    client_request_id: record.clientRequestId ?? undefined,
    upstream_request_id: record.attempts.at(-1)?.upstreamRequestId ?? undefined,
    tags:
      Object.keys(record.callerTags).length + Object.keys(record.tags).length > 0
        ? { ...record.callerTags, ...record.tags }
        : undefined,
  };
}
