/** The life of one attempt: its record, its abort, and the one way in which it ends. */
import { type AbortFollower, type AbortLink, createChildAbort, followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { AttemptRecord, Emit, RequestRecord } from "../base/events.ts";
import { createSpanId } from "../base/ids.ts";
import type { Call, Classification, EndListener } from "../resilience/dispatch.ts";
import { classified, classifyException, errorCode } from "./classify.ts";
import { clientClosed } from "./stream.ts";
import type { FailedAnswer, UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

export interface AttemptScope {
  readonly attempt: AttemptRecord;
  readonly signal: Signal;
  readonly abort: (reason: unknown) => void;
  readonly onEnd: (listener: EndListener) => void;
  /** Ms since the attempt began. */
  readonly elapsedMs: () => number;
  /** Ends the attempt: its record is complete, its links are let go. Only the first call counts. */
  readonly finish: (classification: Classification, failure: GatewayError | null) => void;
  /** Ends it without a usable answer. */
  readonly failed: (request: UpstreamRequest, classification: Classification, error: GatewayError) => FailedAnswer;
  /** Ends it by an exception: of the connection, of a time limit, or of the caller's own abort. */
  readonly failedBy: (request: UpstreamRequest, cause: unknown, hadHeaders: boolean) => FailedAnswer;
}

export interface ScopeOptions {
  readonly clock: Clock;
  readonly emit: Emit;
}

/** A result for an attempt that was never made: a layer refused it. */
export function refusedAnswer(
  request: UpstreamRequest,
  classification: Classification,
  error: GatewayError,
): UpstreamAnswer {
  return { kind: "failed", request, classification, error, attempt: null };
}

/** Lasts as long as a stream, and so holds nothing of its request. */
class Scope implements AttemptScope, AbortFollower {
  readonly attempt: AttemptRecord;
  readonly signal: Signal;
  readonly #options: ScopeOptions;
  readonly #record: RequestRecord;
  readonly #afterStale: boolean;
  readonly #startMs: number;
  readonly #child = createChildAbort();
  readonly #link: AbortLink;
  #listeners: EndListener[] | null = null;
  #over = false;
  #later: Classification | null = null;

  constructor(options: ScopeOptions, request: UpstreamRequest, call: Call) {
    this.#options = options;
    this.#record = request.record;
    this.#afterStale = call.afterStale === true;
    this.#startMs = options.clock.nowMs();
    this.attempt = openAttempt(options.clock, request, call);
    this.signal = this.#child.signal;
    if (call.signal.aborted) this.#child.abort(call.signal.reason);
    // The request goes on at once when its attempt is aborted, and may be over before the client has noticed.
    this.#link = followAbort(call.signal, this);
  }

  onAbort(reason: unknown): void {
    this.#child.abort(reason);
    const { classification, error } = abortedBy(reason);
    this.finish(classification, error);
  }

  abort(reason: unknown): void {
    this.#child.abort(reason);
  }

  elapsedMs(): number {
    return this.#options.clock.nowMs() - this.#startMs;
  }

  onEnd(listener: EndListener): void {
    if (this.#over) listener(this.#later);
    else (this.#listeners ??= []).push(listener);
  }

  finish(classification: Classification, failure: GatewayError | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.release();
    const { attempt } = this;
    attempt.class = classification.class;
    attempt.ms = this.elapsedMs();
    attempt.failure = failure?.message ?? attempt.failure;
    this.#later = classification.breaker === "failure" ? classification : null;
    this.#options.emit({ type: "attempt-finished", record: this.#record, attempt });
    if (this.#listeners !== null) for (const listener of this.#listeners) listener(this.#later);
  }

  failed(request: UpstreamRequest, classification: Classification, error: GatewayError): FailedAnswer {
    this.#child.abort(error);
    this.finish(classification, error);
    return { kind: "failed", request, classification, error, attempt: this.attempt };
  }

  failedBy(request: UpstreamRequest, cause: unknown, hadHeaders: boolean): FailedAnswer {
    if (this.signal.aborted) {
      const { classification, error } = abortedBy(this.signal.reason);
      return this.failed(request, classification, error);
    }
    if (hadHeaders) {
      const message = "upstream closed the connection in the middle of its answer";
      return this.failed(request, classified("broken"), new GatewayError("upstream-invalid", message, { cause }));
    }
    const classification = classifyException(cause, this.elapsedMs());
    const staleAgain = classification.class === "stale_conn" && this.#afterStale;
    const message = `no answer from upstream (${errorCode(cause) || "connection failed"})`;
    return this.failed(
      request,
      staleAgain ? classified("connect") : classification,
      new GatewayError("upstream-unreachable", message, { cause }),
    );
  }
}

function openAttempt(clock: Clock, request: UpstreamRequest, call: Call): AttemptRecord {
  const { record } = request;
  return {
    number: record.attempts.length + 1,
    spanId: createSpanId(),
    model: request.model,
    provider: request.provider,
    upstreamFormat: request.format.name,
    leg: call.leg,
    retry: call.retry,
    continues: request.continues,
    class: "local",
    status: null,
    startedMs: clock.wallMs() - record.wallMs,
    ttftMs: null,
    ms: null,
    usage: null,
    costUsd: null,
    serviceTier: null,
    answer: null,
    upstreamRequestId: null,
    failure: null,
  };
}

export function openAttemptScope(options: ScopeOptions, request: UpstreamRequest, call: Call): AttemptScope {
  const scope = new Scope(options, request, call);
  const { record } = request;
  record.attempts.push(scope.attempt);
  options.emit({ type: "attempt-started", record, attempt: scope.attempt });
  return scope;
}

/** What an abort with this reason makes of an attempt: a time limit of ours, or somebody who needs it no more. */
function abortedBy(reason: unknown): { readonly classification: Classification; readonly error: GatewayError } {
  if (errorCode(reason) === "TimeoutError") {
    const error = new GatewayError("upstream-timeout", "upstream took too long to answer");
    return { classification: classified("timeout"), error };
  }
  return { classification: classified("aborted"), error: reason instanceof GatewayError ? reason : clientClosed() };
}
