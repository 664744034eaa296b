/** One candidate's turn: encode, call, decode. What comes back is in the client's format and not yet committed. */
import { GatewayError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { addUsage, type Usage } from "../base/usage.ts";
import { createAttempts } from "../resilience/attempts.ts";
import type { Call } from "../resilience/dispatch.ts";
import type { Translated } from "../translate/translator.ts";
import { statusOfInBandError } from "../upstream/classify.ts";
import { returnedHeaders, upstreamRequestId } from "../upstream/headers.ts";
import type { UpstreamStream } from "../upstream/stream.ts";
import type {
  BufferedAnswer,
  CallPolicy,
  ErrorAnswer,
  PhaseTimeouts,
  StreamAnswer,
  UpstreamAnswer,
  UpstreamRequest,
} from "../upstream/upstream.ts";
import type { InBandError, RenderableError, StreamTally } from "../wire/format.ts";
import { spliceModelInReply } from "../wire/splice.ts";
import type { Candidate } from "./candidate.ts";
import { type ClientStreamFailure, MAX_CONTINUATIONS, passStream, translateStream } from "./client-stream.ts";
import type { Encoded } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import type { Target } from "./target.ts";
import { estimateUsage } from "./usage.ts";

/** A request as it was sent, with what is needed to read its answer. */
export interface Sent {
  readonly target: Target;
  readonly encoded: Encoded;
}

/** The request for `sent`, as plain data that any layer may send again. */
export function toUpstreamRequest(
  exchange: Exchange,
  { target, encoded }: Sent,
  policy: CallPolicy,
  timeouts: PhaseTimeouts,
): UpstreamRequest {
  const { facts, record, waits } = exchange;
  return {
    provider: target.provider.name,
    model: target.entry.model,
    format: target.surface,
    method: "POST",
    path: encoded.path,
    headers: encoded.headers,
    body: encoded.body,
    stream: encoded.stream,
    gather: encoded.stream && !facts.stream,
    choices: facts.choices,
    replayable: facts.replayable,
    continues: false,
    timeouts,
    waits,
    trace: record.trace,
    record,
    policy,
  };
}

/** Reads an answer as the client is to see it. `sentOf` finds what a leg of a hedge had sent. */
export async function decodeAnswer(
  exchange: Exchange,
  answer: UpstreamAnswer,
  sentOf: (request: UpstreamRequest) => Sent,
  call: Call,
): Promise<Candidate> {
  const sent = sentOf(answer.request);
  switch (answer.kind) {
    case "buffered":
      return decodeBuffered(exchange, answer, sent, call);
    case "stream":
      return decodeStream(exchange, answer, sent, call);
    case "error":
      return decodeError(exchange, answer, sent);
    case "failed":
      return { kind: "failed", target: sent.target, classification: answer.classification, error: answer.error };
  }
}

function shownModel(exchange: Exchange): string | null {
  return exchange.snapshot.settings.echoRequestedModel ? exchange.facts.model : null;
}

function replyContext(exchange: Exchange): { createdSeconds: number; modelShown: string | null } {
  return { createdSeconds: Math.floor(exchange.record.wallMs / 1000), modelShown: shownModel(exchange) };
}

async function decodeBuffered(
  exchange: Exchange,
  answer: BufferedAnswer,
  { target, encoded }: Sent,
  call: Call,
): Promise<Candidate> {
  noteReply(exchange, answer, answer.json, target);
  const { translated } = encoded;
  const base = { kind: "whole", target, attempt: answer.attempt, status: answer.status } as const;
  if (translated === null) {
    const modelShown = shownModel(exchange);
    const { json, bytes } = answer;
    return {
      ...base,
      classification: answer.classification,
      headers: answerHeaders(exchange, answer, target),
      body: modelShown === null ? bytes : spliceModelInReply(bytes, modelShown),
      reply: () => exchange.format.readReply(json),
      checks: [],
    };
  }
  const joined = await joinContinuations(exchange, answer, translated, call);
  if (joined.kind !== "answer") return decodeAnswer(exchange, joined.failed, () => ({ target, encoded }), call);
  const { body } = joined;
  exchange.record.adapted = [...exchange.record.adapted, ...joined.adapted];
  return {
    ...base,
    classification: answer.classification,
    headers: answerHeaders(exchange, answer, target),
    body: JSON.stringify(body),
    reply: () => exchange.format.readReply(body),
    checks: translated.checks,
  };
}

/** Sends paused answers on until they are whole (Anthropic's `pause_turn`). */
async function joinContinuations(
  exchange: Exchange,
  first: BufferedAnswer,
  translated: Translated,
  call: Call,
): Promise<
  | { readonly kind: "answer"; readonly body: JsonObject; readonly adapted: readonly string[] }
  | { readonly kind: "failed"; readonly failed: UpstreamAnswer }
> {
  const earlier: JsonObject[] = [];
  let current = first;
  for (;;) {
    const reply = translated.response(current.json, replyContext(exchange), earlier);
    if (reply.kind === "answer") return reply;
    earlier.push(current.json);
    const next = await exchange.snapshot.dispatch(continuationOf(first.request, reply.body), call);
    if (next.kind !== "buffered") return { kind: "failed", failed: next };
    addUsageOf(next, first);
    current = next;
    if (earlier.length >= MAX_CONTINUATIONS) {
      const last = translated.response({ ...current.json, stop_reason: "end_turn" }, replyContext(exchange), earlier);
      if (last.kind === "answer") return last;
    }
  }
}

/** A continuation is part of the attempt it continues: it is not counted, and not tried twice. */
function continuationOf(request: UpstreamRequest, body: string): UpstreamRequest {
  const { policy } = request;
  return {
    ...request,
    body,
    continues: true,
    policy: { ...policy, attempts: createAttempts(1, 0), hedge: null, retry: { ...policy.retry, maxRetries: 0 } },
  };
}

function decodeStream(exchange: Exchange, answer: StreamAnswer, { target, encoded }: Sent, call: Call): Candidate {
  const { translated } = encoded;
  const estimate = (tally: StreamTally): Usage => estimateUsage(exchange.facts, tally.outputEstimate);
  const showError = createShowError(exchange, answer, target);
  const stream =
    translated === null
      ? passStream(answer.stream, {
          surface: target.surface,
          modelShown: shownModel(exchange),
          withholdUsage: encoded.withholdUsage,
          estimate,
          showError,
        })
      : translateStream(answer.stream, {
          surface: target.surface,
          translator: translated.stream(replyContext(exchange)),
          estimate,
          showError,
          resume: createResume(exchange, answer, call),
        });
  return {
    kind: "stream",
    target,
    attempt: answer.attempt,
    classification: answer.classification,
    status: answer.status,
    headers: {
      ...answerHeaders(exchange, answer, target),
      "content-type":
        translated === null
          ? (answer.headers.get("content-type") ?? "text/event-stream; charset=utf-8")
          : "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
    stream,
    checks: translated?.checks ?? [],
  };
}

/** An in-band error as an HTTP error of its type would be shown to this client. */
function createShowError(
  exchange: Exchange,
  { headers }: StreamAnswer,
  { translator }: Target,
): (error: InBandError) => RenderableError {
  return ({ type, code, message }) => {
    const status = statusOfInBandError({ type, code, message });
    if (translator === null) return showAsIs({ type, code, message }, status);
    const json = { type: "error", error: { type, code, message } };
    const { upstreamAuthStatus } = exchange.snapshot.settings;
    return translator.error({ status, headers, json, text: "" }, upstreamAuthStatus).error;
  };
}

function createResume(
  exchange: Exchange,
  first: StreamAnswer,
  call: Call,
): (body: string) => Promise<UpstreamStream | ClientStreamFailure> {
  return async (body) => {
    const next = await exchange.snapshot.dispatch(continuationOf(first.request, body), call);
    if (next.kind === "stream") return next.stream;
    const error =
      next.kind === "failed"
        ? next.error
        : new GatewayError("upstream-interrupted", "upstream refused to continue the answer that it had paused");
    return { kind: "failure", classification: next.classification, error };
  };
}

function decodeError(exchange: Exchange, answer: ErrorAnswer, { target }: Sent): Candidate {
  const { attempt, classification, json, status } = answer;
  const told = json === null ? null : target.surface.readError(json);
  const error = told ?? { type: null, code: null, message: `upstream answered with status ${status}` };
  attempt.failure = error.message.slice(0, 256);
  const base = { kind: "error", target, attempt, classification, error } as const;
  const headers = { ...answerHeaders(exchange, answer, target) };
  if (target.translator === null) {
    if (answer.inBand) headers["content-type"] = "application/json";
    const body = answer.inBand && json !== null ? JSON.stringify(json) : answer.bytes;
    return { ...base, status, headers, body, shown: showAsIs(error, status) };
  }
  const translated = target.translator.error(
    { status, headers: answer.headers, json, text: errorText(answer) },
    exchange.snapshot.settings.upstreamAuthStatus,
  );
  const requestId = headers["request-id"] ?? exchange.record.id;
  return {
    ...base,
    status: translated.status,
    headers: { ...headers, ...translated.headers },
    body: exchange.format.renderError(translated.error, requestId),
    shown: translated.error,
  };
}

/** An error of the client's own format, to be rendered again in a stream. */
function showAsIs({ type, code, message }: InBandError, status: number): RenderableError {
  return {
    message,
    status,
    type: type ?? "server_error",
    code,
    param: null,
    ...(type === null ? {} : { anthropicType: type }),
  };
}

const ERROR_TEXT_BYTES = 65_536;

function errorText(answer: ErrorAnswer): string {
  return new TextDecoder().decode(answer.bytes.subarray(0, ERROR_TEXT_BYTES));
}

/** Headers that reach the client: the upstream's by allow-list, both names of the request id, rate limits translated. */
function answerHeaders(
  exchange: Exchange,
  answer: BufferedAnswer | StreamAnswer | ErrorAnswer,
  target: Target,
): Readonly<Record<string, string>> {
  const headers = returnedHeaders(answer.headers, target.translator === null);
  if (target.translator !== null) {
    headers["content-type"] = "application/json";
    Object.assign(headers, target.translator.headers(answer.headers, exchange.clock.wallMs()));
  }
  const id = upstreamRequestId(answer.headers) ?? exchange.record.id;
  headers["x-request-id"] = id;
  headers["request-id"] = id;
  return headers;
}

/** Adds the usage of a continuation to the attempt that it continues; the continuation's own record then has none. */
function addUsageOf(next: BufferedAnswer, first: BufferedAnswer): void {
  const { usage } = next.request.format.readReply(next.json);
  if (usage !== null && first.attempt.usage !== null) first.attempt.usage = addUsage(first.attempt.usage, usage);
}

/** Keeps what a whole answer tells of its usage. */
function noteReply(exchange: Exchange, answer: BufferedAnswer, json: JsonObject, target: Target): void {
  const { usage, serviceTier } = target.surface.readReply(json);
  answer.attempt.usage = usage ?? estimateUsage(exchange.facts, 0);
  answer.attempt.serviceTier = serviceTier;
}
