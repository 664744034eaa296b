/** A body on its way from a connection to who reads it: what has arrived waits here, and beyond a mark the connection pauses. */
import { streamOfSource } from "../byte-source.ts";
import type { BoundedBody } from "../../base/stream.ts";
import type { ByteSource } from "../http.ts";

/** What the queue asks of its connection. */
export interface Flow {
  /** No more for now: enough is waiting, or was just handed out. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** The reader gave up before the end. */
  readonly cancel: () => void;
}

export interface ByteQueue {
  readonly source: ByteSource;
  readonly push: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /** What waits is dropped, as the answer is not whole. */
  readonly fail: (error: unknown) => void;
}

/** Bytes beyond which nothing more is taken off the socket until the reader asks for it. */
const HIGH_WATER_BYTES = 65_536;

const AT_END = Promise.resolve(null);
const NOTHING = new Uint8Array(0);

interface Waiting {
  readonly resolve: (bytes: Uint8Array | null) => void;
  readonly reject: (error: unknown) => void;
}

export function createByteQueue(flow: Flow): ByteQueue {
  let chunks: Uint8Array[] = [];
  /** Index of the next chunk. */
  let next = 0;
  let queuedBytes = 0;
  let state: "open" | "ended" | "failed" = "open";
  let error: unknown = null;
  let waiting: Waiting | null = null;
  let isPaused = false;

  const pauseAt = (bytes: number): void => {
    if (isPaused || bytes < HIGH_WATER_BYTES) return;
    isPaused = true;
    flow.pause();
  };

  const drop = (): void => {
    chunks = [];
    next = 0;
    queuedBytes = 0;
  };

  /** The next chunk that is here; null when none is. */
  const take = (): Uint8Array | null => {
    const bytes = chunks[next];
    if (bytes === undefined) return null;
    next += 1;
    queuedBytes -= bytes.byteLength;
    if (next === chunks.length) drop();
    return bytes;
  };

  const read = (): Promise<Uint8Array | null> => {
    const bytes = take();
    if (bytes !== null) return Promise.resolve(bytes);
    if (state === "ended") return AT_END;
    if (state === "failed") return Promise.reject(error);
    // Only now, when all that was taken is used up: so no more than one piece is held besides the one in use.
    if (isPaused) {
      isPaused = false;
      flow.resume();
    }
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  };

  const cancel = (): void => {
    drop();
    const wasOpen = state === "open";
    if (wasOpen) state = "ended";
    waiting?.resolve(null);
    waiting = null;
    if (wasOpen) flow.cancel();
  };

  /** All of a body that has arrived. */
  const takeAll = (maxBytes: number): BoundedBody => {
    const only = take() ?? NOTHING;
    if (queuedBytes + only.byteLength > maxBytes) {
      cancel();
      return { ok: false };
    }
    if (queuedBytes === 0) return { ok: true, bytes: only };
    const bytes = Buffer.concat([only, ...chunks.slice(next)]);
    drop();
    return { ok: true, bytes };
  };

  const readAll = async (maxBytes: number): Promise<BoundedBody> => {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const bytes = take() ?? (state === "ended" ? null : await read());
      if (bytes === null) break;
      size += bytes.byteLength;
      if (size > maxBytes) {
        cancel();
        return { ok: false };
      }
      parts.push(bytes);
    }
    const only = parts[0];
    return { ok: true, bytes: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size) };
  };

  return {
    source: {
      read,
      readAll: (maxBytes) => (state === "ended" ? takeAll(maxBytes) : readAll(maxBytes)),
      stream: () => streamOfSource({ read, cancel }),
      cancel,
    },
    push: (bytes) => {
      if (state !== "open") return;
      const { byteLength } = bytes;
      if (waiting === null) {
        chunks.push(bytes);
        queuedBytes += byteLength;
        pauseAt(queuedBytes);
      } else {
        const { resolve } = waiting;
        waiting = null;
        resolve(bytes);
        pauseAt(byteLength);
      }
    },
    end: () => {
      if (state !== "open") return;
      state = "ended";
      waiting?.resolve(null);
      waiting = null;
    },
    fail: (cause) => {
      if (state !== "open") return;
      state = "failed";
      error = cause;
      drop();
      waiting?.reject(cause);
      waiting = null;
    },
  };
}
