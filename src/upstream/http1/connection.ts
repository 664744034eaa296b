/** One connection to an upstream: a request at a time, and what becomes of the connection after its answer. */
import { type AbortFollower, type AbortLink, followAbort, type Signal } from "../../base/abort.ts";
import { atTickEnd, type TickTask } from "../../base/tick.ts";
import type { HttpAnswer } from "../http.ts";
import { type ByteQueue, createByteQueue, type Flow } from "./byte-queue.ts";
import { type CodedError, failure, INVALID_ANSWER, RESET } from "./failure.ts";
import type { AnswerHead } from "./head.ts";
import { type AnswerListener, createAnswerParser } from "./parser.ts";
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
  /** The connection is closed, or about to be. `wasStale`: it had been used before, and was not fit for another request. */
  readonly onGone: (connection: Connection, wasStale: boolean) => void;
}

export interface Connection {
  /** Sends a request over a connection that is free. @throws as `HttpClient.call` does */
  send(exchange: Exchange): Promise<HttpAnswer>;
  /** It is about to be used again. */
  wake(): void;
  /** Nobody uses it: it may not keep the process alive, and closes after `idleSeconds` at most. */
  rest(idleSeconds: number): void;
  /** Closes it; one that is in use when its answer is over. */
  close(): void;
  /** Whether it is closed, or about to be: `onGone` was told. */
  isGone(): boolean;
  /** What the socket reports. */
  onData(bytes: Buffer): void;
  onDrain(): void;
  onSilence(): void;
  onClose(error: Error | undefined): void;
}

/** Seconds that we give up an idle connection sooner than its upstream would. */
const IDLE_MARGIN_SECONDS = 1;

/** Shared by all that have sent everything; never written to. */
const NOTHING: Uint8Array[] = [];

function reset(cause: Error | undefined): CodedError {
  const error = failure(RESET, "the upstream closed the connection before its answer was whole");
  if (cause !== undefined) error.cause = cause;
  return error;
}

class SocketConnection implements Connection, AnswerListener, Flow, AbortFollower, TickTask {
  readonly #wire: Wire;
  readonly #events: ConnectionEvents;
  readonly #parser = createAnswerParser(this);
  /** Of the exchange under way, by which it hears of an abort; null: there is none. */
  #link: AbortLink | null = null;
  /** Who waits for its head. */
  #resolve: ((answer: HttpAnswer) => void) | null = null;
  #reject: ((error: unknown) => void) | null = null;
  /** Of its body, once the head is there. */
  #queue: ByteQueue | null = null;
  /** Of the request, what the socket did not take yet. */
  #unsent = NOTHING;
  /** The request is to be sent, and nothing of it is yet. */
  #isWaiting = false;
  #isUsed = false;
  #isHeard = false;
  #isClosing = false;
  #isGone = false;
  #isPaused = false;
  #idleHint: number | null = null;

  constructor(wire: Wire, events: ConnectionEvents) {
    this.#wire = wire;
    this.#events = events;
  }

  send({ method, request, signal }: Exchange): Promise<HttpAnswer> {
    if (signal.aborted) {
      this.#events.onFree(this);
      return Promise.reject(signal.reason);
    }
    return new Promise((resolve, reject) => {
      this.#link = followAbort(signal, this);
      this.#resolve = resolve;
      this.#reject = reject;
      this.#isUsed = this.#isUsed || this.#isHeard;
      this.#isHeard = false;
      if (this.#isGone) {
        this.#fail(reset(undefined));
        return;
      }
      this.#parser.begin(method);
      this.#unsent = request.rest === null ? [request.first] : [request.first, request.rest];
      this.#isWaiting = true;
      atTickEnd(this);
    });
  }

  /** Sends the request, unless something happened in between. */
  onTickEnd(): void {
    this.#isWaiting = false;
    try {
      this.#write();
    } catch (error) {
      this.#fail(error);
    }
  }

  wake(): void {
    this.#wire.ref();
    this.#wire.timeout(0);
  }

  rest(idleSeconds: number): void {
    const hint = this.#idleHint;
    const seconds = hint === null ? idleSeconds : Math.min(idleSeconds, hint - IDLE_MARGIN_SECONDS);
    if (seconds < 1) {
      this.close();
      return;
    }
    this.#wire.unref();
    this.#wire.timeout(seconds);
  }

  close(): void {
    this.#isClosing = true;
    if (this.#link !== null) return;
    this.#goAway(false);
    this.#wire.end();
  }

  isGone(): boolean {
    return this.#isGone;
  }

  onData(bytes: Buffer): void {
    if (this.#link === null) {
      // Nobody asked for anything: whatever this is, it may not be taken for the next answer.
      this.#fail(null);
      return;
    }
    if (this.#isWaiting) {
      // One that rested may say so that it closes; the request is for another one then.
      const early = "the upstream spoke before it was asked";
      this.#fail(this.#isUsed ? failure(RESET, early) : failure(INVALID_ANSWER, early), this.#isUsed);
      return;
    }
    this.#isHeard = true;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  onDrain(): void {
    // A socket says it too when its handshake is done.
    if (!this.#isWaiting) this.#write();
  }

  /** Writes as much as the socket takes. */
  #write(): void {
    for (let bytes = this.#unsent[0]; bytes !== undefined; bytes = this.#unsent[0]) {
      const written = this.#wire.write(bytes);
      if (written < bytes.byteLength) {
        // A socket that is closed says so by its own event, after what it had received.
        if (written > 0) this.#unsent[0] = bytes.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
  }

  onSilence(): void {
    this.close();
  }

  onClose(error: Error | undefined): void {
    if (error === undefined && this.#parser.close()) return;
    this.#fail(reset(error), this.#isUsed && !this.#isHeard && this.#link !== null);
  }

  onAbort(reason: unknown): void {
    this.#fail(reason);
  }

  onHead({ status, headers, isBodiless, idleSeconds }: AnswerHead): void {
    const resolve = this.#resolve;
    if (resolve === null) return;
    this.#resolve = null;
    this.#reject = null;
    this.#idleHint = idleSeconds;
    // Refused before all of it was sent: the rest is of no use, and sending on could have the answer lost.
    if (status >= 400 && this.#unsent.length > 0) {
      this.#unsent = NOTHING;
      this.#isClosing = true;
    }
    if (!isBodiless) this.#queue = createByteQueue(this);
    resolve({ status, headers, body: this.#queue });
  }

  onBody(bytes: Uint8Array): void {
    this.#queue?.push(bytes);
  }

  onEnd(isReusable: boolean): void {
    const queue = this.#queue;
    if (this.#link === null) return;
    this.#forget();
    this.resume();
    const isSent = this.#unsent.length === 0;
    if (isReusable && isSent && !this.#isClosing) {
      queue?.end();
      this.#events.onFree(this);
      return;
    }
    this.#goAway(false);
    if (isSent) this.#wire.end();
    else this.#wire.terminate();
    queue?.end();
  }

  pause(): void {
    this.#isPaused = true;
    this.#wire.pause();
  }

  resume(): void {
    if (this.#isPaused) this.#wire.resume();
    this.#isPaused = false;
  }

  cancel(): void {
    this.#fail(null);
  }

  #forget(): void {
    this.#link?.release();
    this.#link = null;
    this.#resolve = null;
    this.#reject = null;
    this.#queue = null;
  }

  #goAway(wasStale: boolean): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#unsent = NOTHING;
    this.#events.onGone(this, wasStale);
  }

  /** The exchange comes to nothing, and the connection with it. */
  #fail(error: unknown, wasStale = false): void {
    const queue = this.#queue;
    const reject = this.#reject;
    this.#forget();
    this.#goAway(wasStale);
    this.#wire.terminate();
    if (queue === null) reject?.(error);
    else queue.fail(error);
  }
}

export function createConnection(wire: Wire, events: ConnectionEvents): Connection {
  return new SocketConnection(wire, events);
}
