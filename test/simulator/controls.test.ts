import { describe, expect, test } from "bun:test";
import {
  createControlFilter,
  parseControls,
  parseControlScript,
  withoutControls,
} from "../../src/simulator/controls.ts";

const words = (text: string): unknown =>
  parseControls(text).map(({ word, values, options }) => [word, values, Object.fromEntries(options)]);

describe("parseControls", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["no words here", []],
    ["a [[sim: tools]] b", [["tools", [], {}]]],
    ['[[sim: text "a ]] b; \\"c\\" \\n"]]', [["text", ['a ]] b; "c" \n'], {}]]],
    [
      "[[sim: status 429 retry-after=2; slow 10]] and [[sim: empty]]",
      [
        ["status", ["429"], { "retry-after": "2" }],
        ["slow", ["10"], {}],
        ["empty", [], {}],
      ],
    ],
    [
      '[[sim: tools look_up arguments={"a": [1, "x ]]"]}]]',
      [["tools", ["look_up"], { arguments: '{"a": [1, "x ]]"]}' }]],
    ],
    ["[[sim: never closed", [["never", ["closed"], {}]]],
    ["[[sim: ]]", []],
    ["[[sim: ]x]]", [["]x", [], {}]]],
  ];
  for (const [text, expected] of cases) test(text, () => expect(words(text)).toEqual(expected));
});

test("the prompt without its control words is what a model would read", () => {
  expect(withoutControls('say [[sim: text "x ]] y"]] hello [[sim: tools]]')).toBe("say  hello");
});

describe("createControlFilter", () => {
  const target = { provider: "openai", model: "gpt-4o-mini" };

  test("applies a word only to the model and provider it names", () => {
    const filter = createControlFilter();
    const chosen = (script: string): number => filter.select(parseControlScript(script), target).length;
    expect(chosen("empty model=gpt-*")).toBe(1);
    expect(chosen("empty model=gpt-4o")).toBe(0);
    expect(chosen("empty provider=anthropic")).toBe(0);
    expect(chosen("empty provider=openai model=*mini")).toBe(1);
  });

  test("spends a word with times, each source text on its own", () => {
    const filter = createControlFilter();
    const chosen = (script: string): number => filter.select(parseControlScript(script), target).length;
    expect([1, 2, 3].map(() => chosen("status 500 times=2"))).toEqual([1, 1, 0]);
    expect(chosen("status 500 times=2 id=b")).toBe(1);
  });
});
