/** A report for the terminal, and the cells that page and terminal share. */
import { addedMs, NAMES, ratioToBare, type Report, type Row } from "./report.ts";
import { workloadById } from "./workloads.ts";

export interface Cells {
  readonly name: string;
  readonly cpu: string;
  readonly ratio: string;
  readonly perSecond: string;
  readonly p50: string;
  readonly p99: string;
  readonly first: string;
}

const NOTHING = "–";

/** Latencies of the direct call are as they are, those of the others are what is added to it. */
export function cellsOf(rows: readonly Row[], row: Row): Cells {
  const isStream = workloadById(row.id).pace !== null;
  const multiple = ratioToBare(rows, row);
  const latency = (read: (row: Row) => number): string => {
    const added = row.name === NAMES.direct ? null : addedMs(rows, row, read);
    if (added === null) return read(row).toFixed(2);
    return `${added < 0 ? "" : "+"}${added.toFixed(2)}`;
  };
  return {
    name: row.name,
    cpu: row.cpuUs === null ? NOTHING : row.cpuUs.toFixed(0),
    ratio: multiple === null ? NOTHING : multiple.toFixed(2),
    perSecond: row.perSecond.toFixed(0),
    p50: latency(({ p50Ms }) => p50Ms),
    p99: latency(({ p99Ms }) => p99Ms),
    first: isStream ? latency(({ firstP50Ms }) => firstP50Ms) : NOTHING,
  };
}

const NAME_WIDTH = 34;

export function renderRow(rows: readonly Row[], row: Row): string {
  const { name, cpu, ratio, perSecond, p50, p99, first } = cellsOf(rows, row);
  return (
    `${row.id.padEnd(4)} ${String(row.connections).padStart(3)}  ${name.padEnd(NAME_WIDTH)} cpu ${cpu.padStart(6)} µs  ×${ratio.padStart(5)}` +
    `  ${perSecond.padStart(6)}/s  p50 ${p50.padStart(7)}  p99 ${p99.padStart(7)}  first ${first.padStart(7)} ms`
  );
}

export function renderText({ rows, wave, coldStart, resident }: Report): string {
  const lines = rows.map((row) => renderRow(rows, row));
  for (const { name, whole, elapsedMs, peakMb, failure } of wave) {
    const peak = peakMb === null ? NOTHING : peakMb.toFixed(0);
    lines.push(
      `W7  1000  ${name.padEnd(NAME_WIDTH)} ${whole} whole in ${elapsedMs.toFixed(0)} ms, peak ${peak} MB ${failure ?? ""}`,
    );
  }
  for (const { name, ms } of coldStart) lines.push(`cold start  ${name.padEnd(45)} ${ms.toFixed(1)} ms`);
  for (const { name, idleMb, afterMb } of resident) {
    lines.push(`memory      ${name.padEnd(NAME_WIDTH)} ${idleMb.toFixed(0)} MB idle, ${afterMb.toFixed(0)} MB after`);
  }
  return `${lines.join("\n")}\n`;
}
