/** Reads the answers of one connection, one for each request, out of bytes in whatever pieces they come. */
import { type BodyListener, type ChunkedReader, createChunkedReader } from "./chunked.ts";
import { failure, INVALID_ANSWER } from "./failure.ts";
import { type AnswerHead, type Framing, parseHead } from "./head.ts";

/** What is told of an answer, in this order. */
export interface AnswerListener extends BodyListener {
  onHead(head: AnswerHead): void;
  /** `isReusable`: the connection may carry another request. */
  onEnd(isReusable: boolean): void;
}

export interface AnswerParser {
  /** Expects the answer to a request of this method. */
  begin(method: string): void;
  /** Takes what arrived, which it may change. Not to be called again once it has thrown. @throws Error `HTTP_INVALID_ANSWER` */
  push(bytes: Buffer): void;
  /** The connection was closed by the other end: true when that is how the answer ends. */
  close(): boolean;
}

/** All heads up to the answer's own, those of interim answers included. */
export const MAX_HEAD_BYTES = 65_536;

const HEAD_END = Buffer.from("\r\n\r\n");
const START = "HTTP/1.";

type State = "idle" | "head" | "body";

class Parser implements AnswerParser {
  readonly #listener: AnswerListener;
  #state: State = "idle";
  #method = "";
  /** Of a head, what has arrived. */
  #held: Buffer | null = null;
  #headBytes = 0;
  #framing: Framing = "length";
  #keepAlive = false;
  #left = 0;
  #chunked: ChunkedReader | null = null;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  begin(method: string): void {
    this.#method = method;
    this.#state = "head";
    this.#held = null;
    this.#headBytes = 0;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (this.#state === "head" && at < bytes.byteLength) at = this.#takeHead(bytes, at);
    if (this.#state === "body") this.#takeBody(bytes, at);
  }

  close(): boolean {
    if (this.#state !== "body" || this.#framing !== "close") return false;
    this.#finish(false);
    return true;
  }

  #finish(isReusable: boolean): void {
    this.#state = "idle";
    this.#chunked = null;
    this.#listener.onEnd(isReusable);
  }

  #takeHead(bytes: Buffer, from: number): number {
    const held = this.#held;
    const searchFrom = held === null ? from : Math.max(0, held.byteLength - 3);
    const all = held === null ? bytes : Buffer.concat([held, bytes]);
    const end = all.indexOf(HEAD_END, searchFrom);
    const size = (end < 0 ? all.byteLength : end + 4) - (held === null ? from : 0);
    if (this.#headBytes + size > MAX_HEAD_BYTES) {
      throw failure(INVALID_ANSWER, `the upstream's answer has a head of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end < 0) {
      this.#hold(held === null && from > 0 ? all.subarray(from) : all);
      return bytes.byteLength;
    }
    this.#headBytes += size;
    const before = held?.byteLength ?? 0;
    // With the last header's line end, without the empty line's.
    const head = parseHead(all, held === null ? from : 0, end + 2, this.#method);
    this.#held = null;
    if (head.status === 101) throw failure(INVALID_ANSWER, "the upstream switches protocols, which nobody asked for");
    if (head.status >= 200) this.#beginBody(head);
    return end + 4 - before;
  }

  #hold(bytes: Buffer): void {
    this.#held = bytes;
    // Whoever speaks another protocol may wait for an answer of ours for ever.
    const start = bytes.toString("latin1", 0, START.length);
    if (!START.startsWith(start)) throw failure(INVALID_ANSWER, "the upstream does not speak HTTP/1");
  }

  #beginBody(head: AnswerHead): void {
    this.#framing = head.framing;
    this.#keepAlive = head.keepAlive;
    this.#left = head.length;
    this.#chunked = head.framing === "chunked" ? createChunkedReader() : null;
    this.#state = "body";
    this.#listener.onHead(head);
  }

  /** Takes body bytes and gives how far; the answer is over when it is not all. */
  #takeBody(bytes: Buffer, from: number): void {
    const { byteLength } = bytes;
    if (this.#framing === "close") {
      if (from < byteLength) this.#listener.onBody(bytes.subarray(from));
      return;
    }
    if (this.#chunked !== null) {
      const end = this.#chunked.push(bytes, from, this.#listener);
      if (end >= 0) this.#finish(this.#keepAlive && end === byteLength);
      return;
    }
    const taken = Math.min(this.#left, byteLength - from);
    this.#left -= taken;
    if (taken > 0) this.#listener.onBody(bytes.subarray(from, from + taken));
    // What follows the answer was not asked for.
    if (this.#left === 0) this.#finish(this.#keepAlive && from + taken === byteLength);
  }
}

export function createAnswerParser(listener: AnswerListener): AnswerParser {
  return new Parser(listener);
}
