/** A body on its way from a connection to who reads it: what has arrived waits here, and beyond a mark the connection pauses. */
import { streamOfSource } from "../byte-source.ts";
import type { BoundedBody } from "../../base/stream.ts";
import type { ByteSource } from "../http.ts";

/** What the queue asks of its connection. */
export interface Flow {
  /** No more for now: enough is waiting, or was just handed out. */
  pause(): void;
  resume(): void;
  /** The reader gave up before the end. */
  cancel(): void;
}

export interface ByteQueue extends ByteSource {
  push(bytes: Uint8Array): void;
  end(): void;
  /** What waits is dropped, as the answer is not whole. */
  fail(error: unknown): void;
}

/** Bytes beyond which nothing more is taken off the socket until the reader asks for it. */
const HIGH_WATER_BYTES = 65_536;

const NOTHING = new Uint8Array(0);
/** Shared by all queues that hold none; never written to. */
const NO_CHUNKS: Uint8Array[] = [];

class Queue implements ByteQueue {
  readonly #flow: Flow;
  #chunks = NO_CHUNKS;
  /** Index of the next chunk. */
  #next = 0;
  #queuedBytes = 0;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown = null;
  /** Of the read that waits. */
  #resolve: ((bytes: Uint8Array | null) => void) | null = null;
  #reject: ((error: unknown) => void) | null = null;
  #isPaused = false;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  read(): Promise<Uint8Array | null> | Uint8Array | null {
    const bytes = this.#take();
    if (bytes !== null || this.#state === "ended") return bytes;
    if (this.#state === "failed") return Promise.reject(this.#error);
    // Only now, when all that was taken is used up: so no more than one piece is held besides the one in use.
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#flow.resume();
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  readAll(maxBytes: number): Promise<BoundedBody> | BoundedBody {
    return this.#state === "ended" ? this.#takeAll(maxBytes) : this.#readAll(maxBytes);
  }

  stream(): ReadableStream<Uint8Array> {
    return streamOfSource(this);
  }

  cancel(): void {
    this.#drop();
    const wasOpen = this.#state === "open";
    if (wasOpen) this.#state = "ended";
    this.#give(null);
    if (wasOpen) this.#flow.cancel();
  }

  push(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#give(bytes)) {
      this.#pauseAt(bytes.byteLength);
      return;
    }
    if (this.#chunks === NO_CHUNKS) this.#chunks = [];
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.byteLength;
    this.#pauseAt(this.#queuedBytes);
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#give(null);
  }

  fail(cause: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = cause;
    this.#drop();
    const reject = this.#reject;
    this.#resolve = null;
    this.#reject = null;
    reject?.(cause);
  }

  /** Gives `bytes` to the read that waits; false when none does. */
  #give(bytes: Uint8Array | null): boolean {
    const resolve = this.#resolve;
    if (resolve === null) return false;
    this.#resolve = null;
    this.#reject = null;
    resolve(bytes);
    return true;
  }

  #pauseAt(bytes: number): void {
    if (this.#isPaused || bytes < HIGH_WATER_BYTES) return;
    this.#isPaused = true;
    this.#flow.pause();
  }

  #drop(): void {
    this.#chunks = NO_CHUNKS;
    this.#next = 0;
    this.#queuedBytes = 0;
  }

  /** The next chunk that is here; null when none is. */
  #take(): Uint8Array | null {
    const bytes = this.#chunks[this.#next];
    if (bytes === undefined) return null;
    this.#next += 1;
    this.#queuedBytes -= bytes.byteLength;
    if (this.#next === this.#chunks.length) this.#drop();
    return bytes;
  }

  /** All of a body that has arrived. */
  #takeAll(maxBytes: number): BoundedBody {
    const only = this.#take() ?? NOTHING;
    if (this.#queuedBytes + only.byteLength > maxBytes) {
      this.cancel();
      return { ok: false };
    }
    if (this.#queuedBytes === 0) return { ok: true, bytes: only };
    const bytes = Buffer.concat([only, ...this.#chunks.slice(this.#next)]);
    this.#drop();
    return { ok: true, bytes };
  }

  async #readAll(maxBytes: number): Promise<BoundedBody> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const reading = this.read();
      const bytes = reading instanceof Promise ? await reading : reading;
      if (bytes === null) break;
      size += bytes.byteLength;
      if (size > maxBytes) {
        this.cancel();
        return { ok: false };
      }
      parts.push(bytes);
    }
    const only = parts[0];
    return { ok: true, bytes: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size) };
  }
}

export function createByteQueue(flow: Flow): ByteQueue {
  return new Queue(flow);
}
