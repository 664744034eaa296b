/** How cost grows, for the terminal and as docs/benchmarks-growth.md. */
import { type Curve, exponentOf, growthGoals, type GrowthReport, lineOf, type Variant } from "./growth-report.ts";
import { renderTable } from "./render-page.ts";

const NS_PER_US = 1000;

function sizeOf(bytes: number): string {
  const kilobytes = bytes / 1024;
  return kilobytes < 1024 ? `${kilobytes.toLocaleString("en")} KB` : `${(kilobytes / 1024).toLocaleString("en")} MB`;
}

function bytesRows(curves: readonly Curve[]): readonly (readonly string[])[] {
  const sizes = curves[0]?.points ?? [];
  return sizes.map(({ x }, at) => [
    sizeOf(x),
    ...curves.map(({ points }) => (points[at]?.y ?? Number.NaN).toFixed(0)),
    ...curves.slice(1).map(({ points }) => ((points[at]?.y ?? 0) / (sizes[at]?.y ?? 1)).toFixed(2)),
  ]);
}

function fitRows(curves: readonly Curve[]): readonly (readonly string[])[] {
  return curves.map((curve) => {
    const { slope, r2 } = lineOf(curve);
    return [curve.name, (slope * NS_PER_US).toFixed(2), r2.toFixed(4), exponentOf(curve).toFixed(2)];
  });
}

function variantRows(variants: readonly Variant[]): readonly (readonly string[])[] {
  return variants.map(({ name, cpuUs, ratio }) => [name, cpuUs.toFixed(0), ratio.toFixed(2)]);
}

interface Part {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function partsOf(report: GrowthReport) {
  const { bytes, rules, models, series, streams, soak } = report;
  const held =
    soak === null
      ? []
      : ([
          ["resident MB", soak.before.residentMb.toFixed(0), soak.after.residentMb.toFixed(0)],
          ["open files and sockets", String(soak.before.openFiles), String(soak.after.openFiles)],
          ["objects", String(soak.before.objects), String(soak.after.objects)],
          ...Object.entries(soak.after.types).map(([name, count]) => [
            `of these ${name}`,
            String(soak.before.types[name] ?? 0),
            String(count),
          ]),
        ] as const);
  return {
    bytes: {
      title: "bytes",
      header: ["request", ...bytes.map(({ name }) => `${name}, CPU µs`), "× bare"],
      rows: bytesRows(bytes),
    },
    fit: {
      title: "fit",
      header: ["", "ns per byte", "R²", "power at the end"],
      rows: fitRows(bytes),
    },
    rules: { title: "rules", header: ["policy", "CPU µs", "× the first"], rows: variantRows(rules) },
    models: { title: "models", header: ["catalog", "CPU µs", "× the first"], rows: variantRows(models) },
    series: { title: "series", header: ["metrics", "CPU µs", "× the first"], rows: variantRows(series) },
    streams: {
      title: "streams",
      header: ["stream", "chunks", "CPU µs per chunk", "peak MB"],
      rows: streams.map(({ name, chunks, cpuUsPerChunk, peakMb }) => [
        name,
        chunks.toLocaleString("en"),
        cpuUsPerChunk.toFixed(1),
        peakMb.toFixed(0),
      ]),
    },
    soak: { title: "soak", header: ["held", "after warming up", "after all"], rows: held },
    goals: {
      title: "goals",
      header: ["", "measured", "goal", ""],
      rows: growthGoals(report).map(({ what, is, goal, verdict }) => [what, is, goal, verdict]),
    },
  } satisfies Readonly<Record<string, Part>>;
}

export function renderGrowthText(report: GrowthReport): string {
  const lines: string[] = [];
  for (const { title, header, rows } of Object.values(partsOf(report))) {
    if (rows.length === 0) continue;
    const widths = header.map((name, at) => Math.max(name.length, ...rows.map((row) => (row[at] ?? "").length)));
    const line = (cells: readonly string[]): string =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
    lines.push("", title, ...[header, ...rows].map(line));
  }
  return `${lines.join("\n")}\n`;
}

export function renderGrowthPage(report: GrowthReport): string {
  const { machine, date, load, soak } = report;
  const { bytes, fit, rules, models, series, streams, soak: held, goals } = partsOf(report);
  const table = ({ header, rows }: Part): string => renderTable(header, rows);
  const mix =
    soak === null
      ? ""
      : `${soak.requests.toLocaleString("en")} requests after ${soak.warmUpRequests.toLocaleString("en")} for warming up, 64 connections:
buffered ones and streams of 10 chunks, same format and translated, healed ones, and ${soak.abandoned.toLocaleString("en")} streams whose client left in
the middle. Looked at when nothing has been asked for some seconds; objects are counted after a collection. Under load, after each tenth
of the requests, ${soak.underLoadMb.join(", ")} MB were resident.`;
  return `# How cost grows

Written by \`bun bench/growth.ts\` on ${date}: ${machine}. Run it to get your own; do not edit this page. The figures are in
[benchmarks-growth.json](benchmarks-growth.json), the method is that of [benchmarks.md](benchmarks.md): CPU time of the whole process, in turns
with a bare proxy on one core, medians. The load of the machine was ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after.

${table(goals)}

## With the bytes of a request

Buffered, same format, 4 connections. The bare proxy copies what ARouter also checks, parses, reads and counts tokens of.

${table(bytes)}

Straight lines of least squares through these. The largest request weighs most in them, so there is also the power with which cost
grows from the last but one to the last: 1 is linear. What no cache holds costs more by itself, as the bare proxy's power shows.

${table(fit)}

## With rules, models and metrics

W1 at 64 connections, three processes of each kind in turns: how the runtime compiles a process differs from one to the next by a tenth of a
request. Every rule is tried, as only the last one matches, and no two look for the same.

${table(rules)}

${table(models)}

The series come from asking each of these models once.

${table(series)}

## With the length of a stream

One stream at a time, a write for each chunk.

${table(streams)}

## With time

${mix}

${table(held)}
`;
}
