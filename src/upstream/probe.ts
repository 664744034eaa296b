/** Asks a provider for its models: whether it is there, takes the key, and what it serves. Never a completion, never a breaker. */
import type { Clock } from "../base/clock.ts";
import { isArray, own, type Json } from "../base/json.ts";
import { parseObject } from "../base/stream.ts";
import { decodeBody } from "./byte-source.ts";
import type { HttpClient } from "./http.ts";
import type { Provider } from "./upstream.ts";

export interface AskOptions {
  readonly clock: Clock;
  readonly client: HttpClient;
  readonly userAgent: string;
  readonly timeoutMs: number;
}

export interface ModelsAnswer {
  /** null without an answer in time. */
  readonly status: number | null;
  readonly latencyMs: number;
  /** Entries of the list; null unless it is a list. */
  readonly models: readonly Json[] | null;
}

const LIST_BYTES = 4 * 1024 * 1024;

/** `GET /v1/models`, the longest page. Never rejects. */
export async function askModels(
  { clock, client, userAgent, timeoutMs }: AskOptions,
  provider: Provider,
): Promise<ModelsAnswer> {
  const startMs = clock.nowMs();
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => abort.abort());
  try {
    const query = provider.name === "anthropic" ? "?limit=1000" : "";
    const answer = await client.call(provider.baseUrl, `/models${query}`, {
      method: "GET",
      headers: {
        ...provider.forwardHeaders(new Headers(), true),
        ...provider.authHeaders(),
        accept: "application/json",
        "accept-encoding": "identity",
        "user-agent": userAgent,
      },
      signal: abort.signal,
    });
    const latencyMs = clock.nowMs() - startMs;
    const body = answer.body === null ? null : decodeBody(answer.body, answer.headers.get("content-encoding"));
    const read = await body?.readAll(LIST_BYTES);
    const data = own(read?.ok === true ? parseObject(read.bytes) : null, "data");
    const isList = answer.status === 200 && isArray(data);
    return { status: answer.status, latencyMs, models: isList ? data : null };
  } catch {
    return { status: null, latencyMs: clock.nowMs() - startMs, models: null };
  } finally {
    cancel();
  }
}
