/** A streamed answer, read up to the point where it can be judged: its first content event, or its end where it is gathered. */
import type { Signal } from "../base/abort.ts";
import { GatewayError } from "../base/errors.ts";
import { estimatedUsage, usageSoFar } from "../base/usage.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { StreamTally } from "../wire/format.ts";
import type { AttemptScope } from "./attempt-scope.ts";
import { classified } from "./classify.ts";
import type { ByteSource } from "./http.ts";
import { noteAnswer } from "./note-answer.ts";
import { inBandAnswer, type Reading } from "./reading.ts";
import {
  openUpstreamStream,
  type StreamOwner,
  type StreamRead,
  type UpstreamEvent,
  type UpstreamStream,
} from "./stream.ts";
import type { UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

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
export async function readStreamed(reading: Reading, body: ByteSource): Promise<UpstreamAnswer> {
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
