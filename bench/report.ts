/** What a run has measured, and what follows from it. Plain data: docs/benchmarks.json is one of these. */
import type { ColdStart } from "./cold-start.ts";
import type { Plan, Sample } from "./rounds.ts";
import { type Workload, workloadById } from "./workloads.ts";

/** One target under one workload: medians over the rounds. */
export interface Row {
  /** Of the workload. */
  readonly id: string;
  readonly connections: number;
  readonly name: string;
  /** CPU time per request, µs; null: not known. */
  readonly cpuUs: number | null;
  /** The same of each round. */
  readonly cpuRounds: readonly number[];
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstP50Ms: number;
}

export interface WaveRow {
  readonly name: string;
  /** Answers that came whole. */
  readonly whole: number;
  readonly failure: string | null;
  readonly elapsedMs: number;
  readonly peakMb: number | null;
}

/** Memory of a process, MB. */
export interface Resident {
  readonly name: string;
  readonly idleMb: number;
  readonly afterMb: number;
}

export interface Report {
  readonly machine: string;
  readonly date: string;
  readonly plan: Plan & { readonly firstWarmUpMs: number };
  /** Load of the machine while it was measured: processes that wanted a core, averaged over a minute. */
  readonly load: { readonly before: number; readonly after: number };
  readonly rows: readonly Row[];
  readonly wave: readonly WaveRow[];
  readonly coldStart: readonly ColdStart[];
  readonly resident: readonly Resident[];
  /** Names of other gateways that were measured too. */
  readonly peers: readonly string[];
}

export const NAMES = {
  direct: "direct",
  bare: "bare proxy",
  events: "bare proxy, events rewritten",
  twice: "bare proxy, two calls",
  source: "ARouter, source",
  compiled: "ARouter, compiled",
  traced: "ARouter, compiled, traces of 10 %",
} as const;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Five significant digits are more than was measured. */
function short(value: number): number {
  return Number(value.toPrecision(5));
}

export function summarize(workload: Workload, connections: number, name: string, samples: readonly Sample[]): Row {
  const of = (read: (sample: Sample) => number): number => short(median(samples.map(read)));
  const cpuRounds = samples.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [short(cpuUs)]));
  return {
    id: workload.id,
    connections,
    name,
    cpuUs: cpuRounds.length === 0 ? null : short(median(cpuRounds)),
    cpuRounds,
    perSecond: of(({ requests, elapsedMs }) => (requests * 1000) / elapsedMs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    firstP50Ms: of(({ firstP50Ms }) => firstP50Ms),
  };
}

/** The proxy that does the least of what the workload needs. */
export function baseOf({ pace, client, upstream, healed }: Workload): string {
  if (healed) return NAMES.twice;
  return pace !== null && client !== upstream ? NAMES.events : NAMES.bare;
}

export function findRow(rows: readonly Row[], id: string, connections: number, name: string): Row | undefined {
  return rows.find((row) => row.id === id && row.connections === connections && row.name === name);
}

/** Median over the rounds of `row`'s CPU per request as a multiple of `base`'s in the same round; null: not known. */
export function ratioOf(row: Row | undefined, base: Row | undefined): number | null {
  if (row === undefined || base === undefined || row.cpuRounds.length === 0) return null;
  if (row.cpuRounds.length !== base.cpuRounds.length) return null;
  return median(row.cpuRounds.map((cpuUs, round) => cpuUs / (base.cpuRounds[round] ?? Number.NaN)));
}

/** CPU per request as a multiple of the bare proxy's, of the one that {@link baseOf} tells. */
export function ratioToBare(rows: readonly Row[], row: Row): number | null {
  return ratioOf(row, findRow(rows, row.id, row.connections, baseOf(workloadById(row.id))));
}

/** What `row` adds to the time that the direct call takes, ms; null: that was not measured. */
export function addedMs(rows: readonly Row[], row: Row, read: (row: Row) => number): number | null {
  const direct = findRow(rows, row.id, row.connections, NAMES.direct);
  return direct === undefined ? null : read(row) - read(direct);
}
