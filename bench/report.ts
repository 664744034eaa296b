/** What was measured as text and as docs/benchmarks.md. */
import type { ColdStart } from "./cold-start.ts";
import type { LoadResult } from "./load.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

/** One round of one target. */
export interface Sample extends LoadResult {
  /** CPU time of the process per request, µs; null where there is none. */
  readonly cpuUs: number | null;
}

/** Medians over the rounds. */
export interface Row {
  readonly workload: Workload;
  readonly connections: number;
  readonly name: string;
  readonly cpuUs: number | null;
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

export interface Resident {
  readonly bare: number;
  readonly source: number;
  readonly compiled: number;
}

export interface Report {
  readonly machine: string;
  readonly date: string;
  readonly plan: { readonly rounds: number; readonly roundMs: number; readonly firstWarmUpMs: number };
  /** Load of the machine while it was measured: processes that wanted a core, averaged over a minute. */
  readonly load: { readonly before: number; readonly after: number };
  readonly rows: readonly Row[];
  readonly wave: readonly WaveRow[];
  readonly coldStart: readonly ColdStart[];
  readonly idleMb: Resident;
  readonly afterMb: Resident;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function summarize(workload: Workload, connections: number, name: string, samples: readonly Sample[]): Row {
  const of = (read: (sample: Sample) => number): number => median(samples.map(read));
  const hasCpu = samples.every(({ cpuUs }) => cpuUs !== null);
  return {
    workload,
    connections,
    name,
    cpuUs: hasCpu ? of(({ cpuUs }) => cpuUs ?? 0) : null,
    perSecond: of(({ requests, elapsedMs }) => (requests * 1000) / elapsedMs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    firstP50Ms: of(({ firstP50Ms }) => firstP50Ms),
  };
}

const BARE = "bare proxy";
const BARE_EVENTS = "bare proxy, events rewritten";

function find({ rows }: Report, { workload, connections }: Row, name: string): Row | undefined {
  return rows.find((row) => row.workload === workload && row.connections === connections && row.name === name);
}

/** CPU per request as a multiple of the bare proxy's; translated streams: of the proxy that rewrites each event. */
function ratio(report: Report, row: Row): number | null {
  const bare = find(report, row, BARE_EVENTS) ?? find(report, row, BARE);
  const bareUs = bare?.cpuUs ?? null;
  return bareUs === null || row.cpuUs === null ? null : row.cpuUs / bareUs;
}

/** How far past its bound a ratio may be before the gate closes: machines and their load differ. */
const TOLERANCE = 1.5;

/** The workloads whose ratio is past its bound by more than the tolerance. */
export function overBound(report: Report): string[] {
  return report.rows.flatMap((row) => {
    const { target, id } = row.workload;
    const is = ratio(report, row);
    if (target === null || is === null || row.connections === 1 || is <= target * TOLERANCE) return [];
    return [`${id} ${row.name}: ${is.toFixed(2)} × the bare proxy, bound ${target} × ${TOLERANCE}`];
  });
}

function added(report: Report, row: Row, read: (row: Row) => number): string {
  const direct = find(report, row, "direct");
  if (direct === undefined) return "";
  const addedMs = read(row) - read(direct);
  return `${addedMs < 0 ? "" : "+"}${addedMs.toFixed(2)}`;
}

interface Cells {
  readonly name: string;
  readonly cpu: string;
  readonly ratio: string;
  readonly perSecond: string;
  readonly p50: string;
  readonly p99: string;
  readonly first: string;
}

function cellsOf(report: Report, row: Row): Cells {
  const isStream = row.workload.pace !== null;
  const isDirect = row.name === "direct";
  const multiple = ratio(report, row);
  const latency = (read: (row: Row) => number): string => (isDirect ? read(row).toFixed(2) : added(report, row, read));
  return {
    name: row.name,
    cpu: row.cpuUs === null ? "–" : row.cpuUs.toFixed(0),
    ratio: multiple === null ? "–" : multiple.toFixed(2),
    perSecond: row.perSecond.toFixed(0),
    p50: latency(({ p50Ms }) => p50Ms),
    p99: latency(({ p99Ms }) => p99Ms),
    first: isStream ? latency(({ firstP50Ms }) => firstP50Ms) : "–",
  };
}

export function renderText(report: Report): string {
  const lines: string[] = [];
  for (const row of report.rows) {
    const { name, cpu, ratio: multiple, perSecond, p50, p99, first } = cellsOf(report, row);
    lines.push(
      `${row.workload.id.padEnd(4)} ${String(row.connections).padStart(3)}  ${name.padEnd(30)} cpu ${cpu.padStart(6)} µs  ×${multiple.padStart(5)}` +
        `  ${perSecond.padStart(6)}/s  p50 ${p50.padStart(7)}  p99 ${p99.padStart(7)}  first ${first.padStart(7)} ms`,
    );
  }
  for (const { name, whole, elapsedMs, peakMb, failure } of report.wave) {
    lines.push(
      `W7  1000  ${name.padEnd(30)} ${whole} whole in ${elapsedMs.toFixed(0)} ms, peak ${peakMb?.toFixed(0) ?? "–"} MB ${failure ?? ""}`,
    );
  }
  for (const { name, ms } of report.coldStart) lines.push(`cold start  ${name.padEnd(45)} ${ms.toFixed(1)} ms`);
  const { idleMb, afterMb } = report;
  lines.push(
    `idle MB   bare ${idleMb.bare.toFixed(0)}, source ${idleMb.source.toFixed(0)}, compiled ${idleMb.compiled.toFixed(0)}`,
  );
  lines.push(
    `after MB  bare ${afterMb.bare.toFixed(0)}, source ${afterMb.source.toFixed(0)}, compiled ${afterMb.compiled.toFixed(0)}`,
  );
  return `${lines.join("\n")}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, at) => (at === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

function workloadTable(report: Report, connections: number): string {
  const rows = report.rows
    .filter((row) => row.connections === connections)
    .map((row) => {
      const cells = cellsOf(report, row);
      return [
        `${row.workload.id} · ${cells.name}`,
        cells.cpu,
        cells.ratio,
        cells.perSecond,
        cells.p50,
        cells.p99,
        cells.first,
      ];
    });
  return table(["workload · through", "CPU µs", "× bare", "per second", "p50 ms", "p99 ms", "first ms"], rows);
}

function summaryTable(report: Report): string {
  const rows = WORKLOADS.flatMap((workload) => {
    const compiled = report.rows.find(
      (row) => row.workload.id === workload.id && row.connections === 64 && row.name === "ARouter, compiled",
    );
    const multiple = compiled === undefined ? null : ratio(report, compiled);
    if (compiled === undefined || multiple === null) return [];
    const { target } = workload;
    const verdict = target === null ? "" : multiple <= target ? "met" : "missed";
    return [[`${workload.id} ${workload.title}`, multiple.toFixed(2), target === null ? "–" : `≤ ${target}`, verdict]];
  });
  return table(["workload", "× bare proxy's CPU", "goal", ""], rows);
}

export function renderMarkdown(report: Report): string {
  const { wave, coldStart, idleMb, afterMb, plan } = report;
  const waveRows = wave.map(({ name, whole, elapsedMs, peakMb }) => [
    name,
    String(whole),
    elapsedMs.toFixed(0),
    peakMb === null ? "–" : peakMb.toFixed(0),
  ]);
  const memoryRows = (["bare", "source", "compiled"] as const).map((name) => [
    name === "bare" ? "bare proxy" : `ARouter, ${name}`,
    idleMb[name].toFixed(0),
    afterMb[name].toFixed(0),
  ]);
  return `# Benchmarks

Written by \`bun bench/run.ts\` (\`npm run bench\`) on ${report.date}: ${report.machine}. Run it to get your own; do not edit this page.

ARouter is measured with everything on (validation, a policy of 20 rules of which the last matches, circuit breaker, retry budget,
access log to a file, ledger), from source and as the compiled binary. Beside it, in the same run and in turns: the upstream asked
directly, and the least that a proxy on Bun can do, \`Bun.serve\` and \`fetch\` and nothing else (bench/proxy.ts). Streams that are translated
are also compared with such a proxy that parses each event and writes it again. The upstream answers at once, so what is measured is the
gateway alone; a model takes a thousand times as long.

The processes measured share one core, one at a time; upstream and load generator have the other. ${plan.rounds} rounds of ${plan.roundMs / 1000} s, medians, after
${plan.firstWarmUpMs / 1000} s of load on each: code is compiled as it is used, and just after its start the gateway costs several times as much.
The load of the machine was ${report.load.before.toFixed(1)} before and ${report.load.after.toFixed(1)} after; the run itself makes about 2, what is more disturbs it.
CPU is that of the whole process, per request. Latencies of the direct call are as they are, those of the others are what is added to it.
Every answer is checked whole: byte by byte, or, where it was translated, its text, its end and its usage.

The ratio to the bare proxy is what counts; absolute figures belong to the machine.

## Summary: 64 connections, compiled

${summaryTable(report)}

W2b and W4b are the same streams when the network delivers a whole answer in one piece, as no model does: a bare proxy then copies one
piece where ARouter still reads 100 events. They are shown as the worst case.

## 64 connections

${workloadTable(report, 64)}

## 1 connection

${workloadTable(report, 1)}

## 1,000 slow streams at once

20 chunks each, one every 100 ms, all begun together.

${table(["through", "whole answers", "ms", "peak MB"], waveRows)}

## Start and memory

${table(
  ["start to first 200", "ms"],
  coldStart.map(({ name, ms }) => [name, ms.toFixed(1)]),
)}

${table(["resident MB", "idle", "after all of the above"], memoryRows)}
`;
}
