/** A report, for people and for programs. */
import { renderUsd } from "../catalog/price.ts";
import type { GroupTally, ReportKey, ReportTally } from "./report-tally.ts";
import { renderTable } from "./table.ts";

const COLUMNS = ["REQUESTS", "TOKENS IN", "TOKENS OUT", "COST $", "SAVED $", "HEALED", "ERRORS", "P50 MS", "P95 MS"];
const RIGHT: ReadonlySet<string> = new Set(COLUMNS);

function row(name: string, group: GroupTally): readonly string[] {
  return [
    name,
    String(group.requests),
    String(group.tokensInput),
    String(group.tokensOutput),
    renderUsd(Number(group.costUsd.toFixed(6))),
    renderUsd(Number(group.savedUsd.toFixed(6))),
    String(group.healed),
    String(group.errors),
    milliseconds(group.latencyMs.at(0.5)),
    milliseconds(group.latencyMs.at(0.95)),
  ];
}

function milliseconds(value: number | null): string {
  return value === null ? "-" : value.toFixed(value < 10 ? 1 : 0);
}

/** Days in order, anything else by what it cost. */
function sorted({ groups }: ReportTally, by: ReportKey): readonly (readonly [string, GroupTally])[] {
  return [...groups].sort(([a, left], [b, right]) => {
    if (by === "day") return a < b ? -1 : 1;
    return right.costUsd - left.costUsd || right.requests - left.requests || (a < b ? -1 : 1);
  });
}

export function renderReportText(tally: ReportTally, by: ReportKey): string {
  const { total, firstMs, lastMs } = tally;
  const rows = sorted(tally, by).map(([name, group]) => row(name, group));
  const table = renderTable([[by.toUpperCase(), ...COLUMNS], ...rows, row("total", total)], RIGHT);
  const span = firstMs === null || lastMs === null ? "" : `${isoTime(firstMs)} to ${isoTime(lastMs)}\n`;
  const notes = [
    total.unpriced === 0 ? "" : `${total.unpriced} requests used tokens whose price is not known\n`,
    total.estimated === 0 ? "" : `${total.estimated} requests have estimated tokens\n`,
    tally.unreadable === 0 ? "" : `${tally.unreadable} lines are no ledger's\n`,
  ];
  return span + table + notes.join("");
}

function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function groupJson(group: GroupTally) {
  return {
    requests: group.requests,
    tokens_input: group.tokensInput,
    tokens_output: group.tokensOutput,
    estimated: group.estimated,
    cost_usd: Number(renderUsd(group.costUsd)),
    saved_usd: Number(renderUsd(group.savedUsd)),
    unpriced: group.unpriced,
    healed: group.healed,
    exhausted: group.exhausted,
    errors: group.errors,
    client_gone: group.left,
    p50_ms: rounded(group.latencyMs.at(0.5)),
    p95_ms: rounded(group.latencyMs.at(0.95)),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}

export function renderReportJson(tally: ReportTally, by: ReportKey): string {
  const result = {
    by,
    from: tally.firstMs === null ? null : isoTime(tally.firstMs),
    to: tally.lastMs === null ? null : isoTime(tally.lastMs),
    unreadable: tally.unreadable,
    total: groupJson(tally.total),
    groups: sorted(tally, by).map(([name, group]) => ({ [by]: name, ...groupJson(group) })),
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
