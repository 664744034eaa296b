import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { messagesToChat } from "../../../src/translate/messages-to-chat/index.ts";
import type { TranslatedError } from "../../../src/translate/translator.ts";

function translate(status: number, error: JsonObject = {}, authStatus: 401 | 502 = 502): TranslatedError {
  const json = { error: { message: "m", type: "t", param: null, code: null, ...error } };
  return messagesToChat.error({ status, headers: new Headers(), json, text: JSON.stringify(json) }, authStatus);
}

describe("OpenAI's errors for Anthropic clients", () => {
  test.each([
    [400, 400, "invalid_request_error"],
    [403, 403, "permission_error"],
    [404, 404, "not_found_error"],
    [408, 408, "timeout_error"],
    [409, 409, "conflict_error"],
    [413, 413, "request_too_large"],
    [415, 415, "invalid_request_error"],
    [422, 422, "invalid_request_error"],
    [429, 429, "rate_limit_error"],
    [500, 500, "api_error"],
    [502, 502, "api_error"],
    [503, 529, "overloaded_error"],
    [504, 504, "timeout_error"],
  ])("%i is %i %s", (status, out, type) => {
    const result = translate(status);
    expect([result.status, result.error.status, result.error.anthropicType]).toEqual([out, out, type]);
    expect(result.error.message).toBe("m");
    expect(result.headers).toEqual({});
  });

  test("a context that is too long begins with the words clients look for", () => {
    const result = translate(400, { code: "context_length_exceeded", message: "maximum is 10" });
    expect([result.status, result.error.anthropicType]).toEqual([400, "invalid_request_error"]);
    expect(result.error.message).toBe("prompt is too long: maximum is 10");
  });

  test("a wrong key of the gateway's is not the client's fault", () => {
    const result = translate(401);
    expect([result.status, result.error.anthropicType]).toEqual([502, "api_error"]);
    expect(result.headers).toEqual({ "x-should-retry": "false" });
    const shown = translate(401, {}, 401);
    expect([shown.status, shown.error.anthropicType]).toEqual([401, "authentication_error"]);
    expect(shown.headers).toEqual({});
  });

  test.each([{ code: "insufficient_quota" }, { type: "insufficient_quota" }])(
    "a spent quota is a bill: %j",
    (error) => {
      const result = translate(429, error);
      expect([result.status, result.error.anthropicType]).toEqual([402, "billing_error"]);
      expect(result.headers).toEqual({ "x-should-retry": "false" });
    },
  );

  test("a body that is not JSON is summarised", () => {
    const page = `<html>${"x".repeat(500)}`;
    const result = messagesToChat.error({ status: 502, headers: new Headers(), json: null, text: page }, 502);
    expect(result.error.message).toBe(`upstream answered 502: ${page.slice(0, 300)}`);
    const empty = messagesToChat.error({ status: 500, headers: new Headers(), json: null, text: "" }, 502);
    expect(empty.error.message).toBe("upstream answered 500");
  });
});
