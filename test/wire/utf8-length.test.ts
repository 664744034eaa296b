import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { utf8Length } from "../../src/wire/utf8-length.ts";

describe("utf8Length", () => {
  test("counts what encoding gives, lone surrogates too", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.string({ unit: fc.constantFrom("a", "é", "漢", "\ud83d", "\ude00") }),
    );
    fc.assert(
      fc.property(text, (each) => expect(utf8Length(each)).toBe(Buffer.from(each).length)),
      { numRuns: 500 },
    );
  });
});
