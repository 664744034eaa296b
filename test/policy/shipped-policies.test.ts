/** The policies that ship load without a warning, live for a year, and their own tests notice every change to a condition. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { isArray, isObject } from "../../src/base/json.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { systemPolicyFiles } from "../../src/cli/policy-files.ts";
import { lintPolicy } from "../../src/policy/lint.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { runTests } from "../../src/policy/run-tests.ts";
import { NOON_MS } from "./support.ts";

const root = resolve(import.meta.dir, "../..");
const examples = join(root, "policies/examples");
const paths = [
  join(root, "policies/default.yaml"),
  ...readdirSync(examples)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => join(examples, name)),
];
const providerOf = (model: string) => (model.startsWith("claude") ? ("anthropic" as const) : ("openai" as const));

/** Loads `path`, with `text` in place of what the file holds. */
function load(path: string, text?: string): Policy {
  const files =
    text === undefined
      ? systemPolicyFiles
      : {
          ...systemPolicyFiles,
          read: (each: string) => (each === path ? { ok: true as const, text } : systemPolicyFiles.read(each)),
        };
  const result = loadPolicy(path, files, (each) => relative(root, each));
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 1));
  return result.policy;
}

function failures(policy: Policy): readonly string[] {
  return runTests(policy, { providerOf, wallMs: NOON_MS }).flatMap(({ test: { name }, failures: texts }) =>
    texts.map((text) => `${name}: ${text}`),
  );
}

interface Mutant {
  readonly what: string;
  readonly data: Json;
}

/** `data` with the value at `path` replaced; undefined: removed. */
function edit(data: Json, path: readonly (string | number)[], value: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  if (isArray(data)) {
    return data.flatMap((item, index) =>
      index !== key ? [item] : rest.length === 0 && value === undefined ? [] : [edit(item, rest, value)],
    );
  }
  const entries = Object.entries(data as JsonObject);
  return Object.fromEntries(
    entries.flatMap(([name, item]) =>
      name !== key ? [[name, item]] : rest.length === 0 && value === undefined ? [] : [[name, edit(item, rest, value)]],
    ),
  );
}

/** Everything that a slip could do to the conditions of a block at `path`. */
function blockMutants(
  block: JsonObject,
  path: readonly (string | number)[],
): readonly { readonly path: readonly (string | number)[]; readonly value: Json | undefined }[] {
  return Object.entries(block).flatMap(([name, value]) => {
    const here = [...path, name];
    const without = { path: here, value: undefined };
    if (name === "not" && isObject(value))
      return [without, ...blockMutants(value, here).filter((each) => each.value !== undefined)];
    if ((name === "any_of" || name === "all_of") && isArray(value)) {
      return [
        without,
        ...value.flatMap((each, index) => [
          { path: [...here, index], value: undefined },
          ...blockMutants(each as JsonObject, [...here, index]),
        ]),
      ];
    }
    if (typeof value === "boolean") return [without, { path: here, value: !value }];
    if (name === "time" && isObject(value))
      return [
        without,
        ...Object.keys(value)
          .filter((key) => key !== "tz")
          .map((key) => ({ path: [...here, key], value: undefined })),
      ];
    if (name === "percent" && isObject(value))
      return [
        without,
        ...[0.5, 2].map((factor) => ({ path: [...here, "value"], value: Number(value["value"]) * factor })),
      ];
    if (typeof value === "number")
      return [
        without,
        ...[0.5, 2].map((factor) => ({
          path: here,
          value: factor < 1 && value < 2 ? value - 1 : Math.ceil(value * factor),
        })),
      ];
    if (isArray(value)) return [without, ...value.map((_, index) => ({ path: [...here, index], value: undefined }))];
    if (isObject(value))
      return [
        without,
        ...Object.keys(value).map((key) => ({ path: [...here, key], value: "some-other-value" as Json })),
      ];
    return [without];
  });
}

function mutantsOf(text: string): readonly Mutant[] {
  const data = parse(text) as JsonObject;
  const rules = data["rules"] as readonly JsonObject[];
  return rules.flatMap((rule, index) => {
    const name = String(rule["name"]);
    const conditions = isObject(rule["when"]) ? blockMutants(rule["when"], ["rules", index, "when"]) : [];
    return [
      { what: `without ${name}`, data: edit(data, ["rules", index], undefined) },
      ...conditions.map(({ path, value }) => ({
        what: `${name}: ${path.slice(3).join(".")} ${value === undefined ? "removed" : `= ${JSON.stringify(value)}`}`,
        data: edit(data, path, value),
      })),
    ];
  });
}

for (const path of paths) {
  describe(relative(root, path), () => {
    const text = readFileSync(path, "utf8");

    test("passes its own tests", () => {
      expect(failures(load(path))).toEqual([]);
    });

    test("gives no warning, and would not a year on", () => {
      const yearMs = 365 * 86_400_000;
      for (const wallMs of [NOON_MS, NOON_MS + yearMs]) {
        expect(
          lintPolicy(load(path), { catalog: builtInCatalog, providerOf, wallMs }).map((each) => each.text),
        ).toEqual([]);
      }
    });

    test("notices every change to a single condition", () => {
      const mutants = mutantsOf(text);
      expect(mutants.length).toBeGreaterThan(5);
      const survivors = mutants.filter(
        ({ data }) => failures(load(path, stringify(data, { lineWidth: 0 }))).length === 0,
      );
      expect(survivors.map(({ what }) => what)).toEqual([]);
    });

    test("names the JSON Schema that editors check it by", () => {
      const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
      expect(resolve(path, "..", schema)).toBe(join(root, "schemas/policies.schema.json"));
    });
  });
}

describe("policies/examples", () => {
  test("is one policy too, whose tests pass together", () => {
    const policy = load(examples);
    expect(policy.files.map((file) => basename(file))).toEqual([
      "coding-agents.yaml",
      "cost-tiers.yaml",
      "extraction.yaml",
    ]);
    expect(failures(policy)).toEqual([]);
  });
});
