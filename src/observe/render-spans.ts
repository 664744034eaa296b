/** A finished request as OpenTelemetry spans: a server span, and below it a client span for each attempt. */
import { type Attributes, type HrTime, type Link, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import type { TraceContext } from "../base/ids.ts";
import { contentAttributes } from "./span-content.ts";
import {
  ATTEMPT_ATTRIBUTES,
  attemptErrorType,
  knownMethod,
  readAttributes,
  REQUEST_ATTRIBUTES,
  requestErrorType,
  type SpanContext,
  TAG_PREFIX,
} from "./span-attributes.ts";

/** The spans that there are, with their names. */
export const SPANS = {
  request: {
    kind: SpanKind.SERVER,
    help: "request, from its arrival to the end of its answer",
    nameOf: ({ method, route }: Pick<RequestRecord, "method" | "route">) => `${knownMethod(method) ?? "HTTP"} ${route}`,
  },
  attempt: {
    kind: SpanKind.CLIENT,
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

/** What every span of this process shares. */
export interface SpanCommon {
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
  readonly context: SpanContext;
}

const NO_LINKS: Link[] = [];
const MAX_TEXT_CHARS = 4096;

/** The spans of `record`, the server span first. */
export function renderSpans(record: RequestRecord, notes: readonly SpanNote[], common: SpanCommon): ReadableSpan[] {
  return [
    renderRequest(record, notes, common),
    ...record.attempts.map((attempt) => renderAttempt(record, attempt, common)),
  ];
}

function renderRequest(record: RequestRecord, notes: readonly SpanNote[], common: SpanCommon): ReadableSpan {
  const { trace } = record;
  const endMs = record.wallMs + (record.ms ?? 0);
  const attributes = readAttributes(REQUEST_ATTRIBUTES, record, common.context);
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
    common,
  });
}

function renderAttempt(record: RequestRecord, attempt: AttemptRecord, common: SpanCommon): ReadableSpan {
  const { trace } = record;
  const startMs = record.wallMs + attempt.startedMs;
  // The losing leg of a hedge may still be on its way out when the request is over.
  const endMs = attempt.ms === null ? Math.max(startMs, record.wallMs + (record.ms ?? 0)) : startMs + attempt.ms;
  const { content } = common.context;
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
      ...readAttributes(ATTEMPT_ATTRIBUTES, { attempt, record }, common.context),
      ...(content && isDelivered ? contentAttributes(record) : {}),
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
    common,
  });
}

interface SpanParts {
  readonly name: string;
  readonly kind: SpanKind;
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
  readonly common: SpanCommon;
}

function createSpan(parts: SpanParts): ReadableSpan {
  const { trace, parentSpanId, common, error } = parts;
  const contextOf = (spanId: string, isRemote: boolean) => ({
    traceId: trace.traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote,
  });
  const own = contextOf(parts.spanId, false);
  return {
    name: parts.name,
    kind: parts.kind,
    spanContext: () => own,
    ...(parentSpanId === null ? {} : { parentSpanContext: contextOf(parentSpanId, parts.isParentRemote) }),
    startTime: toHrTime(parts.startMs),
    endTime: toHrTime(parts.endMs),
    duration: toHrTime(Math.max(0, parts.endMs - parts.startMs)),
    status:
      error === null
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, ...(error === "" ? {} : { message: error.slice(0, MAX_TEXT_CHARS) }) },
    attributes: parts.attributes,
    links: NO_LINKS,
    events: parts.notes.map(({ name, wallMs, attributes }) => ({ name, time: toHrTime(wallMs), attributes })),
    ended: true,
    resource: common.resource,
    instrumentationScope: common.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function toHrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
