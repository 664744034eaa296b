/** The end of a request: its answer is sent once, its record is completed once. */
import type { Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { DecisionSummary, Emit, Outcome, RequestRecord } from "../base/events.ts";
import type { JsonObject } from "../base/json.ts";
import { watchBody } from "../base/stream.ts";
import { classified } from "../upstream/classify.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import { renderArouterHeaders } from "./arouter-headers.ts";
import type { ClientStream } from "./client-stream.ts";
import { describeError } from "./decode-error.ts";
import { asStream, noteDelivered, noteVerdict, outcomeOf, withHeld } from "./deliver.ts";
import { isRetryDiscouraged, renderErrorReply } from "./error-reply.ts";
import type { Arrival, Exchange } from "./exchange.ts";
import type { Judged } from "./judge.ts";
import { keepBody, keepFrames } from "./keep-answer.ts";
import { createReplyStream, type Reply, type StreamEnd } from "./reply.ts";
import type { Snapshot } from "./settings.ts";
import { type PriceTerms, settleCosts } from "./usage.ts";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly arrival: Arrival;
  readonly format: WireFormat;
  readonly record: RequestRecord;
  readonly snapshot: Snapshot;
}

export interface Delivery {
  /** Told once the request is parsed; before it, waits are unknown and nothing was sent. */
  readonly setExchange: (exchange: Exchange) => void;
  /** The decision, for `x-arouter-trace`. */
  readonly setTrace: (trace: string) => void;
  readonly setPriceTerms: (terms: PriceTerms) => void;
  /** Runs when the answer begins to leave: with the headers, unless those were committed before there was one. */
  readonly onFlush: (run: () => void) => void;
  /** Runs when the request is over. */
  readonly onOver: (run: () => void) => void;
  readonly error: (error: GatewayError) => Reply;
  readonly dryRun: (decision: DecisionSummary) => Reply;
  /** An answer of the gateway's own; `headers` beside the usual ones. */
  readonly own: (body: JsonObject, headers: Readonly<Record<string, string>>) => Reply;
  readonly judged: (judged: Judged, isValidated: boolean) => Reply;
  /** A body that nobody reads on the way; `abort` gives it up when the client leaves. */
  readonly passed: (
    status: number,
    headers: Readonly<Record<string, string>>,
    body: ReadableStream<Uint8Array> | null,
    abort: () => void,
  ) => Reply;
  /** A stream whose status leaves before its answer is known. */
  readonly committed: (walking: Promise<Judged>, isValidated: boolean) => Reply;
}

const NO_TERMS: PriceTerms = { speed: null, inferenceGeo: null };
const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

export function openDelivery(options: DeliveryOptions): Delivery {
  const { clock, emit, arrival, format, record, snapshot } = options;
  const { settings, catalog } = snapshot;
  // Known before there is a decision: what is refused earlier names the policy in force too.
  record.policy = snapshot.policy.hash12;
  const flushListeners: (() => void)[] = [];
  const overListeners: (() => void)[] = [];
  let exchange: Exchange | null = null;
  let trace: string | null = null;
  let terms = NO_TERMS;

  const flush = (isStream: boolean, headers: Readonly<Record<string, string>>): Record<string, string> => {
    for (const listener of flushListeners) listener();
    return leave(isStream, headers);
  };

  /** The headers leave: own time so far is known. */
  const leave = (isStream: boolean, headers: Readonly<Record<string, string>>): Record<string, string> => {
    record.overheadMs = clock.nowMs() - arrival.startedMs - arrival.bodyWaitMs() - (exchange?.waits.waitedMs() ?? 0);
    return { ...headers, ...renderArouterHeaders(record, { isStream, explain: trace }) };
  };

  const finish = (outcome: Outcome): void => {
    if (record.outcome !== null) return;
    record.outcome = outcome;
    record.ms = clock.nowMs() - arrival.startedMs;
    for (const listener of overListeners) listener();
    arrival.onOver();
    emit({ type: "exchange-finished", record });
  };

  const noteError = (error: GatewayError): void => {
    record.error = error.kind;
    record.errorMessage = error.message;
    record.status = error.status;
  };

  const sendError = (error: GatewayError): Reply => {
    noteError(error);
    if (exchange !== null) settleCosts(catalog, record, terms);
    const reply = renderErrorReply(format, error, record.id);
    const headers = { ...reply.headers };
    if (isRetryDiscouraged(record, error.status, settings.signalClient)) headers["x-should-retry"] ??= "false";
    const all = flush(false, headers);
    record.bytesOut = sizeOf(reply.body);
    finish(error.kind === "client-closed" ? "client_gone" : "gateway_error");
    return { ...reply, headers: all };
  };

  const endStream = (end: StreamEnd, stream: ClientStream | null, judged: Judged | null): void => {
    const spent = stream?.spent() ?? null;
    if (spent !== null && judged !== null && judged.candidate.kind === "stream") {
      const { attempt } = judged.candidate;
      attempt.usage = spent.usage;
      attempt.serviceTier = spent.serviceTier;
      record.usage = spent.usage;
    }
    settleCosts(catalog, record, terms);
    if (end.kind === "in-band-error") {
      record.errorMessage = end.message;
      if (end.error !== null) record.error = end.error.kind;
      finish("in_band_error");
    } else if (end.kind === "client-gone") {
      record.status = 499;
      record.error = "client-closed";
      finish("client_gone");
    } else {
      finish("complete");
    }
  };

  const replyStream = (
    source: Promise<ClientStream> | ClientStream,
    pingFirst: boolean,
    onEnd: (end: StreamEnd) => void,
  ): ReadableStream<Uint8Array> =>
    createReplyStream(source, {
      clock,
      format,
      requestId: record.id,
      keepaliveMs: settings.stream.keepaliveMs,
      clientWriteMs: settings.clientWriteMs,
      pingFirst,
      signal: arrival.signal,
      onBytes: (bytes, isContent) => {
        if (record.ttftMs === null && isContent) record.ttftMs = clock.nowMs() - arrival.startedMs;
        record.bytesOut += bytes;
      },
      onEnd,
    });

  const kept = (stream: ClientStream): ClientStream => (settings.keepAnswers ? keepFrames(record, stream) : stream);

  const note = (judged: Judged, isValidated: boolean): void => {
    noteVerdict(record, judged, isValidated);
    noteDelivered(record, judged);
  };

  const sendWhole = (judged: Judged): Reply => {
    const { candidate } = judged;
    if (candidate.kind === "failed") return sendError(candidate.error);
    if (candidate.kind === "stream") return sendStream(judged);
    record.status = candidate.status;
    if (candidate.kind === "error") record.errorMessage = describeError(candidate.error);
    else record.usage = candidate.attempt.usage;
    settleCosts(catalog, record, terms);
    const own: Record<string, string> = {};
    if (candidate.kind === "error" && isRetryDiscouraged(record, candidate.status, settings.signalClient)) {
      own["x-should-retry"] = "false";
    }
    if (settings.keepAnswers) keepBody(record, candidate.body);
    const headers = flush(false, { ...own, ...candidate.headers });
    record.ttftMs = clock.nowMs() - arrival.startedMs;
    record.bytesOut = sizeOf(candidate.body);
    finish(outcomeOf(judged));
    return { status: candidate.status, headers, body: candidate.body };
  };

  const sendStream = (judged: Judged): Reply => {
    const { candidate, held } = judged;
    if (candidate.kind !== "stream") return sendWhole(judged);
    record.status = candidate.status;
    const headers = flush(true, candidate.headers);
    const stream = kept(withHeld(held, candidate.stream));
    const body = replyStream(stream, false, (end) => endStream(end, stream, judged));
    return { status: candidate.status, headers, body };
  };

  /** The client left while its answer was on the way: nobody will read a body, so none is opened. */
  const sendToNobody = ({ candidate }: Judged): Reply => {
    if (candidate.kind === "stream") {
      candidate.attempt.usage = candidate.stream.spent()?.usage ?? null;
      candidate.stream.cancel(classified("aborted"));
    }
    return sendError(clientClosed());
  };

  const sendOwn = (json: JsonObject, extra: Readonly<Record<string, string>>): Reply => {
    const body = JSON.stringify(json);
    record.status = 200;
    record.bytesOut = sizeOf(body);
    const ids = { "x-request-id": record.id, "request-id": record.id };
    const headers = flush(false, { "content-type": "application/json", ...ids, ...extra });
    finish("complete");
    return { status: 200, headers, body };
  };

  return {
    setExchange: (opened) => {
      exchange = opened;
    },
    setTrace: (text) => {
      trace = text;
    },
    setPriceTerms: (given) => {
      terms = given;
    },
    onFlush: (run) => flushListeners.push(run),
    onOver: (run) => overListeners.push(run),
    error: sendError,
    dryRun: (decision) => sendOwn(decision, {}),
    own: sendOwn,
    judged: (judged, isValidated) => {
      note(judged, isValidated);
      if (isClientGone(arrival.signal)) return sendToNobody(judged);
      return sendWhole(judged);
    },
    passed: (status, headers, body, abort) => {
      record.status = status;
      const all = flush(false, headers);
      const outcome = status >= 400 ? "upstream_error" : "complete";
      if (body === null) {
        finish(outcome);
        return { status, headers: all, body: null };
      }
      const onBytes = (bytes: number): void => {
        record.bytesOut += bytes;
      };
      const watched = watchBody(body, onBytes, (isWhole) => {
        if (!isWhole) abort();
        finish(isWhole ? outcome : "client_gone");
      });
      return { status, headers: all, body: watched };
    },
    committed: (walking, isValidated) => {
      record.status = 200;
      const headers = leave(true, { ...STREAM_HEADERS, "x-request-id": record.id, "request-id": record.id });
      let known: Judged | null = null;
      let stream: ClientStream | null = null;
      const source = walking.then((judged) => {
        known = judged;
        note(judged, isValidated);
        for (const listener of flushListeners) listener();
        stream = kept(asStream(judged));
        return stream;
      });
      // Read by the reply's stream, which may be given up before it comes to it.
      source.catch(() => undefined);
      const body = replyStream(source, true, (end) => endStream(end, stream, known));
      return { status: 200, headers, body };
    },
  };
}

/** Whether `signal` says that the client left, not that the gateway gives its requests up. */
function isClientGone(signal: Signal): boolean {
  return signal.aborted && !(signal.reason instanceof GatewayError && signal.reason.kind !== "client-closed");
}

function sizeOf(body: Reply["body"]): number {
  if (body === null || body instanceof ReadableStream) return 0;
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}
