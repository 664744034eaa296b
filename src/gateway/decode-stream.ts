/** A streamed answer in the client's format. */
import { GatewayError } from "../base/errors.ts";
import type { Call } from "../resilience/dispatch.ts";
import type { UpstreamStream } from "../upstream/stream.ts";
import type { StreamAnswer } from "../upstream/upstream.ts";
import { answerHeaders, replyContext, shownModel } from "./answer-headers.ts";
import { lossesOf, type Sent } from "./encode.ts";
import type { Candidate } from "./candidate.ts";
import { type ClientStreamFailure, passStream, translateStream } from "./client-stream.ts";
import { continuationOf } from "./continuation.ts";
import { createShowError } from "./decode-error.ts";
import type { Exchange } from "./exchange.ts";

/** Decodes a stream: the upstream's bytes in the same format, a translator's frames across formats. */
export function decodeStream(
  exchange: Exchange,
  answer: StreamAnswer,
  { target, encoded }: Sent,
  call: Call,
): Candidate {
  const { translated } = encoded;
  // A stream may last: it is given what it needs, and not the exchange.
  const { surface } = target;
  const { redact } = exchange.snapshot;
  const { tokensInput } = exchange.facts;
  const showError = createShowError(exchange, answer, target);
  const stream =
    translated === null
      ? passStream(answer.stream, {
          surface,
          tokensInput,
          showError,
          redact,
          modelShown: shownModel(exchange),
          withholdUsage: encoded.withholdUsage,
        })
      : translateStream(answer.stream, {
          surface,
          tokensInput,
          showError,
          redact,
          translator: translated.stream(replyContext(exchange)),
          resume: createResume(exchange, answer, call),
        });
  return {
    kind: "stream",
    target,
    attempt: answer.attempt,
    classification: answer.classification,
    losses: lossesOf(encoded),
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

/** Sends the continuation of a paused stream. */
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
