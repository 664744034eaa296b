import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultConfig } from "../../src/config/assemble.ts";
import { configName } from "../../src/config/config.ts";
import { OVERRIDE_HEADERS, SCHEMA } from "../../src/config/schema.ts";
import type { Fields } from "../../src/config/section.ts";
import { OVERRIDE_HEADERS as READ_HEADERS } from "../../src/policy/overrides.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";
import { configOf, load, FILE } from "./support.ts";

/** Dotted names of all keys, without those under a provider that repeat a general table. */
function keyNames(fields: Fields, path: readonly string[] = []): readonly string[] {
  return Object.entries(fields).flatMap(([name, node]) => {
    const at = [...path, name];
    if (node.node === "section") return path.length === 2 ? [] : keyNames(node.keys, at);
    return [at.join(".")];
  });
}

/** The specification's list: names, with their comments. Unset keys stand behind `# `. */
function readList(text: string): ReadonlyMap<string, string> {
  const block = /```toml\n([^]*?)```/.exec(text)?.[1] ?? "";
  const list = new Map<string, string>();
  let section = "";
  let sectionMarks = "";
  for (const line of block.split("\n")) {
    const header = /^\[([^\]]+)\]\s*(?:#\s*(.*))?$/.exec(line);
    if (header !== null) [section, sectionMarks] = [`${header[1]}.`, header[2] ?? ""];
    const key = /^(?:# )?([a-z_]+) = (?:"[^"]*"|\{[^}]*\}|\[[^\]]*\]|[^#\s]+)\s*(?:#\s*(.*))?$/.exec(line);
    if (key !== null) list.set(section + key[1], `${sectionMarks};${key[2] ?? ""}`);
    if (line.startsWith('# [catalog.models."NAME"]')) list.set("catalog.models", "");
  }
  return list;
}

const spec = sharedDir === null ? null : readFileSync(join(sharedDir, "CONFIG.md"), "utf8");

/** Keys that came after the specification. */
const LATER: ReadonlySet<string> = new Set(["upstream.http_client"]);

describe.skipIf(spec === null)(
  `the table of keys and the specification${spec === null ? ` (${sharedMissing})` : ""}`,
  () => {
    const list = readList(spec ?? "");
    const marks = (name: string): string => {
      const [sectionMarks = "", comment = ""] = (list.get(name) ?? "").split(/;(.*)/s);
      // A mark is a word of its own at the beginning: "R; or …", "† P", "P, §4".
      const leading = (text: string): string => /^(?:[R†P](?:[\s,;]+|$))*/.exec(text)?.[0].replace(/[\s,;]/g, "") ?? "";
      return [...new Set(leading(sectionMarks) + leading(comment))].sort().join("");
    };

    test("have the same keys", () => {
      expect([...list.keys()].sort()).toEqual([...keyNames(SCHEMA)].filter((name) => !LATER.has(name)).sort());
      expect(list.size).toBeGreaterThan(110);
    });
    test("have the same defaults", () => {
      const block = /```toml\n([^]*?)```/.exec(spec ?? "")?.[1] ?? "";
      expect(configOf(block, { env: {}, requireKey: false })).toEqual(defaultConfig);
    });
    test("and every line that is not behind # sets something", () => {
      const block = /```toml\n([^]*?)```/.exec(spec ?? "")?.[1] ?? "";
      const given = block.split("\n").filter((line) => /^[a-z_]+ = /.test(line)).length;
      const unset = keyNames(SCHEMA).filter((name) => at(name)?.defaultToml === null).length;
      expect(given + unset + 1).toBe(list.size);
    });
    test("have the same marks", () => {
      const differing = [...list.keys()].flatMap((name) => {
        const node = at(name);
        const own =
          node === null
            ? "R"
            : `${node.perProvider ? "P" : ""}${node.restart ? "R" : ""}${node.overridable ? "†" : ""}`;
        return own === marks(name) ? [] : [`${name}: ${own} here, ${marks(name)} there`];
      });
      expect(differing).toEqual([]);
    });
  },
);

function at(name: string): {
  readonly defaultToml: string | null;
  readonly perProvider: boolean;
  readonly restart: boolean;
  readonly overridable: boolean;
} | null {
  let fields: Fields = SCHEMA;
  for (const part of name.split(".")) {
    const node = fields[part];
    if (node === undefined || node.node === "optional-section") return null;
    if (node.node === "key") return node;
    fields = node.keys;
  }
  return null;
}

describe("every key", () => {
  test("is in the configuration under its camelCase name, durations in ms", () => {
    expect(configName("budget_min_per_second")).toBe("budgetMinPerSecond");
    expect(configName("base", "Ms")).toBe("baseMs");
    expect(defaultConfig.retry).toEqual({
      max: 2,
      baseMs: 200,
      capMs: 5000,
      onTimeout: false,
      throttleBaseMs: 1000,
      throttleCapMs: 8000,
      retryAfterPatienceMs: 5000,
      retryAfterCapMs: 60_000,
      budgetRatio: 0.2,
      budgetMinPerSecond: 3,
      budgetTtlMs: 10_000,
      signalClient: true,
    });
    expect(defaultConfig.limits.bodyBytes).toBe(33_554_432);
    expect(defaultConfig.stream).toEqual({ keepaliveMs: 15_000, commitAfterMs: 45_000 });
  });
  test("spells its default as it reads it", () => {
    const wrong: string[] = [];
    const walk = (fields: Fields, path: readonly string[]): void => {
      for (const [name, node] of Object.entries(fields)) {
        if (node.node !== "key") walk(node.keys, [...path, name]);
        else if (node.defaultToml !== null) {
          const read = node.read(JSON.parse(node.defaultToml));
          if (!("value" in read) || !Bun.deepEquals(read.value, node.default)) wrong.push([...path, name].join("."));
        }
      }
    };
    walk(SCHEMA, []);
    expect(wrong).toEqual([]);
  });
  test("is told of by a sentence", () => {
    const walk = (fields: Fields): readonly string[] =>
      Object.values(fields).flatMap((node) => [node.doc, ...(node.node === "key" ? [] : walk(node.keys))]);
    for (const doc of walk(SCHEMA)) expect(doc).toMatch(/^[A-Z`].*[.)]$/);
  });
});

test("a configuration without file has the defaults and the keys of the environment", () => {
  const result = load({ env: { OPENAI_API_KEY: "sk-12345" } });
  expect(result.ok && { ...result.config, providers: null }).toEqual({ ...defaultConfig, providers: null });
  expect(result.files).toEqual([]);
  expect(load({ files: { [FILE]: "" } }).files).toEqual([{ kind: "config", path: FILE }]);
});

test("router.overrides may name every header that the policy reads, and no other", () => {
  expect([...OVERRIDE_HEADERS].sort()).toEqual(Object.keys(READ_HEADERS).sort() as (typeof OVERRIDE_HEADERS)[number][]);
});
