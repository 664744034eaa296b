/** Rolling figures over four windows of 60 steps, in all and by rule, model and provider. Memory is bounded. */
import { mergeHistograms, quantile, recordDuration, type Histogram } from "./latency-histogram.ts";
import type { LiveEntry, Spend } from "./live-entry.ts";

export const DIMENSIONS = ["rule", "model", "provider"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const WINDOWS = { "2m": 2000, "10m": 10_000, "1h": 60_000, "24h": 1_440_000 } as const;
export type WindowName = keyof typeof WINDOWS;

/** Sums of requests. */
export interface Figures {
  requests: number;
  errors: number;
  tokensInput: number;
  tokensOutput: number;
  costUsd: number;
  /** Negative: lost. */
  savedUsd: number;
}

interface Cell extends Figures {
  latency: Histogram;
  ttft: Histogram;
}

interface Bin {
  /** Number of the step since the epoch. */
  step: number;
  readonly total: Cell;
  readonly groups: Readonly<Record<Dimension, Map<string, Cell>>>;
}

const STEPS = 60;
/** Names told apart within a step; the rest is one. */
const MAX_NAMES = 24;
const REST = "other";

/** A group's figures, step by step; `null` where there is no duration. */
export interface Series {
  readonly name: string;
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly tokens_input: readonly number[];
  readonly tokens_output: readonly number[];
  readonly cost_usd: readonly number[];
  readonly saved_usd: readonly number[];
  readonly latency_p95_ms: readonly (number | null)[];
  readonly ttft_p95_ms: readonly (number | null)[];
}

export interface WindowView {
  readonly name: WindowName;
  readonly step_ms: number;
  /** Start of the first step, milliseconds since the epoch. */
  readonly start_ms: number;
  readonly latency_ms: { readonly p50: number | null; readonly p95: number | null };
  readonly ttft_ms: { readonly p50: number | null; readonly p95: number | null };
  /** In order of name; one named `all` without a dimension. */
  readonly series: readonly Series[];
}

export interface LiveSeries {
  readonly add: (entry: LiveEntry) => void;
  readonly view: (window: WindowName, by: Dimension | null, nowMs: number) => WindowView;
}

export function createFigures(): Figures {
  return { requests: 0, errors: 0, tokensInput: 0, tokensOutput: 0, costUsd: 0, savedUsd: 0 };
}

/** Counts a request for what was delivered, and its tokens and dollars for what was asked. */
export function addToGroups<Cell extends Figures>(
  entry: LiveEntry,
  total: Cell,
  find: (dimension: Dimension, name: string) => Cell,
  /** Called for each group of what was delivered. */
  also: (cell: Cell) => void = () => undefined,
): void {
  const rule = find("rule", entry.rule);
  addDelivered(total, entry);
  addDelivered(rule, entry);
  also(total);
  also(rule);
  for (const cell of [find("model", entry.model), find("provider", entry.provider)]) {
    addDelivered(cell, entry);
    also(cell);
  }
  for (const spend of entry.spends) {
    addSpent(total, spend);
    addSpent(rule, spend);
    addSpent(find("model", spend.model), spend);
    addSpent(find("provider", spend.provider), spend);
  }
}

function addDelivered(figures: Figures, entry: LiveEntry): void {
  figures.requests += 1;
  if (entry.isError) figures.errors += 1;
  figures.savedUsd += entry.savedUsd;
}

function addSpent(figures: Figures, spend: Spend): void {
  figures.tokensInput += spend.tokensInput;
  figures.tokensOutput += spend.tokensOutput;
  figures.costUsd += spend.costUsd;
}

export function createLiveSeries(): LiveSeries {
  const names = Object.keys(WINDOWS) as WindowName[];
  const rings = Object.fromEntries(names.map((name) => [name, [] as (Bin | undefined)[]])) as Record<
    WindowName,
    (Bin | undefined)[]
  >;
  return {
    add: (entry) => {
      for (const name of names) addToRing(rings[name], Math.floor(entry.endMs / WINDOWS[name]), entry);
    },
    view: (window, by, nowMs) => viewRing(rings[window], window, by, nowMs),
  };
}

function createCell(): Cell {
  return { ...createFigures(), latency: null, ttft: null };
}

function createBin(step: number): Bin {
  return { step, total: createCell(), groups: { rule: new Map(), model: new Map(), provider: new Map() } };
}

function addToRing(ring: (Bin | undefined)[], step: number, entry: LiveEntry): void {
  const place = step % STEPS;
  let bin = ring[place];
  // An entry that is older than what stands in its place has left the window.
  if (bin !== undefined && bin.step > step) return;
  if (bin === undefined || bin.step < step) {
    bin = createBin(step);
    ring[place] = bin;
  }
  const { total, groups } = bin;
  const find = (dimension: Dimension, name: string): Cell => findCell(groups[dimension], name);
  addToGroups(entry, total, find, (cell) => {
    if (entry.ms !== null) cell.latency = recordDuration(cell.latency, entry.ms);
    if (entry.ttftMs !== null) cell.ttft = recordDuration(cell.ttft, entry.ttftMs);
  });
}

function findCell(cells: Map<string, Cell>, name: string): Cell {
  const known = cells.get(name);
  if (known !== undefined) return known;
  const key = cells.size < MAX_NAMES ? name : REST;
  const cell = cells.get(key) ?? createCell();
  cells.set(key, cell);
  return cell;
}

function viewRing(
  ring: readonly (Bin | undefined)[],
  name: WindowName,
  by: Dimension | null,
  nowMs: number,
): WindowView {
  const stepMs = WINDOWS[name];
  const last = Math.floor(nowMs / stepMs);
  const first = last - STEPS + 1;
  const bins = Array.from({ length: STEPS }, (_, index) => {
    const bin = ring[(first + index) % STEPS];
    return bin?.step === first + index ? bin : undefined;
  });
  const names = by === null ? [] : [...new Set(bins.flatMap((bin) => [...(bin?.groups[by].keys() ?? [])]))].toSorted();
  const series =
    by === null
      ? [
          toSeries(
            "all",
            bins.map((bin) => bin?.total),
          ),
        ]
      : names.map((group) =>
          toSeries(
            group,
            bins.map((bin) => bin?.groups[by].get(group)),
          ),
        );
  return {
    name,
    step_ms: stepMs,
    start_ms: first * stepMs,
    latency_ms: quantiles(bins.map((bin) => bin?.total.latency ?? null)),
    ttft_ms: quantiles(bins.map((bin) => bin?.total.ttft ?? null)),
    series,
  };
}

function quantiles(histograms: readonly Histogram[]): { readonly p50: number | null; readonly p95: number | null } {
  const merged = mergeHistograms(histograms);
  return { p50: quantile(merged, 0.5), p95: quantile(merged, 0.95) };
}

function toSeries(name: string, cells: readonly (Cell | undefined)[]): Series {
  return {
    name,
    requests: cells.map((cell) => cell?.requests ?? 0),
    errors: cells.map((cell) => cell?.errors ?? 0),
    tokens_input: cells.map((cell) => cell?.tokensInput ?? 0),
    tokens_output: cells.map((cell) => cell?.tokensOutput ?? 0),
    cost_usd: cells.map((cell) => cell?.costUsd ?? 0),
    saved_usd: cells.map((cell) => cell?.savedUsd ?? 0),
    latency_p95_ms: cells.map((cell) => quantile(cell?.latency ?? null, 0.95)),
    ttft_p95_ms: cells.map((cell) => quantile(cell?.ttft ?? null, 0.95)),
  };
}
