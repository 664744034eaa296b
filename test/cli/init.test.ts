import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runInit } from "../../src/cli/init.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createTestIo } from "../support/cli.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "arouter-init-"));
  folders.push(folder);
  return folder;
};

describe("arouter init", () => {
  test("writes files that load, with the line by which editors find the schemas beside them", async () => {
    const cwd = makeFolder();
    const io = createTestIo({ cwd });
    expect(await runInit([], io)).toBe(0);
    expect(io.out()).toContain("wrote arouter.toml\nwrote policies.yaml\n");
    const loaded = loadConfig({ env: { OPENAI_API_KEY: "sk-12345" }, cwd });
    expect(loaded.ok && [loaded.config.router.policyFile, loaded.warnings]).toEqual([join(cwd, "policies.yaml"), []]);
    for (const [name, line] of [
      ["arouter.toml", /^#:schema (.*)$/m],
      ["policies.yaml", /^# yaml-language-server: \$schema=(.*)$/m],
    ] as const) {
      const text = readFileSync(join(cwd, name), "utf8");
      const schema = line.exec(text)?.[1] ?? "";
      expect(JSON.parse(readFileSync(join(cwd, schema), "utf8"))).toHaveProperty("type", "object");
      expect(text.match(/\$schema=|#:schema/g)).toHaveLength(1);
    }
    expect(parse(readFileSync(join(cwd, "policies.yaml"), "utf8"))).toHaveProperty("rules");
  });
  test("writes into the folder that is named, making it", async () => {
    const cwd = makeFolder();
    const io = createTestIo({ cwd });
    expect(await runInit(["a/b"], io)).toBe(0);
    expect(readdirSync(join(cwd, "a/b")).sort()).toEqual([".arouter", "arouter.toml", "policies.yaml"]);
    expect(io.out()).toContain("wrote a/b/arouter.toml\n");
  });
  test("writes nothing when one file is there, and overwrites with --force", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "policies.yaml"), "mine");
    const io = createTestIo({ cwd });
    expect(await runInit([], io)).toBe(2);
    expect(io.errors()).toBe("arouter init: policies.yaml already there; nothing written. Overwrite with --force.\n");
    expect(existsSync(join(cwd, "arouter.toml"))).toBe(false);
    expect(readFileSync(join(cwd, "policies.yaml"), "utf8")).toBe("mine");
    expect(await runInit(["--force"], io)).toBe(0);
    expect(readFileSync(join(cwd, "policies.yaml"), "utf8")).not.toBe("mine");
  });
  test("says so when it cannot write", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "file"), "");
    const io = createTestIo({ cwd });
    expect(await runInit(["file/below"], io)).toBe(2);
    expect(io.errors()).toStartWith("arouter init: cannot write: ");
  });
  test("takes one folder", async () => {
    const io = createTestIo();
    expect(await runInit(["a", "b"], io)).toBe(2);
    expect(io.errors()).toContain('unexpected argument "b"');
  });
});
