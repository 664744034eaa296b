/** What the client is answered, and the stream that answers it. */
import { type AbortFollower, type AbortLink, followAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { classified } from "../upstream/classify.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { RenderableError, WireFormat } from "../wire/format.ts";
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
  readonly listener: ReplyListener;
}

export interface ReplyListener {
  /** Told the size of each write, and whether it is of the answer: not a ping or an error of ours. */
  onBytes(bytes: number, isContent: boolean): void;
  /** Told exactly once. */
  onEnd(end: StreamEnd): void;
}

/** A read, or that it failed. */
type Pulled = ClientRead | Pick<ClientStreamFailure, "kind" | "error">;

const encoder = new TextEncoder();

function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Frames that came at once leave at once, in pieces of about so many bytes. */
const PIECE_BYTES = 65_536;

/** `frames` in pieces; each of whole frames. */
function piecesOf(frames: readonly ClientFrame[]): (Uint8Array | string)[] {
  const pieces: (Uint8Array | string)[] = [];
  let piece: (Uint8Array | string)[] = [];
  let size = 0;
  for (const { bytes } of frames) {
    piece.push(bytes);
    size += bytes.length;
    if (size < PIECE_BYTES) continue;
    pieces.push(join(piece));
    piece = [];
    size = 0;
  }
  if (size > 0) pieces.push(join(piece));
  return pieces;
}

function join(piece: readonly (Uint8Array | string)[]): Uint8Array | string {
  const [only = ""] = piece;
  if (piece.length <= 1) return only;
  return piece.every((data) => typeof data === "string") ? piece.join("") : Buffer.concat(piece.map(toBytes));
}

const NOTHING_AHEAD = { highWaterMark: 0 };

/** Writes what a client's stream gives, and is what the runtime pulls. */
class ReplySource implements UnderlyingDefaultSource<Uint8Array>, AbortFollower {
  readonly #options: ReplyStreamOptions;
  /** The stream, or while that is on its way: null. */
  #stream: ClientStream | null;
  readonly #coming: Promise<ClientStream> | null;
  readonly #link: AbortLink;
  /** The shorter of the limits that are kept, in ms; Infinity: there is none. */
  readonly #shortestMs: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pingFirst: boolean;
  #isReading = false;
  /** The client asks for more, and has got nothing since. */
  #isPulled = false;
  /** What was read but is not asked for: a ping has gone out in its place. */
  #unasked: Pulled | null = null;
  #ended = false;
  /** Who is waited for, since when; null: nobody yet. */
  #awaited: "source" | "client" | null = null;
  #sinceMs = 0;
  #cancelTimer: (() => void) | null = null;
  /** Events of the answer that were written; comments are none. */
  #events = 0;

  constructor(source: Promise<ClientStream> | ClientStream, options: ReplyStreamOptions) {
    const { signal, keepaliveMs, clientWriteMs } = options;
    this.#options = options;
    this.#stream = source instanceof Promise ? null : source;
    this.#coming = source instanceof Promise ? source : null;
    this.#pingFirst = options.pingFirst;
    this.#shortestMs = Math.min(orNever(keepaliveMs), orNever(clientWriteMs));
    this.#link = followAbort(signal, this);
    if (signal.aborted) this.onAbort(signal.reason);
    if (!this.#ended) this.#lookIn(this.#shortestMs);
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  /** Gives no promise: `enqueue` is what makes the stream ask again, and a promise for each event would be one too many. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#wait("source");
    if (this.#ended) {
      controller.error(clientClosed());
      return;
    }
    this.#isPulled = true;
    const read = this.#unasked;
    if (this.#pingFirst) {
      this.#pingFirst = false;
      this.#ping();
    } else if (read !== null) {
      this.#unasked = null;
      this.#answer(read);
    } else if (!this.#isReading) this.#startReading();
  }

  cancel(): void {
    this.#giveUp({ kind: "client-gone" });
  }

  onAbort(reason: unknown): void {
    // A drain ends the stream with an error that the client can read; a client that left reads nothing.
    if (reason instanceof GatewayError && reason.kind !== "client-closed") return;
    this.#giveUp({ kind: "client-gone" });
  }

  #end(how: StreamEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimer?.();
    this.#link.release();
    this.#options.listener.onEnd(how);
  }

  #giveUp(how: StreamEnd): void {
    if (this.#stream !== null) cancelStream(this.#stream);
    else this.#coming?.then(cancelStream, () => undefined);
    this.#end(how);
  }

  /** One timer for the stream's whole life: one for each event would cost more than the event. */
  #lookIn(delayMs: number): void {
    if (delayMs < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    const { keepaliveMs, clientWriteMs, clock } = this.#options;
    const limitMs = this.#awaited === "source" ? keepaliveMs : this.#awaited === "client" ? clientWriteMs : 0;
    const leftMs = limitMs > 0 ? this.#sinceMs + limitMs - clock.nowMs() : this.#shortestMs;
    if (leftMs <= 0 && this.#awaited === "client") {
      this.#giveUp({ kind: "client-gone" });
      this.#controller?.error(new GatewayError("client-closed", "the client stopped reading (timeout.client_write)"));
      return;
    }
    if (leftMs <= 0) this.#ping();
    this.#lookIn(leftMs > 0 ? Math.min(leftMs, this.#shortestMs) : this.#shortestMs);
  }

  #wait(whom: "source" | "client"): void {
    this.#awaited = whom;
    this.#sinceMs = this.#options.clock.nowMs();
  }

  #write(data: Uint8Array | string, isContent: boolean): void {
    const bytes = toBytes(data);
    this.#options.listener.onBytes(bytes.byteLength, isContent);
    this.#controller?.enqueue(bytes);
  }

  /** Keeps a client waiting; the read that it waits for goes on. */
  #ping(): void {
    this.#isPulled = false;
    this.#write(this.#options.format.keepalive, false);
    this.#wait("client");
  }

  #startReading(): void {
    this.#isReading = true;
    if (this.#stream === null) {
      void this.#coming?.then((stream) => this.#open(stream)).then(this.#onRead, this.#onThrown);
      return;
    }
    let read: Promise<ClientRead> | ClientRead;
    try {
      read = this.#stream.read();
    } catch (cause) {
      this.#onThrown(cause);
      return;
    }
    if (read instanceof Promise) void read.then(this.#onRead, this.#onThrown);
    else this.#onRead(read);
  }

  #open(stream: ClientStream): Promise<ClientRead> | ClientRead {
    this.#stream = stream;
    return stream.read();
  }

  readonly #onRead = (read: Pulled): void => {
    this.#isReading = false;
    if (this.#ended) this.#controller?.error(clientClosed());
    else if (this.#isPulled) this.#answer(read);
    else this.#unasked = read;
  };

  readonly #onThrown = (cause: unknown): void => this.#onRead(toFailure(cause));

  /** Answers the client's pull with what was read. */
  #answer(read: Pulled): void {
    this.#isPulled = false;
    try {
      this.#deliver(read);
    } catch (cause) {
      if (this.#ended) this.#controller?.error(clientClosed());
      else this.#fail(toFailure(cause).error);
    }
  }

  #deliver(read: Pulled): void {
    switch (read.kind) {
      case "frames":
        if (read.joined !== null) this.#write(read.joined, true);
        else for (const piece of piecesOf(read.frames)) this.#write(piece, true);
        for (const { json } of read.frames) if (json !== null) this.#events += 1;
        this.#wait("client");
        return;
      case "end":
        this.#end({ kind: "complete" });
        this.#controller?.close();
        return;
      case "error":
        this.#write(read.raw?.bytes ?? this.#renderError(read.shown), false);
        this.#end({ kind: "in-band-error", error: null, message: read.error.message });
        this.#controller?.close();
        return;
      case "failure":
        this.#fail(read.error);
    }
  }

  #fail(error: GatewayError): void {
    if (error.kind === "client-closed") {
      this.#end({ kind: "client-gone" });
      this.#controller?.error(error);
      return;
    }
    this.#write(this.#renderError(error), false);
    this.#end({ kind: "in-band-error", error, message: error.message });
    this.#controller?.close();
  }

  #renderError(error: RenderableError): string {
    const { format, requestId } = this.#options;
    return format.renderStreamError(error, requestId, this.#events);
  }
}

function cancelStream(stream: ClientStream): void {
  stream.cancel(classified("aborted"));
}

/** A limit of 0 is none. */
function orNever(limitMs: number): number {
  return limitMs > 0 ? limitMs : Number.POSITIVE_INFINITY;
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
  return new ReadableStream<Uint8Array>(new ReplySource(source, options), NOTHING_AHEAD);
}

function toFailure(cause: unknown): Pick<ClientStreamFailure, "kind" | "error"> {
  const error =
    cause instanceof GatewayError
      ? cause
      : new GatewayError("internal", "the gateway failed while streaming", { cause });
  return { kind: "failure", error };
}
