/** The tables of docs/observability.md, from the tables of src/observe. The rest of the page is written by hand. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { YAML } from "bun";
import { RESPONSE_HEADERS } from "../../src/gateway/arouter-headers.ts";
import { LEDGER_FIELDS } from "../../src/observe/ledger-line.ts";
import { ACCESS_FIELDS } from "../../src/observe/log-access.ts";
import { LOG_LINE_FIELDS, LOG_LINES } from "../../src/observe/log-lines.ts";
import { METRICS, type MetricRow } from "../../src/observe/metric-table.ts";
import { ATTEMPT_NOTES, SPAN_NOTES, SPANS } from "../../src/observe/render-spans.ts";
import {
  ATTEMPT_ATTRIBUTES,
  REQUEST_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  TAG_PREFIX,
} from "../../src/observe/span-attributes.ts";
import { CONTENT_ATTRIBUTES } from "../../src/observe/span-content.ts";
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
    Object.entries(ACCESS_FIELDS).map(([name, doc]) => [code(name), doc]),
  );
}

function logLinesTable(): string {
  const rows = Object.entries(LOG_LINES).map(([message, { level, fields, doc }]) => [
    code(message),
    level,
    fields.map(code).join(" "),
    doc,
  ]);
  return renderTable(["message", "level", "fields", "meaning"], rows);
}

function logFieldsTable(): string {
  return renderTable(
    ["field", "meaning"],
    Object.entries(LOG_LINE_FIELDS).map(([name, doc]) => [code(name), doc]),
  );
}

function ledgerTable(): string {
  return renderTable(
    ["field", "meaning"],
    Object.entries(LEDGER_FIELDS).map(([name, doc]) => [code(name), doc]),
  );
}

function attributesTable(rows: readonly { readonly name: string; readonly help: string }[]): string {
  return renderTable(
    ["attribute", "meaning"],
    rows.map(({ name, help }) => [code(name), help]),
  );
}

function spansTable(): string {
  const { request, attempt } = SPANS;
  return renderTable(
    ["span", "kind", "one for each"],
    [
      [code(request.nameOf({ method: "POST", route: "/v1/chat/completions" })), "server", request.help],
      [code(attempt.nameOf({ model: "gpt-6-luna" })), "client", attempt.help],
    ],
  );
}

function spanEventsTable(): string {
  const rows = (span: string, notes: Readonly<Record<string, string>>) =>
    Object.entries(notes).map(([name, help]) => [code(name), span, help]);
  return renderTable(["event", "span", "meaning"], [...rows("server", SPAN_NOTES), ...rows("client", ATTEMPT_NOTES)]);
}

function headersTable(): string {
  return renderTable(
    ["header", "meaning"],
    Object.entries(RESPONSE_HEADERS).map(([name, help]) => [code(`x-arouter-${name}`), help]),
  );
}

function contentTable(): string {
  return renderTable(
    ["attribute", "meaning"],
    Object.entries(CONTENT_ATTRIBUTES).map(([name, help]) => [code(name), help]),
  );
}

interface Alert {
  readonly alert: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly description: string };
}

function alertsTable(): string {
  const text = readFileSync(resolve(import.meta.dir, "../../charts/arouter/files/alerts.yaml"), "utf8");
  const { groups } = YAML.parse(text) as { readonly groups: readonly { readonly rules: readonly Alert[] }[] };
  const rows = groups.flatMap(({ rules }) =>
    rules.map((rule) => [code(rule.alert), rule.labels.severity, rule.for ?? "at once", rule.annotations.description]),
  );
  return renderTable(["alert", "severity", "after", "meaning"], rows);
}

export function renderObservabilityPage(): string {
  return renderParts("docs/observability.md", {
    "response headers": headersTable,
    metrics: metricsTable,
    buckets: bucketsTable,
    access: accessTable,
    "log lines": logLinesTable,
    "log fields": logFieldsTable,
    ledger: ledgerTable,
    spans: spansTable,
    resource: () => attributesTable(RESOURCE_ATTRIBUTES),
    "server span": () =>
      attributesTable([
        ...REQUEST_ATTRIBUTES,
        { name: `${TAG_PREFIX}NAME`, help: "a tag of the rule or of the caller; the rule's win" },
      ]),
    "client span": () => attributesTable(ATTEMPT_ATTRIBUTES),
    "span events": spanEventsTable,
    "span content": contentTable,
    alerts: alertsTable,
  });
}
