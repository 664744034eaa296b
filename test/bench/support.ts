/** A report of made-up figures, for what is rendered and judged from one. */
import { NAMES, type Report, type Row } from "../../bench/report.ts";
import { WORKLOADS } from "../../bench/workloads.ts";

/** A row whose every round cost `cpuUs`. */
export function row(id: string, name: string, cpuUs: number | null, rest: Partial<Row> = {}): Row {
  return {
    id,
    connections: 64,
    name,
    cpuUs,
    cpuRounds: cpuUs === null ? [] : [cpuUs, cpuUs, cpuUs],
    perSecond: 1000,
    p50Ms: 1,
    p99Ms: 2,
    firstP50Ms: 0.5,
    ...rest,
  };
}

const MULTIPLE = 1.25;

/** Every workload at 100 µs through each of the proxies, and a quarter more through the gateways. */
export function madeUpReport(change: Partial<Report> = {}): Report {
  const rows = [1, 64].flatMap((connections) =>
    WORKLOADS.flatMap(({ id }) => {
      const at = { connections };
      return [
        row(id, NAMES.direct, null, { ...at, p50Ms: 1, firstP50Ms: 0.5 }),
        row(id, NAMES.bare, 100, { ...at, p50Ms: 1.2, firstP50Ms: 0.6 }),
        row(id, NAMES.events, 100, { ...at, p50Ms: 1.2, firstP50Ms: 0.6 }),
        row(id, NAMES.twice, 100, { ...at, p50Ms: 1.2, firstP50Ms: 0.6 }),
        row(id, NAMES.compiled, 100 * MULTIPLE, { ...at, p50Ms: 1.28, firstP50Ms: 0.64 }),
      ];
    }),
  );
  return {
    machine: "2 × Test & Co, Linux 6, Bun 1",
    date: "2026-11-24",
    plan: { rounds: 3, roundMs: 1000, warmUpMs: 1500, warmUpRequests: 0, firstWarmUpMs: 15_000 },
    load: { before: 0.1, after: 2 },
    rows: [...rows, row("W1", NAMES.traced, 150)],
    wave: [
      { name: NAMES.direct, whole: 1000, failure: null, elapsedMs: 2000, peakMb: null },
      { name: NAMES.bare, whole: 1000, failure: null, elapsedMs: 2040, peakMb: 50 },
      { name: NAMES.compiled, whole: 1000, failure: null, elapsedMs: 2050, peakMb: 100 },
    ],
    coldStart: [
      { name: "compiled, BUN_CONFIG_MAX_HTTP_REQUESTS set", ms: 61 },
      { name: "compiled, without it (starts itself again)", ms: 90 },
    ],
    resident: [
      { name: NAMES.bare, idleMb: 30, afterMb: 45 },
      { name: NAMES.compiled, idleMb: 55, afterMb: 120 },
    ],
    peers: [],
    ...change,
  };
}
