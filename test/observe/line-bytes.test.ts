import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../src/base/json.ts";
import { createLineBytes, type LineBytes } from "../../src/observe/line-bytes.ts";

function written(write: (line: LineBytes) => void): string {
  const line = createLineBytes();
  write(line);
  return line.toText();
}

describe("a line in bytes", () => {
  test("has any value as JSON.stringify writes it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(written((line) => line.json(value as Json))).toBe(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });
  test.each([
    ["any number", fc.double({ noNaN: true, noDefaultInfinity: true })],
    ["counts", fc.integer()],
    ["times", fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100)],
    ["dollars", fc.integer({ min: -1e15, max: 1e15 }).map((pico) => pico / 1e12)],
    [
      "at the edges",
      fc.constantFrom(-0, 1e-6, 1e-7, 999.999999999999, 1000.000000000001, 999_999_999.99, 1e9, 0.1 + 0.2),
    ],
  ])("has numbers as JSON.stringify writes them: %s", (_, numbers) => {
    fc.assert(
      fc.property(numbers, (value) => {
        expect(written((line) => line.number(value))).toBe(JSON.stringify(value));
      }),
      { numRuns: 2000 },
    );
  });
  test("has a number that was sent in other words in those words", () => {
    const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => Json };
    expect(written((line) => line.json({ seed: rawJSON("1.00") }))).toBe('{"seed":1.00}');
  });
  test("leaves out what is undefined, and keeps a name that is __proto__", () => {
    const value = JSON.parse('{"a":1,"__proto__":{"b":2}}') as { [name: string]: Json };
    expect(written((line) => line.json({ ...value, c: undefined as unknown as Json }))).toBe(JSON.stringify(value));
  });
  test("has times as Date.toISOString writes them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1, maxLength: 3 }), (times) => {
        const line = createLineBytes();
        for (const wallMs of times.flatMap((ms) => [ms, ms + 1, ms + 999])) {
          line.reset();
          line.time(wallMs + 0.5);
          expect(line.toText()).toBe(new Date(wallMs).toISOString());
        }
      }),
    );
  });
  test("grows as far as it has to, and begins anew after a reset", () => {
    const line = createLineBytes();
    const long = "é".repeat(300_000);
    line.text("before");
    line.text(long);
    line.plain("x".repeat(50_000));
    expect(line.toText()).toBe(`"before""${long}"${"x".repeat(50_000)}`);
    line.reset();
    line.texts(["a", "b"]);
    line.flag(true);
    line.text(null);
    line.raw(Buffer.from("r".repeat(100)));
    expect(line.toText()).toBe(`["a","b"]truenull${"r".repeat(100)}`);
  });
  test("knows whether anything had to be escaped, or was not ASCII", () => {
    for (const [text, isPlain] of [
      ["plain ~", true],
      ['"', false],
      ["\\", false],
      ["\u007f", false],
      ["é", false],
    ] as const) {
      const line = createLineBytes();
      line.text(text);
      expect(line.isPlain).toBe(isPlain);
      line.reset();
      expect(line.isPlain).toBe(true);
    }
  });
});
