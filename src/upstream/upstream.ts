/** One call to a provider as plain data, and what comes back of it. Any layer may send an {@link UpstreamRequest} again. */
import type { GatewayError } from "../base/errors.ts";
import type { HeaderView } from "../base/headers.ts";
import type { JsonObject } from "../base/json.ts";
import type { FormatName, ProviderName } from "../base/names.ts";
import type { WaitMeter } from "../base/wait-meter.ts";
import type { TraceContext } from "../base/ids.ts";
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import type { Attempts } from "../resilience/attempts.ts";
import type { LegVerdict } from "../resilience/hedge.ts";
import type { Entry, RetrySettings } from "../resilience/retry.ts";
import type { Classified } from "../resilience/dispatch.ts";
import type { WireFormat } from "../wire/format.ts";
import type { UpstreamStream } from "./stream.ts";

/** Phase limits of one attempt, in ms; 0 = none. */
export interface PhaseTimeouts {
  /** Streamed: send → first content event. */
  readonly ttftMs: number;
  /** Buffered: send → whole answer. */
  readonly responseMs: number;
  /** Between chunks of a stream. */
  readonly idleMs: number;
  /** Life of a stream. */
  readonly streamTotalMs: number;
}

/** A second leg, raced against a slow first one. */
export interface HedgePlan {
  /** Delay before it in ms; null: not for this call. Asked when the first leg starts. */
  readonly delayMs: () => number | null;
  /** Asked once the delay has passed: the leg's request, or null when it may not be sent. */
  readonly second: () => UpstreamRequest | null;
}

/** How the layers treat one request: settings of the provider as the decision and the caller's headers changed them. */
export interface CallPolicy {
  readonly retry: RetrySettings;
  readonly attempts: Attempts;
  readonly entry: Entry;
  readonly hedge: HedgePlan | null;
  /** What a leg's answer means for the race; by its class alone when null. */
  readonly judge: ((answer: UpstreamAnswer) => LegVerdict | Promise<LegVerdict>) | null;
  /**
   * Reads an answer as far as it is held back. What breaks on the way, while the client has seen nothing of it, comes back
   * as the failure that it is, so that it can be tried again. null: nothing is held.
   */
  readonly hold: ((answer: UpstreamAnswer) => Promise<UpstreamAnswer>) | null;
}

export interface UpstreamRequest {
  readonly provider: ProviderName;
  /** Model name as sent; key of the model breaker. */
  readonly model: string;
  /** The surface called; answers are read by it. */
  readonly format: WireFormat;
  readonly method: string;
  /** Path below the base URL with its query, e.g. `/chat/completions`. */
  readonly path: string;
  /** Headers for the provider, credentials and trace context excluded. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Whether an SSE answer was asked for. */
  readonly stream: boolean;
  /** The stream is read to its end and given as one whole answer (for a buffered client). */
  readonly gather: boolean;
  /** Goes on with an answer that was paused: part of the attempt before it. */
  readonly continues: boolean;
  /** Answers asked for (`n`): a stream is whole when each has its finish reason. */
  readonly choices: number;
  /** False: `store` or `background`; sent again only when nothing can have arrived. */
  readonly replayable: boolean;
  readonly timeouts: PhaseTimeouts;
  /** Where waits for the upstream are counted. */
  readonly waits: WaitMeter;
  readonly trace: TraceContext;
  readonly record: RequestRecord;
  readonly policy: CallPolicy;
}

interface Answered extends Classified {
  readonly request: UpstreamRequest;
  readonly attempt: AttemptRecord;
  readonly status: number;
  readonly headers: HeaderView;
}

/** A whole 2xx answer: JSON of the surface's format. */
export interface BufferedAnswer extends Answered {
  readonly kind: "buffered";
  readonly bytes: Uint8Array;
  readonly json: JsonObject;
}

/** A 2xx stream whose first content event has arrived (or that ended whole without any). */
export interface StreamAnswer extends Answered {
  readonly kind: "stream";
  readonly stream: UpstreamStream;
}

/** Any other HTTP answer, its body read up to a limit. */
export interface ErrorAnswer extends Answered {
  readonly kind: "error";
  readonly bytes: Uint8Array;
  readonly json: JsonObject | null;
  /** The error object came inside a 200. */
  readonly inBand: boolean;
}

/** No usable HTTP answer: unreachable, timed out, cut, aborted, refused by a layer of ours. */
export interface FailedAnswer extends Classified {
  readonly kind: "failed";
  readonly request: UpstreamRequest;
  /** null when nothing was sent. */
  readonly attempt: AttemptRecord | null;
  readonly error: GatewayError;
}

export type UpstreamAnswer = BufferedAnswer | StreamAnswer | ErrorAnswer | FailedAnswer;

/** How one provider is called. */
export interface Provider {
  readonly name: ProviderName;
  /** Base URL up to and including `/v1`, without a trailing slash. */
  readonly baseUrl: string;
  /** Credentials and pinned headers; reads the key anew on each call so that a reload takes effect. */
  readonly authHeaders: () => Readonly<Record<string, string>>;
  /** Client headers that this provider gets when the request passes through in its own format. */
  readonly forwardHeaders: (client: HeaderView, sameFormat: boolean) => Readonly<Record<string, string>>;
  /** Formats it serves. */
  readonly formats: readonly FormatName[];
}
