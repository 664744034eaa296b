import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { GatewayError } from "../../src/base/errors.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { createCheck, renderPath } from "../../src/wire/check.ts";
import { optional, text } from "../../src/wire/check-types.ts";

describe("renderPath", () => {
  test.each([
    ["", ""],
    ["/model", "model"],
    ["/messages/2/content/0/type", "messages[2].content[0].type"],
    ["/a~1b/c~0d", "a/b.c~d"],
  ])("renders %j as %j", (pointer, path) => {
    expect(renderPath(pointer)).toBe(path);
  });
});

describe("createCheck", () => {
  const check = createCheck(
    Type.Object({ a: optional(Type.Union([text, Type.Array(Type.Object({ b: text }))]), "a string, a list") }),
  );

  function message(json: JsonObject): string {
    try {
      check(json);
    } catch (error) {
      if (error instanceof GatewayError) return error.message;
      throw error;
    }
    return "fine";
  }

  test("passes what fits, unknown fields included", () => {
    for (const json of [{}, { a: null }, { a: "x", z: [] }, { a: [{ b: "x", c: 1 }] }])
      expect(message(json)).toBe("fine");
  });

  test("names the deepest place in the variant that fits best", () => {
    expect(message({ a: [{ b: "x" }, {}] })).toBe("missing required parameter: a[1].b");
    expect(message({ a: [{ b: 5 }] })).toBe("invalid value for a[0].b: must be a string");
    expect(message({ a: 5 })).toBe("invalid value for a: must be a string, a list or null");
  });

  test("says the same however often it was asked", () => {
    const often = createCheck(Type.Object({ a: optional(Type.Array(Type.Object({ b: text }))), c: text }));
    const verdict = (json: JsonObject): string => {
      try {
        often(json);
        return "fine";
      } catch (error) {
        return error instanceof GatewayError ? `${error.param}: ${error.message}` : String(error);
      }
    };
    const bodies: readonly JsonObject[] = [
      { c: "x" },
      { a: null, c: "x", __proto__: null },
      { a: [{ b: "x" }, { b: 1 }], c: "x" },
      { a: [{}], c: "x" },
      { a: {}, c: "x" },
      {},
      { c: null },
    ];
    const first = bodies.map(verdict);
    expect(new Set(first).size).toBeGreaterThan(4);
    for (let time = 0; time < 10; time += 1) expect(bodies.map(verdict)).toEqual(first);
  });
});
