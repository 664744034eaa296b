import { describe, expect, test } from "bun:test";
import { ERROR_KINDS, type ErrorKind, GatewayError } from "../../src/base/errors.ts";

describe("the gateway's own errors", () => {
  const statuses: Readonly<Record<ErrorKind, number>> = {
    "invalid-request": 400,
    "unsupported-translation": 400,
    unauthorized: 401,
    forbidden: 403,
    blocked: 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "request-timeout": 408,
    "too-large": 413,
    "unsupported-media": 415,
    "headers-too-large": 431,
    internal: 500,
    "upstream-unreachable": 502,
    "upstream-invalid": 502,
    "upstream-interrupted": 502,
    overloaded: 503,
    draining: 503,
    "circuit-open": 503,
    "upstream-timeout": 504,
    deadline: 504,
    "client-closed": 499,
  };
  for (const [kind, status] of Object.entries(statuses) as [ErrorKind, number][]) {
    test(`${kind} is a ${status}, with retry-after exactly when it is a 503`, () => {
      const error = new GatewayError(kind, "what failed");
      expect(error.status).toBe(status);
      expect(error.type).toBe(status < 500 && status !== 499 ? "invalid_request_error" : "server_error");
      expect(error.retryAfterMs === null).toBe(status !== 503);
    });
  }

  test("every kind is in the table above", () => {
    expect(Object.keys(ERROR_KINDS).sort()).toEqual(Object.keys(statuses).sort());
  });

  test("may say otherwise where they are thrown", () => {
    const error = new GatewayError("blocked", "no", {
      status: 451,
      code: "x",
      param: "p",
      retryAfterMs: 7,
      headers: { a: "b" },
      cause: 1,
    });
    expect(error).toMatchObject({
      kind: "blocked",
      status: 451,
      code: "x",
      param: "p",
      retryAfterMs: 7,
      headers: { a: "b" },
      cause: 1,
    });
  });
});
