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

export interface Cell extends Figures {
  latency: Histogram;
  ttft: Histogram;
}

interface Bin {
  /** Number of the step since the epoch. */
  step: number;
  readonly total: Cell;
  readonly groups: Groups<Cell>;
}

/** One step of a window, with the groups of one dimension or none. Plain data, that a process may send to another. */
export interface WindowBin {
  readonly step: number;
  readonly total: Cell;
  readonly groups: ReadonlyMap<string, Cell>;
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
  /** Takes a request that ends now, or nearly. */
  readonly add: (entry: LiveEntry) => void;
  /** Takes one that ended at any time. */
  readonly addPast: (entry: LiveEntry) => void;
  /** Steps of the window that ends at `nowMs` in which there was something, oldest first, for {@link viewBins}. */
  readonly bins: (window: WindowName, by: Dimension | null, nowMs: number) => readonly WindowBin[];
}

export function createFigures(): Figures {
  return { requests: 0, errors: 0, tokensInput: 0, tokensOutput: 0, costUsd: 0, savedUsd: 0 };
}

/** Figures by rule, model and provider. */
export type Groups<Of extends Figures> = Readonly<Record<Dimension, Map<string, Of>>>;

/** How figures are found and counted into: functions that are there already, as this is done for each request. */
export interface Counting<Of extends Figures> {
  readonly find: (group: Map<string, Of>, name: string) => Of;
  /** Adds what was delivered. */
  readonly add: (figures: Of, entry: LiveEntry) => void;
}

/** Counts a request for what was delivered, and its tokens and dollars for what was asked. */
export function addToGroups<Of extends Figures>(
  entry: LiveEntry,
  total: Of,
  groups: Groups<Of>,
  { find, add }: Counting<Of>,
): void {
  const rule = find(groups.rule, entry.rule);
  add(total, entry);
  add(rule, entry);
  add(find(groups.model, entry.model), entry);
  add(find(groups.provider, entry.provider), entry);
  for (const spend of entry.spends) {
    addSpent(total, spend);
    addSpent(rule, spend);
    addSpent(find(groups.model, spend.model), spend);
    addSpent(find(groups.provider, spend.provider), spend);
  }
}

export function addDelivered(figures: Figures, entry: LiveEntry): void {
  figures.requests += 1;
  if (entry.isError) figures.errors += 1;
  figures.savedUsd += entry.savedUsd;
}

function addSpent(figures: Figures, spend: Spend): void {
  figures.tokensInput += spend.tokensInput;
  figures.tokensOutput += spend.tokensOutput;
  figures.costUsd += spend.costUsd;
}

/** Of which every window's step is a multiple. */
const SHORTEST_MS = WINDOWS["2m"];

export function createLiveSeries(): LiveSeries {
  const names = Object.keys(WINDOWS) as WindowName[];
  const rings = Object.fromEntries(names.map((name) => [name, [] as (Bin | undefined)[]])) as Record<
    WindowName,
    (Bin | undefined)[]
  >;
  /** The shortest step, while it lasts: one place to count into instead of one for each window. */
  let current: Bin | null = null;
  const settle = (): void => {
    if (current === null) return;
    for (const name of names) {
      const bin = binAt(rings[name], Math.floor((current.step * SHORTEST_MS) / WINDOWS[name]));
      if (bin !== null) addBin(bin, current);
    }
    current = null;
  };
  const addPast: LiveSeries["addPast"] = (entry) => {
    for (const name of names) {
      const bin = binAt(rings[name], Math.floor(entry.endMs / WINDOWS[name]));
      if (bin !== null) addEntry(bin, entry);
    }
  };
  return {
    add: (entry) => {
      const step = Math.floor(entry.endMs / SHORTEST_MS);
      if (current !== null && step > current.step) settle();
      current ??= createBin(step);
      if (step === current.step) addEntry(current, entry);
      else addPast(entry);
    },
    addPast,
    bins: (window, by, nowMs) => {
      settle();
      return binsOf(rings[window], window, by, nowMs);
    },
  };
}

function createCell(): Cell {
  return { ...createFigures(), latency: null, ttft: null };
}

function createBin(step: number): Bin {
  return { step, total: createCell(), groups: { rule: new Map(), model: new Map(), provider: new Map() } };
}

/** The bin of `step`; null when what stands in its place is newer: the step has left the window. */
function binAt(ring: (Bin | undefined)[], step: number): Bin | null {
  const place = step % STEPS;
  const known = ring[place];
  if (known !== undefined && known.step >= step) return known.step === step ? known : null;
  const bin = createBin(step);
  ring[place] = bin;
  return bin;
}

function addEntry({ total, groups }: Bin, entry: LiveEntry): void {
  addToGroups(entry, total, groups, INTO_CELLS);
}

function addTimed(cell: Cell, entry: LiveEntry): void {
  addDelivered(cell, entry);
  if (entry.ms !== null) cell.latency = recordDuration(cell.latency, entry.ms);
  if (entry.ttftMs !== null) cell.ttft = recordDuration(cell.ttft, entry.ttftMs);
}

function addBin(sum: Bin, { total, groups }: Bin): void {
  addCell(sum.total, total);
  for (const dimension of DIMENSIONS) {
    for (const [name, cell] of groups[dimension]) addCell(findCell(sum.groups[dimension], name), cell);
  }
}

function findCell(cells: Map<string, Cell>, name: string): Cell {
  const known = cells.get(name);
  if (known !== undefined) return known;
  const key = cells.size < MAX_NAMES ? name : REST;
  const cell = cells.get(key) ?? createCell();
  cells.set(key, cell);
  return cell;
}

const INTO_CELLS: Counting<Cell> = { find: findCell, add: addTimed };

function binsOf(
  ring: readonly (Bin | undefined)[],
  name: WindowName,
  by: Dimension | null,
  nowMs: number,
): readonly WindowBin[] {
  const first = firstStep(name, nowMs);
  return Array.from({ length: STEPS }, (_, index) => ring[(first + index) % STEPS]).flatMap((bin, index) =>
    bin?.step === first + index
      ? [{ step: bin.step, total: bin.total, groups: by === null ? new Map() : bin.groups[by] }]
      : [],
  );
}

function firstStep(name: WindowName, nowMs: number): number {
  return Math.floor(nowMs / WINDOWS[name]) - STEPS + 1;
}

/** Steps of several processes as those of one. */
export function mergeBins(lists: readonly (readonly WindowBin[])[]): readonly WindowBin[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  const byStep = new Map<number, { step: number; total: Cell; groups: Map<string, Cell> }>();
  for (const { step, total, groups } of lists.flat()) {
    const sum = byStep.get(step) ?? { step, total: createCell(), groups: new Map<string, Cell>() };
    byStep.set(step, sum);
    addCell(sum.total, total);
    for (const [name, cell] of groups) addCell(findCell(sum.groups, name), cell);
  }
  return [...byStep.values()];
}

export function addFigures(sum: Figures, added: Readonly<Figures>): void {
  sum.requests += added.requests;
  sum.errors += added.errors;
  sum.tokensInput += added.tokensInput;
  sum.tokensOutput += added.tokensOutput;
  sum.costUsd += added.costUsd;
  sum.savedUsd += added.savedUsd;
}

function addCell(sum: Cell, added: Readonly<Cell>): void {
  addFigures(sum, added);
  sum.latency = mergeHistograms([sum.latency, added.latency]);
  sum.ttft = mergeHistograms([sum.ttft, added.ttft]);
}

/** What the dashboard draws of the window that ends at `nowMs`, in order of name. */
export function viewBins(
  known: readonly WindowBin[],
  name: WindowName,
  by: Dimension | null,
  nowMs: number,
): WindowView {
  const first = firstStep(name, nowMs);
  const byStep = new Map(known.map((bin) => [bin.step, bin]));
  const bins = Array.from({ length: STEPS }, (_, index) => byStep.get(first + index));
  const names = [...new Set(bins.flatMap((bin) => [...(bin?.groups.keys() ?? [])]))].toSorted();
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
            bins.map((bin) => bin?.groups.get(group)),
          ),
        );
  return {
    name,
    step_ms: WINDOWS[name],
    start_ms: first * WINDOWS[name],
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
