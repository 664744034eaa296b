/**
 * An upstream's SSE answer, pulled: decoded, parsed and tallied as it is read, bytes kept as they came.
 * Nothing is read ahead, so a slow client slows the upstream.
 */
import type { Signal } from "../base/abort.ts";
import { GatewayError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { isObject, type Json } from "../base/json.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { StreamTally, WireFormat } from "../wire/format.ts";
import { createSseDecoder, type SseDecoder, type SseEvent } from "../wire/sse/decode.ts";
import { createEventJson } from "../wire/sse/event-json.ts";
import { classified, errorCode } from "./classify.ts";
import type { ByteSource } from "./http.ts";

/** One event with what was read of it; its `json` is null for comments and `[DONE]`. */
export type UpstreamEvent = Readonly<SseEvent>;

export type StreamRead =
  | { readonly kind: "events"; readonly events: readonly UpstreamEvent[] }
  /** The body ended after its terminal: the answer is whole. */
  | { readonly kind: "end" }
  /** Cut, silent, malformed or over a limit. */
  | { readonly kind: "failure"; readonly classification: Classification; readonly error: GatewayError };

export interface UpstreamStream {
  /** What passed so far, in the upstream's format. */
  readonly tally: StreamTally;
  /** The next events, without a promise where they are there. One read at a time. */
  read(): Promise<StreamRead> | StreamRead;
  /** Puts events that were read back in front of what follows. */
  unread(events: readonly UpstreamEvent[]): void;
  /** Gives the stream up and closes its connection; a no-op once it ended. */
  cancel(classification: Classification): void;
}

export interface UpstreamStreamOptions {
  readonly format: WireFormat;
  readonly clock: Clock;
  readonly maxEventBytes: number;
  /** Memory that may wait for a slow client. A socket gives up to 512 KiB in one chunk; of it a part is decoded at a time. */
  readonly bufferBytes: number;
  /** ms without a byte before the stream counts as stalled; 0 = none. */
  readonly idleMs: number;
  /** ms from now that the stream may live; 0 = none. */
  readonly totalMs: number;
  readonly choices: number;
}

/** Whose stream it is. */
export interface StreamOwner {
  /** Of the call. */
  readonly signal: Signal;
  /** Aborts the call. */
  abort(reason: unknown): void;
  /** Called exactly once with how the stream ended. */
  settle(classification: Classification, failure: GatewayError | null, tally: StreamTally): void;
}

/** Tells an idle limit from other aborts of the attempt. */
const IDLE = Symbol("idle");
const TOTAL = Symbol("stream_total");

/** After its last event a stream may only linger for this long, so that the client is not kept waiting for a close. */
const TAIL_MS = 1000;

/** Share of the buffer that is decoded at once: what comes of it waits for the client, at ten times its size and more. */
const SLICE_SHARE = 1 / 32;
const MIN_SLICE_BYTES = 1024;

const END: StreamRead = { kind: "end" };

class OpenUpstreamStream implements UpstreamStream {
  readonly tally: StreamTally;
  readonly #body: ByteSource;
  readonly #owner: StreamOwner;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #decoder: SseDecoder;
  readonly #json = createEventJson();
  readonly #sliceBytes: number;
  readonly #endMs: number;
  #settled = false;
  #ended = false;
  /** Silence counts only while it is waited for: a client that is slow to take what is there is no fault of the upstream. */
  #isReading = false;
  #isTail = false;
  #heardMs: number;
  #cancelTimer: (() => void) | null = null;
  #unread: (readonly UpstreamEvent[])[] | null = null;
  /** A failure found behind whole events of the same chunk is told by the next read, after they were delivered. */
  #pending: StreamRead | null = null;
  /** Of the last chunk, what is not decoded yet. */
  #rest: Uint8Array | null = null;

  constructor(body: ByteSource, owner: StreamOwner, options: UpstreamStreamOptions) {
    const { clock, format, totalMs } = options;
    this.#body = body;
    this.#owner = owner;
    this.#clock = clock;
    this.#idleMs = options.idleMs;
    this.#decoder = createSseDecoder(options);
    this.#sliceBytes = Math.max(MIN_SLICE_BYTES, Math.floor(options.bufferBytes * SLICE_SHARE));
    this.tally = format.openTally({ collect: false, choices: options.choices });
    this.#heardMs = clock.nowMs();
    this.#endMs = totalMs > 0 ? this.#heardMs + totalMs : Number.POSITIVE_INFINITY;
    this.#watch();
  }

  read(): Promise<StreamRead> | StreamRead {
    const unread = this.#unread?.shift();
    if (unread !== undefined) return { kind: "events", events: unread };
    this.#unread = null;
    for (;;) {
      if (this.#pending !== null) return this.#pending;
      if (this.#ended) return END;
      if (this.#rest === null) break;
      const read = this.#takeBytes(this.#rest);
      if (read !== null) return read;
    }
    this.#isReading = true;
    this.#heardMs = this.#clock.nowMs();
    const bytes = this.#body.read();
    return bytes instanceof Promise ? bytes.then(this.#onBytes, this.#onCut) : this.#onBytes(bytes);
  }

  unread(events: readonly UpstreamEvent[]): void {
    (this.#unread ??= []).push(events);
  }

  cancel(classification: Classification): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#settle(classification, null);
    this.#owner.abort(new GatewayError("client-closed", "the stream was given up"));
    this.#body.cancel();
  }

  /** What is handed to each read's promise: two functions for the stream's life, not two for each of its reads. */
  readonly #onBytes = (bytes: Uint8Array | null): StreamRead | Promise<StreamRead> =>
    this.#takeBytes(bytes) ?? this.read();

  readonly #onCut = (cause: unknown): StreamRead => {
    this.#isReading = false;
    return this.#failRead(cause);
  };

  /** One timer for all limits, set anew only when it goes off. */
  #watch(): void {
    const clock = this.#clock;
    const silenceMs = this.#isTail ? TAIL_MS : this.#idleMs;
    const silentMs = silenceMs > 0 ? this.#heardMs + silenceMs : Number.POSITIVE_INFINITY;
    const nextMs = Math.min(silentMs, this.#endMs);
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#cancelTimer = clock.after(nextMs - clock.nowMs(), () => this.#look(silenceMs));
    }
  }

  #look(silenceMs: number): void {
    // Given up without a word to the stream: a read that is under way has heard of it, and there will be no other.
    if (this.#owner.signal.aborted) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#endMs) {
      this.#owner.abort(TOTAL);
      return;
    }
    if (silenceMs > 0 && nowMs >= this.#heardMs + silenceMs) {
      if (this.#isReading || this.#isTail) {
        this.#owner.abort(IDLE);
        return;
      }
      this.#heardMs = nowMs;
    }
    this.#watch();
  }

  #watchTail(): void {
    if (this.#isTail || this.#settled) return;
    this.#isTail = true;
    this.#heardMs = this.#clock.nowMs();
    this.#cancelTimer?.();
    this.#watch();
  }

  #settle(classification: Classification, failure: GatewayError | null): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#cancelTimer?.();
    this.#owner.settle(classification, failure, this.tally);
  }

  #fail(classification: Classification, error: GatewayError): StreamRead {
    this.#ended = true;
    this.#settle(classification, error);
    return { kind: "failure", classification, error };
  }

  /** After content a failure is an interruption; before it, what `kind` says. */
  #failAs(
    outcome: "broken" | "timeout",
    kind: "upstream-invalid" | "upstream-timeout",
    message: string,
    cause?: unknown,
  ): StreamRead {
    const { started } = this.tally;
    const options = cause === undefined ? {} : { cause };
    return this.#fail(
      classified(started ? "stalled" : outcome),
      new GatewayError(started ? "upstream-interrupted" : kind, message, options),
    );
  }

  #failBroken(message: string): StreamRead {
    this.#owner.abort(new Error(message));
    this.#body.cancel();
    return this.#failAs("broken", "upstream-invalid", message);
  }

  #failRead(cause: unknown): StreamRead {
    const { signal } = this.#owner;
    // Cut after every terminal was seen: nothing of the answer is missing (usage, `[DONE]` or the end chunk may be).
    if (this.tally.complete && (!signal.aborted || signal.reason === IDLE)) return this.#finish();
    if (!signal.aborted) return this.#failAs("broken", "upstream-invalid", "upstream closed the stream early", cause);
    const { reason } = signal;
    if (reason === IDLE || reason === TOTAL) {
      const message =
        reason === IDLE ? "upstream sent nothing for too long in the middle of a stream" : "stream lived too long";
      return this.#failAs("timeout", "upstream-timeout", message, cause);
    }
    if (errorCode(reason) === "TimeoutError") {
      return this.#fail(
        classified("timeout"),
        new GatewayError("upstream-timeout", "upstream took too long to answer"),
      );
    }
    return this.#fail(classified("aborted"), reason instanceof GatewayError ? reason : clientClosed());
  }

  #finish(): StreamRead {
    this.#ended = true;
    if (!this.tally.complete) return this.#failBroken("upstream closed the stream early");
    this.#settle(classified("ok"), null);
    return END;
  }

  /** What `bytes` hold, or a slice of them; null: no whole event. */
  #takeBytes(bytes: Uint8Array | null): StreamRead | null {
    this.#isReading = false;
    if (bytes === null) {
      // A last event without its blank line counts when its JSON is whole.
      const events = this.#take(this.#decoder.end());
      const final = this.#pending ?? this.#finish();
      if (events === null) return final;
      this.#pending = final;
      return events;
    }
    const isSliced = bytes.byteLength > this.#sliceBytes;
    this.#rest = isSliced ? bytes.subarray(this.#sliceBytes) : null;
    const decoded = this.#decoder.push(isSliced ? bytes.subarray(0, this.#sliceBytes) : bytes);
    if (this.#decoder.overflowed) return this.#failBroken("upstream sent an event over limits.event_bytes");
    const events = this.#take(decoded);
    if (this.tally.done) this.#watchTail();
    return events;
  }

  #take(decoded: readonly SseEvent[]): StreamRead | null {
    let events = decoded;
    for (let at = 0; at < decoded.length; at += 1) {
      if (this.#readEvent(decoded[at] as SseEvent)) continue;
      this.#pending = this.#failBroken("upstream sent an event whose data is not JSON");
      events = decoded.slice(0, at);
      break;
    }
    return events.length > 0 ? { kind: "events", events } : null;
  }

  /** Reads one decoded event; false when its data is not a JSON object. */
  #readEvent(event: SseEvent): boolean {
    const { data } = event;
    if (data === null) return true;
    if (isDone(data)) {
      this.tally.readDone();
      return true;
    }
    let json: Json;
    try {
      json = this.#json.parse(data);
    } catch {
      return false;
    }
    if (!isObject(json)) return false;
    this.tally.read(json, event.event);
    event.json = json;
    return true;
  }
}

/** A stream over `body`. */
export function openUpstreamStream(
  body: ByteSource,
  owner: StreamOwner,
  options: UpstreamStreamOptions,
): UpstreamStream {
  return new OpenUpstreamStream(body, owner, options);
}

function isDone(data: string): boolean {
  return data.length < 16 && data.trim() === "[DONE]";
}

/** The error that stands for a client that left; never delivered to anybody. */
export function clientClosed(): GatewayError {
  return new GatewayError("client-closed", "the client closed the connection");
}
