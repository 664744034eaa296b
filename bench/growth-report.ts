/** How cost grows, as measured, and whether as it should. Plain data: docs/benchmarks-growth.json is one of these. */
import { fitLine, lastExponent, type Line, type Point } from "./fit.ts";
import type { Goal } from "./goals.ts";
import type { SoakResult } from "./soak.ts";

/** CPU time of a request in µs (y) by its size in bytes (x). */
export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
}

/** A gateway of which something is more. */
export interface Variant {
  readonly name: string;
  readonly cpuUs: number;
  /** Of its processes together: median over the rounds of the CPU per request as a multiple of the first variant's in the same round. */
  readonly ratio: number;
}

export interface StreamRow {
  readonly name: string;
  readonly chunks: number;
  readonly cpuUsPerChunk: number;
  readonly peakMb: number;
}

export interface GrowthReport {
  readonly machine: string;
  readonly date: string;
  readonly load: { readonly before: number; readonly after: number };
  readonly bytes: readonly Curve[];
  readonly rules: readonly Variant[];
  readonly models: readonly Variant[];
  readonly series: readonly Variant[];
  readonly streams: readonly StreamRow[];
  /** null: not in this run. */
  readonly soak: SoakResult | null;
}

export const GATEWAY = "ARouter";

/** The bounds of it all. */
const MOST = {
  /** Power with which the cost of a request grows with its bytes. */
  exponent: 1.1,
  /** Of a request, for a thousand rules instead of twenty, a thousand models more, or their series. */
  share: 0.1,
  chunkRatio: 1.15,
  streamMemoryRatio: 1.1,
  residentRatio: 1.1,
  objectsRatio: 1.1,
  /** Files and sockets more than before. */
  files: 8,
  /** Objects of one type more than before, beside a tenth: what is going on at the moment of looking. */
  typeSlack: 200,
} as const;

/** The shortest stream whose chunks are compared with the longest's: in shorter ones the request itself counts. */
const LEAST_CHUNKS = 1000;

export function lineOf({ points }: Curve): Line {
  return fitLine(points);
}

export function exponentOf({ points }: Curve): number {
  const [origin] = points;
  return origin === undefined ? Number.NaN : lastExponent(points, origin);
}

function goal(what: string, value: number, most: number, show: (value: number) => string): Goal {
  return { what, is: show(value), goal: `≤ ${show(most)}`, verdict: value <= most ? "met" : "missed" };
}

const plain = (value: number): string => value.toFixed(2);
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

function variantGoals(what: string, variants: readonly Variant[], slack: number): readonly Goal[] {
  return variants
    .slice(1)
    .map(({ name, ratio }) => goal(`${what}: ${name}`, 1 - 1 / ratio, MOST.share * slack, percent));
}

function streamGoals(streams: readonly StreamRow[], slack: number): readonly Goal[] {
  const names = [...new Set(streams.map(({ name }) => name))].filter((name) => name.startsWith(GATEWAY));
  return names.flatMap((name): readonly Goal[] => {
    const rows = streams.filter((row) => row.name === name && row.chunks >= LEAST_CHUNKS);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    const what = `${name}: ${last.chunks.toLocaleString("en")} chunks against ${first.chunks.toLocaleString("en")}`;
    return [
      goal(`${what}, CPU per chunk`, last.cpuUsPerChunk / first.cpuUsPerChunk, MOST.chunkRatio * slack, plain),
      goal(`${what}, peak memory`, last.peakMb / first.peakMb, MOST.streamMemoryRatio * slack, plain),
    ];
  });
}

function soakGoals({ before, after, requests }: SoakResult, slack: number): readonly Goal[] {
  const grown = Object.entries(after.types).filter(([name, count]) => {
    const had = before.types[name] ?? 0;
    return count > had * MOST.objectsRatio + MOST.typeSlack;
  });
  return [
    goal(
      `${requests.toLocaleString("en")} requests: memory after, × before`,
      after.residentMb / before.residentMb,
      MOST.residentRatio * slack,
      plain,
    ),
    goal("files and sockets more than before", after.openFiles - before.openFiles, MOST.files, String),
    goal("objects after, × before", after.objects / before.objects, MOST.objectsRatio, plain),
    {
      what: "types of objects that became more",
      is: grown.length === 0 ? "none" : grown.map(([name]) => name).join(", "),
      goal: "none",
      verdict: grown.length === 0 ? "met" : "missed",
    },
  ];
}

/**
 * Every goal of what was measured, ratios with `slack`, shares of a request with `shareSlack`: a short run sees memory that has not
 * settled and few rounds.
 */
export function growthGoals(report: GrowthReport, slack = 1, shareSlack = slack): readonly Goal[] {
  const { bytes, rules, models, series, streams, soak } = report;
  const curve = bytes.find(({ name }) => name === GATEWAY);
  return [
    ...(curve === undefined
      ? []
      : [goal("bytes: power with which cost grows, at the end", exponentOf(curve), MOST.exponent * slack, plain)]),
    ...variantGoals("share of a request", rules, shareSlack),
    ...variantGoals("share of a request", models, shareSlack),
    ...variantGoals("share of a request", series, shareSlack),
    ...streamGoals(streams, slack),
    ...(soak === null ? [] : soakGoals(soak, slack)),
  ];
}
