/**
 * One attempt: sends the request, reads the answer up to the point where it can be judged (whole when buffered, its first
 * content event when streamed), and classifies it. Never throws for what an upstream does.
 */
import type { Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { Emit } from "../base/events.ts";
import { renderTraceparent } from "../base/ids.ts";
import type { HeaderView } from "../base/headers.ts";
import type { JsonObject } from "../base/json.ts";
import { type BoundedBody, parseObject } from "../base/stream.ts";
import { estimatedUsage, usageSoFar } from "../base/usage.ts";
import type { Classification, Dispatch } from "../resilience/dispatch.ts";
import type { InBandError, StreamTally } from "../wire/format.ts";
import { openAttemptScope, type AttemptScope } from "./attempt-scope.ts";
import { decodeBody } from "./byte-source.ts";
import { classified, classifyAnswer, statusOfInBandError } from "./classify.ts";
import { upstreamRequestId } from "./headers.ts";
import { noteAnswer } from "./note-answer.ts";
import type { ByteSource, HttpAnswer, HttpClient } from "./http.ts";
import {
  openUpstreamStream,
  type StreamOwner,
  type StreamRead,
  type UpstreamEvent,
  type UpstreamStream,
} from "./stream.ts";
import type { ErrorAnswer, Provider, UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

export interface SendOptions {
  readonly clock: Clock;
  readonly client: HttpClient;
  readonly provider: Provider;
  readonly emit: Emit;
  /** `limits.response_bytes`, `limits.event_bytes` and `limits.stream_buffer_bytes`. */
  readonly responseBytes: number;
  readonly eventBytes: number;
  readonly streamBufferBytes: number;
  readonly userAgent: string;
}

/** Most of an error answer's body that is read. */
const ERROR_BYTES = 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** The innermost dispatch for one provider. */
export function createSend(options: SendOptions): Dispatch<UpstreamRequest, UpstreamAnswer> {
  const { client, provider } = options;
  return async (request, call) => {
    const scope = openAttemptScope(options, request, call);
    const stopFirstWatch = watchFirstContent(options, request, scope);
    let answer: HttpAnswer;
    request.waits.begin();
    try {
      answer = await client.call(provider.baseUrl, request.path, {
        method: request.method,
        headers: {
          ...request.headers,
          ...provider.authHeaders(),
          "content-type": "application/json",
          accept: "application/json",
          "accept-encoding": "identity",
          "user-agent": options.userAgent,
          traceparent: renderTraceparent(request.trace, scope.attempt.spanId),
        },
        body: request.body,
        signal: scope.signal,
      });
    } catch (cause) {
      return scope.failedBy(request, cause, false);
    } finally {
      request.waits.end();
    }
    return readAnswer({ options, scope, request, stopFirstWatch }, answer);
  };
}

function noWatch(): void {
  // There is none to end.
}

/** Of a stream that is gathered here no layer sees the first content, so its limit is kept here; gives what ends it. */
function watchFirstContent(
  { clock }: SendOptions,
  { gather, timeouts: { ttftMs } }: UpstreamRequest,
  scope: AttemptScope,
): () => void {
  if (!gather || ttftMs <= 0) return noWatch;
  const stop = clock.after(ttftMs, () => scope.abort(new DOMException("no first content in time", "TimeoutError")));
  scope.onEnd(stop);
  return stop;
}

/** An attempt whose answer is awaited. */
interface Sent {
  readonly options: SendOptions;
  readonly scope: AttemptScope;
  readonly request: UpstreamRequest;
  /** Ends the watch for the first content of a gathered stream. */
  readonly stopFirstWatch: () => void;
}

/** What an answer is read from. */
interface Reading extends Sent {
  readonly status: number;
  readonly headers: HeaderView;
}

function readAnswer(sent: Sent, answer: HttpAnswer): Promise<UpstreamAnswer> | UpstreamAnswer {
  const { scope, request } = sent;
  const { status, headers } = answer;
  scope.attempt.status = status;
  scope.attempt.upstreamRequestId = upstreamRequestId(headers);
  const { options, stopFirstWatch } = sent;
  const reading: Reading = { options, scope, request, stopFirstWatch, status, headers };

  if (status >= 300 && status < 400) {
    answer.body?.cancel();
    const message = `upstream answered with a redirect (${status}), which is never followed`;
    return scope.failed(request, classified("no_model"), new GatewayError("upstream-invalid", message));
  }
  const isStream = isEventStream(headers.get("content-type"));
  const body = answer.body === null ? null : decodeBody(answer.body, headers.get("content-encoding"));
  if (answer.body !== null && body === null) return failEncoding(request, scope);
  if (!isOk(status) || !isStream || !request.stream || body === null) return readBuffered(reading, body);
  return readStreamed(reading, body);
}

function isEventStream(contentType: string | null): boolean {
  if (contentType === null || contentType === "application/json") return false;
  return contentType.toLowerCase().startsWith("text/event-stream");
}

function failEncoding(request: UpstreamRequest, scope: AttemptScope): UpstreamAnswer {
  const message = "upstream answered in an unknown content-encoding";
  return scope.failed(request, classified("broken"), new GatewayError("upstream-invalid", message));
}

/** What an open stream has to do with its attempt; of the request no more than that, as a stream may last. */
class StreamedAttempt implements StreamOwner {
  readonly #scope: AttemptScope;
  readonly #tokensInput: number;
  /** A continuation is counted with the answer that it continues. */
  readonly #isCounted: boolean;

  constructor(scope: AttemptScope, { continues, record }: UpstreamRequest) {
    this.#scope = scope;
    this.#tokensInput = record.tokensInputEstimate ?? 0;
    this.#isCounted = !continues;
  }

  get signal(): Signal {
    return this.#scope.signal;
  }

  abort(reason: unknown): void {
    this.#scope.abort(reason);
  }

  settle(classification: Classification, failure: GatewayError | null, tally: StreamTally): void {
    if (this.#isCounted && tally.started) this.#noteUsage(tally);
    this.#scope.finish(classification, failure);
  }

  /** Keeps what a stream used, however it ended: one that is not delivered is paid for all the same. */
  #noteUsage(tally: StreamTally): void {
    const { attempt } = this.#scope;
    const facts = tally.facts();
    const estimated = estimatedUsage(this.#tokensInput, tally.outputEstimate);
    attempt.usage = usageSoFar(facts.usage, tally.complete, estimated);
    noteAnswer(attempt, facts);
  }
}

/** Reads up to the first content event, so that a failure before it can still be answered with a true status. */
async function readStreamed(reading: Reading, body: ByteSource): Promise<UpstreamAnswer> {
  const { options, scope, request } = reading;
  const stream = openUpstreamStream(body, new StreamedAttempt(scope, request), {
    format: request.format,
    clock: options.clock,
    maxEventBytes: options.eventBytes,
    bufferBytes: options.streamBufferBytes,
    idleMs: request.timeouts.idleMs,
    totalMs: request.timeouts.streamTotalMs,
    choices: request.choices,
  });
  const { tally } = stream;
  const primed: (readonly UpstreamEvent[])[] = [];
  while (!tally.started && !tally.complete && tally.error === null) {
    const read = await readNext(request, stream);
    if (read.kind === "end") break;
    if (read.kind === "failure") {
      const { classification, error } = read;
      return { kind: "failed", request, classification, error, attempt: scope.attempt };
    }
    primed.push(read.events);
  }
  if (tally.error !== null && !tally.started) {
    const events = primed.flat();
    const bytes = Buffer.concat(events.map((event) => event.bytes));
    const json = events.findLast((event) => event.json !== null)?.json ?? null;
    return inBandAnswer(reading, tally.error, bytes, json, stream);
  }
  for (const events of primed) stream.unread(events);
  scope.attempt.ttftMs = scope.elapsedMs();
  reading.stopFirstWatch();
  if (request.gather) return gatherStream(reading, stream);
  return streamAnswer(reading, stream);
}

function streamAnswer({ scope, request, status, headers }: Reading, stream: UpstreamStream): UpstreamAnswer {
  return {
    kind: "stream",
    request,
    classification: classified("ok"),
    attempt: scope.attempt,
    status,
    headers,
    stream,
    onEnd: (listener) => scope.onEnd(listener),
  };
}

/** The next events; time spent on them is the upstream's. */
function readNext({ waits }: UpstreamRequest, stream: UpstreamStream): Promise<StreamRead> | StreamRead {
  const read = stream.read();
  return read instanceof Promise ? waits.during(read) : read;
}

/** Reads a stream to its end and gives the answer that a buffered call would have got. */
async function gatherStream(reading: Reading, stream: UpstreamStream): Promise<UpstreamAnswer> {
  const { options, scope, request, status, headers } = reading;
  const { attempt } = scope;
  const gatherer = request.format.openGatherer();
  let size = 0;
  for (;;) {
    const read = await readNext(request, stream);
    if (read.kind === "end") break;
    if (read.kind === "failure") {
      // Nothing of it has reached the client: a cut is a broken answer here, whatever had arrived.
      const isCut = read.classification.class === "stalled";
      const classification = isCut ? classified("broken") : read.classification;
      const error = isCut ? new GatewayError("upstream-invalid", read.error.message) : read.error;
      attempt.class = classification.class;
      return { kind: "failed", request, classification, error, attempt };
    }
    for (const { json, event, bytes } of read.events) {
      size += bytes.byteLength;
      if (json === null) continue;
      const error = request.format.readError(json);
      if (error !== null) return inBandAnswer(reading, error, bytes, json, stream);
      gatherer.read(json, event);
    }
    if (size > options.responseBytes) {
      const error = new GatewayError("upstream-invalid", "upstream's answer is larger than limits.response_bytes");
      stream.cancel(classified("broken"));
      return { kind: "failed", request, classification: classified("broken"), error, attempt };
    }
  }
  const json = gatherer.reply();
  const bytes = Buffer.from(JSON.stringify(json));
  return { kind: "buffered", request, classification: classified("ok"), attempt, status, headers, bytes, json };
}

function readBuffered(reading: Reading, body: ByteSource | null): Promise<UpstreamAnswer> | UpstreamAnswer {
  if (body === null) return answerWhole(reading, NOTHING);
  const read = body.readAll(isOk(reading.status) ? reading.options.responseBytes : ERROR_BYTES);
  return read instanceof Promise ? readLater(reading, read) : answerRead(reading, read);
}

async function readLater(reading: Reading, reads: Promise<BoundedBody>): Promise<UpstreamAnswer> {
  const { scope, request } = reading;
  let read: BoundedBody;
  request.waits.begin();
  try {
    read = await reads;
  } catch (cause) {
    return scope.failedBy(request, cause, true);
  } finally {
    request.waits.end();
  }
  return answerRead(reading, read);
}

function answerRead(reading: Reading, read: BoundedBody): UpstreamAnswer {
  if (read.ok) return answerWhole(reading, read.bytes);
  const message = "upstream's answer is larger than limits.response_bytes";
  return reading.scope.failed(reading.request, classified("broken"), new GatewayError("upstream-invalid", message));
}

/** The answer whose whole body is `bytes`. */
function answerWhole(reading: Reading, bytes: Uint8Array): UpstreamAnswer {
  const { options, scope, request, status, headers } = reading;
  const { attempt } = scope;
  const json = parseObject(bytes);
  const error = json === null ? null : request.format.readError(json);
  if (!isOk(status)) {
    const classification = classifyAnswer(status, headers, error, options.clock.wallMs());
    scope.finish(classification, null);
    return { kind: "error", request, classification, attempt, status, headers, bytes, json, inBand: false };
  }
  if (error !== null) return inBandAnswer(reading, error, bytes, json, null);
  if (json === null || !request.format.isReply(json)) {
    const message = "upstream's answer is not JSON of the expected shape";
    return scope.failed(request, classified("broken"), new GatewayError("upstream-invalid", message));
  }
  attempt.ttftMs = scope.elapsedMs();
  scope.finish(classified("ok"), null);
  return { kind: "buffered", request, classification: classified("ok"), attempt, status, headers, bytes, json };
}

/** An error object inside a 200 is the error that its type says, with that type's status. What follows is not read. */
function inBandAnswer(
  reading: Reading,
  error: InBandError,
  bytes: Uint8Array,
  json: JsonObject | null,
  stream: Pick<UpstreamStream, "cancel"> | null,
): ErrorAnswer {
  const { options, scope, request, headers } = reading;
  const status = statusOfInBandError(error);
  const classification = classifyAnswer(status, headers, error, options.clock.wallMs());
  if (stream === null) scope.finish(classification, null);
  else stream.cancel(classification);
  return { kind: "error", request, classification, attempt: scope.attempt, status, headers, bytes, json, inBand: true };
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}
