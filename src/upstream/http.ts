/** What a call to a provider is and what comes back, whichever client makes it. */
import type { Signal } from "../base/abort.ts";
import type { HeaderView } from "../base/headers.ts";
import type { BoundedBody } from "../base/stream.ts";

/** What is sent. Length and framing of the body, `host` and `connection` are the client's to write. */
export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for methods without a body. */
  readonly body?: Uint8Array | string;
  /** Ends the call at any time: the connection is closed, what waits for the call gets the signal's reason. */
  readonly signal: Signal;
}

/** A body as it arrives, pulled. It is read in one of its three ways, to its end, or cancelled: until then it holds a connection. */
export interface ByteSource {
  /**
   * The next bytes, never none, without a promise where they are there; null at the end. One read at a time.
   * @throws what broke the connection, or the signal's reason, by its promise
   */
  read(): Promise<Uint8Array | null> | Uint8Array | null;
  /** The whole of it, at once where it has arrived; cancelled when it is more than `maxBytes`. @throws as `read` does */
  readAll(maxBytes: number): Promise<BoundedBody> | BoundedBody;
  /** For those that take a stream. */
  stream(): ReadableStream<Uint8Array>;
  /** Gives up what is left, and its connection with it. */
  cancel(): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderView;
  /** As it was sent, encoding included; null where the answer has none by its nature (204, 304, `HEAD`). */
  readonly body: ByteSource | null;
}

/** Calls providers: no redirects, no decompression, no hidden timeout, no retries, nothing of the environment. */
export interface HttpClient {
  /**
   * Sends `call` to `path` below `baseUrl` (http or https, no trailing slash) and gives the answer once its head is there.
   * @throws Error with a `code` (`ECONNREFUSED`, `ECONNRESET`, `ENOTFOUND`, a certificate's …), or the signal's reason
   */
  readonly call: (baseUrl: string, path: string, call: HttpCall) => Promise<HttpAnswer>;
  /** Closes idle connections; those in use close when their answer has ended. */
  readonly close: () => void;
}
