import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/base/errors.ts";
import { scanObject, scanRequest } from "../../src/wire/scan.ts";

const LIMITS = { jsonDepth: 4, jsonNodes: 20 };
const UNIQUE: ReadonlySet<string> = new Set(["model"]);

function refusal(bytes: Uint8Array | string): { code: string; param: string | null } {
  try {
    scanRequest(typeof bytes === "string" ? Buffer.from(bytes) : bytes, LIMITS, UNIQUE);
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error("was accepted");
}

describe("scanRequest", () => {
  test("gives the text of a body in bounds", () => {
    expect(scanRequest(Buffer.from('{"a":"é"}'), LIMITS, UNIQUE)).toBe('{"a":"é"}');
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
    expect(() => scanRequest(Buffer.from('{"a":[{"b":[1]}]}'), LIMITS, UNIQUE)).not.toThrow();
    expect(refusal('{"a":[{"b":[[1]]}]}').code).toBe("invalid_value");
    expect(refusal(`{"a":${"[".repeat(100_000)}`).code).toBe("invalid_value");
  });

  test("counts no brackets inside strings", () => {
    expect(() => scanRequest(Buffer.from(`{"a":"${"[{,".repeat(50)}"}`), LIMITS, UNIQUE)).not.toThrow();
    expect(() => scanRequest(Buffer.from(`{"a":"\\\\\\"${"[{,".repeat(50)}\\\\"}`), LIMITS, UNIQUE)).not.toThrow();
  });

  test("refuses more values than the limit", () => {
    expect(() => scanRequest(Buffer.from(`{"a":[${Array(18).fill(1).join()}]}`), LIMITS, UNIQUE)).not.toThrow();
    expect(refusal(`{"a":[${Array(21).fill(1).join()}]}`).code).toBe("invalid_value");
  });

  test("refuses a fact's field that occurs twice, escapes or not, and no other", () => {
    expect(refusal('{"model":1,"model":1}')).toEqual({ code: "invalid_value", param: "model" });
    expect(refusal('{"model":1,"mod\\u0065l":1}').param).toBe("model");
    expect(() => scanRequest(Buffer.from('{"x":1,"x":1,"y":{"model":1,"model":1}}'), LIMITS, UNIQUE)).not.toThrow();
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
