import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import {
  renderBrowserStateText,
  renderMarkerText,
  renderServerToolText,
} from "../../../src/translate/maps/content-text.ts";

describe("server tools as text", () => {
  const call = (name: string, input: JsonObject): JsonObject => ({ type: "server_tool_use", id: "s", name, input });
  const result = (type: string, content: JsonObject | string | readonly JsonObject[]): JsonObject => ({
    type,
    tool_use_id: "s",
    content,
  });

  test.each([
    ["a call alone", call("web_search", { query: "q" }), null, "[web_search: q]"],
    ["a call without input", call("x", {}), null, "[x]"],
    [
      "a result alone",
      null,
      result("web_search_tool_result", [{ type: "web_search_result", title: "T", url: "https://a.test" }]),
      "[web_search: T (https://a.test)]",
    ],
    [
      "a search that failed",
      call("web_search", { query: "q" }),
      result("web_search_tool_result", { type: "web_search_tool_result_error", error_code: "max_uses_exceeded" }),
      "[web_search: q → error max_uses_exceeded]",
    ],
    [
      "a page",
      call("web_fetch", { url: "https://a.test" }),
      result("web_fetch_tool_result", {
        type: "web_fetch_result",
        url: "https://a.test",
        content: { type: "document", title: "T", source: { type: "text", media_type: "text/plain", data: "body" } },
      }),
      "[web_fetch: https://a.test → https://a.test T body]",
    ],
    [
      "code",
      call("code_execution", { code: "print(1)" }),
      result("code_execution_tool_result", {
        type: "code_execution_result",
        stdout: "1\n",
        stderr: "warn",
        content: [],
      }),
      "[code_execution: print(1) → 1\n warn]",
    ],
    [
      "a tool search",
      call("tool_search_tool_regex", { query: "w" }),
      result("tool_search_tool_result", {
        type: "tool_search_tool_search_result",
        tool_references: [
          { type: "tool_reference", tool_name: "a" },
          { type: "tool_reference", tool_name: "b" },
        ],
      }),
      "[tool_search_tool_regex: w → a, b]",
    ],
  ] as const)("%s", (_name, use, given, expected) => {
    expect(renderServerToolText(use, given)).toBe(expected);
  });

  test("encrypted parts are never shown", () => {
    const text = renderServerToolText(
      null,
      result("code_execution_tool_result", {
        type: "encrypted_code_execution_result",
        encrypted_stdout: "SECRET",
        content: [],
      }),
    );
    expect(text).toBe("[code_execution]");
  });
});

test("a browser without tabs says so", () => {
  expect(renderBrowserStateText({ type: "browser_state", tabs: [] })).toBe("[browser tabs: none]");
});

test("a compaction that is all encrypted has no text, other blocks are no markers", () => {
  expect(renderMarkerText({ type: "compaction", content: null, encrypted_content: "x" })).toBe("");
  expect(renderMarkerText({ type: "text", text: "x" })).toBeNull();
});
