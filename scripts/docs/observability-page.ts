/** The tables of docs/observability.md, from the tables of src/observe. The rest of the page is written by hand. */
import { LEDGER_FIELDS } from "../../src/observe/ledger-line.ts";
import { ACCESS_FIELDS } from "../../src/observe/log-access.ts";
import { METRICS, type MetricRow } from "../../src/observe/metric-table.ts";
import { renderParts, renderTable } from "./parts.ts";

const code = (text: string): string => `\`${text}\``;

function metricsTable(): string {
  const rows = (Object.values(METRICS) as readonly MetricRow[]).map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map(code).join(" "),
    help,
  ]);
  return renderTable(["metric", "type", "labels", "meaning"], rows);
}

function bucketsTable(): string {
  const rows = (Object.values(METRICS) as readonly MetricRow[]).flatMap(({ name, buckets }) =>
    buckets === undefined ? [] : [[code(name), buckets.join(", ")]],
  );
  return renderTable(["histogram", "upper bounds"], rows);
}

function accessTable(): string {
  return renderTable(
    ["field", "meaning"],
    Object.entries(ACCESS_FIELDS).map(([name, { doc }]) => [code(name), doc]),
  );
}

function ledgerTable(): string {
  return renderTable(
    ["field", "meaning"],
    Object.entries(LEDGER_FIELDS).map(([name, doc]) => [code(name), doc]),
  );
}

export function renderObservabilityPage(): string {
  return renderParts("docs/observability.md", {
    metrics: metricsTable,
    buckets: bucketsTable,
    access: accessTable,
    ledger: ledgerTable,
  });
}
