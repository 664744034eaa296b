/**
 * The log: one JSON object a line, or readable text. An access line per request, lines for what the operator should know.
 * Never a prompt, an answer or a key; control characters escaped, values cut.
 */
import type { GatewayEvent, Observer, RequestRecord } from "../base/events.ts";
import type { Json } from "../base/json.ts";
import type { Redact } from "../base/secret.ts";
import { createLineBytes } from "./line-bytes.ts";
import { accessFields, writePlainAccess } from "./log-access.ts";
import { LOG_LINES, type LogLine, type LogLineField } from "./log-lines.ts";
import { createRepeats } from "./log-repeats.ts";
import { describeError, escapeControls, originOf, renderText, safeText, safeValue } from "./log-text.ts";
import { createTimeText } from "./time-text.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, Json | undefined>>;

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  /** One line per request. */
  readonly access: boolean;
}

export interface LogOptions {
  /** Read at each line, so that a reload may change it. */
  readonly settings: () => LogSettings;
  readonly write: (line: string) => void;
  /** The same for a line of UTF-8, the first `length` of `bytes`, which are used again; unset: {@link write} gets it as a text. */
  readonly writeBytes?: (bytes: Buffer, length: number) => void;
  readonly wallMs: () => number;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Takes every secret out of a text. */
  readonly redact: Redact;
}

export interface Log extends Observer {
  readonly log: (level: LogLevel, message: string, fields?: LogFields) => void;
  readonly close: () => Promise<void>;
}

const REPEAT_MS = 10_000;
const MAX_REPEATS = 256;
const MAX_PROBLEMS = 20;

/** What {@link createLog} has something to say about. */
const EVENTS = [
  "attempt-finished",
  "breaker-changed",
  "config-reloaded",
  "request-shed",
  "defect",
  "ledger-dropped",
  "telemetry-dropped",
  "exchange-finished",
] as const satisfies readonly GatewayEvent["type"][];

type LineFields = Readonly<Partial<Record<LogLineField, Json | undefined>>>;

/** Says `line` unless it was said of the same fault a moment ago. */
type WriteOnce = (fault: string, line: LogLine, fields: LineFields) => void;

export function createLog(options: LogOptions): Log {
  const { redact, settings } = options;
  const repeats = createRepeats(REPEAT_MS, MAX_REPEATS);
  const timeText = createTimeText();
  const line = createLineBytes();

  const log: Log["log"] = (level, message, fields = {}) => {
    const { level: least, format } = settings();
    if (isBelow(level, least)) return;
    const time = timeText(options.wallMs());
    const said = safeText(message, redact);
    const render = format === "json" ? JSON.stringify : renderText;
    let rest = "";
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined || value === null) continue;
      const shown = render(safeValue(value, redact));
      rest += format === "json" ? `,"${name}":${shown}` : ` ${name}=${shown}`;
    }
    const line =
      format === "json"
        ? `{"time":"${time}","level":"${level}","message":${JSON.stringify(said)}${rest}}`
        : `${time.slice(11, 23)} ${level.padEnd(5)} ${said}${rest}`;
    options.write(`${escapeControls(line)}\n`);
  };

  const logAccess = (record: RequestRecord): void => {
    const { access, level: least, format } = settings();
    const level = accessLevel(record);
    if (!access || isBelow(level, least)) return;
    // Almost every line has nothing in it that needs care, and is found to have no secret in one look at the whole.
    if (format !== "json" || !renderPlain(level, record)) log(level, "request", accessFields(record));
    else if (options.writeBytes === undefined) options.write(line.toText());
    else options.writeBytes(line.bytes, line.length);
  };

  /** Renders the line, if there is nothing in it that needs care. */
  const renderPlain = (level: LogLevel, record: RequestRecord): boolean => {
    line.reset();
    line.plain('{"time":"');
    line.time(options.wallMs());
    line.plain('","level":"');
    line.plain(level);
    line.plain('","message":"request"');
    if (!writePlainAccess(line, record)) return false;
    line.plain("}\n");
    if (redact.isIn !== undefined) return !redact.isIn(line.bytes, 0, line.length);
    const text = line.toText();
    return redact(text) === text;
  };

  const tellHeldBack = (held: readonly (readonly [string, number])[]): void => {
    for (const [fault, count] of held) log("warn", "repeated", { fault, repeated: count });
  };

  const logOnce: WriteOnce = (fault, line, fields) => {
    const held = repeats.admit(fault, options.nowMs());
    if (held !== null) log(LOG_LINES[line].level, line, held === 0 ? fields : { ...fields, repeated: held });
  };

  return {
    name: "log",
    events: EVENTS,
    log,
    observe: (event) => {
      tellHeldBack(repeats.expired(options.nowMs()));
      if (event.type === "exchange-finished") logAccess(event.record);
      else observe(event, log, logOnce);
    },
    close: async () => tellHeldBack(repeats.drain()),
  };
}

function observe(event: GatewayEvent, log: Log["log"], logOnce: WriteOnce): void {
  switch (event.type) {
    case "attempt-finished": {
      const { attempt, record } = event;
      if (attempt.failure === null || attempt.class === "aborted") return;
      logOnce(`attempt ${attempt.provider} ${attempt.model} ${attempt.class}`, "attempt failed", {
        id: record.id,
        trace: record.trace.traceId,
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
      logOnce(`breaker ${event.provider} ${event.model} ${event.to}`, `breaker ${event.to}`, {
        provider: event.provider,
        model: event.model === "" ? undefined : event.model,
        reason: event.reason,
      });
      return;
    case "config-reloaded":
      logReload(event, log);
      return;
    case "request-shed":
      logOnce(`shed ${event.reason}`, "request shed", { reason: event.reason });
      return;
    case "defect": {
      const cause = describeError(event.error);
      logOnce(`defect ${event.where} ${cause.slice(0, 64)}`, "defect", {
        where: event.where,
        cause,
        at: originOf(event.error),
      });
      return;
    }
    case "ledger-dropped":
    case "telemetry-dropped":
      logOnce(`${event.type} ${event.reason}`, event.type, { count: event.count, cause: event.reason });
      return;
    default:
  }
}

/** A line each for what is wrong, so that none is cut off behind another. */
function logReload(event: Extract<GatewayEvent, { type: "config-reloaded" }>, log: Log["log"]): void {
  const { file, ok, messages, policy } = event;
  const line = ok ? (`${file} reloaded` as const) : (`${file} not reloaded; the last good one stays` as const);
  log(LOG_LINES[line].level, line, { policy, problems: ok ? undefined : messages.length });
  for (const problem of messages.slice(0, MAX_PROBLEMS)) log(ok ? "warn" : "error", "reload", { file, problem });
}

function isBelow(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least);
}

function accessLevel({ status, outcome }: RequestRecord): LogLevel {
  if (outcome === "in_band_error") return "warn";
  return status !== null && status >= 500 ? "warn" : "info";
}
