/** Plain YAML is read as the library reads it, or not at all. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { stringify } from "yaml";
import { policyYaml } from "../../bench/gateway-files.ts";
import { readFullYaml } from "../../src/policy/yaml-full.ts";
import type { YamlNode } from "../../src/policy/yaml-nodes.ts";
import { readPlainYaml } from "../../src/policy/yaml-plain.ts";

const policies = resolve(import.meta.dir, "../../policies");
const shipped = [
  "default.yaml",
  ...readdirSync(resolve(policies, "examples"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `examples/${name}`),
].map((name) => [name, readFileSync(resolve(policies, name), "utf8")] as const);

/** What stands between blank lines of the shipped policies, each a text of its own, and some in which more can go wrong. */
const blocks: readonly string[] = [
  ...shipped.flatMap(([, text]) => text.split(/\n(?=\n|  - name:)/)).map((block) => `rules:\n${block}\n`),
  "a:\n  - b: &x [c, 'd']\n    e: |\n      f\n      g\n\n    h:\n    - *x\n    - - i\n      - j # k\nl: { m: n, \"o\":p,\n  q: [r,\n   s]}\n",
].filter((block) => block.length < 700);

/** A node without its end, which the two count differently; a value that is not written has no place worth comparing. */
function simplify(node: YamlNode | null): unknown {
  if (node === null) return null;
  const { start, anchor } = node;
  switch (node.kind) {
    case "alias":
      return { alias: node.name, start };
    case "scalar":
      return { scalar: node.value, source: node.source, anchor, ...(node.source === "" ? {} : { start }) };
    case "seq":
      return { seq: node.items.map(simplify), start, anchor };
    case "map":
      return { map: node.items.map(({ key, value }) => [simplify(key), simplify(value)]), start, anchor };
  }
}

/** Whether `text` was read as plain YAML; fails where the library reads something else, or has something to say. */
function compare(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === null) return false;
  const mistakes: string[] = [];
  const full = readFullYaml(text, (_, message) => void mistakes.push(message));
  expect({ text, mistakes }).toEqual({ text, mistakes: [] });
  expect({ text, tree: simplify(plain.root) }).toEqual({ text, tree: simplify(full.root) });
  // What an alias stands for: the library's end may lie before ours, never behind it.
  const targets = [...full.links.values()];
  expect([...plain.links.values()].map(({ start }) => start)).toEqual(targets.map(({ start }) => start));
  [...plain.links.values()].forEach(({ end }, at) => expect(end).toBeGreaterThanOrEqual(targets[at]?.end ?? 0));
  return true;
}

describe("plain YAML", () => {
  test.each(shipped)("reads the shipped %s", (_, text) => {
    expect(compare(text)).toBe(true);
  });

  test("reads a policy of a thousand rules", () => {
    expect(compare(policyYaml(1000))).toBe(true);
  });

  test.each([
    ["comments", "# first\na: b # behind\n\n  # indented\nc: 'd' # quoted\ne: [f] # flow\n"],
    ["no line end at the end", "a: b"],
    ["an empty value", "a:\nb: 1\nc:"],
    ["an empty value before a comment", "a: # nothing\nb: 1\n"],
    ["a list at its key's column", "a:\n- b\n- c\nd: e\n"],
    ["a list in a list", "a:\n  - - b\n    - c\n  - - d\n"],
    ["mappings in a list", "a:\n  - b: 1\n    c: 2\n  -\n    d: 3\n  - e: 4\n"],
    ["flow collections over lines", "a: [b,\n  c, # comment\n\n  {d: e,\n   f: g}, ]\nh: {}\ni: []\n"],
    ["a flow collection on its own line", 'a:\n  { b: c }\nd:\n  "e"\nf:\n  [g]\n'],
    ["tight keys as in JSON", 'a: {"b":1,"c": [true,null], "d" : "e"}\n'],
    ["quotes", String.raw`a: "b \"c\" \\ \n \u00e4 \/ 'd'"` + "\nb: 'it''s \"so\" \\n'\n'c d': 1\n\"e: f\": 2\n"],
    ["quotes that end in backslashes", String.raw`a: ["b\\", "\\\"", 'c\']` + "\n"],
    ["numbers", "a: [0, -0, +1, 12, 007, 1.5, -2.50, 123456789012345]\n1: b\n2.5: c\n"],
    ["words that are values", "a: [null, Null, NULL, ~, true, True, TRUE, false, False, FALSE]\n~: b\ntrue: c\n"],
    ["words that are none", "a: [nULL, yes, no, on, off, tRUE, 1m, 2026-11-24, 1.2.3, -x, .x, 0b1, 12:30:45, +, -.]\n"],
    ["colons and signs inside words", "a: http://b/c?d=e#f\nb: [ft:x, a#b, c&d, e*f, g!, h@i, k%]\nc: -d\n<<: e\n"],
    ["anchors", "a: &x { b: 1 }\nc: *x\nd: [&y e, *y, *x]\nf: &z\n  g: h\ni: *z\nj: &k l # m\nn: *k\n"],
    ["an anchor given twice", "a: &x 1\nb: *x\nc: &x 2\nd: *x\n"],
    ["an alias without an anchor", "a: *x\nb: &x 1\n"],
    ["anchors of entries", "a:\n  - &x { b: 1 }\n  - *x\n  - &y\n    c: 1\n  - *y\n  - &z |\n    text\n  - *z\n"],
    ["literal scalars", "a: |\n  b\n  c: d # e\nf: |-\n  g\n\nh:\n  - |\n    i\n    j\n"],
    ["folded scalars", "a: >\n  b\n  c\nd: >-\n  e\n  f\n# comment\ng: h\n"],
    ["other scripts", "é: 日本語 😀\n'ключ': \"\u00a0x\u00a0\"\na: b\u00a0\nc: \u3000d\u3000\n"],
  ])("reads %s", (_, text) => {
    expect(compare(text)).toBe(true);
  });

  test.each([
    ["a tab", "a:\tb\n"],
    ["a carriage return", "a: b\r\n"],
    ["a mark of documents", "---\na: b\n"],
    ["a tag", "a: !!str b\n"],
    ["a text over lines", "a: b\n  c\n"],
    ["a quoted text over lines", 'a: "b\n  c"\n'],
    ["a text that goes on behind a comment", "a: b # c\n  d\n"],
    ["a key that is no scalar", "? a\n: b\n"],
    ["a pair in a list", "a: [b: c]\n"],
    ["a key without a value in braces", "a: {b}\n"],
    ["a number of another kind", "a: [0x1f]\n"],
    ["an exponent", "a: 1e3\n"],
    ["no mapping at the root", "- a\n"],
    ["nothing", ""],
    ["an escape that JSON lacks", 'a: "\\x41"\n'],
    ["a blank line in a literal scalar", "a: |\n  b\n\n  c\n"],
    ["keys at different columns", "a:\n    b: 1\n  c: 2\n"],
    ["an open bracket", "a: [b\n"],
    ["a bracket at its key's column", "a: [\n  b\n]\n"],
    ["an open quote", 'a: "b\n'],
    ["two colons", "a: b: c\n"],
    ["a word on a line of its own", "a:\n  b\n"],
    ["a comment at the first column of a flow collection", "a: [\n# b\n  c]\n"],
    ["a dash alone", "a: [-]\n"],
  ])("leaves %s to the library", (_, text) => {
    expect(readPlainYaml(text)).toBeNull();
  });

  test("gives up on what is nested deeply", () => {
    expect(readPlainYaml(`a: ${"[".repeat(40)}${"]".repeat(40)}\n`)).not.toBeNull();
    expect(readPlainYaml(`a: ${"[".repeat(10_000)}${"]".repeat(10_000)}\n`)).toBeNull();
  });

  test("reads a million quotes, blanks or colons in linear time", () => {
    for (const filling of ["'", '"', '\\"', " ", " #", ": ", "&a ", "[", "''", "- "]) {
      const lines = `a: "${filling.repeat(400_000)}`;
      expect(readPlainYaml(lines)).toBeNull();
    }
  });

  test("reads whatever the library writes as the library does", () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.constantFrom(
          "a: b",
          "x #y",
          "- z",
          "'",
          '"',
          "1",
          "true",
          "null",
          "~",
          "",
          "a\nb",
          "{",
          "]",
          "&a",
          "*a",
          "%",
          "a:",
        ),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 8 }), tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    let plain = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value, { minKeys: 1 }), (root) => {
        if (compare(stringify(root))) plain += 1;
        if (compare(`a: ${JSON.stringify(root)}\n`)) plain += 1;
      }),
      { numRuns: 600 },
    );
    expect(plain).toBeGreaterThan(200);
  });

  test("reads no text that is put together at random in another way", () => {
    const scraps = [
      "a",
      "b: ",
      "c:",
      "- ",
      "-",
      "\n",
      "\n  ",
      "\n    ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      ",",
      "'",
      '"',
      "#",
      " # x",
    ];
    const more = [
      "&x ",
      "*x",
      "|",
      ">-",
      "|\n",
      ": ",
      ":",
      " ",
      "1",
      "~",
      "?",
      "? ",
      "\\",
      "''",
      "!",
      "%",
      "---",
      "d: e",
    ];
    const scrap = fc.constantFrom(...scraps, ...more);
    let plain = 0;
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 14 }), (parts) => {
        if (compare(`k: ${parts.join("")}\n`)) plain += 1;
        if (compare(parts.join(""))) plain += 1;
      }),
      { numRuns: 6000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  test("reads a policy with a slip of the pen as the library does", () => {
    const scraps = [
      " ",
      "  ",
      "\n",
      ":",
      "-",
      "- ",
      "#",
      " #",
      "'",
      '"',
      ",",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a",
      "|",
      ">",
      "?",
      "\\",
      "%",
    ];
    let plain = 0;
    fc.assert(
      fc.property(fc.nat(), fc.nat(3), fc.constantFrom("", ...scraps), fc.nat(), (place, cut, scrap, block) => {
        const text = blocks[block % blocks.length] ?? "";
        const at = place % (text.length + 1);
        if (compare(text.slice(0, at) + scrap + text.slice(at + cut))) plain += 1;
      }),
      { numRuns: Number(process.env["AROUTER_LONG"] ?? 0) > 0 ? 100_000 : 2000 },
    );
    expect(plain).toBeGreaterThan(100);
  });
});
