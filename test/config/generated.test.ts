import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";
import { defaultConfig } from "../../src/config/assemble.ts";
import { renderJsonSchema, renderSample } from "../../src/config/render.ts";
import { generatedFiles } from "../../scripts/docs.ts";
import { configOf } from "./support.ts";

const root = resolve(import.meta.dir, "../..");

describe("generated files are up to date (bun scripts/docs.ts)", () => {
  test.each(Object.entries(generatedFiles()))("%s", (path, text) => {
    expect(readFileSync(join(root, path), "utf8")).toBe(text);
  });
});

describe("the commented sample", () => {
  const sample = renderSample({ schema: "s.json", policyFile: "policies.yaml" });
  test("is the default but for the policy", () => {
    const config = configOf(sample, { env: {}, requireKey: false });
    expect(config).toEqual({
      ...defaultConfig,
      router: { ...defaultConfig.router, policyFile: "/etc/app/policies.yaml" },
    });
    expect(sample.startsWith("#:schema s.json\n")).toBe(true);
  });
  test("still loads when every comment is taken off its keys", () => {
    const live = sample
      .replace(/^# (?=[a-z_]+ = )/gm, "")
      // Two that must not stand together, and what wants a file.
      .replace(/^(api_key_file|tls|keys_file|file) = .*$/gm, "");
    const config = configOf(live, { env: { OPENAI_API_KEY: "sk-openai", ANTHROPIC_API_KEY: "sk-ant" } });
    expect(config.hedge.model).toBe("gpt-5.4-mini");
    expect({ ...config.retry, ...config.breaker }).toEqual({ ...defaultConfig.retry, ...defaultConfig.breaker });
  });
});

describe("the JSON Schema", () => {
  const schema = JSON.parse(JSON.stringify(renderJsonSchema()));
  test("knows the keys of providers too, and refuses others", () => {
    expect(schema.properties.providers.properties.openai.properties.retry.properties.max).toEqual({
      description: "Retries after the first try, for each candidate.",
      type: "integer",
      minimum: 0,
      maximum: 5,
      default: 2,
    });
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.retry.additionalProperties).toBe(false);
  });
  test("has patterns that take every default and every variable", () => {
    const check = (node: {
      readonly pattern?: string;
      readonly default?: unknown;
      readonly properties?: object;
    }): void => {
      if (node.pattern !== undefined) {
        const pattern = new RegExp(node.pattern);
        if (node.default !== undefined) expect(String(node.default)).toMatch(pattern);
        expect("${NAME}").toMatch(pattern);
        expect("5 apples").not.toMatch(pattern);
      }
      for (const inner of Object.values(node.properties ?? {})) check(inner);
    };
    check(schema);
  });
});

test("the sample at the top of the repository parses", () => {
  expect(parse(readFileSync(join(root, "arouter.toml"), "utf8"))).toMatchObject({
    router: { policy_file: "policies/default.yaml" },
  });
});
