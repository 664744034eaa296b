/**
 * The regression gate: what `bun bench/run.ts --quick --gate` lets pass. It compares ratios of one run, so that the machine
 * does not matter much, and holds them against what they usually are, so that it notices what got slower, not what is slow.
 */
import { findRow, NAMES, ratioToBare, type Row, type WaveRow } from "./report.ts";
import { SLOW } from "./workloads.ts";

/**
 * What a quick run usually gives: CPU per request at 64 connections as a multiple of the bare proxy's, of W7 the peak memory
 * as a multiple of its. To be lowered when the gateway got faster; a short run measures code that is not compiled for long,
 * so these are above the figures of docs/benchmarks.md.
 */
export const TYPICAL: Readonly<Record<string, number>> = {
  W1: 3.2,
  W2: 1.15,
  W2b: 3.3,
  W3: 6.2,
  W4: 1.2,
  W4b: 2,
  W5: 5.2,
  W5s: 1.1,
  W6: 3.2,
  W7: 3.3,
  W8: 4.4,
  W8a: 4.4,
};

/** How far above its usual value a ratio may be: machines and what else runs on them differ. */
export const TOLERANCE = 1.6;
const CONNECTIONS = 64;

/** A workload that is too slow. */
export interface Fall {
  readonly id: string;
  /** With figures, for people. */
  readonly text: string;
}

/** Above this a workload has fallen; 0, so that nothing passes, for one that is not in the table. */
export function boundOf(id: string): number {
  return (TYPICAL[id] ?? 0) * TOLERANCE;
}

function judge(id: string, what: string, ratio: number | null): readonly Fall[] {
  const bound = boundOf(id);
  if (ratio !== null && ratio <= bound) return [];
  const is = ratio === null ? "was not measured" : `${ratio.toFixed(2)} × the bare proxy's`;
  return [{ id, text: `${id}: ${what} ${is}, bound ${bound.toFixed(2)} (usually ${TYPICAL[id]})` }];
}

/** The workloads of `ids` that fell: a ratio over its bound or missing, or in W7 a stream that did not come whole. */
export function fallen(rows: readonly Row[], wave: readonly WaveRow[], ids: readonly string[]): readonly Fall[] {
  return ids.flatMap((id) => {
    if (id !== SLOW.id) {
      const row = findRow(rows, id, CONNECTIONS, NAMES.compiled);
      return judge(id, "CPU per request", row === undefined ? null : ratioToBare(rows, row));
    }
    const peakOf = (name: string): number | null => wave.find((row) => row.name === name)?.peakMb ?? null;
    const failure = wave.find(({ name }) => name === NAMES.compiled)?.failure ?? null;
    if (failure !== null) return [{ id, text: `${id}: ${failure}` }];
    const [bareMb, oursMb] = [peakOf(NAMES.bare), peakOf(NAMES.compiled)];
    return judge(id, "peak memory", bareMb === null || oursMb === null ? null : oursMb / bareMb);
  });
}
