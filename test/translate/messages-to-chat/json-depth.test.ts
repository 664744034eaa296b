import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createJsonDepth } from "../../../src/translate/messages-to-chat/json-depth.ts";

describe("the depth scanner", () => {
  test("is complete exactly with the last character of an object, however it is cut", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), fc.nat(8), (value, size) => {
        const json = JSON.stringify(value);
        const depth = createJsonDepth();
        for (let start = 0; start < json.length - 1; start += size + 1) {
          depth.push(json.slice(start, Math.min(start + size + 1, json.length - 1)));
          expect(depth.complete).toBe(false);
        }
        depth.push(json.slice(-1));
        expect(depth.complete).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("reads braces and escaped quotes in strings as text", () => {
    const depth = createJsonDepth();
    depth.push('{"a":"}\\"}\\\\');
    expect(depth.complete).toBe(false);
    depth.push('"}');
    expect(depth.complete).toBe(true);
  });
});
