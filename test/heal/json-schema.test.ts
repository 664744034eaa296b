import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS, type SchemaVerdict } from "../../src/heal/json-schema.ts";
import { openAiChat } from "../../src/wire/openai-chat/index.ts";
import { createFakeClock } from "../support/fake-clock.ts";

function judge(schema: Json, value: Json, limits = DEFAULT_SCHEMA_LIMITS): SchemaVerdict {
  const opened = createSchemaStore(limits, createFakeClock()).open(schema);
  return opened.ok ? opened.validate(value) : { result: "not-validated", reason: opened.reason };
}

/** Runs `work` on the real clock and gives its milliseconds. */
function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

describe("json schema", () => {
  test.each<[string, Json, Json, string]>([
    ["a type", { properties: { age: { type: "integer" } } }, { age: "36" }, "$.age must be integer"],
    ["a missing key", { required: ["toString"] }, {}, '$ lacks the required property "toString"'],
    [
      "an extra key, not naming it",
      { additionalProperties: false },
      { secret: 1 },
      "$ has a property that is not allowed",
    ],
    ["an item by place", { items: { items: { minimum: 3 } } }, [[3], [4, 2]], "$[1][1] must be at least 3"],
    ["a key that is no plain name", { properties: { "a b": { const: 1 } } }, { "a b": 2 }, '$["a b"] must be 1'],
    [
      "a union as a whole",
      { properties: { a: { anyOf: [{ type: "null" }, { type: "string" }] } } },
      { a: 1 },
      "$.a matches none of the kinds allowed",
    ],
    [
      "an enum, shortened",
      { enum: ["a", "b", 1, 2, 3, 4, 5, 6, 7, 8] },
      "x",
      '$ must be one of "a", "b", 1, 2, 3, 4, 5, 6, …',
    ],
  ])("says of %s where and what is wrong", (_name, schema, value, reason) => {
    expect(judge(schema, value)).toMatchObject({ result: "invalid", reason });
  });

  test("reads __proto__ as a key like any other", () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"additionalProperties":false}',
    ) as Json;
    expect(judge(schema, JSON.parse('{"__proto__":"x"}') as Json).result).toBe("valid");
    expect(judge(schema, JSON.parse('{"__proto__":1}') as Json).result).toBe("invalid");
    expect(judge(schema, {}).result).toBe("invalid");
  });

  test("counts decimals exactly and characters by code point", () => {
    expect(judge({ multipleOf: 0.01 }, 4.35).result).toBe("valid");
    expect(judge({ multipleOf: 0.01 }, 4.355).result).toBe("invalid");
    expect(judge({ maxLength: 2 }, "😀😀").result).toBe("valid");
  });

  test.each<[string, Json, Json]>([
    ["a remote reference", { $ref: "https://example.com/schema.json" }, 1],
    ["a reference to nowhere", { $ref: "#/$defs/none" }, 1],
    ["a schema that is nothing but itself", { $ref: "#" }, 1],
    [
      "two that are each other",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
      1,
    ],
    ["a dialect of somebody's own", { $schema: "https://example.com/dialect", type: "string" }, 1],
    ["a look-ahead whose outcome would turn the verdict", { not: { pattern: "(?=a)" } }, "b"],
  ])("does not validate %s", (_name, schema, value) => {
    expect(judge(schema, value).result).toBe("not-validated");
  });

  test("takes what a pattern cannot express for satisfied, and counts it", () => {
    expect(judge({ pattern: "^(?!x)" }, "x")).toEqual({ result: "valid", skippedPatterns: 1 });
    expect(judge({ pattern: "(a)\\1" }, "b")).toEqual({ result: "valid", skippedPatterns: 1 });
    expect(judge({ pattern: "a".repeat(513) }, "b")).toEqual({ result: "valid", skippedPatterns: 1 });
    expect(
      judge({ patternProperties: { "(?=s)": { type: "null" } }, additionalProperties: false }, { s: 1 }).result,
    ).toBe("valid");
  });

  test("a pattern it cannot check leaves other failures certain, except where it may turn them", () => {
    const value = { a: "x", b: "no integer" };
    const b: Json = { type: "integer" };
    expect(judge({ properties: { a: { anyOf: [{ pattern: "(?=y)" }] }, b } }, value).result).toBe("invalid");
    expect(judge({ properties: { a: { oneOf: [{ pattern: "(?=y)" }, { const: "x" }] } } }, value).result).toBe(
      "not-validated",
    );
  });

  test("refuses a schema that is too large or too deep before it looks inside", () => {
    expect(judge({ enum: ["x".repeat(262_144)] }, 1)).toMatchObject({ result: "not-validated" });
    let deep: Json = true;
    for (let level = 0; level < 70; level++) deep = { not: deep };
    expect(judge(deep, 1)).toMatchObject({ result: "not-validated" });
  });

  test("ends a doubling anyOf within its budget", () => {
    // Two references to one definition double the work without doubling the text.
    const doubling: Json = { $ref: "#/$defs/l24", $defs: doublingDefinitions(24) };
    const ms = timed(() => {
      expect(judgeWithSystemClock(doubling, 1).result).toBe("not-validated");
    });
    expect(ms).toBeLessThan(400);
  });

  test("ends oneOf, unevaluated properties and dynamic references within their budget", () => {
    const oneOf: Json = { $ref: "#/$defs/l24", $defs: doublingDefinitions(24, "oneOf"), unevaluatedProperties: false };
    const dynamic: Json = { $dynamicAnchor: "n", anyOf: [{ $dynamicRef: "#n" }, { $dynamicRef: "#n" }] };
    for (const schema of [oneOf, dynamic]) {
      const ms = timed(() => {
        expect(judgeWithSystemClock(schema, { a: 1 }).result).toBe("not-validated");
      });
      expect(ms).toBeLessThan(400);
    }
  });

  test("looks values up in a huge enum instead of comparing them one by one", () => {
    const schema: Json = { items: { enum: Array.from({ length: 20_000 }, (_, index) => `v${index}`) } };
    const value = Array.from({ length: 20_000 }, (_, index) => `v${index}`);
    const ms = timed(() => {
      expect(judge(schema, value).result).toBe("valid");
    });
    expect(ms).toBeLessThan(400);
  });

  test("checks a hostile pattern in linear time", () => {
    const ms = timed(() => {
      expect(judgeWithSystemClock({ pattern: "^(a+)+$" }, `${"a".repeat(5_000)}!`).result).toBe("invalid");
    });
    expect(ms).toBeLessThan(200);
  });

  test("does not run a large pattern over a large text", () => {
    const ms = timed(() => {
      expect(judgeWithSystemClock({ pattern: "(a|b)*a(a|b){900}" }, "ab".repeat(500_000)).result).toBe("not-validated");
    });
    expect(ms).toBeLessThan(200);
  });

  test("does not compile a schema of many patterns in one go", () => {
    const patternProperties = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`^[a-z]{1,${1 + (index % 50)}}${index}(x|y)+$`, true]),
    );
    const ms = timed(() => {
      expect(judgeWithSystemClock({ patternProperties }, { a: 1 }).result).toBe("not-validated");
    });
    expect(ms).toBeLessThan(400);
  });

  test("judges a deep value or says that it cannot", () => {
    let value: Json = 1;
    for (let level = 0; level < 5_000; level++) value = [value];
    expect(judge({ items: { $ref: "#" } }, value).result).toBe("not-validated");
  });

  test("spends no more than the milliseconds it was given", () => {
    const clock = createFakeClock();
    const ticking = { ...clock, nowMs: () => clock.nowMs() + performance.now() * 1_000 };
    const opened = createSchemaStore(DEFAULT_SCHEMA_LIMITS, ticking).open({ items: { type: "integer" } });
    const verdict = opened.ok ? opened.validate(Array.from({ length: 150_000 }, () => 1)) : null;
    expect(verdict).toEqual({ result: "not-validated", reason: "more than 50 ms of work" });
  });

  test("keeps schemas by their text, and bounds what it keeps", () => {
    const store = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock());
    const first = store.open({ type: "string" });
    expect(store.open({ type: "string" })).toBe(first);
    for (let index = 0; index < 300; index++) store.open({ const: index, title: "x".repeat(50_000) });
    expect(store.keptChars()).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(store.open({ type: "string" })).not.toBe(first);
  });

  test("keeps nothing of the requests that brought them", async () => {
    const store = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock());
    const open = (index: number): WeakRef<ArrayBufferLike> => {
      // A text of the schema that is long enough to stay in the body's bytes.
      const description = `schema ${index} ${"d".repeat(2000)}`;
      const schema = { type: "object", properties: { a: { type: "string", description } } };
      const content = "a".repeat(100_000);
      const format = { type: "json_schema", json_schema: { name: "n", schema } };
      const body = { model: "gpt-5.4", messages: [{ role: "user", content }], response_format: format };
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      const { jsonSchema } = openAiChat.facts(openAiChat.parseRequest(bytes, { jsonDepth: 100, jsonNodes: 10_000 }));
      expect(store.open(jsonSchema).ok).toBe(true);
      return new WeakRef(bytes.buffer);
    };
    const bodies = Array.from({ length: 20 }, (_, index) => open(index));
    await Bun.sleep(1);
    Bun.gc(true);
    // One or two may still be seen by a stack that the collector reads conservatively.
    expect(bodies.filter((body) => body.deref() !== undefined).length).toBeLessThanOrEqual(3);
  });
});

function judgeWithSystemClock(schema: Json, value: Json): SchemaVerdict {
  const opened = createSchemaStore(DEFAULT_SCHEMA_LIMITS, systemClock).open(schema);
  return opened.ok ? opened.validate(value) : { result: "not-validated", reason: opened.reason };
}

function doublingDefinitions(levels: number, keyword = "anyOf"): Json {
  const definitions: Record<string, Json> = { l0: { type: "string" } };
  for (let level = 1; level <= levels; level++) {
    const below: Json = { $ref: `#/$defs/l${level - 1}` };
    definitions[`l${level}`] = { [keyword]: [below, below] };
  }
  return definitions;
}
