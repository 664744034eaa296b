/** What the client is answered, and the stream that answers it. */
import { followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { classified } from "../upstream/classify.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import type { ClientFrame, ClientRead, ClientStream, ClientStreamFailure } from "./client-stream.ts";

/** An answer ready to be sent; headers without the `x-arouter-*` ones. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | ReadableStream<Uint8Array> | null;
}

/** How a delivered stream ended. */
export type StreamEnd =
  | { readonly kind: "complete" }
  | { readonly kind: "in-band-error"; readonly error: GatewayError | null; readonly message: string }
  | { readonly kind: "client-gone" };

export interface ReplyStreamOptions {
  readonly clock: Clock;
  readonly format: WireFormat;
  readonly requestId: string;
  readonly keepaliveMs: number;
  /** A client that takes no byte for this long is given up; 0 = never. */
  readonly clientWriteMs: number;
  /** The status was committed before there was content: a ping goes out at once. */
  readonly pingFirst: boolean;
  /** Aborts when the client leaves, or the gateway ends the stream (drain). */
  readonly signal: Signal;
  /** Called with the size of each write, and whether it is of the answer: not a ping or an error of ours. */
  readonly onBytes: (bytes: number, isContent: boolean) => void;
  /** Called exactly once. */
  readonly onEnd: (end: StreamEnd) => void;
}

/** A read, or that it failed. */
type Pulled = ClientRead | Pick<ClientStreamFailure, "kind" | "error">;

const encoder = new TextEncoder();

function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Frames that came at once leave at once, in pieces of about so many bytes. */
const PIECE_BYTES = 65_536;

/** Hands `frames` to `write` in pieces; each of whole frames. */
function writeJoined(frames: readonly ClientFrame[], write: (data: Uint8Array | string) => void): void {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) {
    write(first.data);
    return;
  }
  let piece: (Uint8Array | string)[] = [];
  let size = 0;
  for (const { data } of frames) {
    piece.push(data);
    size += data.length;
    if (size < PIECE_BYTES) continue;
    write(join(piece));
    piece = [];
    size = 0;
  }
  if (size > 0) write(join(piece));
}

function join(piece: readonly (Uint8Array | string)[]): Uint8Array | string {
  return piece.every((data) => typeof data === "string") ? piece.join("") : Buffer.concat(piece.map(toBytes));
}

/**
 * The body of a streamed answer. No event is split between writes; those that came in one piece leave in one. A failure becomes
 * the format's in-band error, after which the stream ends without any terminal. `source` may still be on its way when the
 * status had to be committed early.
 */
export function createReplyStream(
  source: Promise<ClientStream> | ClientStream,
  options: ReplyStreamOptions,
): ReadableStream<Uint8Array> {
  const { clock, format, signal } = options;
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let pingFirst = options.pingFirst;
  let stream: ClientStream | null = source instanceof Promise ? null : source;
  let isReading = false;
  /** The client asks for more, and has got nothing since. */
  let isPulled = false;
  /** What was read but is not asked for: a ping has gone out in its place. */
  let unasked: Pulled | null = null;
  let ended = false;
  /** Who is waited for, since when; null: nobody yet. */
  let awaited: "source" | "client" | null = null;
  let sinceMs = 0;
  let cancelTimer = (): void => undefined;
  /** Events of the answer that were written; comments are none. */
  let events = 0;

  const end = (how: StreamEnd): void => {
    if (ended) return;
    ended = true;
    cancelTimer();
    letGo();
    options.onEnd(how);
  };

  const giveUp = (how: StreamEnd): void => {
    const cancel = (opened: ClientStream): void => opened.cancel(classified("aborted"));
    if (stream !== null) cancel(stream);
    else if (source instanceof Promise) source.then(cancel, () => undefined);
    end(how);
  };

  const onAbort = (): void => {
    const reason: unknown = signal.reason;
    // A drain ends the stream with an error that the client can read; a client that left reads nothing.
    if (reason instanceof GatewayError && reason.kind !== "client-closed") return;
    giveUp({ kind: "client-gone" });
  };
  const letGo = followAbort(signal, onAbort);
  if (signal.aborted) onAbort();

  // One timer for the stream's whole life: one for each event would cost more than the event.
  const limits = [options.keepaliveMs, options.clientWriteMs].filter((limitMs) => limitMs > 0);
  const shortestMs = Math.min(...limits);
  const look = (): void => {
    const limitMs = awaited === "source" ? options.keepaliveMs : awaited === "client" ? options.clientWriteMs : 0;
    const leftMs = limitMs > 0 ? sinceMs + limitMs - clock.nowMs() : shortestMs;
    if (leftMs <= 0 && awaited === "client") {
      giveUp({ kind: "client-gone" });
      controller.error(new GatewayError("client-closed", "the client stopped reading (timeout.client_write)"));
      return;
    }
    if (leftMs <= 0) ping();
    cancelTimer = clock.after(leftMs > 0 ? Math.min(leftMs, shortestMs) : shortestMs, look);
  };
  if (limits.length > 0 && !ended) cancelTimer = clock.after(shortestMs, look);

  const wait = (whom: "source" | "client"): void => {
    awaited = whom;
    sinceMs = clock.nowMs();
  };

  const write = (data: Uint8Array | string, isContent: boolean): void => {
    const bytes = toBytes(data);
    options.onBytes(bytes.byteLength, isContent);
    controller.enqueue(bytes);
  };

  const writeContent = (data: Uint8Array | string): void => write(data, true);

  /** Keeps a client waiting; the read that it waits for goes on. */
  const ping = (): void => {
    isPulled = false;
    write(format.keepalive, false);
    wait("client");
  };

  const fail = (error: GatewayError): void => {
    if (error.kind === "client-closed") {
      end({ kind: "client-gone" });
      controller.error(error);
      return;
    }
    write(format.renderStreamError(error, options.requestId, events), false);
    end({ kind: "in-band-error", error, message: error.message });
    controller.close();
  };

  const deliver = (read: Pulled): void => {
    switch (read.kind) {
      case "frames":
        writeJoined(read.frames, writeContent);
        for (const { json } of read.frames) if (json !== null) events += 1;
        wait("client");
        return;
      case "end":
        end({ kind: "complete" });
        controller.close();
        return;
      case "error":
        write(read.raw?.data ?? format.renderStreamError(read.shown, options.requestId, events), false);
        end({ kind: "in-band-error", error: null, message: read.error.message });
        controller.close();
        return;
      case "failure":
        fail(read.error);
    }
  };

  /** Answers the client's pull with what was read. */
  const answer = (read: Pulled): void => {
    isPulled = false;
    try {
      deliver(read);
    } catch (cause) {
      if (ended) controller.error(clientClosed());
      else fail(toFailure(cause).error);
    }
  };

  const onRead = (read: Pulled): void => {
    isReading = false;
    if (ended) controller.error(clientClosed());
    else if (isPulled) answer(read);
    else unasked = read;
  };

  const onThrown = (cause: unknown): void => onRead(toFailure(cause));

  const startReading = (): void => {
    isReading = true;
    const reading = stream === null ? Promise.resolve(source).then(open) : stream.read();
    void reading.then(onRead, onThrown);
  };

  const open = (opened: ClientStream): Promise<ClientRead> => {
    stream = opened;
    return opened.read();
  };

  return new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      // Gives no promise: `enqueue` is what makes the stream ask again, and a promise for each event would be one too many.
      pull: () => {
        wait("source");
        if (ended) {
          controller.error(clientClosed());
          return;
        }
        isPulled = true;
        if (pingFirst) {
          pingFirst = false;
          ping();
        } else if (unasked !== null) {
          const read = unasked;
          unasked = null;
          answer(read);
        } else if (!isReading) startReading();
      },
      cancel: () => giveUp({ kind: "client-gone" }),
    },
    { highWaterMark: 0 },
  );
}

function toFailure(cause: unknown): Pick<ClientStreamFailure, "kind" | "error"> {
  const error =
    cause instanceof GatewayError
      ? cause
      : new GatewayError("internal", "the gateway failed while streaming", { cause });
  return { kind: "failure", error };
}
