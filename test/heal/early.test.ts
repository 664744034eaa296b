import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../src/base/json.ts";
import { createEarlyCheck } from "../../src/heal/early.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { readDocument } from "../../src/heal/schema/document.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";
import { documentOf, schemaArbitrary } from "./schemas.ts";

function rejectedAt(schema: Json | null, text: string): number | null {
  return createEarlyCheck(schema === null ? null : readDocument(schema)).push(text)?.at ?? null;
}

const AGE = {
  type: "object",
  properties: { age: { type: "integer" } },
  required: ["age"],
  additionalProperties: false,
};

describe("early check", () => {
  test.each<[string, Json, string, number | null]>([
    ["an integer's string, at the opening quote, its 8th byte", AGE, '{"age":"36"}', 7],
    ["an integer", AGE, '{"age":36}', null],
    ["a whole number spelled with a fraction", AGE, '{"age":36.0}', null],
    ["a fraction, at the character after it", AGE, '{"age":36.5}', 11],
    ["a missing key, at the closing brace", AGE, "{}", 1],
    ["a key that is not allowed, at the first letter that differs", AGE, '{"name":1}', 2],
    ["a key cut short", AGE, '{"ag":1}', 4],
    ["a key spelled with an escape", AGE, '{"\\u0061ge":1}', null],
    ["prose before the JSON", AGE, "Here is", 0],
    ["a Markdown fence", AGE, "```json", 0],
    ["text after the JSON", AGE, '{"age":3} ok', 10],
    ["white space around", AGE, ' \n{ "age" : 3 } \n', null],
    ["an enum member", { enum: ["red", "rose", 3] }, '"rose"', null],
    ["a string that leaves the enum", { enum: ["red", "rose", 3] }, '"rise"', 2],
    ["a string that ends before the enum's does", { enum: ["red", "rose", 3] }, '"ro"', 3],
    ["a number of the enum", { enum: ["red", 3] }, "[3]", 0],
    ["true where only false is allowed", { const: false }, "true", 0],
    ["one kind of a union", { anyOf: [{ type: "string" }, { type: "array" }] }, "{", 0],
    ["a union told apart by a key's value", UNION(), '{"kind":"a","v":"x"}', 16],
    ["the other of the union", UNION(), '{"kind":"b","v":"x"}', null],
    ["an item too many, at its comma", { type: "array", maxItems: 1 }, "[1,2]", 2],
    ["too few items", { type: "array", minItems: 2 }, "[1]", 2],
    ["an item by place", { prefixItems: [{ type: "string" }], items: false }, '["a",1]', 4],
    ["a string too long", { maxLength: 2 }, '"abc"', 3],
    ["two characters of four units", { maxLength: 2 }, '"😀😀"', null],
    ["a string too short", { minLength: 3 }, '"ab"', 3],
    ["a negative number", { minimum: 1 }, "-1", 0],
    ["minus zero, which is not below zero", { items: { minimum: 0 } }, "[-0]", null],
    ["a negative number below zero", { type: "number", exclusiveMinimum: 0 }, "-", 0],
    ["a fraction where numbers are allowed beside integers", { type: ["integer", "number"] }, "1.5 ", null],
    ["a number too large", { maximum: 9 }, "[10]", null],
    ["a reference", { $ref: "#/$defs/a", $defs: { a: { type: "null" } } }, "1", 0],
    ["a schema that refers to itself", { $ref: "#" }, '{"a":[1]}', null],
    ["draft-07, where a reference stands alone", DRAFT7(), "1", null],
  ])("judges %s", (_name, schema, text, expected) => {
    expect(rejectedAt(schema, text)).toBe(expected);
  });

  test("tells the place by the schema's own keys and none of the answer's", () => {
    const schema = { properties: { a: { items: { type: "string" } } }, additionalProperties: { type: "string" } };
    const reasonOf = (text: string) => createEarlyCheck(readDocument(schema)).push(text)?.reason ?? "";
    expect(reasonOf('{"a":["x",1]}')).toBe("the text cannot fit the schema: $.a[1] must not be a number");
    expect(reasonOf('{"secret":1}')).toBe("the text cannot fit the schema: $.* must not be a number");
  });

  test("never rejects a prefix of a valid document, however it is cut", () => {
    let prefixes = 0;
    fc.assert(
      fc.property(schemaArbitrary(), fc.infiniteStream(fc.nat()), (schema, choices) => {
        const value = documentOf(schema, () => choices.next().value ?? 0);
        if (value === undefined) return;
        const text = JSON.stringify(value.json, null, value.indent);
        const store = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock());
        const opened = store.open(schema);
        if (!opened.ok || opened.validate(value.json).result !== "valid") return;
        const whole = createEarlyCheck(opened.document);
        expect(whole.push(text)).toBeNull();
        const piecewise = createEarlyCheck(opened.document);
        for (const char of text.split("")) expect(piecewise.push(char)).toBeNull();
        prefixes += text.length;
      }),
      { numRuns: 1_500 },
    );
    console.info(`early check: 0 of ${prefixes} prefixes of valid documents rejected`);
    expect(prefixes).toBeGreaterThan(3_000);
  });

  test("agrees with itself however the text is cut", () => {
    fc.assert(
      fc.property(schemaArbitrary(), fc.json({ maxDepth: 3 }), fc.nat(40), (schema, text, cut) => {
        const document = readDocument(schema);
        const expected = createEarlyCheck(document).push(text);
        const cutCheck = createEarlyCheck(document);
        const first = cutCheck.push(text.slice(0, cut));
        expect(first ?? cutCheck.push(text.slice(cut))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("rejects only what the validator rejects, and most of it; prints how early", () => {
    let invalid = 0;
    const shares: number[] = [];
    fc.assert(
      fc.property(schemaArbitrary(), schemaArbitrary(), fc.infiniteStream(fc.nat()), (schema, other, choices) => {
        const value = documentOf(other, () => choices.next().value ?? 0);
        if (value === undefined) return;
        const text = JSON.stringify(value.json);
        const opened = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock()).open(schema);
        if (!opened.ok) return;
        const { result } = opened.validate(value.json);
        const rejection = createEarlyCheck(opened.document).push(text);
        if (result === "valid") expect(rejection).toBeNull();
        if (result !== "invalid") return;
        invalid++;
        if (rejection !== null) shares.push((rejection.at + 1) / text.length);
      }),
      { numRuns: 3_000, seed: 7 },
    );
    shares.sort((a, b) => a - b);
    const median = shares[shares.length >> 1] ?? 1;
    console.info(
      `early check: ${shares.length} of ${invalid} invalid answers rejected early, the median after ${(100 * median).toFixed(0)} % of its bytes`,
    );
    expect(shares.length / invalid).toBeGreaterThan(0.8);
    expect(median).toBeLessThan(0.5);
  });

  test.skipIf(sharedDir === null)(
    `takes every valid text of JSONTestSuite and rejects or leaves unfinished every invalid one${sharedDir === null ? ` (${sharedMissing})` : ""}`,
    () => {
      const folder = join(sharedDir ?? "", "data/json-test-suite/test_parsing");
      const passes: string[] = [];
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(join(folder, name));
        const text = bytes.toString("utf8");
        // Only what is UTF-8 can reach us: the rest is refused where bytes become text.
        if (!Buffer.from(text, "utf8").equals(bytes)) continue;
        // A space ends a number at the root.
        const rejection = createEarlyCheck(null).push(`${text} `);
        if (name.startsWith("y_")) expect({ name, rejection }).toEqual({ name, rejection: null });
        if (name.startsWith("n_") && rejection === null) passes.push(text);
      }
      // What was not rejected was cut short: some ending makes it JSON, except that a text may be hostile in depth.
      const ENDINGS = [
        "",
        '"',
        "}",
        "]",
        "1",
        "1]",
        '"]',
        ":1}",
        '":1}',
        "1}",
        '":1}]',
        "ue",
        "rue",
        "lse]",
        "ue]",
        "e",
        '\\"',
        'aaa"',
        '"}',
        '"a":1}',
        "[]]",
        'x"]',
        '\\u0000"]',
      ];
      const unfinishable = passes.filter(
        (text) => text.length < 1_000 && !ENDINGS.some((ending) => isJson(text + ending)),
      );
      expect(unfinishable.filter((text) => !canBeClosed(text))).toEqual([]);
    },
  );

  test("is linear over a long text and gives up over a hostile schema instead of blocking", () => {
    const long = `{"text":"${"a".repeat(5_000_000)}"}`;
    const startMs = performance.now();
    expect(rejectedAt({ properties: { text: { type: "string" } } }, long)).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(1_000);

    let doubling: Json = { type: "string" };
    for (let level = 0; level < 20; level++) doubling = { anyOf: [doubling, { items: doubling }] };
    const hostileMs = performance.now();
    rejectedAt(doubling, `[[[[[[[[[[1,2,3]]]]]]]]]]`);
    expect(performance.now() - hostileMs).toBeLessThan(500);
  });

  test("narrows an enum of 100 000 strings without walking it for each character", () => {
    const words = Array.from({ length: 100_000 }, (_, index) => `word-${index}`);
    const check = createEarlyCheck(readDocument({ enum: words }));
    expect(check.push('"word-99999"')).toBeNull();
    expect(rejectedAt({ enum: words }, '"word-x"')).toBe(6);
  });
});

function UNION(): Json {
  const branch = (kind: string, v: Json): Json => ({ type: "object", properties: { kind: { const: kind }, v } });
  return { anyOf: [branch("a", { type: "integer" }), branch("b", { type: "string" })] };
}

function DRAFT7(): Json {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $ref: "#/definitions/any",
    type: "string",
    definitions: { any: true },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether closing what is open, one bracket at a time and with a value where one is missing, makes it JSON. */
function canBeClosed(text: string): boolean {
  for (const middle of [
    "",
    "1",
    '"',
    '":1',
    ":1",
    '"a":1',
    "0",
    "e1",
    "ull",
    "rue",
    "alse",
    '0"',
    '00"',
    '000"',
    '0000"',
    'n"',
    ".",
  ]) {
    const open: string[] = [];
    let inString = false;
    const joined = text + middle;
    for (let at = 0; at < joined.length; at++) {
      const char = joined[at];
      if (inString) {
        if (char === "\\") at++;
        else if (char === '"') inString = false;
      } else if (char === '"') inString = true;
      else if (char === "{") open.push("}");
      else if (char === "[") open.push("]");
      else if (char === "}" || char === "]") open.pop();
    }
    if (isJson(joined + open.reverse().join(""))) return true;
  }
  return false;
}
