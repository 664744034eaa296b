import { describe, expect, test } from "bun:test";
import { Compile } from "typebox/schema";
import type { Json } from "../../src/base/json.ts";
import { sampleFor } from "../../src/simulator/sample.ts";

const schemas: readonly (readonly [string, Json])[] = [
  [
    "plain object",
    { type: "object", properties: { a: { type: "string" }, b: { type: "integer", minimum: 3 } }, required: ["a", "b"] },
  ],
  [
    "enum and const",
    { type: "object", properties: { a: { enum: ["x", "y"] }, b: { const: 7 } }, required: ["a", "b"] },
  ],
  ["nullable", { type: ["string", "null"] }],
  ["array with a least length", { type: "array", items: { type: "number" }, minItems: 3 }],
  ["tuple", { type: "array", prefixItems: [{ type: "string" }, { type: "boolean" }], items: false }],
  [
    "recursive list",
    {
      $ref: "#/$defs/n",
      $defs: {
        n: {
          type: "object",
          properties: { next: { anyOf: [{ $ref: "#/$defs/n" }, { type: "null" }] } },
          required: ["next"],
          additionalProperties: false,
        },
      },
    },
  ],
  [
    "allOf",
    {
      allOf: [
        { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        { properties: { b: { type: "boolean" } }, required: ["b"] },
      ],
    },
  ],
  [
    "bounds",
    {
      type: "object",
      properties: {
        s: { type: "string", minLength: 20, maxLength: 22 },
        n: { type: "number", exclusiveMinimum: 2, maximum: 9, multipleOf: 3 },
      },
      required: ["s", "n"],
    },
  ],
  [
    "formats",
    {
      type: "object",
      properties: {
        a: { type: "string", format: "email" },
        b: { type: "string", format: "date-time" },
        c: { type: "string", format: "uuid" },
      },
      required: ["a", "b", "c"],
    },
  ],
];

describe("sampleFor", () => {
  for (const [name, schema] of schemas) {
    test(`gives a document valid for: ${name}`, () => {
      const sample = sampleFor(schema, "simulated");
      expect(Compile(schema as object).Check(sample)).toBe(true);
    });
  }

  test("gives the same document every time", () => {
    expect(sampleFor(schemas[0]?.[1], "x")).toEqual({ a: "x", b: 3 });
  });
});
