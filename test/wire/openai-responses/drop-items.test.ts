import { describe, expect, test } from "bun:test";
import { own, type Json } from "../../../src/base/json.ts";
import { dropItems } from "../../../src/wire/openai-responses/drop-items.ts";
import { openAiResponses } from "../../../src/wire/openai-responses/index.ts";

const limits = { jsonDepth: 64, jsonNodes: 10_000 };
const isMarked = (item: Json): boolean => own(item, "drop") === true;

function drop(input: string): string {
  const head = '{ "model" : "m", "n":1e1, "input" : ';
  const tail = ', "x":12345678901234567890 }';
  const parsed = openAiResponses.parseRequest(Buffer.from(head + input + tail), limits);
  const text = Buffer.from(dropItems(parsed, isMarked)).toString();
  expect(text).toStartWith(head);
  expect(text).toEndWith(tail);
  return text.slice(head.length, -tail.length);
}

const gone = '{"type":"reasoning","drop":true}';
const stays = '{ "role":"user", "content":"a,\\"]}\\u00e9" , "n":[1.50,{"input":[]}] }';

describe("dropItems", () => {
  test.each([
    ["the first item", `[${gone}, ${stays}]`, `[${stays}]`],
    ["the last item", `[${stays} ,${gone}]`, `[${stays}]`],
    ["one in the middle", `[${stays}, ${gone},${stays}]`, `[${stays},${stays}]`],
  ])("takes out %s and leaves every other byte", (_, before, after) => {
    expect(drop(before).replaceAll(/\s+(?=[,\]])|(?<=[[,])\s+/g, "")).toBe(
      after.replaceAll(/\s+(?=[,\]])|(?<=[[,])\s+/g, ""),
    );
  });

  test.each([[`[${stays}, ${stays}]`], ['"text"'], ["[]"]])("changes nothing in %s", (input) => {
    expect(drop(input)).toBe(input);
  });
});
