/** HTTP/1.1 over the runtime's sockets, for what a gateway needs of it (docs/decisions/0008-own-http-client.md). */
import type { Clock } from "../../base/clock.ts";
import type { HttpCall, HttpClient } from "../http.ts";
import { dial } from "./dial.ts";
import { type Base, parseBase, targetOf } from "./origin.ts";
import { type ConnectionPool, createConnectionPool } from "./pool.ts";
import { renderRequest } from "./request.ts";

export interface OwnClientOptions {
  readonly clock: Clock;
  readonly idleTimeoutMs: number;
}

export function createOwnClient({ clock, idleTimeoutMs }: OwnClientOptions): HttpClient {
  // Base URLs come from the configuration, so there are few.
  const bases = new Map<string, Base>();
  const pools = new Map<string, ConnectionPool>();
  const idleSeconds = Math.max(1, Math.ceil(idleTimeoutMs / 1000));

  const baseOf = (baseUrl: string): Base => {
    let base = bases.get(baseUrl);
    if (base === undefined) {
      base = parseBase(baseUrl);
      bases.set(baseUrl, base);
    }
    return base;
  };

  const poolOf = ({ origin }: Base): ConnectionPool => {
    let pool = pools.get(origin.key);
    if (pool === undefined) {
      pool = createConnectionPool({ clock, idleSeconds, dial: (events, signal) => dial(origin, events, signal) });
      pools.set(origin.key, pool);
    }
    return pool;
  };

  return {
    call: (baseUrl, path, call) => {
      const { method, signal } = call;
      if (signal.aborted) return Promise.reject(signal.reason);
      try {
        const base = baseOf(baseUrl);
        const request = renderRequest(base.origin.host, targetOf(base, path), withCredentials(base, call));
        return poolOf(base).send({ method, request, signal });
      } catch (error) {
        return Promise.reject(error);
      }
    },
    close: () => {
      for (const pool of pools.values()) pool.close();
    },
  };
}

/** The call with the credentials of its base URL, where it has none. */
function withCredentials({ authorization }: Base, call: HttpCall): HttpCall {
  if (authorization === null || call.headers["authorization"] !== undefined) return call;
  return { ...call, headers: { ...call.headers, authorization } };
}
