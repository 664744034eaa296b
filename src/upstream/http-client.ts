/** The client that the configuration asks for. */
import type { Clock } from "../base/clock.ts";
import { createFetchClient } from "./fetch-client.ts";
import type { HttpClient } from "./http.ts";
import { createOwnClient } from "./http1/client.ts";

export interface HttpClientOptions {
  readonly clock: Clock;
  /** `own`: ours; `fetch`: the runtime's. */
  readonly httpClient: "own" | "fetch";
  /** Obey HTTP(S)_PROXY, which only `fetch` can: it is then used in any case. */
  readonly useEnvProxy: boolean;
  readonly idleTimeoutMs: number;
  /** For `fetch`: contexts of 64 idle connections each. */
  readonly poolShards: number;
}

/** Whether calls go through the runtime's `fetch`. */
export function usesFetch({ httpClient, useEnvProxy }: Pick<HttpClientOptions, "httpClient" | "useEnvProxy">): boolean {
  return httpClient === "fetch" || useEnvProxy;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  return usesFetch(options) ? createFetchClient({ ...options, shards: options.poolShards }) : createOwnClient(options);
}
