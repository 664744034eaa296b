/** The life of one attempt: its record, its abort, and the one way in which it ends. */
import { createChildAbort, followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { AttemptRecord, Emit } from "../base/events.ts";
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
  readonly failed: (classification: Classification, error: GatewayError) => FailedAnswer;
  /** Ends it by an exception: of the connection, of a time limit, or of the caller's own abort. */
  readonly failedBy: (cause: unknown, hadHeaders: boolean) => FailedAnswer;
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

export function openAttemptScope(options: ScopeOptions, request: UpstreamRequest, call: Call): AttemptScope {
  const { clock, emit } = options;
  const { record } = request;
  const startMs = clock.nowMs();
  const attempt: AttemptRecord = {
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
  record.attempts.push(attempt);
  emit({ type: "attempt-started", record, attempt });

  const child = createChildAbort(call.signal);
  const listeners: EndListener[] = [];
  let over = false;
  let later: Classification | null = null;

  const finish = (classification: Classification, failure: GatewayError | null): void => {
    if (over) return;
    over = true;
    letGo();
    child.release();
    attempt.class = classification.class;
    attempt.ms = clock.nowMs() - startMs;
    attempt.failure = failure?.message ?? attempt.failure;
    later = classification.breaker === "failure" ? classification : null;
    emit({ type: "attempt-finished", record, attempt });
    for (const listener of listeners) listener(later);
  };

  const failed = (classification: Classification, error: GatewayError): FailedAnswer => {
    child.abort(error);
    finish(classification, error);
    return { kind: "failed", request, classification, error, attempt };
  };

  // The request goes on at once when its attempt is aborted, and may be over before the client has noticed.
  const letGo = followAbort(call.signal, () => {
    const reason: unknown = call.signal.reason;
    child.abort(reason);
    const { classification, error } = abortedBy(reason);
    finish(classification, error);
  });

  return {
    attempt,
    signal: child.signal,
    abort: child.abort,
    elapsedMs: () => clock.nowMs() - startMs,
    onEnd: (listener) => {
      if (over) listener(later);
      else listeners.push(listener);
    },
    finish,
    failed,
    failedBy: (cause, hadHeaders) => {
      if (child.signal.aborted) {
        const { classification, error } = abortedBy(child.signal.reason);
        return failed(classification, error);
      }
      if (hadHeaders) {
        const message = "upstream closed the connection in the middle of its answer";
        return failed(classified("broken"), new GatewayError("upstream-invalid", message, { cause }));
      }
      const classification = classifyException(cause, clock.nowMs() - startMs);
      const staleAgain = classification.class === "stale_conn" && call.afterStale === true;
      const message = `no answer from upstream (${errorCode(cause) || "connection failed"})`;
      return failed(
        staleAgain ? classified("connect") : classification,
        new GatewayError("upstream-unreachable", message, { cause }),
      );
    },
  };
}

/** What an abort with this reason makes of an attempt: a time limit of ours, or somebody who needs it no more. */
function abortedBy(reason: unknown): { readonly classification: Classification; readonly error: GatewayError } {
  if (errorCode(reason) === "TimeoutError") {
    const error = new GatewayError("upstream-timeout", "upstream took too long to answer");
    return { classification: classified("timeout"), error };
  }
  return { classification: classified("aborted"), error: reason instanceof GatewayError ? reason : clientClosed() };
}
