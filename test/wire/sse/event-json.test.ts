import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../../src/base/json.ts";
import { createEventJson } from "../../../src/wire/sse/event-json.ts";

/** What the parser gives for each text of one stream; null: not JSON. */
function readAll(texts: readonly string[]): readonly (Json | null)[] {
  const events = createEventJson();
  return texts.map((text) => tryParse((each) => events.parse(each), text));
}

function tryParse(parse: (text: string) => Json, text: string): Json | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

/** The same as `JSON.parse` gives it, text by text; order of keys included. */
function expectSame(texts: readonly string[]): void {
  const expected = texts.map((text) => tryParse((each) => JSON.parse(each) as Json, text));
  const read = readAll(texts);
  expect(read).toEqual(expected);
  expect(read.map((json) => JSON.stringify(json))).toEqual(expected.map((json) => JSON.stringify(json)));
}

const chunk = (content: string, extra = ""): string =>
  `{"id":"c","choices":[{"index":0,"delta":{"content":${content}},"finish_reason":null}]${extra}}`;

const STREAMS: readonly [string, readonly string[]][] = [
  ["one text that changes", ['"a"', '"b"', '"c"', '""', '"a longer one"'].map((text) => chunk(text))],
  ["escapes", ['"a"', '"b"', '"\\n"', '"\\""', '"\\\\"', '"\\u00e9\\ud83d"', '"é😀"'].map((text) => chunk(text))],
  ["bad escapes", ['"a"', '"b"', '"\\x"', '"\\u12"', '"\\"', '"c"'].map((text) => chunk(text))],
  ["control characters", ['"a"', '"b"', '"\t"', '"\u0000"', '"\\\t"', '"c"'].map((text) => chunk(text))],
  ["a string that turns into something else", ['"a"', '"b"', "null", "1", "[]", '"c"'].map((text) => chunk(text))],
  ["text behind the end", ['"a"', '"b"', '"c"', '"d"'].map((text, at) => chunk(text) + (at === 2 ? "}" : ""))],
  ["a cut text", ['"a"', '"b"', '"c"', '"d"'].map((text, at) => (at > 1 ? chunk(text).slice(0, -at) : chunk(text)))],
  [
    "padding and a count beside the text",
    [1, 2, 9, 10, 11, 100].map((at) => chunk(`"t${at}"`, `,"sequence_number":${at},"obfuscation":"${"x".repeat(at)}"`)),
  ],
  [
    "numbers that are no plain integers",
    ["1", "2", "3", "-3", "3.5", "1e5", "-0", "007", "12345678901234567890", "999999999999999"].map((number) =>
      chunk('"a"', `,"n":${number}`),
    ),
  ],
  ["two shapes in turns", [0, 1, 2, 3, 4, 5].map((at) => (at % 2 === 0 ? chunk(`"${at}"`) : `{"call":"${at}"}`))],
  ["a field that changes its name", ['{"a":1}', '{"b":1}', '{"c":1}', '{"a":1}']],
  ["a field written twice", ["1", "2", "3"].map((text) => `{"a":"${text}","a":"x","b":{"a":"${text}"}}`)],
  ["a field written twice, the last one changing", ["1", "2", "3"].map((text) => `{"a":"x","a":"${text}"}`)],
  ["names that are data", ["1", "2", "3"].map((text) => `{"__proto__":{"x":"${text}"},"constructor":"${text}"}`)],
  ["a changing __proto__", ["1", "2", "3"].map((text) => `{"__proto__":"${text}"}`)],
  ["marks in disguise", ["a", "b", "c"].map((text) => `{"x":"${text}","x":"y","z":"\\u0073lot0"}`)],
  [
    "marks in disguise, where one stands for what changes",
    [
      ["\\u0073lot0", "a"],
      ["\\u0073lot0", "\\u0073lot0"],
      ["\\u0073lot0", "evil"],
    ].map(([x, y]) => `{"x":"${x}","y":"${y}"}`),
  ],
  ["marks as they are", ["slot0", "slot0*", "slot0**", "slot1"].map((text) => chunk(`"${text}"`))],
  ["values that are no objects", ['"a"', '"b"', '"c"', "1", "2", "[1]", "[2]"]],
  ["spacing that changes", ['{"a": "1"}', '{"a": "2"}', '{"a":"3"}', '{ "a": "4"}', '{"a": "5" }']],
];

describe("a stream's events give what JSON.parse gives", () => {
  test.each(STREAMS)("%s", (_name, texts) => {
    expectSame(texts);
    // In any order: what was learned must not depend on who comes first.
    expectSame(texts.toReversed());
    expectSame([...texts, ...texts]);
  });

  test("whatever the values, and wherever a text is damaged", () => {
    const value = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.nat(), fc.double({ noNaN: true }));
    const event = fc.record({ type: fc.constantFrom("delta", "other"), n: fc.nat(), a: value, inner: fc.array(value) });
    const damage = fc.option(fc.tuple(fc.nat(), fc.constantFrom('"', "\\", "}", ",", "1", "-", "\n", "e")));
    fc.assert(
      fc.property(fc.array(fc.tuple(event, damage), { maxLength: 8 }), (events) => {
        const texts = events.map(([json, at]) => {
          const text = JSON.stringify(json);
          if (at === null) return text;
          const place = at[0] % text.length;
          return text.slice(0, place) + at[1] + text.slice(place);
        });
        expectSame(texts);
      }),
      { numRuns: 500 },
    );
  });

  test("damage of one byte in an event whose shape is known", () => {
    const known = [chunk('"a"', ',"n":1'), chunk('"b"', ',"n":2'), chunk('"c"', ',"n":3')];
    const last = chunk('"some \\"text\\""', ',"n":44');
    for (let at = 0; at <= last.length; at += 1) {
      for (const byte of ['"', "\\", "}", "{", "0", "-", ".", " ", "\u0001", ""]) {
        expectSame([...known, last.slice(0, at) + byte + last.slice(at + 1)]);
      }
    }
  });
});

describe("the values it gives", () => {
  test("stay as they were when the next event is read", () => {
    const read = readAll(["1", "2", "3", "4"].map((text) => chunk(`"${text}"`)));
    expect(read.map((json) => JSON.stringify(json))).toEqual(["1", "2", "3", "4"].map((text) => chunk(`"${text}"`)));
  });

  test("come without parsing once two events have shown what differs", () => {
    const events = createEventJson();
    for (const text of ['"a"', '"b"']) events.parse(chunk(text));
    const calls: string[] = [];
    const { parse: original } = JSON;
    JSON.parse = (text: string) => {
      calls.push(text);
      return original(text) as unknown;
    };
    try {
      for (let at = 0; at < 100; at += 1) events.parse(chunk(`"token ${at}"`));
    } finally {
      JSON.parse = original;
    }
    expect(calls).toEqual([]);
  });

  test("cost no more looking for shapes where there are none", () => {
    const texts = Array.from({ length: 100 }, (_, at) => JSON.stringify({ [`field${at}`]: at }));
    expectSame(texts);
  });
});
