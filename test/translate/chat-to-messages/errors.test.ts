import { describe, expect, test } from "bun:test";
import { chatToMessages } from "../../../src/translate/chat-to-messages/index.ts";

function translateError(status: number, type: string, message = "M", authStatus: 401 | 502 = 502): unknown {
  const json = { type: "error", error: { type, message } };
  const {
    status: out,
    error,
    headers,
  } = chatToMessages.error({ status, headers: new Headers(), json, text: JSON.stringify(json) }, authStatus);
  return [out, error.type, error.code, headers["x-should-retry"] ?? null];
}

describe("an error answer of Claude", () => {
  test.each([
    [400, "invalid_request_error", [400, "invalid_request_error", null, null]],
    [401, "authentication_error", [502, "server_error", "upstream_auth_error", "false"]],
    [402, "billing_error", [429, "insufficient_quota", "insufficient_quota", "false"]],
    [403, "permission_error", [403, "invalid_request_error", "permission_denied", null]],
    [404, "not_found_error", [404, "invalid_request_error", "model_not_found", null]],
    [409, "conflict_error", [409, "invalid_request_error", "conflict", null]],
    [413, "request_too_large", [413, "invalid_request_error", "request_too_large", null]],
    [429, "rate_limit_error", [429, "rate_limit_error", "rate_limit_exceeded", null]],
    [500, "api_error", [500, "server_error", null, null]],
    [504, "timeout_error", [504, "server_error", "timeout", null]],
    [529, "overloaded_error", [503, "server_error", "overloaded", null]],
    [503, "api_error", [503, "server_error", null, null]],
    [422, "invalid_request_error", [422, "invalid_request_error", null, null]],
  ])("%d %s", (status, type, expected) => {
    expect(translateError(status, type)).toEqual(expected);
  });

  test("401 stays 401 where the gateway is told so", () => {
    expect(translateError(401, "authentication_error", "M", 401)).toEqual([
      401,
      "invalid_request_error",
      "invalid_api_key",
      null,
    ]);
  });

  test.each([
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 1 + 2 > 3",
  ])("400 %s", (message) => {
    expect(translateError(400, "invalid_request_error", message)).toEqual([
      400,
      "invalid_request_error",
      "context_length_exceeded",
      null,
    ]);
  });

  test("a body that is not JSON is summarised with status and 300 characters", () => {
    const { error } = chatToMessages.error(
      { status: 502, headers: new Headers(), json: null, text: `<html>${"x".repeat(500)}` },
      502,
    );
    expect(error.message).toBe(`upstream answered 502: <html>${"x".repeat(294)}`);
    expect(error.param).toBeNull();
  });

  test("an empty body is summarised", () => {
    const { error } = chatToMessages.error({ status: 404, headers: new Headers(), json: null, text: "" }, 502);
    expect(error.message).toBe("upstream answered 404");
  });
});

test("rate-limit headers get OpenAI's names", () => {
  const upstream = new Headers({ "anthropic-ratelimit-requests-remaining": "7" });
  expect(chatToMessages.headers(upstream, 0)).toEqual({ "x-ratelimit-remaining-requests": "7" });
});
