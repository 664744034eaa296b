/** Connection pools: Bun keeps at most 64 idle connections per TLS context, so several contexts share the load. */
import tls from "node:tls";

/** What a call hands to `fetch`. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface PoolOptions {
  /** Contexts of 64 idle connections each, 1 or more. */
  readonly shards: number;
  readonly idleTimeoutMs: number;
  /** Obey HTTP(S)_PROXY; otherwise the environment is ignored. */
  readonly useEnvProxy: boolean;
}

/** The one place that calls `fetch`: no redirects, no decompression, no hidden timeout, no retries. */
export interface Pool {
  /** The caller says when the call's body has ended: until then it occupies its shard. */
  readonly fetch: (url: string, init: FetchInit) => Promise<Response>;
  readonly release: () => void;
  /** Closes idle connections. */
  readonly close: () => void;
}

const IDLE_PER_SHARD = 64;
/** Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn verification off. */
const VERIFIED = { rejectUnauthorized: true } as const;

/** Shards are opened as concurrency asks for them, so a quiet gateway reuses one set of connections. */
export function createPool(options: PoolOptions): Pool {
  const sessions: Bun.FetchSession[] = [];
  let inFlight = 0;

  const openSession = (index: number): Bun.FetchSession => {
    const keepAlive = { idleTimeout: Math.ceil(options.idleTimeoutMs / 1000) };
    if (index === 0) return new Bun.FetchSession({ keepAlive, tls: VERIFIED });
    // Contexts are told apart by the text of `ca`: the same roots as the default's, and a few more line ends.
    const roots = tls.getCACertificates("default").join("\n");
    return new Bun.FetchSession({ keepAlive, tls: { ...VERIFIED, ca: roots + "\n".repeat(index) } });
  };

  return {
    fetch: (url, init) => {
      const index = Math.min(Math.floor(inFlight / IDLE_PER_SHARD), options.shards - 1);
      inFlight += 1;
      const session = (sessions[index] ??= openSession(index));
      const fixed = { redirect: "manual", decompress: false, timeout: false } as const;
      return session.fetch(url, options.useEnvProxy ? { ...init, ...fixed } : { ...init, ...fixed, proxy: false });
    },
    release: () => {
      inFlight -= 1;
    },
    close: () => {
      for (const session of sessions) session?.close();
    },
  };
}
