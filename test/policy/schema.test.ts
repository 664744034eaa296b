/** The JSON Schema that editors use agrees with the parser. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { Check } from "typebox/schema";
import { parse, stringify } from "yaml";
import { parsePolicy } from "../../src/policy/parse.ts";
import { policySchema } from "../../src/policy/schema.ts";

const root = resolve(import.meta.dir, "../..");
const schema = policySchema();
const valid = (data: unknown): boolean => Check(schema, data);
const loads = (data: unknown): boolean => parsePolicy([{ name: "p", text: stringify(data) }]).ok;

describe("the JSON Schema of policies", () => {
  test("accepts the policies that ship, and the example in the docs", () => {
    const examples = join(root, "policies/examples");
    const paths = [
      join(root, "policies/default.yaml"),
      ...readdirSync(examples)
        .filter((name) => name.endsWith(".yaml"))
        .map((name) => join(examples, name)),
    ];
    for (const path of paths) expect(valid(parse(readFileSync(path, "utf8")))).toBe(true);
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(readFileSync(join(root, "docs/policy.md"), "utf8")) ?? [];
    expect(valid(parse(example))).toBe(true);
    expect(loads(parse(example))).toBe(true);
  });

  const then = (block: unknown) => ({ rules: [{ name: "r", then: block }] });
  const when = (block: unknown) => ({ rules: [{ name: "r", when: block, then: { model: "m" } }] });
  const rows: readonly unknown[] = [
    then({}),
    then({ modle: "m" }),
    then({ model: "gpt-*" }),
    then({ model: { azure: "m" } }),
    then({ model: [{ model: "m", weight: 0 }] }),
    then({ validate: ["jsn"] }),
    then({ validate: "json" }),
    then({ retry: { max: 6 } }),
    then({ timeout: { ttft: 30 } }),
    then({ hedge: "on" }),
    then({ hedge: { model: "m" } }),
    then({ params: { set: { model: "m" } } }),
    then({ block: { status: 500, message: "no" } }),
    then({ tags: { "a-b": "c" } }),
    when({ strem: true }),
    when({ stream: "yes" }),
    when({ tokens_input_lt: -1 }),
    when({ response_format_type: "json_shema" }),
    when({ header: { Authorization: "x" } }),
    when({ percent: 101 }),
    when({ any_of: [] }),
    when({ any_of: [{ strem: true }] }),
    when({ not: { not: { strem: true } } }),
    when({ time: { from: "24:00" } }),
    when({ provider_state: { openai: "ajar" } }),
    { rules: [{ then: { model: "m" } }] },
    { rules: [{ name: "Foo", then: { model: "m" } }] },
    { rules: {} },
    { version: 2, rules: [] },
    { rulez: [] },
    { aliases: { "a b": "m" }, rules: [] },
    { tests: [{ name: "t" }] },
  ];
  for (const data of rows) {
    test(`refuses ${JSON.stringify(data)}, as the parser does`, () => {
      expect(valid(data)).toBe(false);
      expect(loads(data)).toBe(false);
    });
  }

  test("accepts whatever the parser accepts", () => {
    const condition = fc.oneof(
      fc.nat(9).map((value) => ({ tokens_input_lt: value })),
      fc.boolean().map((value) => ({ stream: value })),
      fc.constantFrom<unknown>("a*", ["a", "b"]).map((value) => ({ model: value })),
      fc.constantFrom<unknown>(true, "x", ["x", "y*"]).map((value) => ({ header: { "X-A": value } })),
      fc
        .constantFrom<unknown>(10, { value: 10, by: "user" }, { value: 1, by: "header:x" })
        .map((value) => ({ percent: value })),
      fc.constantFrom<unknown>({ tz: "UTC", to: "24:00" }, { days: ["mon"] }).map((value) => ({ time: value })),
    );
    const block = fc.oneof(
      condition,
      fc.array(condition, { minLength: 1, maxLength: 2 }).map((any_of) => ({ any_of })),
      condition.map((not) => ({ not })),
    );
    const action = fc.constantFrom<unknown>(
      { model: "m" },
      { model: { openai: "m" }, hedge: "off" },
      { model: [{ model: "m", weight: 0.5 }] },
      { fallback_chain: ["a", { model: "b", params: { drop: ["x"] } }], hedge: { after: "p95", model: "c" } },
      { params: { set: { x: null }, cap: { y: 1 } }, tags: { a: 1, b: true } },
      { block: { message: "no" } },
    );
    fc.assert(
      fc.property(block, action, (conditions, what) => {
        const data = { rules: [{ name: "r", when: conditions, then: what }] };
        expect(loads(data)).toBe(true);
        expect(valid(data)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
