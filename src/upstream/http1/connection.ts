/** One connection to an upstream: a request at a time, and what becomes of the connection after its answer. */
import { type AbortFollower, type AbortLink, followAbort, type Signal } from "../../base/abort.ts";
import type { HttpAnswer } from "../http.ts";
import { type ByteQueue, createByteQueue, type Flow } from "./byte-queue.ts";
import { type CodedError, failure, RESET } from "./failure.ts";
import type { AnswerHead } from "./head.ts";
import { createAnswerParser } from "./parser.ts";
import type { RenderedRequest } from "./request.ts";

/** The part of the runtime's socket that is used. */
export interface Wire {
  readonly write: (bytes: Uint8Array) => number;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly ref: () => void;
  readonly unref: () => void;
  /** Calls back after so many seconds of silence; 0: never. */
  readonly timeout: (seconds: number) => void;
  /** Closes in good order. */
  readonly end: () => void;
  /** Closes at once. */
  readonly terminate: () => void;
}

export interface Exchange {
  readonly method: string;
  readonly request: RenderedRequest;
  readonly signal: Signal;
}

export interface ConnectionEvents {
  /** The answer is whole and the connection ready for the next request. */
  readonly onFree: (connection: Connection) => void;
  /** The connection is closed, or about to be. `wasStale`: it had been used before and broke before any byte of an answer. */
  readonly onGone: (connection: Connection, wasStale: boolean) => void;
}

export interface Connection {
  /** Sends a request over a connection that is free. @throws as `HttpClient.call` does */
  readonly send: (exchange: Exchange) => Promise<HttpAnswer>;
  /** It is about to be used again. */
  readonly wake: () => void;
  /** Nobody uses it: it may not keep the process alive, and closes after `idleSeconds` at most. */
  readonly rest: (idleSeconds: number) => void;
  /** Closes it; one that is in use when its answer is over. */
  readonly close: () => void;
  /** Whether it is closed, or about to be: `onGone` was told. */
  readonly isGone: () => boolean;
  /** What the socket reports. */
  readonly onData: (bytes: Buffer) => void;
  readonly onDrain: () => void;
  readonly onSilence: () => void;
  readonly onClose: (error: Error | undefined) => void;
}

/** Seconds that we give up an idle connection sooner than its upstream would. */
const IDLE_MARGIN_SECONDS = 1;

/** An exchange that is under way. */
interface Open {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly link: AbortLink;
  /** Of the body once the head is there. */
  queue: ByteQueue | null;
}

function reset(cause: Error | undefined): CodedError {
  const error = failure(RESET, "the upstream closed the connection before its answer was whole");
  if (cause !== undefined) error.cause = cause;
  return error;
}

export function createConnection(wire: Wire, { onFree, onGone }: ConnectionEvents): Connection {
  let open: Open | null = null;
  /** Of the request, what the socket did not take yet. */
  let unsent: Uint8Array[] = [];
  let isUsed = false;
  let isHeard = false;
  let isClosing = false;
  let isGone = false;
  let isPaused = false;
  let idleHint: number | null = null;

  const gone = (wasStale: boolean): void => {
    if (isGone) return;
    isGone = true;
    unsent = [];
    onGone(connection, wasStale);
  };

  /** The exchange comes to nothing, and the connection with it. */
  const fail = (error: unknown, wasStale = false): void => {
    const failed = open;
    open = null;
    gone(wasStale);
    wire.terminate();
    if (failed === null) return;
    failed.link.release();
    if (failed.queue === null) failed.reject(error);
    else failed.queue.fail(error);
  };

  const follower: AbortFollower = { onAbort: fail };

  const resume = (): void => {
    if (isPaused) wire.resume();
    isPaused = false;
  };

  /** Of the queues of its answers, one after the other. */
  const flow: Flow = {
    pause: () => {
      isPaused = true;
      wire.pause();
    },
    resume,
    cancel: () => fail(null),
  };

  const finish = (isReusable: boolean): void => {
    const done = open;
    if (done === null) return;
    open = null;
    done.link.release();
    resume();
    const isSent = unsent.length === 0;
    if (isReusable && isSent && !isClosing) {
      done.queue?.end();
      onFree(connection);
      return;
    }
    gone(false);
    if (isSent) wire.end();
    else wire.terminate();
    done.queue?.end();
  };

  const onHead = (head: AnswerHead): void => {
    if (open === null) return;
    const { status, headers, isBodiless } = head;
    idleHint = head.idleSeconds;
    // Refused before all of it was sent: the rest is of no use, and sending on could have the answer lost.
    if (status >= 400 && unsent.length > 0) {
      unsent = [];
      isClosing = true;
    }
    if (isBodiless) {
      open.resolve({ status, headers, body: null });
      return;
    }
    const queue = createByteQueue(flow);
    open.queue = queue;
    open.resolve({ status, headers, body: queue.source });
  };

  const parser = createAnswerParser({
    onHead,
    onBody: (bytes) => open?.queue?.push(bytes),
    onEnd: finish,
  });

  /** Writes as much as the socket takes. */
  const write = (): void => {
    for (let bytes = unsent[0]; bytes !== undefined; bytes = unsent[0]) {
      const written = wire.write(bytes);
      if (written < bytes.byteLength) {
        // A socket that is closed says so by its own event, after what it had received.
        if (written > 0) unsent[0] = bytes.subarray(written);
        return;
      }
      unsent.shift();
    }
  };

  const connection: Connection = {
    send: ({ method, request, signal }) => {
      if (signal.aborted) {
        onFree(connection);
        return Promise.reject(signal.reason);
      }
      return new Promise((resolve, reject) => {
        open = { resolve, reject, link: followAbort(signal, follower), queue: null };
        isUsed = isUsed || isHeard;
        isHeard = false;
        if (isGone) {
          fail(reset(undefined));
          return;
        }
        parser.begin(method);
        unsent = request.rest === null ? [request.first] : [request.first, request.rest];
        write();
      });
    },
    wake: () => {
      wire.ref();
      wire.timeout(0);
    },
    rest: (idleSeconds) => {
      const seconds = idleHint === null ? idleSeconds : Math.min(idleSeconds, idleHint - IDLE_MARGIN_SECONDS);
      if (seconds < 1) connection.close();
      else {
        wire.unref();
        wire.timeout(seconds);
      }
    },
    close: () => {
      isClosing = true;
      if (open !== null) return;
      gone(false);
      wire.end();
    },
    isGone: () => isGone,
    onData: (bytes) => {
      if (open === null) {
        // Nobody asked for anything: whatever this is, it may not be taken for the next answer.
        fail(null);
        return;
      }
      isHeard = true;
      try {
        parser.push(bytes);
      } catch (error) {
        fail(error);
      }
    },
    onDrain: write,
    onSilence: () => connection.close(),
    onClose: (error) => {
      if (error === undefined && parser.close()) return;
      fail(reset(error), isUsed && !isHeard && open !== null);
    },
  };
  return connection;
}
