import { describe, expect, test } from "bun:test";
import { createRequestId, createSpanId, openTrace, renderTraceparent, sha256Hex } from "../../src/base/ids.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test("request ids are of one shape and never alike", () => {
  const ids = new Set(Array.from({ length: 1_000 }, createRequestId));
  expect(ids.size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^req_ar_[0-9A-HJKMNP-TV-Z]{24}$/);
});

test("span ids are 16 hex digits", () => expect(createSpanId()).toMatch(/^[0-9a-f]{16}$/));

describe("a caller's traceparent", () => {
  const valid: readonly (readonly [text: string, sampled: boolean])[] = [
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [` 00-${TRACE}-${SPAN}-01 `, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ];
  for (const [text, sampled] of valid) {
    test(`${text} is continued`, () => {
      const trace = openTrace(text, "vendor=1", () => !sampled);
      expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, sampled, tracestate: "vendor=1" });
      expect(trace.spanId).not.toBe(SPAN);
      expect(renderTraceparent(trace, "00f067aa0ba902b7")).toBe(
        `00-${TRACE}-00f067aa0ba902b7-${sampled ? "01" : "00"}`,
      );
    });
  }

  for (const text of [
    null,
    "",
    "nonsense",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
    `0-${TRACE}-${SPAN}-01`,
  ]) {
    test(`${text} starts a new trace, without the caller's state`, () => {
      const trace = openTrace(text, "vendor=1", () => true);
      expect(trace).toMatchObject({ parentSpanId: null, sampled: true, tracestate: null });
      expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(trace.traceId).not.toBe(TRACE);
    });
  }
});

test("a digest is that of the UTF-8 bytes, cut to what is asked", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256Hex("é", 12)).toBe(sha256Hex(new TextEncoder().encode("é")).slice(0, 12));
});
