/**
 * Prometheus metrics, counted from events. Every label value comes from configuration, policy, catalog or a fixed set, so
 * that no client can make the number of series grow.
 */
import type { Metric, Registry } from "prom-client";
import type { Observer } from "../base/events.ts";
import type { ProviderName } from "../base/names.ts";
import type { KnownModels } from "./labels.ts";
import { createModelLabel, NONE } from "./labels.ts";
import { COUNTED_EVENTS, countEvent } from "./metrics-events.ts";
import { createMeters, type Meters } from "./meters.ts";
import { createSeriesByRequest } from "./metrics-series.ts";
import type { MetricFamily } from "./metrics-merge.ts";
import { readProcessFigures } from "./process-figures.ts";

/** The state of the gateway at the moment of a scrape. */
export interface Vitals {
  /** Providers that have a key. */
  readonly configured: readonly ProviderName[];
  readonly inFlight: (provider: ProviderName) => number;
  readonly queueDepth: number;
  /** Every breaker there is; `model` is "" for a provider's own. */
  readonly breakers: readonly {
    readonly provider: string;
    readonly model: string;
    readonly state: "closed" | "open" | "half_open";
  }[];
  /** Hash of the policy in force; null without one. */
  readonly policy: string | null;
}

export interface MetricsOptions {
  /** `[metrics] enabled`; read at each event. */
  readonly enabled: () => boolean;
  readonly version: string;
  readonly commit: string;
  /** Milliseconds since the epoch at which the process began. */
  readonly startedWallMs: number;
  /** The same object as long as nothing changed. */
  readonly models: () => KnownModels;
  /** Paths that `translation_dropped_total` may name. */
  readonly droppedFields: ReadonlySet<string>;
  /** null while the gateway is starting. */
  readonly vitals: () => Vitals | null;
  /** Throws of observers so far, by name. */
  readonly observerFailures: () => ReadonlyMap<string, number>;
  /** With several workers: what the {@link Metrics.families} of all of them make together. */
  readonly gather?: () => Promise<readonly MetricFamily[]>;
  /** Workers that run, and how many were started again; unset: there is this process. */
  readonly workers?: () => { readonly running: number; readonly restarts: number };
}

export interface Metrics extends Observer {
  /** The exposition, as Prometheus reads it. */
  readonly text: () => Promise<string>;
  /** The metrics of this process. */
  readonly families: () => Promise<readonly MetricFamily[]>;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const metrics: Metric[] = [];
  const meters = createMeters((metric) => void metrics.push(metric));
  let registry: Promise<Registry> | null = null;
  const refusedKeys = new Set<ProviderName>();
  const context = {
    meters,
    series: createSeriesByRequest(meters),
    modelLabel: createModelLabel(options.models),
    droppedFields: options.droppedFields,
    refusedKeys,
  };
  meters.buildInfo.set({ version: options.version, commit: options.commit }, 1);
  meters.processStart.set(options.startedWallMs / 1000);
  meters.configLastReload.set(1);
  /** What is not counted but looked at. */
  const readState = (): void => {
    const vitals = options.vitals();
    if (vitals !== null) readVitals(meters, vitals, refusedKeys, context.modelLabel);
    readProcess(meters);
    const { running, restarts } = options.workers?.() ?? ALONE;
    meters.workers.set(running);
    meters.workerRestarts.reset();
    meters.workerRestarts.inc(restarts);
    meters.observerErrors.reset();
    for (const [observer, count] of options.observerFailures()) meters.observerErrors.inc({ observer }, count);
  };
  return {
    name: "metrics",
    events: COUNTED_EVENTS,
    observe: (event) => {
      if (options.enabled()) countEvent(context, event);
    },
    text: async () => {
      if (options.gather !== undefined) return (await openRegistry((await options.gather()).map(asMetric))).metrics();
      registry ??= openRegistry(metrics);
      const opened = await registry;
      readState();
      return opened.metrics();
    },
    families: () => {
      readState();
      return Promise.all(metrics.map((metric) => metric.get() as Promise<unknown> as Promise<MetricFamily>));
    },
  };
}

/** A metric that renders what it is given. */
function asMetric(family: MetricFamily): Metric {
  return { name: family.name, get: () => Promise.resolve(family) } as unknown as Metric;
}

async function openRegistry(metrics: readonly Metric[]): Promise<Registry> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const metric of metrics) registry.registerMetric(metric);
  return registry;
}

const ALONE = { running: 1, restarts: 0 };

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 } as const;

function readVitals(
  meters: Meters,
  vitals: Vitals,
  refusedKeys: ReadonlySet<ProviderName>,
  modelLabel: (model: string) => string,
): void {
  const open = new Set<string>();
  const states = new Map<string, { provider: string; model: string; value: number }>();
  for (const { provider, model, state } of vitals.breakers) {
    if (model === "" && state === "open") open.add(provider);
    const label = model === "" ? "" : modelLabel(model);
    const key = `${provider}\n${label}`;
    // Models without a label of their own share one: the worst of them shows.
    states.set(key, { provider, model: label, value: Math.max(states.get(key)?.value ?? 0, BREAKER_VALUES[state]) });
  }
  meters.breakerState.reset();
  for (const provider of vitals.configured) {
    if (!states.has(`${provider}\n`)) meters.breakerState.set({ provider, model: "" }, 0);
    meters.inFlight.set({ provider }, vitals.inFlight(provider));
    meters.upstreamUp.set({ provider }, open.has(provider) || refusedKeys.has(provider) ? 0 : 1);
  }
  for (const { provider, model, value } of states.values()) meters.breakerState.set({ provider, model }, value);
  meters.queueDepth.set(vitals.queueDepth);
  meters.policyInfo.reset();
  meters.policyInfo.set({ hash: vitals.policy ?? NONE }, 1);
}

function readProcess(meters: Meters): void {
  const figures = readProcessFigures();
  meters.processCpu.reset();
  meters.processCpu.inc(figures.cpuSeconds);
  meters.processResident.set(figures.residentBytes);
  meters.processHeap.set(figures.heapBytes);
  if (figures.openFiles !== null) meters.processOpenFiles.set(figures.openFiles);
  if (figures.maxFiles !== null) meters.processMaxFiles.set(figures.maxFiles);
}
