import { describe, expect, test } from "bun:test";
import { formatByName, formatByPath, formats, normalizePath } from "../../src/wire/formats.ts";

describe("normalizePath", () => {
  test.each([
    ["/v1/messages", "/v1/messages"],
    ["/messages", "/v1/messages"],
    ["/v1/v1/messages", "/v1/messages"],
    ["/v1/messages/", "/v1/messages"],
    ["/messages//", "/v1/messages"],
    ["/v1/models/gpt-4o", "/v1/models/gpt-4o"],
    ["/v1beta/messages", "/v1/v1beta/messages"],
    ["/v1", "/v1"],
    ["/", "/"],
    ["", "/"],
  ])("makes %j %j", (path, expected) => {
    expect(normalizePath(path)).toBe(expected);
  });
});

describe("formatByPath", () => {
  test.each([
    ["/v1/chat/completions", "chat"],
    ["/chat/completions/", "chat"],
    ["/v1/v1/messages", "messages"],
    ["/responses", "responses"],
    ["/v1/messages/count_tokens", null],
    ["/v1/chat/completions/chatcmpl-1", null],
    ["/V1/messages", null],
    ["/", null],
  ])("finds for %j %j", (path, name) => {
    expect(formatByPath(path)?.name ?? null).toBe(name as never);
  });

  test("names each format", () => {
    expect(formats.map((format) => formatByName(format.name))).toEqual([...formats]);
  });
});
