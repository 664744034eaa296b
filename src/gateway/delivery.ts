/** The end of a request: its answer is sent once, its record is completed once. */
import type { Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { AttemptRecord, DecisionSummary, Emit, Outcome, RequestRecord } from "../base/events.ts";
import type { JsonObject } from "../base/json.ts";
import type { Catalog } from "../catalog/model.ts";
import { watchBody } from "../base/stream.ts";
import type { WaitMeter } from "../base/wait-meter.ts";
import { classified } from "../upstream/classify.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import { addArouterHeaders } from "./arouter-headers.ts";
import type { ErrorCandidate, StreamCandidate, WholeCandidate } from "./candidate.ts";
import type { ClientStream } from "./client-stream.ts";
import { describeError } from "./decode-error.ts";
import { asStream, noteDelivered, noteVerdict, outcomeOf, withHeld } from "./deliver.ts";
import { isRetryDiscouraged, renderErrorReply } from "./error-reply.ts";
import type { Arrival, Exchange } from "./exchange.ts";
import type { Judged } from "./judge.ts";
import { keepBody, keepFrames } from "./keep-answer.ts";
import { createReplyStream, type Reply, type ReplyListener, type StreamEnd } from "./reply.ts";
import type { GatewaySettings, Snapshot } from "./settings.ts";
import { NO_TERMS, type PriceTerms, settleCosts } from "./usage.ts";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly arrival: Arrival;
  readonly format: WireFormat;
  readonly record: RequestRecord;
  readonly snapshot: Snapshot;
}

/** Who is told how far a delivery has come. */
export interface DeliveryListener {
  /** The answer begins to leave: with the headers, unless those were committed before there was one. */
  onFlush(): void;
  /** The request is over. */
  onOver(): void;
}

export interface Delivery {
  /** Told once the request is parsed; before it, waits are unknown and nothing was sent. */
  readonly setExchange: (exchange: Exchange) => void;
  /** The decision, for `x-arouter-trace`. */
  readonly setTrace: (trace: string) => void;
  readonly setPriceTerms: (terms: PriceTerms) => void;
  readonly setListener: (listener: DeliveryListener) => void;
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

const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** The members of what is opened for each request share their state; as closures they would be a score of objects a request. */
class OpenDelivery implements Delivery, ReplyListener {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #arrival: Arrival;
  readonly #format: WireFormat;
  readonly #record: RequestRecord;
  readonly #settings: GatewaySettings;
  readonly #catalog: Catalog;
  #listener: DeliveryListener | null = null;
  /** null: nothing was sent, as the request is not parsed yet. */
  #waits: WaitMeter | null = null;
  /** Of a streamed answer, once it is known. */
  #stream: ClientStream | null = null;
  #attempt: AttemptRecord | null = null;
  #trace: string | null = null;
  #terms = NO_TERMS;

  constructor({ clock, emit, arrival, format, record, snapshot }: DeliveryOptions) {
    this.#clock = clock;
    this.#emit = emit;
    this.#arrival = arrival;
    this.#format = format;
    this.#record = record;
    this.#settings = snapshot.settings;
    this.#catalog = snapshot.catalog;
  }

  /** Keeps no more of it, as a stream may last. */
  setExchange({ waits }: Exchange): void {
    this.#waits = waits;
  }

  setTrace(trace: string): void {
    this.#trace = trace;
  }

  setPriceTerms(terms: PriceTerms): void {
    this.#terms = terms;
  }

  setListener(listener: DeliveryListener): void {
    this.#listener = listener;
  }

  error(error: GatewayError): Reply {
    const record = this.#record;
    record.error = error.kind;
    record.errorMessage = error.message;
    record.status = error.status;
    if (this.#waits !== null) this.#settleCosts();
    const reply = renderErrorReply(this.#format, error, record.id);
    const headers = { ...reply.headers };
    if (this.#isRetryDiscouraged(error.status)) headers["x-should-retry"] ??= "false";
    this.#flush(false, headers);
    record.bytesOut = sizeOf(reply.body);
    this.#finish(error.kind === "client-closed" ? "client_gone" : "gateway_error");
    return { status: reply.status, headers, body: reply.body };
  }

  dryRun(decision: DecisionSummary): Reply {
    return this.own(decision, {});
  }

  own(json: JsonObject, extra: Readonly<Record<string, string>>): Reply {
    const record = this.#record;
    const body = JSON.stringify(json);
    record.status = 200;
    record.bytesOut = sizeOf(body);
    const headers = { "content-type": "application/json", ...this.#ids(), ...extra };
    this.#flush(false, headers);
    this.#finish("complete");
    return { status: 200, headers, body };
  }

  judged(judged: Judged, isValidated: boolean): Reply {
    this.#note(judged, isValidated);
    if (isClientGone(this.#arrival.signal)) return this.#sendToNobody(judged);
    return this.#send(judged);
  }

  passed(
    status: number,
    upstreamHeaders: Readonly<Record<string, string>>,
    body: ReadableStream<Uint8Array> | null,
    abort: () => void,
  ): Reply {
    const record = this.#record;
    record.status = status;
    const headers = { ...upstreamHeaders };
    this.#flush(false, headers);
    const outcome = status >= 400 ? "upstream_error" : "complete";
    if (body === null) {
      this.#finish(outcome);
      return { status, headers, body: null };
    }
    const onBytes = (bytes: number): void => {
      record.bytesOut += bytes;
    };
    const watched = watchBody(body, onBytes, (isWhole) => {
      if (!isWhole) abort();
      this.#finish(isWhole ? outcome : "client_gone");
    });
    return { status, headers, body: watched };
  }

  committed(walking: Promise<Judged>, isValidated: boolean): Reply {
    this.#record.status = 200;
    const headers = { ...STREAM_HEADERS, ...this.#ids() };
    this.#leave(true, headers);
    const source = walking.then((judged) => {
      this.#note(judged, isValidated);
      this.#tellFlush();
      return this.#openSource(asStream(judged), judged);
    });
    // Read by the reply's stream, which may be given up before it comes to it.
    source.catch(() => undefined);
    const body = this.#openStream(source, true);
    return { status: 200, headers, body };
  }

  #send(judged: Judged): Reply {
    const { candidate } = judged;
    switch (candidate.kind) {
      case "failed":
        return this.error(candidate.error);
      case "stream":
        return this.#sendStream(judged, candidate);
      default:
        return this.#sendWhole(judged, candidate);
    }
  }

  #sendWhole(judged: Judged, candidate: WholeCandidate | ErrorCandidate): Reply {
    const record = this.#record;
    record.status = candidate.status;
    if (candidate.kind === "error") record.errorMessage = describeError(candidate.error);
    else record.usage = candidate.attempt.usage;
    this.#settleCosts();
    const isDiscouraged = candidate.kind === "error" && this.#isRetryDiscouraged(candidate.status);
    const headers = isDiscouraged ? { "x-should-retry": "false", ...candidate.headers } : { ...candidate.headers };
    if (this.#settings.keepAnswers) keepBody(record, candidate.body);
    this.#flush(false, headers);
    record.ttftMs = this.#clock.nowMs() - this.#arrival.startedMs;
    record.bytesOut = sizeOf(candidate.body);
    this.#finish(outcomeOf(judged));
    return { status: candidate.status, headers, body: candidate.body };
  }

  #sendStream(judged: Judged, candidate: StreamCandidate): Reply {
    this.#record.status = candidate.status;
    const headers = { ...candidate.headers };
    this.#flush(true, headers);
    const source = this.#openSource(withHeld(judged.held, candidate.stream), judged);
    const body = this.#openStream(source, false);
    return { status: candidate.status, headers, body };
  }

  /** The client left while its answer was on the way: nobody will read a body, so none is opened. */
  #sendToNobody({ candidate }: Judged): Reply {
    if (candidate.kind === "stream") {
      candidate.attempt.usage = candidate.stream.spent()?.usage ?? null;
      candidate.stream.cancel(classified("aborted"));
    }
    return this.error(clientClosed());
  }

  /** `stream` as it is sent; what it used is asked for in its end. */
  #openSource(stream: ClientStream, { candidate }: Judged): ClientStream {
    const source = this.#settings.keepAnswers ? keepFrames(this.#record, stream) : stream;
    this.#stream = source;
    if (candidate.kind === "stream") this.#attempt = candidate.attempt;
    return source;
  }

  #openStream(source: Promise<ClientStream> | ClientStream, pingFirst: boolean): ReadableStream<Uint8Array> {
    return createReplyStream(source, {
      clock: this.#clock,
      format: this.#format,
      requestId: this.#record.id,
      keepaliveMs: this.#settings.stream.keepaliveMs,
      clientWriteMs: this.#settings.clientWriteMs,
      pingFirst,
      signal: this.#arrival.signal,
      listener: this,
    });
  }

  onBytes(bytes: number, isContent: boolean): void {
    const record = this.#record;
    if (record.ttftMs === null && isContent) record.ttftMs = this.#clock.nowMs() - this.#arrival.startedMs;
    record.bytesOut += bytes;
  }

  onEnd(end: StreamEnd): void {
    const record = this.#record;
    const attempt = this.#attempt;
    const spent = this.#stream?.spent() ?? null;
    if (spent !== null && attempt !== null) {
      attempt.usage = spent.usage;
      attempt.serviceTier = spent.serviceTier;
      record.usage = spent.usage;
    }
    this.#settleCosts();
    if (end.kind === "in-band-error") {
      record.errorMessage = end.message;
      if (end.error !== null) record.error = end.error.kind;
      this.#finish("in_band_error");
    } else if (end.kind === "client-gone") {
      record.status = 499;
      record.error = "client-closed";
      this.#finish("client_gone");
    } else {
      this.#finish("complete");
    }
  }

  #note(judged: Judged, isValidated: boolean): void {
    noteVerdict(this.#record, judged, isValidated);
    noteDelivered(this.#record, judged);
  }

  #ids(): Readonly<Record<string, string>> {
    return { "x-request-id": this.#record.id, "request-id": this.#record.id };
  }

  #isRetryDiscouraged(status: number): boolean {
    return isRetryDiscouraged(this.#record, status, this.#settings.signalClient);
  }

  #settleCosts(): void {
    settleCosts(this.#catalog, this.#record, this.#terms);
  }

  #tellFlush(): void {
    this.#listener?.onFlush();
  }

  #flush(isStream: boolean, headers: Record<string, string>): void {
    this.#tellFlush();
    this.#leave(isStream, headers);
  }

  /** The headers leave, the gateway's own added: its time so far is known. */
  #leave(isStream: boolean, headers: Record<string, string>): void {
    const waitedMs = this.#arrival.bodyWaitMs() + (this.#waits?.waitedMs() ?? 0);
    this.#record.overheadMs = this.#clock.nowMs() - this.#arrival.startedMs - waitedMs;
    addArouterHeaders(headers, this.#record, { isStream, explain: this.#trace });
  }

  #finish(outcome: Outcome): void {
    const record = this.#record;
    if (record.outcome !== null) return;
    record.outcome = outcome;
    record.ms = this.#clock.nowMs() - this.#arrival.startedMs;
    this.#listener?.onOver();
    this.#arrival.onOver();
    this.#emit({ type: "exchange-finished", record });
  }
}

/** Opens the delivery of one request's answer. */
export function openDelivery(options: DeliveryOptions): Delivery {
  // Known before there is a decision: what is refused earlier names the policy in force too.
  options.record.policy = options.snapshot.policy.hash12;
  return new OpenDelivery(options);
}

/** Whether `signal` says that the client left, not that the gateway gives its requests up. */
function isClientGone(signal: Signal): boolean {
  return signal.aborted && !(signal.reason instanceof GatewayError && signal.reason.kind !== "client-closed");
}

function sizeOf(body: Reply["body"]): number {
  if (body === null || body instanceof ReadableStream) return 0;
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}
