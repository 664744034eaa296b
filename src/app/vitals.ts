/** The state of several workers as that of one gateway. */
import { PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import type { Vitals } from "../observe/metrics.ts";
import type { WorkerVitals } from "../supervisor/messages.ts";

type BreakerKind = WorkerVitals["breakers"][number]["state"];

const BREAKERS: readonly BreakerKind[] = ["closed", "half_open", "open"];

/** The worst of all; `model` "" is the provider's own breaker. */
export function worstBreaker(workers: readonly WorkerVitals[], provider: ProviderName, model: string): BreakerKind {
  const kinds = workers.flatMap(({ breakers }) =>
    breakers.filter((breaker) => breaker.provider === provider && breaker.model === model).map(({ state }) => state),
  );
  return BREAKERS.findLast((kind) => kinds.includes(kind)) ?? "closed";
}

/** What the worker saw that asked last; null when none has. */
export function lastStatus(workers: readonly WorkerVitals[], provider: ProviderName): string | null {
  const seen = workers.flatMap(({ health }) => health[provider] ?? []);
  return seen.toSorted((a, b) => b.checked.localeCompare(a.checked))[0]?.status ?? null;
}

export function inFlightByProvider({ inFlight }: Vitals): WorkerVitals["inFlight"] {
  return Object.fromEntries(PROVIDER_NAMES.map((name) => [name, inFlight(name)]));
}

/** Calls made while one is under way share its result. */
export function shareCalls<Value>(call: () => Promise<Value>): () => Promise<Value> {
  let current: Promise<Value> | null = null;
  return () => {
    current ??= call().finally(() => {
      current = null;
    });
    return current;
  };
}
