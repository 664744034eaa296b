/** What reading the answer of an attempt needs. */
import type { Clock } from "../base/clock.ts";
import type { HeaderView } from "../base/headers.ts";
import type { JsonObject } from "../base/json.ts";
import type { InBandError } from "../wire/format.ts";
import type { AttemptScope } from "./attempt-scope.ts";
import { classifyAnswer, statusOfInBandError } from "./classify.ts";
import type { UpstreamStream } from "./stream.ts";
import type { ErrorAnswer, UpstreamRequest } from "./upstream.ts";

export interface ReadOptions {
  readonly clock: Clock;
  /** `limits.response_bytes`, `limits.event_bytes` and `limits.stream_buffer_bytes`. */
  readonly responseBytes: number;
  readonly eventBytes: number;
  readonly streamBufferBytes: number;
}

/** An attempt whose answer is awaited. */
export interface Sent {
  readonly options: ReadOptions;
  readonly scope: AttemptScope;
  readonly request: UpstreamRequest;
  /** Ends the watch for the first content of a gathered stream. */
  readonly stopFirstWatch: () => void;
}

/** What an answer is read from. */
export interface Reading extends Sent {
  readonly status: number;
  readonly headers: HeaderView;
}

/** An error object inside a 200 is the error that its type says, with that type's status. What follows is not read. */
export function inBandAnswer(
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

export function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}
