/** `x-arouter-*` request headers. */
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/base/errors.ts";
import { NO_OVERRIDES, OVERRIDE_NAMES, readOverrides } from "../../src/policy/overrides.ts";
import type { AllowedOverrides, Overrides } from "../../src/policy/overrides.ts";

function read(headers: Readonly<Record<string, string>>, allowed: AllowedOverrides = "all"): Overrides {
  return readOverrides(new Headers(headers), allowed);
}

function refusal(headers: Readonly<Record<string, string>>, allowed: AllowedOverrides = "all"): GatewayError {
  try {
    read(headers, allowed);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error("not refused");
}

const good: readonly (readonly [name: string, value: string, gives: Partial<Overrides>])[] = [
  ["model", "gpt-6-luna", { model: "gpt-6-luna" }],
  ["model", " org/llama:70b ", { model: "org/llama:70b" }],
  ["rule", "extract_2", { rule: "extract_2" }],
  ["no-route", "1", { noRoute: true }],
  ["no-route", "0", { noRoute: false }],
  ["fallback-chain", "a,b", { fallbackChain: ["a", "b"] }],
  ["fallback-chain", "", { fallbackChain: [] }],
  ["validate", "json_schema, complete,complete", { validate: ["json_schema", "complete"] }],
  ["validate", "none", { validate: [] }],
  ["heal", "preflush", { hold: "preflush" }],
  ["heal", "off", { hold: "off" }],
  ["retry", "5", { retryMax: 5 }],
  ["hedge", "off", { hedge: null }],
  ["hedge", "800ms", { hedge: { after: 800 } }],
  ["hedge", "1.5s; model=gpt-6-sol", { hedge: { after: 1500, model: "gpt-6-sol" } }],
  ["timeout", "2s", { timeout: { totalMs: 2000 } }],
  ["ttft-timeout", "250ms", { timeout: { ttftMs: 250 } }],
  ["idle-timeout", "1m", { timeout: { idleMs: 60_000 } }],
  ["tags", "team=web, job=nightly run", { tags: { team: "web", job: "nightly run" } }],
  ["strict", "1", { strict: true }],
  ["explain", "1", { explain: true }],
  ["dry-run", "1", { dryRun: true }],
];

const bad: readonly (readonly [name: string, value: string])[] = [
  ["model", ""],
  ["model", "gpt 4"],
  ["model", "a, b"],
  ["model", "x".repeat(129)],
  ["rule", "Extract"],
  ["no-route", "yes"],
  ["fallback-chain", "a,,b"],
  ["fallback-chain", "a,b,c,d,e,f,g,h,i"],
  ["validate", "jsonschema"],
  ["validate", ""],
  ["heal", "on"],
  ["retry", "6"],
  ["retry", "-1"],
  ["retry", "1.0"],
  ["hedge", "soon"],
  ["hedge", "800ms;model=a b"],
  ["hedge", "800ms;modle=a"],
  ["hedge", "1s;model=a;model=b"],
  ["timeout", "30"],
  ["timeout", "0s"],
  ["ttft-timeout", "-1s"],
  ["idle-timeout", "25h"],
  ["tags", "team"],
  ["tags", "Team=x"],
  ["tags", "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1"],
  ["strict", "true"],
  ["explain", ""],
  ["dry-run", "2"],
];

describe("override headers", () => {
  for (const [name, value, gives] of good) {
    test(`x-arouter-${name}: ${JSON.stringify(value)} is understood`, () => {
      expect(read({ [`X-Arouter-${name}`]: value })).toMatchObject({ names: [name], ...gives });
    });
  }

  for (const [name, value] of bad) {
    test(`x-arouter-${name}: ${JSON.stringify(value.slice(0, 40))} is a 400 that names the header`, () => {
      const error = refusal({ [`x-arouter-${name}`]: value });
      expect(error).toMatchObject({
        kind: "invalid-request",
        status: 400,
        code: "invalid_header",
        param: `x-arouter-${name}`,
      });
      expect(error.message).toStartWith(`header x-arouter-${name}: malformed value; expected `);
    });
  }

  test("have a good and a bad value here, each", () => {
    for (const names of [good.map(([name]) => name), bad.map(([name]) => name)]) {
      expect([...new Set(names)].sort()).toEqual([...OVERRIDE_NAMES].sort());
    }
  });

  test("that are unknown are a 400 with the nearest name", () => {
    expect(refusal({ "x-arouter-modle": "m" })).toMatchObject({
      status: 400,
      code: "invalid_header",
      param: "x-arouter-modle",
      message: 'header x-arouter-modle: unknown; did you mean "x-arouter-model"?',
    });
    expect(refusal({ "x-arouter-request-id": "a" }).message).toContain("unknown; known are model, rule,");
  });

  test("that are not allowed are a 403 that names them", () => {
    expect(refusal({ "x-arouter-model": "m" }, "none")).toMatchObject({
      kind: "forbidden",
      status: 403,
      param: "x-arouter-model",
    });
    expect(refusal({ "x-arouter-rule": "r" }, ["model"])).toMatchObject({ kind: "forbidden", param: "x-arouter-rule" });
    expect(read({ "x-arouter-model": "m" }, ["model"]).model).toBe("m");
  });

  test("that contradict each other are refused", () => {
    expect(refusal({ "x-arouter-rule": "r", "x-arouter-no-route": "1" }).param).toBe("x-arouter-rule");
  });

  test("are none without any", () => {
    expect(read({ authorization: "Bearer x", "x-request-id": "1" }, "none")).toBe(NO_OVERRIDES);
  });

  test("tell their names in order, and the values that shape a decision", () => {
    const { names, values } = read({
      "x-arouter-tags": "user=joe",
      "x-arouter-model": "m",
      "x-arouter-dry-run": "1",
      "x-arouter-retry": "0",
    });
    expect(names).toEqual(["dry-run", "model", "retry", "tags"]);
    expect(values).toEqual({ model: "m", retry: "0" });
  });

  test("are joined by the SDK's own time limit, the lower one, with a second's grace for its own error to come first", () => {
    expect(read({ "x-stainless-timeout": "600" })).toMatchObject({ names: [], timeout: { totalMs: 601_000 } });
    expect(read({ "x-stainless-read-timeout": "0.5", "x-arouter-timeout": "2s" }).timeout).toEqual({ totalMs: 1500 });
    expect(read({ "x-stainless-timeout": "NOT_GIVEN" })).toBe(NO_OVERRIDES);
    expect(read({ "x-stainless-timeout": "-1" })).toBe(NO_OVERRIDES);
  });
});
