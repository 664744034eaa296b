/** Files as the loaders read them. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFiles } from "../../src/config/files.ts";

const folder = mkdtempSync(join(tmpdir(), "arouter-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("gives text and permissions, whatever the size", () => {
  const text = "é".repeat(100_000);
  writeFileSync(join(folder, "a"), text, { mode: 0o640 });
  expect(systemFiles.read(join(folder, "a"))).toEqual({ ok: true, text, mode: 0o640 });
  writeFileSync(join(folder, "empty"), "", { mode: 0o600 });
  expect(systemFiles.read(join(folder, "empty"))).toEqual({ ok: true, text: "", mode: 0o600 });
});

test("says why there is none", () => {
  expect(systemFiles.read(join(folder, "none"))).toEqual({ ok: false, missing: true, reason: "no such file" });
  expect(systemFiles.read(join(folder, "a/b"))).toEqual({ ok: false, missing: true, reason: "no such file" });
  expect(systemFiles.read(folder)).toEqual({ ok: false, missing: false, reason: "is a folder" });
});

test.skipIf(!existsSync("/dev/zero"))("does not read on where there is no end", () => {
  expect(systemFiles.read("/dev/zero")).toEqual({ ok: false, missing: false, reason: "is larger than 67108864 bytes" });
});
