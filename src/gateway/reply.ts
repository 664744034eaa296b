/** What the client is answered, and the stream that answers it. */
import { followAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { classified } from "../upstream/classify.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import type { ClientRead, ClientStream } from "./client-stream.ts";

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
  readonly signal: AbortSignal;
  /** Called with the size of each write, and whether it is of the answer: not a ping or an error of ours. */
  readonly onBytes: (bytes: number, isContent: boolean) => void;
  /** Called exactly once. */
  readonly onEnd: (end: StreamEnd) => void;
}

const encoder = new TextEncoder();

function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

const SILENCE = { kind: "silence" } as const;
type Pulled = ClientRead | typeof SILENCE;

/**
 * The body of a streamed answer, one write per event. A failure becomes the format's in-band error, after which the stream
 * ends without any terminal. `source` may still be on its way when the status had to be committed early.
 */
export function createReplyStream(
  source: Promise<ClientStream> | ClientStream,
  options: ReplyStreamOptions,
): ReadableStream<Uint8Array> {
  const { clock, format, signal } = options;
  let pingFirst = options.pingFirst;
  let stream: ClientStream | null = source instanceof Promise ? null : source;
  let reading: Promise<Pulled> | null = null;
  let ended = false;
  /** Who is waited for, since when; null: nobody yet. */
  let awaited: "source" | "client" | null = null;
  let sinceMs = 0;
  let wake: (read: Pulled) => void = () => undefined;
  let giveUpClient = (): void => undefined;
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
      giveUpClient();
      return;
    }
    if (leftMs <= 0) wake(SILENCE);
    cancelTimer = clock.after(leftMs > 0 ? Math.min(leftMs, shortestMs) : shortestMs, look);
  };
  if (limits.length > 0 && !ended) cancelTimer = clock.after(shortestMs, look);

  const wait = (whom: "source" | "client"): void => {
    awaited = whom;
    sinceMs = clock.nowMs();
  };

  const readSource = async (): Promise<Pulled> => {
    stream ??= await source;
    return stream.read();
  };

  /** The next read, or `silence` after the keep-alive interval; the read goes on and is asked for again. */
  const next = (): Promise<Pulled> => {
    reading ??= readSource();
    const pending = reading;
    if (options.keepaliveMs <= 0) return pending;
    return new Promise((resolve, reject) => {
      wake = resolve;
      pending.then(resolve, reject);
    });
  };

  const write = (
    controller: ReadableStreamDefaultController<Uint8Array>,
    data: Uint8Array | string,
    isContent = false,
  ): void => {
    const bytes = toBytes(data);
    options.onBytes(bytes.byteLength, isContent);
    controller.enqueue(bytes);
  };

  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, cause: unknown): void => {
    const error =
      cause instanceof GatewayError
        ? cause
        : new GatewayError("internal", "the gateway failed while streaming", { cause });
    if (error.kind === "client-closed") {
      end({ kind: "client-gone" });
      controller.error(error);
      return;
    }
    write(controller, format.renderStreamError(error, options.requestId, events));
    end({ kind: "in-band-error", error, message: error.message });
    controller.close();
  };

  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        giveUpClient = () => {
          giveUp({ kind: "client-gone" });
          controller.error(new GatewayError("client-closed", "the client stopped reading (timeout.client_write)"));
        };
      },
      pull: async (controller) => {
        wait("source");
        try {
          const read = ended || pingFirst ? SILENCE : await next();
          if (ended) {
            controller.error(clientClosed());
            return;
          }
          if (read.kind !== "silence") reading = null;
          pingFirst = false;
          switch (read.kind) {
            case "silence":
              write(controller, format.keepalive);
              break;
            case "frames":
              for (const { data, json } of read.frames) {
                write(controller, data, true);
                if (json !== null) events++;
              }
              break;
            case "end":
              end({ kind: "complete" });
              controller.close();
              return;
            case "error":
              write(controller, read.raw?.data ?? format.renderStreamError(read.shown, options.requestId, events));
              end({ kind: "in-band-error", error: null, message: read.error.message });
              controller.close();
              return;
            case "failure":
              fail(controller, read.error);
              return;
          }
        } catch (cause) {
          if (ended) controller.error(clientClosed());
          else fail(controller, cause);
          return;
        }
        wait("client");
      },
      cancel: () => giveUp({ kind: "client-gone" }),
    },
    { highWaterMark: 0 },
  );
}
