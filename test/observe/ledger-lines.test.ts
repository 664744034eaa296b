import { expect, test } from "bun:test";
import { renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { createLedgerLines } from "../../src/observe/ledger-lines.ts";
import { createLive } from "../../src/observe/live.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { recordOf } from "./support.ts";

test("a line is rendered once while its record is told of, and anew after that", () => {
  const lines = createLedgerLines();
  const record = recordOf({ status: 200, requestBytes: Buffer.from("{}") });
  const whole = renderLedgerLine(record, { keepBody: true });
  expect(lines.of(record, true).line.toText()).toBe(whole);
  record.status = 500;
  expect(lines.of(record, false).line.toText()).toBe(whole);
  lines.forget();
  const { line, openLength } = lines.of(record, false);
  expect(line.toText()).toBe(renderLedgerLine(record, { keepBody: false }));
  expect(openLength).toBe(line.length - 1);
});

test("the dashboard keeps a shared line without the body in it, and asks for it no more", () => {
  const lines = createLedgerLines();
  const live = createLive({
    lines,
    enabled: () => true,
    models: () => ({ catalog: builtInCatalog, named: new Set() }),
    wallMs: () => 0,
    redact: (text) => text,
  });
  const record = recordOf({ requestBytes: Buffer.from('{"a":"in the body"}') });
  expect(lines.of(record, true).line.toText()).toContain("in the body");
  live.observe({ type: "exchange-finished", record });
  const { detail, ...line } = live.find(record.id) ?? {};
  expect(JSON.stringify(line)).toBe(JSON.stringify(JSON.parse(renderLedgerLine(record, { keepBody: false }))));
  expect(detail).toMatchObject({ route: record.route, attempts: [{ number: 1, upstream_request_id: "req_up" }] });
  expect(lines.of(record, false).line.toText()).not.toContain("in the body");
});
