/** The chart of docs/benchmarks.md: one bar a workload, with the bare proxy's line and the goal. Needs nothing from outside. */
import { findRow, NAMES, ratioToBare, type Report, type Row } from "./report.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

const WIDTH = 860;
const LABEL_WIDTH = 330;
const BAR_HEIGHT = 18;
const ROW_HEIGHT = 34;
const TOP = 72;
const BOTTOM = 44;
/** Room to the right of the longest bar for its figure. */
const RIGHT = 70;
const CONNECTIONS = 64;

/** Readable on white and on black; follows the reader's system. */
const STYLE = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.dim{fill:#59636e}.bar{fill:#0969da}.line{stroke:#59636e}.grid{stroke:#d1d9e0}.goal{stroke:#bc4c00;stroke-width:2.5}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.dim{fill:#9198a1}.bar{fill:#4493f8}.line{stroke:#9198a1}.grid{stroke:#3d444d}.goal{stroke:#f0883e}}`;

interface Bar {
  readonly workload: Workload;
  readonly ratio: number;
}

function barsOf(rows: readonly Row[]): readonly Bar[] {
  return WORKLOADS.flatMap((workload) => {
    const row = findRow(rows, workload.id, CONNECTIONS, NAMES.compiled);
    const ratio = row === undefined ? null : ratioToBare(rows, row);
    return ratio === null ? [] : [{ workload, ratio }];
  });
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

/** Distance between lines of the grid, so that there are at most ten. */
function gridStep(most: number): number {
  return [0.25, 0.5, 1, 2, 5, 10].find((step) => most / step <= 10) ?? 50;
}

/** SVG of the compiled gateway's CPU time per request as a multiple of the bare proxy's. */
export function renderChart({ rows, machine, date }: Report): string {
  const bars = barsOf(rows);
  const most = Math.max(2, ...bars.map(({ ratio }) => ratio), ...bars.map(({ workload }) => workload.target ?? 0));
  const scale = (value: number): number => LABEL_WIDTH + (value / most) * (WIDTH - LABEL_WIDTH - RIGHT);
  const height = TOP + bars.length * ROW_HEIGHT + BOTTOM;
  const bottom = height - BOTTOM;
  const parts: string[] = [];
  const text = (x: number, y: number, content: string, options = ""): void => {
    parts.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${options}>${escape(content)}</text>`);
  };
  const line = (kind: string, x: number, from: number, to: number): void => {
    parts.push(`<line class="${kind}" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from}" y2="${to}"/>`);
  };

  text(12, 24, "CPU time per request, as a multiple of a bare proxy's", ' class="title"');
  text(
    12,
    46,
    "64 connections, compiled, everything on. 1 is the bare proxy; the upright mark is the goal.",
    ' class="dim"',
  );
  const step = gridStep(most);
  for (let at = 0; at * step <= most; at += 1) {
    const value = at * step;
    line("grid", scale(value), TOP - 8, bottom);
    text(scale(value), bottom + 18, String(value), ' class="dim" text-anchor="middle"');
  }
  line("line", scale(1), TOP - 8, bottom);
  for (const [at, { workload, ratio }] of bars.entries()) {
    const y = TOP + at * ROW_HEIGHT;
    text(LABEL_WIDTH - 12, y + 14, `${workload.id} ${workload.title}`, ' text-anchor="end"');
    const width = (scale(ratio) - LABEL_WIDTH).toFixed(1);
    parts.push(`<rect class="bar" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`);
    if (workload.target !== null) line("goal", scale(workload.target), y - 4, y + BAR_HEIGHT + 4);
    text(Math.max(scale(ratio), scale(workload.target ?? 0)) + 8, y + 14, ratio.toFixed(2));
  }
  text(12, height - 8, `${date}, ${machine}`, ' class="dim" font-size="11"');
  const label = bars.map(({ workload, ratio }) => `${workload.id} ${ratio.toFixed(2)}`).join(", ");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">\n` +
    `<title>CPU time per request as a multiple of a bare proxy's</title>\n<desc>${escape(label)}</desc>\n` +
    `<style>${STYLE}</style>\n${parts.join("\n")}\n</svg>\n`
  );
}
