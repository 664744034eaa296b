import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtInCatalog, createCatalog } from "../../src/catalog/catalog.ts";
import { runModels } from "../../src/cli/models.ts";
import { createTestIo, type TestIo } from "../support/cli.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], config?: string): Promise<TestIo & { readonly exit: number }> {
  const cwd = mkdtempSync(join(tmpdir(), "arouter-models-"));
  folders.push(cwd);
  if (config !== undefined) writeFileSync(join(cwd, "arouter.toml"), config);
  const io = createTestIo({ cwd });
  return { ...io, exit: await runModels(args, io) };
}

describe("arouter models", () => {
  test("prints a line for each model, without needing a key", async () => {
    const { exit, out } = await run([]);
    const lines = out().trimEnd().split("\n");
    expect(exit).toBe(0);
    expect(lines.length).toBe(builtInCatalog.models.length + 2);
    expect(lines[0]).toMatch(/^MODEL +PROVIDER +SERVED ON/);
    expect(lines.find((line) => line.startsWith("gpt-4.1-mini "))).toMatch(
      /^gpt-4\.1-mini +openai +chat,responses +1047576 +32768 +0\.4 +0\.1 +1\.6 +2027-01-14 +tools vision pdf schema$/,
    );
    expect(lines.at(-1)).toBe("138 models as of 2026-11");
  });
  test("prints as JSON what [catalog] takes back", async () => {
    const { out } = await run(["--json"]);
    const printed = JSON.parse(out());
    expect(printed.as_of).toBe("2026-11");
    const { catalog, mistakes } = createCatalog([printed.models]);
    expect(mistakes).toEqual([]);
    expect(catalog.models).toEqual(builtInCatalog.models);
  });
  test("prints one provider's", async () => {
    const { out } = await run(["--provider", "anthropic", "--json"]);
    const { models } = JSON.parse(out());
    expect(Object.keys(models).every((id) => id.startsWith("claude-"))).toBe(true);
    expect(Object.keys(models).length).toBe(22);
  });
  test("prints the models named, also as an unknown one is treated", async () => {
    const { out } = await run(["gpt-4o", "gpt-99"]);
    expect(
      out()
        .split("\n")
        .map((line) => line.split("  ")[0]),
    ).toEqual(["MODEL", "gpt-4o", "gpt-99 (unknown)", "2 models as of 2026-11", ""]);
  });
  test("prints what the configuration lays over", async () => {
    const { out } = await run(["mine", "--json"], '[catalog.models.mine]\nlike = "gpt-4o"\ncontext_tokens = 7');
    expect(JSON.parse(out()).models.mine).toMatchObject({ context_tokens: 7, provider: "openai", shutdown_on: null });
    expect(JSON.parse(out()).models.mine.usd_per_mtok).toBeUndefined();
  });
  test("tells what is wrong with the configuration", async () => {
    const { exit, errors, out } = await run([], "[catalog.models.mine]\nlike = 'gpt-4p'");
    expect(exit).toBe(2);
    expect(out()).toBe("");
    expect(errors()).toBe(
      'arouter.toml:2:8: error: catalog.models.mine.like: no model "gpt-4p" in the catalog; did you mean "gpt-4"?\n',
    );
  });
  test("refuses a provider that is none", async () => {
    const { exit, errors } = await run(["--provider", "azure"]);
    expect([exit, errors()]).toEqual([2, 'arouter models: --provider must be "openai" or "anthropic"\n']);
  });
});
