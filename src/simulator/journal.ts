/** What reached the simulator, for tests. */
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";

/** One request. Filled while it runs. */
export interface LogEntry {
  readonly number: number;
  readonly provider: ProviderName;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  bytes: number;
  /** The body as it came, up to 1 MiB of it. */
  body: string;
  /** The parsed body; undefined when it is none or no JSON. */
  json: Json | undefined;
  status: number | null;
  /** Rule that refused it. */
  refusedBy: string | null;
  /** Message of the refusal. */
  refusal: string | null;
  /** When the client left, monotonic milliseconds; null if it stayed. */
  abortedMs: number | null;
}

/** The requests that came, oldest first. */
export interface Journal {
  readonly entries: readonly LogEntry[];
  readonly open: (provider: ProviderName, request: Request) => LogEntry;
  readonly clear: () => void;
}

const MAX_BODY = 1_048_576;

/** A journal of at most `limit` requests, the oldest making room. */
export function createJournal(limit: number, clock: Clock): Journal {
  const entries: LogEntry[] = [];
  let count = 0;
  return {
    entries,
    open: (provider, request) => {
      count += 1;
      const url = new URL(request.url, "http://simulator");
      const entry: LogEntry = {
        number: count,
        provider,
        method: request.method,
        path: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        startedMs: clock.nowMs(),
        bytes: 0,
        body: "",
        json: undefined,
        status: null,
        refusedBy: null,
        refusal: null,
        abortedMs: null,
      };
      request.signal.addEventListener(
        "abort",
        () => {
          entry.abortedMs ??= clock.nowMs();
        },
        { once: true },
      );
      entries.push(entry);
      if (entries.length > limit) entries.shift();
      return entry;
    },
    clear: () => {
      entries.length = 0;
    },
  };
}

/** Notes the body of a request. */
export function noteBody(entry: LogEntry, bytes: Uint8Array, text: string, json: Json | undefined): void {
  entry.bytes = bytes.byteLength;
  entry.body = text.slice(0, MAX_BODY);
  entry.json = json;
}
