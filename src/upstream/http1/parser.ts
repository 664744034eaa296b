/** Reads the answers of one connection, one for each request, out of bytes in whatever pieces they come. */
import { type ChunkedReader, createChunkedReader } from "./chunked.ts";
import { failure, INVALID_ANSWER } from "./failure.ts";
import { type AnswerHead, parseHead } from "./head.ts";

/** What is told of an answer, in this order. */
export interface AnswerListener {
  readonly onHead: (head: AnswerHead) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  /** `isReusable`: the connection may carry another request. */
  readonly onEnd: (isReusable: boolean) => void;
}

export interface AnswerParser {
  /** Expects the answer to a request of this method. */
  readonly begin: (method: string) => void;
  /** Takes what arrived, which it may change. Not to be called again once it has thrown. @throws Error `HTTP_INVALID_ANSWER` */
  readonly push: (bytes: Buffer) => void;
  /** The connection was closed by the other end: true when that is how the answer ends. */
  readonly close: () => boolean;
}

/** All heads up to the answer's own, those of interim answers included. */
export const MAX_HEAD_BYTES = 65_536;

const HEAD_END = Buffer.from("\r\n\r\n");
const START = "HTTP/1.";

type State = "idle" | "head" | "body";

export function createAnswerParser({ onHead, onBody, onEnd }: AnswerListener): AnswerParser {
  let state: State = "idle";
  let method = "";
  /** Of a head, what has arrived. */
  let held: Buffer | null = null;
  let headBytes = 0;
  let head: AnswerHead | null = null;
  let left = 0;
  let chunked: ChunkedReader | null = null;

  const finish = (isReusable: boolean): void => {
    state = "idle";
    head = null;
    chunked = null;
    onEnd(isReusable);
  };

  const takeHead = (bytes: Buffer, from: number): number => {
    const searchFrom = held === null ? from : Math.max(0, held.byteLength - 3);
    const all = held === null ? bytes : Buffer.concat([held, bytes]);
    const end = all.indexOf(HEAD_END, searchFrom);
    const size = (end < 0 ? all.byteLength : end + 4) - (held === null ? from : 0);
    if (headBytes + size > MAX_HEAD_BYTES) {
      throw failure(INVALID_ANSWER, `the upstream's answer has a head of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end < 0) {
      held = held === null && from > 0 ? all.subarray(from) : all;
      // Whoever speaks another protocol may wait for an answer of ours for ever.
      const start = held.toString("latin1", 0, START.length);
      if (!START.startsWith(start)) throw failure(INVALID_ANSWER, "the upstream does not speak HTTP/1");
      return bytes.byteLength;
    }
    headBytes += size;
    const before = held?.byteLength ?? 0;
    // With the last header's line end, without the empty line's.
    const parsed = parseHead(all, held === null ? from : 0, end + 2, method);
    held = null;
    if (parsed.status === 101) throw failure(INVALID_ANSWER, "the upstream switches protocols, which nobody asked for");
    if (parsed.status >= 200) {
      head = parsed;
      left = parsed.length;
      chunked = parsed.framing === "chunked" ? createChunkedReader() : null;
      state = "body";
      onHead(parsed);
    }
    return end + 4 - before;
  };

  /** Takes body bytes and gives how far; the answer is over when it is not all. */
  const takeBody = (bytes: Buffer, from: number, { framing, keepAlive }: AnswerHead): void => {
    const { byteLength } = bytes;
    if (framing === "close") {
      if (from < byteLength) onBody(bytes.subarray(from));
      return;
    }
    if (chunked !== null) {
      const end = chunked.push(bytes, from, onBody);
      if (end >= 0) finish(keepAlive && end === byteLength);
      return;
    }
    const taken = Math.min(left, byteLength - from);
    left -= taken;
    if (taken > 0) onBody(bytes.subarray(from, from + taken));
    // What follows the answer was not asked for.
    if (left === 0) finish(keepAlive && from + taken === byteLength);
  };

  return {
    begin: (of) => {
      method = of;
      state = "head";
      held = null;
      headBytes = 0;
    },
    push: (bytes) => {
      let at = 0;
      while (state === "head" && at < bytes.byteLength) at = takeHead(bytes, at);
      if (state === "body" && head !== null) takeBody(bytes, at, head);
    },
    close: () => {
      if (state !== "body" || head?.framing !== "close") return false;
      finish(false);
      return true;
    },
  };
}
