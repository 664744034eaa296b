/** One candidate's turn: encode, call, decode. What comes back is in the client's format and not yet committed. */
import type { Call } from "../resilience/dispatch.ts";
import type { CallPolicy, PhaseTimeouts, UpstreamAnswer, UpstreamRequest } from "../upstream/upstream.ts";
import type { Candidate } from "./candidate.ts";
import { decodeError } from "./decode-error.ts";
import { decodeStream } from "./decode-stream.ts";
import { decodeWhole } from "./decode-whole.ts";
import { lossesOf, type Sent } from "./encode.ts";
import type { Exchange } from "./exchange.ts";

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

/** Reads an answer, which was asked for by `sent`, as the client is to see it. */
export function decodeAnswer(
  exchange: Exchange,
  answer: UpstreamAnswer,
  sent: Sent,
  call: Call,
): Candidate | Promise<Candidate> {
  switch (answer.kind) {
    case "buffered":
      return decodeWhole(exchange, answer, sent, call);
    case "stream":
      return decodeStream(exchange, answer, sent, call);
    case "error":
      return decodeError(exchange, answer, sent);
    case "failed":
      return {
        kind: "failed",
        target: sent.target,
        classification: answer.classification,
        losses: lossesOf(sent.encoded),
        error: answer.error,
      };
  }
}
