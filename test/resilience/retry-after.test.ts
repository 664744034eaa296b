import { describe, expect, test } from "bun:test";
import { parseHttpDate, parseRetryAfter } from "../../src/resilience/retry-after.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

function read(headers: Record<string, string>): number | null {
  return parseRetryAfter(new Headers(headers), NOON);
}

describe("parseRetryAfter", () => {
  test.each<[Record<string, string>, number | null]>([
    [{ "retry-after-ms": "1200" }, 1_200],
    [{ "retry-after-ms": "12.5", "retry-after": "9" }, 12.5],
    [{ "retry-after-ms": "soon", "retry-after": "9" }, 9_000],
    [{ "retry-after-ms": "-1", "retry-after": "9" }, 9_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": " 7 " }, 7_000],
    [{ "retry-after": "-1" }, null],
    [{ "retry-after": "NaN" }, null],
    [{ "retry-after": "" }, null],
    [{ "retry-after": "0x10" }, null],
    [{ "retry-after": "1e400" }, Number.POSITIVE_INFINITY],
    [{ "retry-after": "Infinity" }, Number.POSITIVE_INFINITY],
    [{ "retry-after": "99999999999999999999" }, 99999999999999999999000],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sunday, 22-Nov-26 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sun Nov 22 12:00:30 2026" }, 30_000],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", date: "Sun, 22 Nov 2026 12:00:10 GMT" }, 20_000],
    [{ "retry-after": "Sun, 22 Nov 2026 11:59:59 GMT" }, null],
    [{ "retry-after": "Sun, 22 Foo 2026 12:00:30 GMT" }, null],
    [{}, null],
  ])("reads %p as %p", (headers, expected) => {
    expect(read(headers)).toBe(expected);
  });

  test("puts two-digit years from 70 on into the last century", () => {
    expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT")).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    expect(parseHttpDate("Sun Nov  6 08:49:37 1994")).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });
});
