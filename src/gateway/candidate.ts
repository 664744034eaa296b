/** What one candidate came to: an answer in the client's format, not yet committed. */
import type { GatewayError } from "../base/errors.ts";
import type { AttemptRecord } from "../base/events.ts";
import type { JsonObject } from "../base/json.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { OwnCheck } from "../translate/translator.ts";
import type { InBandError, RenderableError, ReplyFacts } from "../wire/format.ts";
import type { ClientStream } from "./client-stream.ts";
import type { Losses } from "./encode.ts";
import type { Target } from "./target.ts";

interface Settled {
  readonly target: Target;
  readonly classification: Classification;
  /** What the translation of its request, and of its answer, did not carry or carried differently. */
  readonly losses: Losses;
}

/** A whole 2xx answer. */
export interface WholeCandidate extends Settled {
  readonly kind: "whole";
  readonly attempt: AttemptRecord;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** The answer as the client would see it. */
  readonly json: JsonObject;
  /** What is read of it; null: nobody has yet. */
  readonly facts: ReplyFacts | null;
  readonly checks: readonly OwnCheck[];
}

/** A stream whose first content has arrived. */
export interface StreamCandidate extends Settled {
  readonly kind: "stream";
  readonly attempt: AttemptRecord;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: ClientStream;
  readonly checks: readonly OwnCheck[];
}

/** An upstream's error answer. */
export interface ErrorCandidate extends Settled {
  readonly kind: "error";
  readonly attempt: AttemptRecord;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  readonly error: InBandError;
  /** The error in the client's words, for a stream whose status is already committed. */
  readonly shown: RenderableError;
}

/** No answer: what the gateway has to say about it. */
export interface FailedCandidate extends Settled {
  readonly kind: "failed";
  readonly error: GatewayError;
}

export type Candidate = WholeCandidate | StreamCandidate | ErrorCandidate | FailedCandidate;
