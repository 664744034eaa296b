/** The client over the runtime's `fetch`, which knows proxies. Bun keeps at most 64 idle connections per TLS context, so several share the load. */
import { followAbort, toAbortSignal } from "../base/abort.ts";
import { isIdentity } from "../base/stream.ts";
import { sourceOfStream } from "./byte-source.ts";
import type { ByteSource, HttpAnswer, HttpClient } from "./http.ts";

export interface FetchClientOptions {
  /** Contexts of 64 idle connections each, 1 or more. */
  readonly shards: number;
  readonly idleTimeoutMs: number;
  /** Obey HTTP(S)_PROXY; otherwise the environment is ignored. */
  readonly useEnvProxy: boolean;
}

const IDLE_PER_SHARD = 64;
/** Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn verification off. */
const VERIFIED = { rejectUnauthorized: true } as const;
const FIXED = { redirect: "manual", decompress: false, timeout: false } as const;

/** Shards are opened as concurrency asks for them, so a quiet gateway reuses one set of connections. */
export function createFetchClient(options: FetchClientOptions): HttpClient {
  const sessions: Bun.FetchSession[] = [];
  let inFlight = 0;

  const openSession = (index: number): Bun.FetchSession => {
    const keepAlive = { idleTimeout: Math.ceil(options.idleTimeoutMs / 1000) };
    // Contexts are told apart by their options. The lowest bits of this one mean nothing to BoringSSL; roots of one's own in their
    // place (`ca`) would leave out those of SSL_CERT_FILE.
    return new Bun.FetchSession({ keepAlive, tls: { ...VERIFIED, secureOptions: index } });
  };

  return {
    call: async (baseUrl, path, call) => {
      const index = Math.min(Math.floor(inFlight / IDLE_PER_SHARD), options.shards - 1);
      const session = (sessions[index] ??= openSession(index));
      inFlight += 1;
      let isOver = false;
      const over = (): void => {
        if (isOver) return;
        isOver = true;
        inFlight -= 1;
        link.release();
        native.release();
      };
      const native = toAbortSignal(call.signal);
      const link = followAbort(call.signal, { onAbort: over });
      const init = { ...call, ...FIXED, signal: native.signal } as BunFetchRequestInit;
      try {
        const response = await session.fetch(baseUrl + path, options.useEnvProxy ? init : { ...init, proxy: false });
        return answerOf(response, over);
      } catch (error) {
        over();
        throw error;
      }
    },
    close: () => {
      for (const session of sessions) session?.close();
    },
  };
}

/** `response` as an answer; `onOver` is called once, when its body has ended, failed or was cancelled. */
export function answerOf(response: Response, onOver: () => void): HttpAnswer {
  const { status, headers } = response;
  if (response.body === null) {
    onOver();
    return { status, headers, body: null };
  }
  return { status, headers, body: sourceOfResponse(response, onOver) };
}

/** A body that tells its length is taken in one piece, which costs a third of reading it as a stream. */
function sourceOfResponse(response: Response, onOver: () => void): ByteSource {
  const { headers } = response;
  let opened: ByteSource | null = null;
  const source = (): ByteSource => (opened ??= sourceOfStream(response.body ?? new ReadableStream(), onOver));
  const declared = headers.get("content-length");
  return {
    read: () => source().read(),
    readAll: (maxBytes) => {
      if (declared === null || Number(declared) > maxBytes || !isIdentity(headers.get("content-encoding"))) {
        return source().readAll(maxBytes);
      }
      return response
        .bytes()
        .then((bytes) => ({ ok: true as const, bytes }))
        .finally(onOver);
    },
    stream: () => source().stream(),
    cancel: () => source().cancel(),
  };
}
