/** A finished request as OpenTelemetry spans: a server span, and below it a client span for each attempt. */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import type { TraceContext } from "../base/ids.ts";
import { contentAttributes } from "./span-content.ts";
import {
  ATTEMPT_ATTRIBUTES,
  attemptErrorType,
  type Attributes,
  knownMethod,
  readAttributes,
  REQUEST_ATTRIBUTES,
  requestErrorType,
  type SpanContext,
  TAG_PREFIX,
} from "./span-attributes.ts";

/** As OpenTelemetry's API numbers them. @see https://opentelemetry.io/docs/specs/otel/trace/api/#spankind (read 2026-11-24) */
const SERVER = 1;
const CLIENT = 2;
const UNSET = 0;
const ERROR = 2;

/** Seconds and nanoseconds since the epoch. */
type Time = readonly [seconds: number, nanoseconds: number];

export interface SpanEvent {
  readonly name: string;
  readonly time: Time;
  readonly attributes: Attributes;
}

export interface Span {
  readonly name: string;
  readonly kind: typeof SERVER | typeof CLIENT;
  /** 32 lower-case hex digits; the next two have 16. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly isParentRemote: boolean;
  /** The caller's `tracestate`: all spans of a trace have it. */
  readonly traceState: string | null;
  readonly startTime: Time;
  readonly endTime: Time;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly status: { readonly code: typeof UNSET | typeof ERROR; readonly message?: string };
}

/** The spans that there are, with their names. */
export const SPANS = {
  request: {
    kind: SERVER,
    help: "request, from its arrival to the end of its answer",
    nameOf: ({ method, route }: Pick<RequestRecord, "method" | "route">) => `${knownMethod(method) ?? "HTTP"} ${route}`,
  },
  attempt: {
    kind: CLIENT,
    help: "attempt at a provider: a try, a fallback or a leg of a hedge",
    nameOf: ({ model }: Pick<AttemptRecord, "model">) => `chat ${model}`,
  },
} as const;

/** Something that happened to a request on its way. */
export interface SpanNote {
  readonly name: SpanNoteName;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  readonly attributes: Attributes;
}

/** Events of the server span, with what they tell. */
export const SPAN_NOTES = {
  "arouter.retry": "a retry was scheduled: `arouter.provider`, `error.type`, `arouter.wait_ms`",
  "arouter.hedge.launched": "a second leg was sent: `arouter.provider`, `arouter.after_ms`",
  "arouter.hedge.finished": "the race was decided: `arouter.provider`, `arouter.hedge`",
  "arouter.candidate.rejected":
    "an answer was not delivered, the next model is asked: `gen_ai.request.model`, `error.type`",
  "arouter.candidate.skipped":
    "a model was passed over unasked (breaker open, no room, cannot serve it): `gen_ai.request.model`",
} as const;
export type SpanNoteName = keyof typeof SPAN_NOTES;

/** Events of a client span. */
export const ATTEMPT_NOTES = {
  "arouter.validation": "the answer was judged: `arouter.validator`, `arouter.validation`",
} as const;

const MAX_TEXT_CHARS = 4096;

/** The spans of `record`, the server span first. `redact` is applied to what is cut, and to nothing else. */
export function renderSpans(
  record: RequestRecord,
  notes: readonly SpanNote[],
  context: SpanContext,
  redact: Redact,
): readonly Span[] {
  return [
    renderRequest(record, notes, context, redact),
    ...record.attempts.map((attempt) => renderAttempt(record, attempt, context, redact)),
  ];
}

type Redact = (text: string) => string;

function renderRequest(record: RequestRecord, notes: readonly SpanNote[], context: SpanContext, redact: Redact): Span {
  const { trace } = record;
  const endMs = record.wallMs + (record.ms ?? 0);
  const attributes = readAttributes(REQUEST_ATTRIBUTES, record, context);
  for (const tags of [record.callerTags, record.tags]) {
    for (const [name, value] of Object.entries(tags)) attributes[TAG_PREFIX + name] = value;
  }
  const skipped: readonly SpanNote[] = record.chain
    .filter(({ result }) => result === "skipped")
    .map(({ model }) => ({
      name: "arouter.candidate.skipped",
      wallMs: endMs,
      attributes: { "gen_ai.request.model": model },
    }));
  return createSpan({
    name: SPANS.request.nameOf(record),
    kind: SPANS.request.kind,
    trace,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    isParentRemote: true,
    startMs: record.wallMs,
    endMs,
    attributes,
    notes: [...notes, ...skipped],
    error:
      (record.status ?? 0) >= 500 || requestErrorType(record) === "in_band_error" ? (record.errorMessage ?? "") : null,
    redact,
  });
}

function renderAttempt(record: RequestRecord, attempt: AttemptRecord, context: SpanContext, redact: Redact): Span {
  const { trace } = record;
  const startMs = record.wallMs + attempt.startedMs;
  // The losing leg of a hedge may still be on its way out when the request is over.
  const endMs = attempt.ms === null ? Math.max(startMs, record.wallMs + (record.ms ?? 0)) : startMs + attempt.ms;
  const { content } = context;
  const isDelivered = record.attempts.findLast((other) => other.class === "ok") === attempt;
  return createSpan({
    name: SPANS.attempt.nameOf(attempt),
    kind: SPANS.attempt.kind,
    trace,
    spanId: attempt.spanId,
    parentSpanId: trace.spanId,
    isParentRemote: false,
    startMs,
    endMs,
    attributes: {
      ...readAttributes(ATTEMPT_ATTRIBUTES, { attempt, record }, context),
      ...(content && isDelivered ? contentAttributes(record, redact) : {}),
    },
    notes: record.validations
      .filter((validation) => validation.attempt === attempt.number)
      .map(({ validator, result, reason }) => ({
        name: "arouter.validation",
        wallMs: endMs,
        attributes: {
          "arouter.validator": validator,
          "arouter.validation": result,
          ...(content && reason !== null ? { "arouter.reason": reason } : {}),
        },
      })),
    error: attemptErrorType(attempt) === null ? null : (attempt.failure ?? ""),
    redact,
  });
}

interface SpanParts {
  readonly name: string;
  readonly kind: Span["kind"];
  readonly trace: TraceContext;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly isParentRemote: boolean;
  /** Milliseconds since the epoch, with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly notes: readonly { readonly name: string; readonly wallMs: number; readonly attributes: Attributes }[];
  /** null: no error; else what is told of it, "" for nothing. */
  readonly error: string | null;
  readonly redact: Redact;
}

function createSpan(parts: SpanParts): Span {
  const { name, kind, trace, spanId, parentSpanId, isParentRemote, attributes, error, redact } = parts;
  return {
    name,
    kind,
    traceId: trace.traceId,
    spanId,
    parentSpanId,
    isParentRemote,
    traceState: trace.tracestate,
    startTime: toTime(parts.startMs),
    endTime: toTime(parts.endMs),
    attributes,
    events: parts.notes.map((note) => ({ name: note.name, time: toTime(note.wallMs), attributes: note.attributes })),
    status:
      error === null
        ? { code: UNSET }
        : { code: ERROR, ...(error === "" ? {} : { message: redact(error).slice(0, MAX_TEXT_CHARS) }) },
  };
}

function toTime(milliseconds: number): Time {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
