/** `/livez`, `/readyz` and `/healthz`. Only the last looks at a provider. */
import type { Clock } from "../base/clock.ts";
import type { ProviderName } from "../base/names.ts";

export type ProviderStatus = "ok" | "degraded" | "auth_failed" | "down";

/** What a probe of one provider found. */
export interface ProbeResult {
  /** HTTP status of its models list; null without an answer. */
  readonly status: number | null;
  readonly latencyMs: number;
}

export interface HealthOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly settings: () => { readonly cacheMs: number; readonly slowMs: number };
  readonly providers: () => readonly ProviderName[];
  /** Asks a provider for its models list, within the probe's time limit. Never rejects. */
  readonly probe: (provider: ProviderName) => Promise<ProbeResult>;
  readonly breaker: (provider: ProviderName) => Awaitable<"closed" | "open" | "half_open">;
  readonly policy: () => Awaitable<HealthReport["policy"]>;
}

/** What other workers may have to be asked for. */
type Awaitable<Value> = Value | Promise<Value>;

interface Checked {
  readonly status: ProviderStatus;
  readonly breaker: string;
  readonly latency_ms: number;
  /** RFC 3339. */
  readonly checked: string;
}

/** A probe's result and when it came. */
interface Probed extends ProbeResult {
  readonly checked: string;
}

export interface LastStatus {
  readonly status: ProviderStatus;
  /** RFC 3339 in UTC. */
  readonly checked: string;
}

export interface HealthReport {
  readonly status: "ok" | "degraded" | "down";
  readonly version: string;
  readonly policy: { readonly hash: string | null; readonly reload: "ok" | "error" };
  readonly providers: Readonly<Record<string, Checked>>;
}

export interface Health {
  /** Probes of the last `health.cache` are reused; concurrent callers share one. */
  readonly report: () => Promise<HealthReport>;
  /** The last known status by provider and when it was looked at, without probing. */
  readonly last: () => Readonly<Record<string, LastStatus>>;
}

export function createHealth(options: HealthOptions): Health {
  const { clock } = options;
  const cache = new Map<
    ProviderName,
    { readonly atMs: number; isRunning: boolean; readonly result: Promise<Probed> }
  >();
  const known: Record<string, LastStatus> = {};

  const probe = async (provider: ProviderName): Promise<Probed> => {
    const result = await options.probe(provider);
    return { ...result, checked: new Date(clock.wallMs()).toISOString() };
  };

  const probeCached = (provider: ProviderName): Promise<Probed> => {
    const last = cache.get(provider);
    const nowMs = clock.nowMs();
    if (last !== undefined && (last.isRunning || nowMs - last.atMs < options.settings().cacheMs)) return last.result;
    const entry = { atMs: nowMs, isRunning: true, result: probe(provider) };
    cache.set(provider, entry);
    const over = (): void => {
      entry.isRunning = false;
    };
    entry.result.then(over, over);
    return entry.result;
  };

  /** The breaker may have moved since the probe: it is read anew. */
  const check = async (provider: ProviderName): Promise<Checked> => {
    const { status, latencyMs, checked } = await probeCached(provider);
    const breaker = await options.breaker(provider);
    const judged = judge(status, latencyMs > options.settings().slowMs || breaker !== "closed");
    known[provider] = { status: judged, checked };
    return { status: judged, breaker, latency_ms: Math.round(latencyMs), checked };
  };

  return {
    last: () => known,
    report: async () => {
      const names = options.providers();
      const results = await Promise.all(names.map(check));
      const providers = Object.fromEntries(names.map((name, index) => [name, results[index] as Checked]));
      return { status: overall(results), version: options.version, policy: await options.policy(), providers };
    },
  };
}

function judge(status: number | null, isSlow: boolean): ProviderStatus {
  if (status === null || status >= 500) return "down";
  if (status === 401 || status === 403) return "auth_failed";
  return isSlow || status === 429 ? "degraded" : "ok";
}

function overall(results: readonly Checked[]): HealthReport["status"] {
  if (results.every(({ status }) => status === "ok")) return "ok";
  return results.some(({ status }) => status === "ok" || status === "degraded") ? "degraded" : "down";
}
