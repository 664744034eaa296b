import { describe, expect, test } from "bun:test";
import { nearest, renderDiagnostic, sortDiagnostics, suggestion, type Diagnostic } from "../../src/base/diagnostic.ts";

const at = (file: string, line: number, column: number): Diagnostic => ({
  file,
  line,
  column,
  severity: "error",
  text: "x",
});

describe("nearest", () => {
  const words = ["api_key", "api_key_file", "base_url", "models", "no_image"];
  test.each([
    ["api_kye", "api_key"],
    ["no_imgae", "no_image"],
    ["API_KEY", "api_key"],
    ["api_key_fil", "api_key_file"],
    ["model", "models"],
    ["baseurl", "base_url"],
  ])("finds what %s was meant to be", (typed, meant) => {
    expect(nearest(typed, words)).toBe(meant);
  });
  test.each(["organization", "x", "", "temperature"])("finds nothing near %p", (typed) => {
    expect(nearest(typed, words)).toBeNull();
  });
  test("prefers the first of equally near words", () => {
    expect(nearest("bat", ["cat", "hat"])).toBe("cat");
  });
  test("puts the suggestion behind a text", () => {
    expect(`unknown key${suggestion("api_kye", words)}`).toBe('unknown key; did you mean "api_key"?');
    expect(suggestion("organization", words)).toBe("");
  });
});

test("renders a diagnostic as editors read it", () => {
  const diagnostic: Diagnostic = { file: "arouter.toml", line: 5, column: 1, severity: "warning", text: "a: b" };
  expect(renderDiagnostic(diagnostic)).toBe("arouter.toml:5:1: warning: a: b");
});

test("sorts by file, line and column as numbers", () => {
  const sorted = sortDiagnostics([at("b", 1, 1), at("a", 10, 1), at("a", 9, 12), at("a", 9, 2)]);
  expect(sorted.map(({ file, line, column }) => [file, line, column])).toEqual([
    ["a", 9, 2],
    ["a", 9, 12],
    ["a", 10, 1],
    ["b", 1, 1],
  ]);
});
