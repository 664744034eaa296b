/** What a start loads: everything that `serve` imports before it listens, and nothing that few requests need. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";

const src = resolve(import.meta.dir, "../../src");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Files below src, and packages, that are loaded with `entries`: by their imports, but not by `import()` and `require()`. */
function loadedWith(entries: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const waiting = entries.map((entry) => resolve(src, entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(src, file);
    if (loaded.has(name)) continue;
    loaded.add(name);
    if (!file.endsWith(".ts")) continue;
    for (const { path, kind } of transpiler.scanImports(readFileSync(file, "utf8"))) {
      if (kind !== "import-statement") continue;
      if (path.startsWith(".")) waiting.push(resolve(dirname(file), path));
      else loaded.add(path);
    }
  }
  return loaded;
}

const loaded = loadedWith(["main.ts", "cli/serve.ts", "cli/run-gateway.ts"]);

test("follows imports", () => {
  for (const name of ["app/app.ts", "policy/yaml-plain.ts", "catalog/models.json", "elysia", "smol-toml"])
    expect(loaded).toContain(name);
});

test.each([
  ["yaml", "a policy that is not plain YAML"],
  ["policy/yaml-full.ts", "a policy that is not plain YAML"],
  ["re2js", "a schema with a pattern"],
  ["prom-client", "a scrape"],
  ["node:tty", "a terminal"],
  ["cli/run-workers.ts", "several workers"],
])("does not load %s before there is %s", (name) => {
  expect(loaded).not.toContain(name);
});

test("loads no other command, no simulator and nothing of OpenTelemetry but names", () => {
  const others = ["demo", "check", "explain", "test", "replay", "report", "models", "healthcheck", "init"];
  const wrong = [...loaded].filter(
    (name) =>
      name.startsWith("simulator/") ||
      /^@opentelemetry\/(?!api$)/.test(name) ||
      others.some((command) => name === `cli/${command}.ts`),
  );
  expect(wrong).toEqual([]);
});

test("a command that is not serve loads no gateway", () => {
  const gateway = [...loadedWith(["main.ts"])].filter((name) => /^(?:app|gateway|server|upstream|policy)\//.test(name));
  expect(gateway).toEqual([]);
});
