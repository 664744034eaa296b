/** What the benchmark is to show, goal by goal, and whether it does. */
import { addedMs, baseOf, findRow, NAMES, ratioOf, ratioToBare, type Report, type Row } from "./report.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

export interface Goal {
  readonly what: string;
  /** As measured, with its unit. */
  readonly is: string;
  /** `–`: none is set. */
  readonly goal: string;
  readonly verdict: "met" | "missed" | "";
}

const LATENCY_RATIO = 1.5;
const FIRST_RATIO = 1.3;
const TRACED_RATIO = 1.1;
const WAVE_STREAMS = 1000;
const WAVE_TIME_RATIO = 1.05;
const WAVE_PEAK_MB = 115;
const COLD_START_MS = 60;
const IDLE_MB = 60;
const MANY = 64;

function goal(what: string, value: number, most: number | null, unit: string, digits = 2): Goal {
  const suffix = unit === "" ? "" : ` ${unit}`;
  return {
    what,
    is: `${value.toFixed(digits)}${suffix}`,
    goal: most === null ? "–" : `≤ ${most}${suffix}`,
    verdict: most === null ? "" : value <= most ? "met" : "missed",
  };
}

/** CPU time per request of the compiled gateway at 64 connections, as a multiple of the bare proxy's. */
export function cpuGoals({ rows }: Report): readonly Goal[] {
  return WORKLOADS.flatMap(({ id, title, target }) => {
    const row = findRow(rows, id, MANY, NAMES.compiled);
    const ratio = row === undefined ? null : ratioToBare(rows, row);
    return ratio === null ? [] : [goal(`${id} ${title}`, ratio, target, "")];
  });
}

/** Traces of a tenth of the requests, as a multiple of the same gateway without. */
export function traceGoals({ rows }: Report): readonly Goal[] {
  return WORKLOADS.flatMap(({ id, title }) => {
    const ratio = ratioOf(findRow(rows, id, MANY, NAMES.traced), findRow(rows, id, MANY, NAMES.compiled));
    return ratio === null ? [] : [goal(`${id} ${title}`, ratio, TRACED_RATIO, "")];
  });
}

/** What `read` adds to a direct call at one connection, as a multiple of what the bare proxy adds. */
function latencyRatio(rows: readonly Row[], workload: Workload, read: (row: Row) => number): number | null {
  const added = (name: string): number | null => {
    const row = findRow(rows, workload.id, 1, name);
    return row === undefined ? null : addedMs(rows, row, read);
  };
  const [ours, theirs] = [added(NAMES.compiled), added(baseOf(workload))];
  return ours === null || theirs === null ? null : ours / theirs;
}

function latencyGoals(
  report: Report,
  most: number,
  isWanted: (workload: Workload) => boolean,
  read: (row: Row) => number,
) {
  return WORKLOADS.filter(isWanted).flatMap((workload): Goal[] => {
    const ratio = latencyRatio(report.rows, workload, read);
    return ratio === null ? [] : [goal(`${workload.id} ${workload.title}`, ratio, most, "")];
  });
}

/** One connection: the median time that the compiled gateway adds, as a multiple of what the bare proxy adds. */
export function p50Goals(report: Report): readonly Goal[] {
  return latencyGoals(
    report,
    LATENCY_RATIO,
    ({ target }) => target !== null,
    ({ p50Ms }) => p50Ms,
  );
}

/** The same of the time to a stream's first text. */
export function firstGoals(report: Report): readonly Goal[] {
  const isStream = ({ pace }: Workload): boolean => pace === "apart";
  return latencyGoals(report, FIRST_RATIO, isStream, ({ firstP50Ms }) => firstP50Ms);
}

/** The wave of slow streams, cold start and memory. */
export function otherGoals({ wave, coldStart, resident }: Report): readonly Goal[] {
  const goals: Goal[] = [];
  const row = wave.find(({ name }) => name === NAMES.compiled);
  const direct = wave.find(({ name }) => name === NAMES.direct);
  if (row !== undefined) {
    const verdict = row.whole === WAVE_STREAMS ? "met" : "missed";
    goals.push({ what: "W7 streams that came whole", is: String(row.whole), goal: String(WAVE_STREAMS), verdict });
    if (row.peakMb !== null) goals.push(goal("W7 peak memory", row.peakMb, WAVE_PEAK_MB, "MB", 0));
    if (direct !== undefined) {
      goals.push(goal("W7 time, × direct", row.elapsedMs / direct.elapsedMs, WAVE_TIME_RATIO, ""));
    }
  }
  for (const [at, { name, ms }] of coldStart.entries()) {
    goals.push(goal(`start to first 200, ${name}`, ms, at === 0 ? COLD_START_MS : null, "ms", 0));
  }
  const idle = resident.find(({ name }) => name === NAMES.compiled);
  if (idle !== undefined) goals.push(goal("idle memory", idle.idleMb, IDLE_MB, "MB", 0));
  return goals;
}
