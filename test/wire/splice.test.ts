import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../src/base/json.ts";
import { appendToArray, spliceFields, spliceModelInEvent, spliceModelInReply } from "../../src/wire/splice.ts";
import type { FieldEdit } from "../../src/wire/splice.ts";

const splice = (text: string, ...edits: FieldEdit[]): string =>
  Buffer.from(spliceFields(Buffer.from(text), edits)).toString();
const set = (field: string, value: Json): FieldEdit => ({ field, value });
const drop = (field: string): FieldEdit => ({ field, drop: true });

describe("spliceFields", () => {
  test.each([
    [
      "replaces a value and nothing else",
      '{"a": 1 , "model" :\t"x" ,"b":2}',
      [set("model", "y")],
      '{"a": 1 , "model" :\t"y" ,"b":2}',
    ],
    ["finds a key that is written with escapes", '{"mod\\u0065l":"x"}', [set("model", "y")], '{"mod\\u0065l":"y"}'],
    ["replaces every occurrence of a duplicated key", '{"m":1,"m":2}', [set("m", 3)], '{"m":3,"m":3}'],
    [
      "keeps a 20-digit integer intact",
      '{"seed":12345678901234567890,"m":1}',
      [set("m", 2)],
      '{"seed":12345678901234567890,"m":2}',
    ],
    ["keeps number forms", '{"t":1e400,"u":-0.0,"v":1.50,"m":1}', [set("m", 2)], '{"t":1e400,"u":-0.0,"v":1.50,"m":2}'],
    ["leaves nested fields of the name alone", '{"x":{"m":1},"m":[{"m":2}]}', [set("m", 0)], '{"x":{"m":1},"m":0}'],
    [
      "is not misled by text that looks like fields",
      '{"t":"\\",\\"m\\":1,{[","m":1}',
      [set("m", 2)],
      '{"t":"\\",\\"m\\":1,{[","m":2}',
    ],
    ["is not misled by a value equal to the key", '{"a":"m","m":"m"}', [set("m", 2)], '{"a":"m","m":2}'],
    ["adds behind the last field", '{\n "a": 1\n}', [set("b", [2])], '{\n "a": 1,"b":[2]\n}'],
    ["adds to an empty object", "{ }", [set("b", 2), set("c", 3)], '{"b":2,"c":3 }'],
    ["drops the first", '{"a":1, "b":2}', [drop("a")], '{"b":2}'],
    ["drops the middle", '{"a":1,"b":{"c":[1,2]},"d":3}', [drop("b")], '{"a":1,"d":3}'],
    ["drops the last", '{"a":1 , "b":2 }', [drop("b")], '{"a":1 }'],
    ["drops several at the end", '{"a":1,"b":2,"c":3}', [drop("b"), drop("c")], '{"a":1}'],
    ["drops all", '{ "a":1,"b":2 }', [drop("b"), drop("a")], "{  }"],
    ["drops all and adds", '{"a":1,"b":2}', [drop("b"), drop("a"), set("c", 3)], '{"c":3}'],
    ["drops every occurrence", '{"a":1,"b":2,"a":3}', [drop("a")], '{"b":2}'],
    ["drops nothing that is not there", '{"a":1}', [drop("b")], '{"a":1}'],
    ["takes the last edit of a field", '{"a":1}', [set("a", 2), set("a", 3)], '{"a":3}'],
    ["treats __proto__ as data", '{"__proto__":1}', [set("__proto__", 2)], '{"__proto__":2}'],
    ["writes text that needs escapes", '{"a":"é"}', [set("a", 'q"\n漢')], '{"a":"q\\"\\n漢"}'],
    ["leaves what is no object", "[1]", [set("a", 1)], "[1]"],
  ] as [string, string, FieldEdit[], string][])("%s", (_name, source, edits, expected) => {
    expect(splice(source, ...edits)).toBe(expected);
  });

  test("gives the same bytes back when there is nothing to do", () => {
    const bytes = Buffer.from('{"a":1}');
    expect(spliceFields(bytes, [])).toBe(bytes);
  });

  test("agrees with editing the parsed object, and touches nothing else", () => {
    const name = fc.constantFrom("model", "a", "b", "é", 'q"', "\\", "messages");
    const spacing = fc.constantFrom("", " ", "\n\t", "\r\n");
    const value = fc.jsonValue({ maxDepth: 3 }).map((json) => json as Json);
    const field = fc.tuple(name, value, spacing, spacing, fc.boolean());
    const fields = fc.uniqueArray(field, { selector: ([key]) => key, maxLength: 6 });
    const edits = fc.uniqueArray(fc.tuple(name, fc.option(value)), { selector: ([key]) => key, maxLength: 4 });
    fc.assert(
      fc.property(fields, edits, spacing, (source, changes, tail) => {
        const renderKey = (key: string, escaped: boolean): string =>
          escaped
            ? `"${[...key].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`
            : JSON.stringify(key);
        const parts = source.map(([key, each, before, after, escaped]) => ({
          key,
          text: `${before}${renderKey(key, escaped)}${after}:${before}${JSON.stringify(each, null, after)}`,
        }));
        const text = `{${parts.map((part) => part.text).join(",")}${tail}}`;
        const result = splice(text, ...changes.map(([key, each]) => (each === null ? drop(key) : set(key, each))));
        const expected = new Map(source.map(([key, each]) => [key, each]));
        for (const [key, each] of changes) {
          if (each === null) expected.delete(key);
          else expected.set(key, each);
        }
        expect(JSON.parse(result)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(expected))));
        const changed = new Set(changes.map(([key]) => key));
        for (const part of parts) if (!changed.has(part.key)) expect(result).toContain(part.text.trimStart());
      }),
      { numRuns: 400 },
    );
  });

  test("costs a body of 200 KB well under a millisecond at its best", () => {
    const body = Buffer.from(
      JSON.stringify({ messages: [{ role: "user", content: "lorem ipsum ".repeat(17_000) }], model: "a" }),
    );
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 20; run += 1) {
      const start = performance.now();
      spliceFields(body, [set("model", "b")]);
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(1);
  });
});

describe("appendToArray", () => {
  test.each([
    ["behind the last element", '{"m":[1, 2 ] ,"x":1}', '{"m":[1, 2,{"r":3} ] ,"x":1}'],
    ["to an empty array", '{"m":[ ]}', '{"m":[{"r":3} ]}'],
    ["to the last of two", '{"m":[1],"m":[2]}', '{"m":[1],"m":[2,{"r":3}]}'],
  ])("appends %s", (_name, source, expected) => {
    expect(Buffer.from(appendToArray(Buffer.from(source), "m", { r: 3 }) ?? []).toString()).toBe(expected);
  });

  test("gives null where there is no such array", () => {
    for (const source of ['{"n":[]}', '{"m":"[]"}', '{"m":{}}', "[]"]) {
      expect(appendToArray(Buffer.from(source), "m", 1)).toBeNull();
    }
  });
});

describe("spliceModelInReply", () => {
  const rename = (text: string): string => Buffer.from(spliceModelInReply(Buffer.from(text), "shown")).toString();

  test.each([
    [
      "a buffered answer",
      '{"id":"1", "model": "m","usage":{"model":"x"}}',
      '{"id":"1", "model": "shown","usage":{"model":"x"}}',
    ],
    [
      "message_start",
      '{"type":"message_start","message":{"id":"1","model":"m"}}',
      '{"type":"message_start","message":{"id":"1","model":"shown"}}',
    ],
    [
      "a Responses event",
      '{"type":"response.created","response":{"model":"m"}}',
      '{"type":"response.created","response":{"model":"shown"}}',
    ],
    ["nothing where there is no model", '{"choices":[{"model":"m"}]}', '{"choices":[{"model":"m"}]}'],
  ])("renames %s", (_name, source, expected) => {
    expect(rename(source)).toBe(expected);
  });
});

describe("spliceModelInEvent", () => {
  const rename = (text: string): string => Buffer.from(spliceModelInEvent(Buffer.from(text), "shown")).toString();

  test.each([
    [
      "a Chat chunk",
      'data: {"id":"1","model":"m","choices":[]}\n\n',
      'data: {"id":"1","model":"shown","choices":[]}\n\n',
    ],
    [
      "message_start with its padding",
      'event: message_start\ndata: {"type":"message_start","message":{"model":"m"} }\n\n',
      'event: message_start\ndata: {"type":"message_start","message":{"model":"shown"} }\n\n',
    ],
    ["an event behind CRLF", 'event: x\r\ndata:{"model":"m"}\r\n\r\n', 'event: x\r\ndata:{"model":"shown"}\r\n\r\n'],
    ["[DONE] to itself", "data: [DONE]\n\n", "data: [DONE]\n\n"],
    ["a comment to itself", ': data: {"model":"m"}\n\n', ': data: {"model":"m"}\n\n'],
  ])("renames %s", (_name, source, expected) => {
    expect(rename(source)).toBe(expected);
  });
});
