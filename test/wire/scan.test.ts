import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/base/errors.ts";
import { boundRequest, refuseRepeated, scanObject } from "../../src/wire/scan.ts";

const LIMITS = { jsonDepth: 4, jsonNodes: 20 };
const UNIQUE: ReadonlySet<string> = new Set(["model"]);

function scan(body: Uint8Array | string): void {
  const bytes = Buffer.from(body);
  boundRequest(bytes, LIMITS);
  refuseRepeated(bytes, UNIQUE);
}

function refusal(bytes: Uint8Array | string): { code: string; param: string | null } {
  try {
    scan(bytes);
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error("was accepted");
}

describe("boundRequest", () => {
  test("counts the fields of a body in bounds, repeated ones too", () => {
    expect(boundRequest(Buffer.from('{"é":{"b":1},"a":[{"c":2}],"a":"x:y" }'), LIMITS).fields).toBe(3);
    expect(boundRequest(Buffer.from("{}"), LIMITS).fields).toBe(0);
  });

  test("tells long strings of a large body, where they are most of it and members of objects", () => {
    const long = "x".repeat(20_000);
    const strings = (body: object | string): readonly string[] => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const { longStrings } = boundRequest(Buffer.from(text), LIMITS);
      return longStrings.flatMap((start, at) => (at % 2 === 0 ? [text.slice(start, longStrings[at + 1])] : []));
    };
    expect(strings({ a: long, b: [{ c: `${long}\\"` }], d: "short" })).toEqual([long, `${long}\\\\\\"`]);
    expect(strings(`{"a" : \n "${long}"}`)).toEqual([long]);
    expect(strings({ a: [long], [long]: 1 })).toEqual([]);
    expect(strings({ a: long.slice(0, 10_000) })).toEqual([]);
    expect(strings({ a: long, b: [long] })).toEqual([]);
  });

  test.each([
    ["a byte order mark", Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],
    ["a stray continuation byte", Uint8Array.from([0x7b, 0x22, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ["an array", "[1]"],
    ["an unfinished object", '{"a":1'],
    ["an unfinished string", '{"a":"'],
    ["an empty body", ""],
    ["a scalar", '"x"'],
  ])("refuses %s as invalid_json", (_name, body) => {
    expect(refusal(body).code).toBe("invalid_json");
  });

  test("refuses depth one past the limit, whatever the containers", () => {
    expect(() => scan('{"a":[{"b":[1]}]}')).not.toThrow();
    expect(refusal('{"a":[{"b":[[1]]}]}').code).toBe("invalid_value");
    expect(refusal(`{"a":${"[".repeat(100_000)}`).code).toBe("invalid_value");
  });

  test("counts no brackets inside strings", () => {
    expect(() => scan(`{"a":"${"[{,".repeat(50)}"}`)).not.toThrow();
    expect(() => scan(`{"a":"\\\\\\"${"[{,".repeat(50)}\\\\"}`)).not.toThrow();
  });

  test("refuses more values than the limit", () => {
    expect(() => scan(`{"a":[${Array(18).fill(1).join()}]}`)).not.toThrow();
    expect(refusal(`{"a":[${Array(21).fill(1).join()}]}`).code).toBe("invalid_value");
  });

  test("refuses a fact's field that occurs twice, escapes or not, and no other", () => {
    expect(refusal('{"model":1,"model":1}')).toEqual({ code: "invalid_value", param: "model" });
    expect(refusal('{"model":1,"mod\\u0065l":1}').param).toBe("model");
    expect(() => scan('{"x":1,"x":1,"y":{"model":1,"model":1}}')).not.toThrow();
  });
});

describe("scanObject", () => {
  test("finds the fields of long strings full of quotes and backslashes", () => {
    const value = JSON.stringify('a"b\\'.repeat(100) + "\\");
    const text = `{"x":${value},"y":${value} }`;
    const spans = scanObject(Buffer.from(text));
    expect(spans?.fields.map(({ valueStart, valueEnd }) => text.slice(valueStart, valueEnd))).toEqual([value, value]);
  });
});
