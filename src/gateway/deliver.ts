/** From a judged candidate to what is sent, and to the record that tells of it. */
import { GatewayError } from "../base/errors.ts";
import type { AttemptRecord, Outcome, RequestRecord } from "../base/events.ts";
import { classified } from "../upstream/classify.ts";
import type { Classification } from "../resilience/dispatch.ts";
import { type ClientFrame, type ClientRead, type ClientStream, framesOf, type Spent } from "./client-stream.ts";
import type { Judged } from "./judge.ts";

/** A stream of which one read has been made, or is under way. */
class ReadAhead implements ClientStream {
  #reading: Promise<ClientRead> | ClientRead | null;
  readonly #stream: ClientStream;

  constructor(reading: Promise<ClientRead> | ClientRead, stream: ClientStream) {
    this.#reading = reading;
    this.#stream = stream;
  }

  read(): Promise<ClientRead> | ClientRead {
    const reading = this.#reading;
    if (reading === null) return this.#stream.read();
    this.#reading = null;
    return reading;
  }

  spent(): Spent | null {
    return this.#stream.spent();
  }

  cancel(classification: Classification): void {
    this.#stream.cancel(classification);
  }
}

/** `reading` first, then what `stream` reads. */
export function withReading(reading: Promise<ClientRead> | ClientRead, stream: ClientStream): ClientStream {
  return new ReadAhead(reading, stream);
}

/** Frames first, then the stream that they were read from. */
export function withHeld(held: readonly ClientFrame[], stream: ClientStream): ClientStream {
  return held.length === 0 ? stream : withReading(framesOf(held), stream);
}

/** A judged candidate as a stream, for a client whose status is already committed: errors are then told in band. */
export function asStream({ candidate, held }: Judged): ClientStream {
  switch (candidate.kind) {
    case "stream":
      return withHeld(held, candidate.stream);
    case "failed":
      return endWith({ kind: "failure", classification: candidate.classification, error: candidate.error });
    case "error":
      return endWith({ kind: "error", error: candidate.error, raw: null, shown: candidate.shown });
    case "whole": {
      const error = new GatewayError("upstream-invalid", "upstream answered a stream request with a whole answer");
      return endWith({ kind: "failure", classification: classified("broken"), error });
    }
  }
}

function endWith(read: ClientRead): ClientStream {
  return { read: () => read, spent: () => null, cancel: () => undefined };
}

/** Notes what became of healing and validation, once the delivered candidate is known. */
export function noteVerdict(record: RequestRecord, judged: Judged, isValidated: boolean): void {
  const { candidate } = judged;
  const delivered = candidate.kind === "failed" ? record.attempts.at(-1) : candidate.attempt;
  const failedBefore = record.attempts.length > 1 && hasFailed(record.attempts, delivered);
  const isFine = candidate.classification.class === "ok";
  const passed = isFine && (judged.result === "pass" || !isValidated);
  if (judged.overflowed) record.heal = "overflow";
  else if (judged.result === "fail") record.heal = "exhausted";
  else if (failedBefore && passed) record.heal = "healed";
  else if (isValidated && failedBefore) record.heal = "exhausted";
  if (isValidated || judged.result !== null) record.validation = judged.result ?? "skipped";
}

function hasFailed(attempts: readonly AttemptRecord[], delivered: AttemptRecord | null | undefined): boolean {
  return attempts.some(
    (attempt) => attempt !== delivered && (attempt.class === "invalid" || attempt.class === "broken"),
  );
}

/** Notes which attempt is delivered. */
export function noteDelivered(record: RequestRecord, judged: Judged): void {
  const { target, losses } = judged.candidate;
  record.model = target.entry.model;
  record.provider = target.provider.name;
  record.upstreamFormat = target.surface.name;
  record.dropped = losses.dropped;
  record.adapted = losses.adapted;
}

/** How a request ended, by the status that was sent. */
export function outcomeOf(judged: Judged): Outcome {
  switch (judged.candidate.kind) {
    case "error":
      return "upstream_error";
    case "failed":
      return judged.candidate.error.kind === "client-closed" ? "client_gone" : "gateway_error";
    default:
      return "complete";
  }
}
