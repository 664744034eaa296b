import { describe, expect, test } from "bun:test";
import { isArray, isObject, isRawNumber, isString, own, parseLossless } from "../../src/base/json.ts";

describe("own", () => {
  test("reads own properties alone: names of the prototype are plain data", () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3}');
    expect(own(hostile, "__proto__")).toEqual({ a: 1 });
    expect(own(hostile, "constructor")).toBe(2);
    expect(own(hostile, "a")).toBeUndefined();
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"])
      expect(own({}, name)).toBeUndefined();
  });

  test("of what is no object is undefined", () => {
    for (const value of [null, undefined, 1, "text", [1], true]) expect(own(value, "length")).toBeUndefined();
  });
});

test("kinds of values are told apart", () => {
  const values = [{}, [], "", null, 1];
  expect(values.map(isObject)).toEqual([true, false, false, false, false]);
  expect(values.map(isArray)).toEqual([false, true, false, false, false]);
  expect(values.map(isString)).toEqual([false, false, true, false, false]);
});

describe("a lossless parse spells every number as the source did", () => {
  for (const text of [
    "12345678901234567890",
    "-0",
    "1.0",
    "1.10",
    "1e5",
    "1E+2",
    "1e400",
    "0.1",
    "123456789012345678.5",
    '{"a":[1.0,2,{"b":9007199254740993}]}',
    '"1.0 and 12345678901234567890"',
    "[]",
    "null",
  ]) {
    test(text, () => expect(JSON.stringify(parseLossless(text))).toBe(text));
  }

  test("and tells which it kept by their spelling", () => {
    const [exact, spelled] = parseLossless("[1,1.0]") as readonly unknown[];
    expect([isRawNumber(exact), isRawNumber(spelled)]).toEqual([false, true]);
  });

  test("and refuses what is not JSON", () => {
    for (const text of ["", "{", "1.", "01", "NaN"]) expect(() => parseLossless(text)).toThrow(SyntaxError);
  });
});
