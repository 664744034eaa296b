import { describe, expect, test } from "bun:test";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type { JsonObject } from "../../../src/base/json.ts";
import {
  fitsStrictSubset,
  renderResponseFormat,
  transformSchema,
} from "../../../src/translate/maps/response-format.ts";

const object = (properties: object, more: object = {}): JsonObject =>
  ({ type: "object", properties, ...more }) as JsonObject;
const string = { type: "string" };

describe("a schema for Claude", () => {
  test.each([
    [
      "closes every object",
      object({ a: object({ b: string }) }),
      object({ a: object({ b: string }, { additionalProperties: false }) }, { additionalProperties: false }),
      false,
    ],
    ["drops $schema", { $schema: "s", ...object({}) }, object({}, { additionalProperties: false }), false],
    [
      "writes what it cannot keep into the description",
      object({ n: { type: "integer", minimum: 1, description: "N." }, s: { type: "string", pattern: "^a" } }),
      object(
        {
          n: { type: "integer", description: "N.\n\n{minimum: 1}" },
          s: { type: "string", description: '{pattern: "^a"}' },
        },
        { additionalProperties: false },
      ),
      true,
    ],
    [
      "loses nothing with an annotation",
      object({ n: { type: "integer", default: 1 } }),
      object({ n: { type: "integer", description: "{default: 1}" } }, { additionalProperties: false }),
      false,
    ],
    [
      "makes oneOf anyOf",
      object({ v: { oneOf: [string, { type: "null" }] } }),
      object({ v: { anyOf: [string, { type: "null" }] } }, { additionalProperties: false }),
      false,
    ],
    [
      "keeps allOf",
      object({ v: { allOf: [string] } }),
      object({ v: { allOf: [string] } }, { additionalProperties: false }),
      false,
    ],
    [
      "keeps only $ref beside a $ref",
      object({ v: { $ref: "#/$defs/A", description: "x" } }, { $defs: { A: string } }),
      { $defs: { A: string }, type: "object", properties: { v: { $ref: "#/$defs/A" } }, additionalProperties: false },
      false,
    ],
    [
      "renames definitions",
      object({ v: { $ref: "#/definitions/A" } }, { definitions: { A: string } }),
      { $defs: { A: string }, type: "object", properties: { v: { $ref: "#/$defs/A" } }, additionalProperties: false },
      false,
    ],
    [
      "keeps known formats",
      object({ v: { type: "string", format: "date-time" } }),
      object({ v: { type: "string", format: "date-time" } }, { additionalProperties: false }),
      false,
    ],
    [
      "drops unknown formats",
      object({ v: { type: "string", format: "regex" } }),
      object({ v: { type: "string", description: '{format: "regex"}' } }, { additionalProperties: false }),
      true,
    ],
    [
      "keeps minItems 0 and 1",
      object({ v: { type: "array", items: string, minItems: 1 } }),
      object({ v: { type: "array", items: string, minItems: 1 } }, { additionalProperties: false }),
      false,
    ],
    [
      "drops minItems above",
      object({ v: { type: "array", items: string, minItems: 2 } }),
      object({ v: { type: "array", items: string, description: "{minItems: 2}" } }, { additionalProperties: false }),
      true,
    ],
    [
      "keeps enum and const of primitives",
      object({ v: { enum: ["a", 1, null] }, w: { const: "x" } }),
      object({ v: { enum: ["a", 1, null] }, w: { const: "x" } }, { additionalProperties: false }),
      false,
    ],
    [
      "keeps title and required",
      object({ v: string }, { title: "T", required: ["v"] }),
      object({ v: string }, { title: "T", required: ["v"], additionalProperties: false }),
      false,
    ],
    [
      "closes objects that may be null",
      object({ v: { ...object({}), type: ["object", "null"] } }),
      object(
        { v: { type: ["object", "null"], properties: {}, additionalProperties: false } },
        { additionalProperties: false },
      ),
      false,
    ],
  ])("%s", (_name, schema, expected, lossy) => {
    expect(transformSchema(schema as JsonObject)).toEqual({ schema: expected, lossy });
  });

  test.each([
    ["an open object", object({}, { additionalProperties: true })],
    ["an object of any keys", object({ v: { type: "object", additionalProperties: string } })],
    ["an object without properties", object({ v: { type: "object" } })],
    ["patternProperties", object({}, { patternProperties: { "^a": string } })],
    ["no type", object({ v: {} })],
    ["a boolean schema", object({ v: true })],
    ["recursion", object({ v: { $ref: "#" } })],
    [
      "recursion through definitions",
      object({ v: { $ref: "#/$defs/A" } }, { $defs: { A: object({ next: { $ref: "#/$defs/A" } }) } }),
    ],
    ["another document", object({ v: { $ref: "https://example.com/a.json" } })],
    ["a definition that is not there", object({ v: { $ref: "#/$defs/B" } })],
  ])("cannot be made for %s", (_name, schema) => {
    expect(transformSchema(schema)).toBeNull();
  });

  test("one definition used twice is no recursion", () => {
    expect(
      transformSchema(object({ a: { $ref: "#/$defs/A" }, b: { $ref: "#/$defs/A" } }, { $defs: { A: string } })),
    ).not.toBeNull();
  });

  test("a property called __proto__ stays one", () => {
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}') as JsonObject;
    expect(JSON.stringify(transformSchema(schema)?.schema)).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"additionalProperties":false}',
    );
  });

  test("a property called like a keyword is a property", () => {
    const schema = object({ $ref: string, minimum: { type: "integer" } });
    expect(transformSchema(schema)).toEqual({ schema: { ...schema, additionalProperties: false }, lossy: false });
  });

  test("is the one of Anthropic's SDK where that keeps as much", () => {
    const schema = object(
      {
        name: { type: "string", minLength: 1 },
        tags: { type: "array", items: string, minItems: 3 },
        when: { anyOf: [{ type: "string", format: "date" }, { type: "null" }] },
      },
      { required: ["name"], description: "D", $schema: "s" },
    );
    expect(transformSchema(schema)?.schema).toEqual(transformJSONSchema(schema as never) as never);
  });
});

describe("OpenAI's strict subset", () => {
  const closed = (properties: object, more: object = {}): JsonObject =>
    object(properties, { required: Object.keys(properties), additionalProperties: false, ...more });
  test.each([
    ["closed, all required", closed({ a: string, b: { type: ["string", "null"] } }), true],
    ["no properties", object({}, { additionalProperties: false }), true],
    ["nested", closed({ a: closed({ b: { type: "array", items: closed({}) } }) }), true],
    ["anyOf inside", closed({ a: { anyOf: [string, closed({})] } }), true],
    ["$ref and $defs", closed({ a: { $ref: "#/$defs/A" } }, { $defs: { A: string } }), true],
    ["enum without type", closed({ a: { enum: ["x"] } }), true],
    ["open", object({ a: string }, { required: ["a"] }), false],
    ["one not required", object({ a: string, b: string }, { required: ["a"], additionalProperties: false }), false],
    ["nested open", closed({ a: object({}) }), false],
    ["open in $defs", closed({ a: { $ref: "#/$defs/A" } }, { $defs: { A: object({}) } }), false],
    ["oneOf", closed({ a: { oneOf: [string] } }), false],
    ["allOf", closed({ a: { allOf: [string] } }), false],
    ["array root", { type: "array", items: string }, false],
    ["anyOf at the root", { ...closed({}), anyOf: [closed({})] }, false],
    ["array without items", closed({ a: { type: "array" } }), false],
    ["no type", closed({ a: {} }), false],
  ])("%s: %#", (_name, schema, expected) => {
    expect(fitsStrictSubset(schema as JsonObject)).toBe(expected);
  });

  test("ten levels and no more", () => {
    const nest = (levels: number): JsonObject => (levels === 1 ? closed({}) : closed({ a: nest(levels - 1) }));
    expect(fitsStrictSubset(nest(10))).toBe(true);
    expect(fitsStrictSubset(nest(11))).toBe(false);
  });

  test("decides strict of a response format", () => {
    expect(renderResponseFormat({ $schema: "s", ...closed({ a: string }) })).toEqual({
      type: "json_schema",
      json_schema: { name: "response", schema: closed({ a: string }), strict: true },
    });
    expect(renderResponseFormat(object({ a: string }))).toEqual({
      type: "json_schema",
      json_schema: { name: "response", schema: object({ a: string }), strict: false },
    });
  });

  test("takes what Claude's transform made, when all is required", () => {
    const schema = object({ a: { type: "string", minLength: 2 } }, { required: ["a"] });
    expect(fitsStrictSubset(transformSchema(schema)?.schema ?? {})).toBe(true);
  });
});
