import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { findPositions } from "../../src/config/positions.ts";

const spot = (source: string, path: string, place: "key" | "value" = "value"): string => {
  const { line, column } = findPositions(source)[place](path.split("/"));
  return `${line}:${column}`;
};

describe("positions", () => {
  const source = `# comment [not.a.table] x = 1
top = 1 # [neither] = 2

[a.b] # header
c = "] # no = comment" # but this
"d.e" . 'f' = [1, [2, "]"], # inner ]
  3 ,
]
g = { h = 1, i . j = """x
"}=""" , k = [ { l = 'm}' } ] }
[ a . "q u" ]
z = '''
[no.table]
y = 1'''
w = 1979-05-27 07:32:00Z
[[list]]
n = 1
[[list]]
n = "\\"] \\\\"
o = 0x1F
`;
  test.each([
    ["top", "key", "2:1"],
    ["top", "value", "2:7"],
    ["a", "key", "4:2"],
    ["a/b", "key", "4:4"],
    ["a/b/c", "key", "5:1"],
    ["a/b/c", "value", "5:5"],
    ["a/b/d.e", "key", "6:1"],
    ["a/b/d.e/f", "key", "6:9"],
    ["a/b/d.e/f", "value", "6:15"],
    ["a/b/d.e/f/0", "value", "6:16"],
    ["a/b/d.e/f/1/1", "value", "6:23"],
    ["a/b/d.e/f/2", "value", "7:3"],
    ["a/b/g/h", "value", "9:11"],
    ["a/b/g/i/j", "key", "9:18"],
    ["a/b/g/i/j", "value", "9:22"],
    ["a/b/g/k/0/l", "value", "10:22"],
    ["a/q u/z", "key", "12:1"],
    ["a/q u/w", "value", "15:5"],
    ["list", "key", "16:3"],
    ["list/0/n", "key", "17:1"],
    ["list/1/n", "value", "19:5"],
    ["list/1/o", "value", "20:5"],
  ] as const)("of %s, its %s: %s", (path, place, expected) => {
    expect(parse(source)).toBeObject();
    expect(spot(source, path, place)).toBe(expected);
  });

  test("of what is not there are those of the table around it", () => {
    expect([spot(source, "a/b/nope"), spot(source, "nope"), spot(source, "top/deeper")]).toEqual(["4:4", "1:1", "2:1"]);
  });
  test("count after CRLF, tabs, a byte order mark and beyond the BMP", () => {
    expect(spot("\ufeffa = 1", "a", "key")).toBe("1:2");
    expect(spot("a = 1\r\n\tb = 2\r\n", "b", "key")).toBe("2:2");
    expect(spot('x = { "😀" = 1, b = 2 }', "x/b", "key")).toBe("1:17");
  });
  test("read escapes in quoted keys", () => {
    expect(spot('"a\\u0041\\"\\n" = 1', 'aA"\n')).toBe("1:17");
  });
  test("end on text that is not TOML too", () => {
    for (const bad of [
      "[",
      "[[",
      "a",
      "a =",
      "a = [",
      "a = {",
      'a = "',
      "]]]",
      "= = =",
      "a = [,,",
      "{",
      "a.",
      '"'.repeat(5),
    ]) {
      expect(spot(bad, "zz")).toBe("1:1");
    }
  });
  test("are found for every value that the parser finds", () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.constantFrom("]", "}", '"', "'''", "# x", "a\nb", "\\"),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(
        fc.oneof(
          fc.stringMatching(/^[a-z_]{1,4}$/),
          fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
        ),
        tie("node"),
        { maxKeys: 4 },
      ),
      node: fc.oneof({ depthSize: "small" }, scalar, fc.array(scalar, { maxLength: 3 }), tie("tree")),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const toml = stringify(value);
        const lines = toml.split("\n");
        const positions = findPositions(toml);
        for (const [path, leaf] of leaves(parse(toml), [])) {
          const { line, column } = positions.value(path);
          const rest = [lines[line - 1]?.slice(column - 1), ...lines.slice(line)].join("\n");
          // What stands there begins with the value, so parsing it as a value on its own gives it back.
          expect(rest.startsWith(stringify({ x: leaf }).slice(4).trimEnd())).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function leaves(value: unknown, path: readonly string[]): readonly (readonly [readonly string[], unknown])[] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
