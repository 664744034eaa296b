import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { boundRequest } from "../../src/wire/scan.ts";
import { parseSparse } from "../../src/wire/sparse-json.ts";

const LIMITS = { jsonDepth: 99, jsonNodes: 9999 };
const LONG = "x".repeat(20_000);

function parse(text: string): ReturnType<typeof parseSparse> {
  const bytes = Buffer.from(text);
  const { longStrings } = boundRequest(bytes, LIMITS);
  expect(longStrings.length).toBeGreaterThan(0);
  return parseSparse(bytes, longStrings);
}

/** Reads it as the gateway does: null when it has to be parsed as a whole. */
function read(text: string): unknown {
  const sparse = parse(text);
  sparse?.settle();
  return sparse?.json ?? null;
}

describe("parseSparse", () => {
  test("gives what JSON.parse gives, whatever is in the strings", () => {
    const strings = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 40 }),
    );
    const property = fc.property(
      strings,
      strings,
      fc.jsonValue({ maxDepth: 3 }),
      fc.boolean(),
      (a, b, other, pretty) => {
        const value = {
          model: a,
          messages: [{ content: a + LONG + b, other }, { content: b.padEnd(1100, '\\\n"é文😀') }, other],
          ["__proto__"]: { ["constructor"]: b + LONG },
        };
        const text = JSON.stringify(value, null, pretty ? 2 : 0);
        const escaped = text.replaceAll(
          /[^\0-\x7f]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
        // A lone surrogate of the client's may look like a mark: then all is parsed at once.
        for (const each of [text, escaped]) {
          const json = read(each);
          if (json !== null || !/\\ud800/i.test(each))
            expect(JSON.stringify(json)).toBe(JSON.stringify(JSON.parse(each)));
        }
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test("accepts no string that JSON.parse refuses", () => {
    const bad = ["\n", "\t", "\u0000", "\u001f", "\\", "\\x", "\\u12", "\\u12g4", "\\u", "\\\\\\a", "\\U0041"];
    for (const piece of bad) {
      for (let at = 0; at < 9; at += 1) {
        const text = `{"a":"${LONG}${"é".repeat(at % 2)}${"y".repeat(at)}${piece}${"z".repeat(9 - at)}"}`;
        expect(() => JSON.parse(text)).toThrow();
        expect(read(text)).toBeNull();
      }
    }
  });

  test("accepts every escape wherever it stands", () => {
    const good = [
      '\\"',
      "\\\\",
      "\\/",
      "\\b",
      "\\f",
      "\\n",
      "\\r",
      "\\t",
      "\\u00e9",
      "\\uD83D\\uDE00",
      "\u007f",
      "\\udfff",
    ];
    for (const piece of good) {
      for (let at = 0; at < 9; at += 1) {
        const text = `{"a":"${"y".repeat(at)}${piece}${piece}${LONG}${piece}"}`;
        expect(read(text)).toEqual(JSON.parse(text));
      }
    }
  });

  test("leaves to JSON.parse what is broken between the strings", () => {
    for (const text of [`{"a":"${LONG}"x}`, `{"a":"${LONG}",}`, `{a:"${LONG}"}`, `{"a":"${LONG}" "b":1}`]) {
      expect(read(text)).toBeNull();
    }
  });

  test("takes no string of the client's for a mark", () => {
    expect(read(`{"b":"\\ud8000","a":"${LONG}"}`)).toBeNull();
    expect(read(`{"b":"\\uD8000","a":"${LONG}"}`)).toBeNull();
    expect(read(`{"a":"\\ud8000${LONG}"}`)).toEqual({ a: `\ud8000${LONG}` });
  });

  test("takes the last one of a repeated key, as JSON.parse does", () => {
    const text = `{"a":"1${LONG}","b":{"c":"${LONG}"},"a":"2${LONG}"}`;
    expect(read(text)).toEqual(JSON.parse(text));
    expect(read(`{"a":"${LONG}","a":1}`)).toEqual({ a: 1 });
  });

  test("reads bytes that do not start at a word of their buffer", () => {
    const text = `{"a":"${LONG}\\n"}`;
    for (let offset = 0; offset < 8; offset += 1) {
      const view = new Uint8Array(Buffer.from(" ".repeat(offset) + text)).subarray(offset);
      const sparse = parseSparse(view, boundRequest(view, LIMITS).longStrings);
      sparse?.settle();
      expect(sparse?.json["a"]).toBe(`${LONG}\n`);
    }
  });

  test("finds the strings unread by their holder and key, and each reads the same whenever it is asked", () => {
    const sparse = parse(JSON.stringify({ a: { b: `${LONG}é`, c: "short" }, d: LONG }));
    const texts = sparse?.settle();
    const json = sparse?.json as { a: { b: string; c: string }; d: string };
    expect(texts?.find(json.a, "b")?.length).toBe(20_002);
    expect(texts?.find(json.a, "c")).toBeNull();
    expect(texts?.find(json, "b")).toBeNull();
    expect(texts?.find(json.a, "b")?.read()).toBe(`${LONG}é`);
    expect(json.a.b).toBe(`${LONG}é`);
    expect({ ...json.a }).toEqual({ b: `${LONG}é`, c: "short" });
    expect(Object.entries(json).map(([key]) => key)).toEqual(["a", "d"]);
  });
});
