/**
 * Every attribute of the gateway's spans: its name, meaning and where it comes from. Spans are rendered from these tables,
 * and so is the table of docs/observability.md.
 */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import type { ProviderName } from "../base/names.ts";
import { totalInput } from "../base/usage.ts";

/** A host and a port, as the conventions name peers. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What spans tell beside the record. */
export interface SpanContext {
  /** `http`, or `https` with TLS. */
  readonly scheme: string;
  /** Where the gateway listens; null on a unix socket. */
  readonly listen: Address | null;
  readonly providers: Readonly<Record<ProviderName, Address>>;
  /** `telemetry.capture_content`. */
  readonly content: boolean;
}

/** What a span's attribute may be. */
export type SpanValue = string | number | boolean | readonly string[];

export type Attributes = Record<string, SpanValue>;

export interface AttributeRow<Subject> {
  readonly name: string;
  /** One line, for the docs. */
  readonly help: string;
  /** null: the span does not have it. */
  readonly of: (subject: Subject, context: SpanContext) => SpanValue | null;
}

/** An attempt, with the request that it was made for. */
export interface AttemptSubject {
  readonly attempt: AttemptRecord;
  readonly record: RequestRecord;
}

const row = <Subject>(name: string, help: string, of: AttributeRow<Subject>["of"]): AttributeRow<Subject> => ({
  name,
  help,
  of,
});

/** @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (read 2026-11-24) */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);

/** The method as spans name it: anyone can invent one. */
export function knownMethod(method: string): string | null {
  return METHODS.has(method) ? method : null;
}

/** `error.type` of a request: the gateway's own kind, else the status when it is a server error. */
export function requestErrorType({ error, status, outcome }: RequestRecord): string | null {
  if (error !== null) return error;
  if (outcome === "in_band_error") return outcome;
  return status !== null && status >= 500 ? String(status) : null;
}

/** `error.type` of an attempt: its class, unless it is fine or was given up on purpose. */
export function attemptErrorType({ class: name }: AttemptRecord): string | null {
  return name === "ok" || name === "aborted" ? null : name;
}

function list(values: readonly string[]): readonly string[] | null {
  return values.length === 0 ? null : values;
}

const request = row<RequestRecord>;
const attempt = row<AttemptSubject>;

/** Of the server span: one for each request. */
export const REQUEST_ATTRIBUTES: readonly AttributeRow<RequestRecord>[] = [
  request(
    "http.request.method",
    "method; `_OTHER` for an unknown one",
    ({ method }) => knownMethod(method) ?? "_OTHER",
  ),
  request("http.request.method_original", "the method as sent, when it is unknown", ({ method }) =>
    knownMethod(method) === null ? method.slice(0, 32) : null,
  ),
  request("http.route", "route, with placeholders for ids", ({ route }) => route),
  request("url.path", "the same as `http.route`: ids of a path are not kept", ({ route }) => route),
  request("url.scheme", "`http` or `https`", (_, { scheme }) => scheme),
  request("server.address", "host that the gateway listens on", (_, { listen }) => listen?.host ?? null),
  request("server.port", "port that the gateway listens on", (_, { listen }) => listen?.port ?? null),
  request("http.response.status_code", "status delivered; 499: the client left", ({ status }) => status),
  request("http.request.body.size", "bytes of the request's body", ({ bytesIn }) => bytesIn),
  request("http.response.body.size", "bytes of the answer's body", ({ bytesOut }) => bytesOut),
  request("user_agent.original", "the caller's `user-agent`", ({ userAgent }) => userAgent),
  request("error.type", "kind of the gateway's own error, else a status from 500 on", requestErrorType),
  request("arouter.request_id", "`x-arouter-request-id`", ({ id }) => id),
  request("arouter.client_request_id", "the caller's `x-request-id`", ({ clientRequestId }) => clientRequestId),
  request("arouter.key", "name of the caller's key in `[auth] keys`", ({ key }) => key),
  request("arouter.client", "kind of client, as the `client` condition knows it", ({ client }) => client),
  request("arouter.format", "the request's format: chat, messages, responses", ({ format }) => format),
  request("arouter.stream", "whether a stream was asked for", ({ stream }) => stream),
  request("arouter.rule", "rule that decided; `none` when none matched", ({ rule, policy }) =>
    policy === null ? null : (rule ?? "none"),
  ),
  request("arouter.policy", "hash of the policy in force", ({ policy }) => policy),
  request("arouter.decision", "the decision as compact JSON", ({ decision }) =>
    decision === null ? null : JSON.stringify(decision),
  ),
  request("arouter.overrides", "`x-arouter-*` request headers in force", ({ overrides }) => list(overrides)),
  request("arouter.model_requested", "model as sent", ({ modelRequested }) => modelRequested),
  request("arouter.model_asked", "the same after aliases: what savings are measured against", (r) => r.modelAsked),
  request("arouter.model", "model delivered", ({ model }) => model),
  request("arouter.provider", "provider delivered", ({ provider }) => provider),
  request("arouter.upstream_format", "format spoken upstream", ({ upstreamFormat }) => upstreamFormat),
  request("arouter.outcome", "how the request ended", ({ outcome }) => outcome),
  request("arouter.attempts", "requests made upstream", ({ attempts }) => attempts.filter((a) => !a.continues).length),
  request("arouter.chain", "each candidate with its last class, `ok` or `skipped`", ({ chain }) =>
    list(chain.map(({ model, result }) => `${model}=${result}`)),
  ),
  request("arouter.fallback_reason", "class that caused the last move along the chain", (r) => r.fallbackReason),
  request("arouter.heal", "healed, exhausted or overflow", ({ heal }) => heal),
  request("arouter.validation", "verdict on what is delivered", ({ validation }) => validation),
  request("arouter.hedge", "leg of a hedge that won", ({ hedge }) => hedge),
  request("arouter.dropped", "request fields that the translation could not carry", ({ dropped }) => list(dropped)),
  request("arouter.adapted", "request fields that the translation changed", ({ adapted }) => list(adapted)),
  request("arouter.tokens_input_estimate", "input tokens, estimated at arrival", (r) => r.tokensInputEstimate),
  request("arouter.tokens_input", "input tokens of the answer", ({ usage }) =>
    usage === null ? null : totalInput(usage),
  ),
  request("arouter.tokens_output", "output tokens of the answer", ({ usage }) => usage?.output ?? null),
  request("arouter.usage", "`reported` or `estimated`", ({ usage }) => usage?.source ?? null),
  request("arouter.cost_usd", "US dollars over all attempts", ({ costUsd }) => costUsd),
  request("arouter.saved_usd", "US dollars saved against the model asked for; signed", ({ savedUsd }) => savedUsd),
  request(
    "arouter.overhead_ms",
    "the gateway's own time until its answer's headers were ready",
    ({ overheadMs }) => overheadMs,
  ),
  request("arouter.ttft_ms", "arrival to first content handed over", ({ ttftMs }) => ttftMs),
];

/** Tags of the rule and of the caller become attributes of the server span, of this name and the tag's. */
export const TAG_PREFIX = "arouter.tag.";

/** This process. */
export interface ServiceSubject {
  readonly serviceName: string;
  readonly version: string;
}

const service = row<ServiceSubject>;

/** Of the resource, which all spans share. */
export const RESOURCE_ATTRIBUTES: readonly AttributeRow<ServiceSubject>[] = [
  service("service.name", "`[telemetry] service_name`", ({ serviceName }) => serviceName),
  service("service.version", "version of the gateway", ({ version }) => version),
  service("telemetry.sdk.language", "`nodejs`", () => "nodejs"),
  service("telemetry.sdk.name", "`opentelemetry`", () => "opentelemetry"),
];

/** @see https://opentelemetry.io/docs/specs/semconv/gen-ai/openai/ (read 2026-11-24) */
const OPENAI_API = { chat: "chat_completions", responses: "responses", messages: null } as const;

/**
 * Of the client spans: one for each attempt.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ (read 2026-11-24)
 */
export const ATTEMPT_ATTRIBUTES: readonly AttributeRow<AttemptSubject>[] = [
  attempt("gen_ai.operation.name", "`chat`", () => "chat"),
  attempt("gen_ai.provider.name", "`openai` or `anthropic`", (s) => s.attempt.provider),
  attempt("gen_ai.request.model", "model as sent to the provider", (s) => s.attempt.model),
  attempt("gen_ai.request.stream", "true for a stream", ({ record }) => record.stream || null),
  attempt("gen_ai.output.type", "`json` where the caller asked for it", ({ record }) => {
    const asked = record.facts?.["response_format_type"];
    return asked === "json_schema" || asked === "json_object" ? "json" : null;
  }),
  attempt("gen_ai.usage.input_tokens", "input tokens, those of a cache included", ({ attempt: { usage } }) =>
    usage === null ? null : totalInput(usage),
  ),
  attempt("gen_ai.usage.output_tokens", "output tokens, reasoning included", (s) => s.attempt.usage?.output ?? null),
  attempt(
    "gen_ai.usage.cache_read.input_tokens",
    "of them read from a cache",
    (s) => s.attempt.usage?.cacheRead || null,
  ),
  attempt("gen_ai.usage.cache_creation.input_tokens", "of them written to a cache", ({ attempt: { usage } }) =>
    usage === null ? null : usage.cacheWrite + usage.cacheWriteLong || null,
  ),
  attempt(
    "gen_ai.usage.reasoning.output_tokens",
    "of them spent on reasoning",
    (s) => s.attempt.usage?.reasoning || null,
  ),
  attempt("gen_ai.response.id", "id of the answer", (s) => s.attempt.answer?.id ?? null),
  attempt("gen_ai.response.model", "model that the answer names", (s) => s.attempt.answer?.model ?? null),
  attempt(
    "gen_ai.response.finish_reasons",
    "why each choice ended: `stop`, `length`, `tool_call`, `content_filter`, `pause` or `other`",
    (s) => list(s.attempt.answer?.finishReasons ?? []),
  ),
  attempt(
    "gen_ai.response.time_to_first_chunk",
    "seconds to the first content of a stream",
    ({ attempt: { ttftMs } }) => (ttftMs === null ? null : ttftMs / 1000),
  ),
  attempt("openai.api.type", "`chat_completions` or `responses`", (s) =>
    s.attempt.provider === "openai" ? OPENAI_API[s.attempt.upstreamFormat] : null,
  ),
  attempt("openai.response.service_tier", "tier that the answer was served at", (s) =>
    s.attempt.provider === "openai" ? s.attempt.serviceTier : null,
  ),
  attempt("server.address", "host of the provider", (s, { providers }) => providers[s.attempt.provider].host),
  attempt("server.port", "port of the provider", (s, { providers }) => providers[s.attempt.provider].port),
  attempt("http.request.method", "`POST`", () => "POST"),
  attempt("http.response.status_code", "the provider's status", (s) => s.attempt.status),
  attempt("http.request.resend_count", "tries of this candidate before this one", (s) => s.attempt.retry || null),
  attempt("error.type", "outcome class, unless `ok` or `aborted`", (s) => attemptErrorType(s.attempt)),
  attempt("arouter.attempt", "number of the attempt, from 1", (s) => s.attempt.number),
  attempt("arouter.attempt.class", "outcome class", (s) => s.attempt.class),
  attempt("arouter.attempt.leg", "`primary`, or `hedge` for the second leg of a hedge", (s) => s.attempt.leg),
  attempt("arouter.attempt.continues", "true: goes on with a paused answer", (s) => s.attempt.continues || null),
  attempt("arouter.upstream_format", "format spoken upstream", (s) => s.attempt.upstreamFormat),
  attempt("arouter.upstream_request_id", "the provider's id of the request", (s) => s.attempt.upstreamRequestId),
  attempt("arouter.usage", "`reported` or `estimated`", (s) => s.attempt.usage?.source ?? null),
  attempt("arouter.cost_usd", "US dollars", (s) => s.attempt.costUsd),
];

/** The attributes that `rows` give for `subject`. */
export function readAttributes<Subject>(
  rows: readonly AttributeRow<Subject>[],
  subject: Subject,
  context: SpanContext,
): Attributes {
  const attributes: Attributes = {};
  for (const { name, of } of rows) {
    const value = of(subject, context);
    if (value !== null) attributes[name] = value;
  }
  return attributes;
}
