import { describe, expect, test } from "bun:test";
import { readArguments } from "../../src/cli/usage.ts";
import { createTestIo } from "../support/cli.ts";

const usage = {
  help: "arouter x: does x\n",
  options: { json: { type: "boolean" }, config: { type: "string" }, header: { type: "string", multiple: true } },
  maxPositionals: 1,
} as const;

function read(...args: readonly string[]) {
  const io = createTestIo();
  return { line: readArguments("x", args, io, usage), out: io.out(), errors: io.errors() };
}

describe("a command's arguments", () => {
  test("are read", () => {
    const { line } = read("--json", "file", "--config=c", "--header", "a: 1", "--header", "b: 2");
    expect("values" in line && { ...line.values }).toEqual({ json: true, config: "c", header: ["a: 1", "b: 2"] });
    expect("values" in line && line.positionals).toEqual(["file"]);
  });
  test.each(["--help", "-h"])("give help for %s", (flag) => {
    expect(read(flag)).toEqual({ line: { exit: 0 }, out: usage.help, errors: "" });
  });
  test.each([
    ["a misspelled option", ["--jsno"], 'unknown option --jsno; did you mean "--json"?'],
    ["an unknown option with a value", ["--zzzzzz=1"], "unknown option --zzzzzz"],
    ["an unknown short option", ["-z"], "unknown option '-z'"],
    ["a value that is missing", ["--config"], "option '--config <value>' argument missing"],
    ["a value for a flag", ["--json=1"], "option '--json' does not take an argument"],
    ["one argument too many", ["a", "b"], 'unexpected argument "b"'],
  ])("are refused for %s", (_, args, problem) => {
    expect(read(...args)).toEqual({
      line: { exit: 2 },
      out: "",
      errors: `arouter x: ${problem}\nTry "arouter x --help".\n`,
    });
  });
  test("after -- are no options", () => {
    const { line } = read("--", "--jsno");
    expect("values" in line && line.positionals).toEqual(["--jsno"]);
  });
});
