/**
 * An upstream's SSE answer, pulled: decoded, parsed and tallied as it is read, bytes kept as they came.
 * Nothing is read ahead, so a slow client slows the upstream.
 */
import type { Signal } from "../base/abort.ts";
import { GatewayError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { StreamTally, WireFormat } from "../wire/format.ts";
import { createWatchdog, type Watchdog } from "../resilience/timeout.ts";
import { createSseDecoder, type SseEvent } from "../wire/sse/decode.ts";
import { createEventJson } from "../wire/sse/event-json.ts";
import { classified, errorCode } from "./classify.ts";
import type { ByteSource } from "./http.ts";

/** One event with what was read of it. */
export interface UpstreamEvent {
  /** SSE event name, "" without one. */
  readonly event: string;
  /** Parsed data; null for comments and `[DONE]`. */
  readonly json: JsonObject | null;
  /** Raw bytes, closing blank line included. */
  readonly data: Uint8Array;
}

export type StreamRead =
  | { readonly kind: "events"; readonly events: readonly UpstreamEvent[] }
  /** The body ended after its terminal: the answer is whole. */
  | { readonly kind: "end" }
  /** Cut, silent, malformed or over a limit. */
  | { readonly kind: "failure"; readonly classification: Classification; readonly error: GatewayError };

export interface UpstreamStream {
  /** What was read while waiting for the first content, read by read; to be delivered before anything of {@link read}. */
  readonly primed: readonly (readonly UpstreamEvent[])[];
  readonly read: () => Promise<StreamRead>;
  /** What passed so far, in the upstream's format. */
  readonly tally: StreamTally;
  /** Gives the stream up and closes its connection; a no-op once it ended. */
  readonly cancel: (classification: Classification) => void;
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
  /** Aborts the call. */
  readonly abort: (reason: unknown) => void;
  readonly signal: Signal;
  /** Called exactly once with how the stream ended. */
  readonly settle: (classification: Classification, failure: GatewayError | null) => void;
}

/** Tells an idle limit from other aborts of the attempt. */
const IDLE = Symbol("idle");
const TOTAL = Symbol("stream_total");

const TAIL_MS = 1000;

/** Share of the buffer that is decoded at once: what comes of it waits for the client, at ten times its size and more. */
const SLICE_SHARE = 1 / 32;
const MIN_SLICE_BYTES = 1024;

const END: StreamRead = { kind: "end" };

/** A stream over `body` with nothing primed; the caller primes it by reading (see {@link primeStream}). */
export function openUpstreamStream(body: ByteSource, options: UpstreamStreamOptions): Omit<UpstreamStream, "primed"> {
  const { clock, format } = options;
  const decoder = createSseDecoder({ maxEventBytes: options.maxEventBytes });
  const parseJson = createEventJson();
  const sliceBytes = Math.max(MIN_SLICE_BYTES, Math.floor(options.bufferBytes * SLICE_SHARE));
  const tally = format.openTally({ collect: false, choices: options.choices });
  let settled = false;
  let ended = false;
  let isReading = false;
  /** Silence counts only while it is waited for: a client that is slow to take what is there is no fault of the upstream. */
  const watch = (): Watchdog =>
    createWatchdog(clock, options.idleMs, () => {
      if (isReading) options.abort(IDLE);
      else watchdog = watch();
    });
  let watchdog = watch();
  const cancelTotal = options.totalMs > 0 ? clock.after(options.totalMs, () => options.abort(TOTAL)) : null;

  /** After its last event a stream may only linger for this long, so that the client is not kept waiting for a close. */
  const watchTail = (): void => {
    watchdog.stop();
    watchdog = createWatchdog(clock, TAIL_MS, () => options.abort(IDLE));
  };

  const settle = (classification: Classification, failure: GatewayError | null): void => {
    if (settled) return;
    settled = true;
    watchdog.stop();
    cancelTotal?.();
    options.settle(classification, failure);
  };

  const fail = (classification: Classification, error: GatewayError): StreamRead => {
    ended = true;
    settle(classification, error);
    return { kind: "failure", classification, error };
  };

  const failBroken = (message: string): StreamRead => {
    options.abort(new Error(message));
    body.cancel();
    return fail(
      classified(tally.started ? "stalled" : "broken"),
      new GatewayError(tally.started ? "upstream-interrupted" : "upstream-invalid", message),
    );
  };

  const failRead = (cause: unknown): StreamRead => {
    // Cut after every terminal was seen: nothing of the answer is missing (usage, `[DONE]` or the end chunk may be).
    if (tally.complete && (!options.signal.aborted || options.signal.reason === IDLE)) return finish();
    const reason: unknown = options.signal.aborted ? options.signal.reason : null;
    if (reason === IDLE || reason === TOTAL) {
      const message =
        reason === IDLE ? "upstream sent nothing for too long in the middle of a stream" : "stream lived too long";
      return fail(
        classified(tally.started ? "stalled" : "timeout"),
        new GatewayError(tally.started ? "upstream-interrupted" : "upstream-timeout", message, { cause }),
      );
    }
    if (options.signal.aborted) {
      if (errorCode(reason) === "TimeoutError") {
        return fail(classified("timeout"), new GatewayError("upstream-timeout", "upstream took too long to answer"));
      }
      return fail(classified("aborted"), reason instanceof GatewayError ? reason : clientClosed());
    }
    const message = "upstream closed the stream early";
    return fail(
      classified(tally.started ? "stalled" : "broken"),
      new GatewayError(tally.started ? "upstream-interrupted" : "upstream-invalid", message, { cause }),
    );
  };

  const finish = (): StreamRead => {
    ended = true;
    if (tally.complete) {
      settle(classified("ok"), null);
      return END;
    }
    return failBroken("upstream closed the stream early");
  };

  /** Reads one decoded event; null when its data is not a JSON object. */
  const readEvent = ({ event, data, bytes }: SseEvent): UpstreamEvent | null => {
    if (data === null) return { event, json: null, data: bytes };
    if (isDone(data)) {
      tally.readDone();
      return { event, json: null, data: bytes };
    }
    let json: Json;
    try {
      json = parseJson(data);
    } catch {
      return null;
    }
    if (!isObject(json)) return null;
    tally.read(json, event);
    return { event, json, data: bytes };
  };

  /** A failure found behind whole events of the same chunk is told by the next read, after they were delivered. */
  let pending: StreamRead | null = null;

  const take = (decoded: readonly SseEvent[]): StreamRead | null => {
    const events: UpstreamEvent[] = [];
    for (const each of decoded) {
      const event = readEvent(each);
      if (event === null) {
        pending = failBroken("upstream sent an event whose data is not JSON");
        break;
      }
      events.push(event);
    }
    return events.length > 0 ? { kind: "events", events } : null;
  };

  /** Of the last chunk, what is not decoded yet. */
  let rest: Uint8Array | null = null;

  /** The next bytes; null at the end. */
  const nextBytes = (): Promise<Uint8Array | null> => {
    if (rest !== null) return Promise.resolve(rest);
    isReading = true;
    watchdog.touch();
    return body.read();
  };

  /** What `bytes` hold, or a slice of them; null: no whole event. */
  const takeBytes = (bytes: Uint8Array | null): StreamRead | null => {
    isReading = false;
    if (bytes === null) {
      // A last event without its blank line counts when its JSON is whole.
      const events = take(decoder.end());
      const final = pending ?? finish();
      if (events === null) return final;
      pending = final;
      return events;
    }
    rest = bytes.byteLength > sliceBytes ? bytes.subarray(sliceBytes) : null;
    const decoded = decoder.push(rest === null ? bytes : bytes.subarray(0, sliceBytes));
    if (decoder.overflowed) return failBroken("upstream sent an event over limits.event_bytes");
    const events = take(decoded);
    if (tally.done) watchTail();
    return events;
  };

  const onCut = (cause: unknown): StreamRead => {
    isReading = false;
    return failRead(cause);
  };

  /** Reads until there is a whole event. */
  const readOn = async (): Promise<StreamRead> => {
    for (;;) {
      if (pending !== null) return pending;
      if (ended) return END;
      const read = await nextBytes().then(takeBytes, onCut);
      if (read !== null) return read;
    }
  };

  const onBytes = (bytes: Uint8Array | null): StreamRead | Promise<StreamRead> => takeBytes(bytes) ?? readOn();

  return {
    tally,
    cancel: (classification) => {
      if (ended) return;
      ended = true;
      settle(classification, null);
      options.abort(new GatewayError("client-closed", "the stream was given up"));
      body.cancel();
    },
    read: () => {
      if (pending !== null) return Promise.resolve(pending);
      if (ended) return Promise.resolve(END);
      return nextBytes().then(onBytes, onCut);
    },
  };
}

function isDone(data: string): boolean {
  return data.length < 16 && data.trim() === "[DONE]";
}

/** The error that stands for a client that left; never delivered to anybody. */
export function clientClosed(): GatewayError {
  return new GatewayError("client-closed", "the client closed the connection");
}
