import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLedgerTail } from "../../src/observe/ledger-tail.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tail-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("reads the last lines, oldest first, and leaves out what a crash tore", async () => {
  const path = join(folder, "ledger.jsonl");
  writeFileSync(path, '{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n{"id":');
  expect(await readLedgerTail(path, 2)).toEqual([{ id: "b" }, { id: "c" }]);
});

test("finds nothing where there is no file", async () => {
  expect(await readLedgerTail(join(folder, "ledger.jsonl"), 2)).toEqual([]);
});

test("does not wait for what a pipe may bring", async () => {
  const path = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", path]);
  expect(await readLedgerTail(path, 2)).toEqual([]);
}, 2000);
