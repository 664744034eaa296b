/** No text crashes or hangs the loader, and what it says is always well formed. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CONDITIONS, GROUPS } from "../../src/policy/conditions.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { THEN_FIELDS } from "../../src/policy/then-fields.ts";
import { stringify } from "yaml";

const shipped = readFileSync(resolve(import.meta.dir, "../../policies/default.yaml"), "utf8");

function load(text: string): void {
  const result = parsePolicy([{ name: "p.yaml", text }]);
  if (result.ok) return;
  expect(result.diagnostics.length).toBeGreaterThan(0);
  expect(result.diagnostics.length).toBeLessThanOrEqual(101);
  const lines = text.split("\n").length;
  for (const { line, column, text: message } of result.diagnostics) {
    expect(line).toBeWithin(1, lines + 1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toMatch(/[\n\r]/);
    expect(message.length).toBeLessThan(600);
  }
}

/** Scraps of YAML that mean something to the parser. */
const scrap = fc.constantFrom(
  "rules:",
  "- name: a",
  "when:",
  "then:",
  "{",
  "}",
  "[",
  "]",
  "&a ",
  "*a",
  "<<: *a",
  "!!str ",
  "!x ",
  "|",
  ">",
  "\n",
  "\n  ",
  "\n    ",
  "\n\t",
  ": ",
  ", ",
  "- ",
  "? ",
  "# ",
  "'",
  '"',
  "\\",
  "---\n",
  "...\n",
  "%YAML 1.1\n",
  "\u0000",
  "\uFEFF",
  "\uD800",
  "true",
  "off",
  "~",
  "0x1F",
  "1e400",
  ".nan",
  "any_of",
  "not",
  "model",
  "tests:",
  "expect:",
  "aliases:",
  "defaults:",
  "\u2028",
);

const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...Object.keys(CONDITIONS),
        ...Object.keys(GROUPS),
        ...Object.keys(THEN_FIELDS),
        "name",
        "__proto__",
        "value",
        "by",
        "after",
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

describe("the policy loader", () => {
  test("takes any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), load), { numRuns: 300 });
  });

  test("takes any heap of YAML scraps", () => {
    fc.assert(
      fc.property(
        fc.array(scrap, { maxLength: 60 }).map((scraps) => scraps.join("")),
        load,
      ),
      { numRuns: 600 },
    );
  });

  test("takes any tree made of its own words", () => {
    const file = fc.record(
      {
        version: tree,
        aliases: tree,
        defaults: tree,
        rules: fc.oneof(
          tree,
          fc.array(fc.record({ name: tree, when: tree, then: tree }, { requiredKeys: [] }), { maxLength: 3 }),
        ),
        tests: tree,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(file, (data) => load(stringify(data))),
      { numRuns: 400 },
    );
  });

  test("takes the shipped policy with any piece cut out or doubled", () => {
    const cut = fc.tuple(
      fc.nat(shipped.length),
      fc.nat(80),
      fc.constantFrom("", "x", "\n", " ", "{", "]", ": ", "&a ", "*a"),
    );
    fc.assert(
      fc.property(cut, ([at, length, scrapText]) =>
        load(shipped.slice(0, at) + scrapText + shipped.slice(at + length)),
      ),
      { numRuns: 100 },
    );
  });

  test("takes a full file of one scrap in seconds", () => {
    for (const text of ["&a a: *a\n", "- *a\n", "!a ", "{},", "? a\n"]) {
      load(text.repeat(Math.floor(100_000 / text.length)));
    }
  });
});
