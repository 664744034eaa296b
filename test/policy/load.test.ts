/** A policy from a file or a folder. */
import { describe, expect, test } from "bun:test";
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import { sha256Hex } from "../../src/base/ids.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import type { PolicyFiles } from "../../src/policy/load.ts";

/** Files by absolute path. */
function filesOf(texts: Readonly<Record<string, string>>): PolicyFiles {
  return {
    read: (path) =>
      texts[path] === undefined ? { ok: false, reason: "no such file" } : { ok: true, text: texts[path] },
    list: (path) => {
      const names = Object.keys(texts)
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => file.slice(path.length + 1));
      return names.length === 0 ? null : names.map((name) => name.split("/")[0] ?? "");
    },
  };
}

function load(path: string, texts: Readonly<Record<string, string>>) {
  return loadPolicy(path, filesOf(texts), (each) => each.replace("/etc/", ""));
}

function mistakes(path: string, texts: Readonly<Record<string, string>>): readonly string[] {
  const result = load(path, texts);
  return result.ok ? [] : result.diagnostics.map(renderDiagnostic);
}

const one = (name: string): string => `rules: [{ name: ${name}, then: { model: m } }]\n`;

describe("loading a policy", () => {
  test("reads a folder flat, sorted by name, and only its YAML", () => {
    const others = {
      "/etc/p/README.md": "x",
      "/etc/p/sub/c.yaml": one("c"),
      "/etc/p/.#a.yaml": "x",
      "/etc/p/a.yaml~": "x",
      "/etc/p/a.yml": "x",
    };
    const texts = { "/etc/p/b.yaml": one("b"), "/etc/p/a.yaml": one("a"), ...others };
    const result = load("/etc/p", texts);
    expect(result.ok && result.policy.rules.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(result.ok && result.policy.hashFull).toBe(sha256Hex(one("a") + one("b")));
    expect(result.ok && result.policy.files).toEqual(["p/a.yaml", "p/b.yaml"]);
  });

  test("says what cannot be read", () => {
    expect(mistakes("/etc/p.yaml", {})).toEqual(["p.yaml:1:1: error: cannot be read: no such file"]);
    expect(mistakes("/etc/p", { "/etc/p/a.txt": "" })).toEqual(["p:1:1: error: the folder holds no *.yaml file"]);
    expect(mistakes("/etc/p.yaml", { "/etc/p.yaml": "rules: []\n# \uFFFD" })).toEqual([
      "p.yaml:1:1: error: is not valid UTF-8",
    ]);
  });

  const withTest = (file: string): string =>
    `rules: []\ntests:\n  - name: t\n    ${file}\n    expect: { rule: none }\n`;

  test("reads the requests of tests from their own files, beside the policy", () => {
    for (const written of ["file: requests/a.json", "request: { file: requests/a.json }"]) {
      const result = load("/etc/p.yaml", { "/etc/p.yaml": withTest(written), "/etc/requests/a.json": '{"model":"m"}' });
      expect(result.ok && result.policy.tests[0]?.request).toEqual({ model: "m" });
    }
  });

  test("says which request is missing or none", () => {
    const text = withTest("file: a.json");
    expect(mistakes("/etc/p.yaml", { "/etc/p.yaml": text })).toEqual([
      'p.yaml:3:11: error: test "t": a.json cannot be read: no such file',
    ]);
    expect(mistakes("/etc/p.yaml", { "/etc/p.yaml": text, "/etc/a.json": "[]" })).toEqual([
      'p.yaml:3:11: error: test "t": a.json is not a JSON object',
    ]);
    expect(mistakes("/etc/p.yaml", { "/etc/p.yaml": text, "/etc/a.json": "{" })).toEqual([
      'p.yaml:3:11: error: test "t": a.json is not a JSON object',
    ]);
  });
});
