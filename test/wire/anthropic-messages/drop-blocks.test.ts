import { describe, expect, test } from "bun:test";
import { own, type Json } from "../../../src/base/json.ts";
import { dropBlocks } from "../../../src/wire/anthropic-messages/drop-blocks.ts";
import { anthropicMessages } from "../../../src/wire/anthropic-messages/index.ts";

const limits = { jsonDepth: 64, jsonNodes: 10_000 };
const head = '{ "max_tokens":1e1, "model" : "m", "messages" : ';

const isMarked = (block: Json): boolean => own(block, "drop") === true;

function drop(messages: string): string {
  const parsed = anthropicMessages.parseRequest(Buffer.from(`${head}${messages}, "x":12345678901234567890 }`), limits);
  const text = Buffer.from(dropBlocks(parsed, isMarked)).toString();
  expect(text).toStartWith(head);
  expect(text).toEndWith(', "x":12345678901234567890 }');
  return text.slice(head.length, -', "x":12345678901234567890 }'.length);
}

const gone = '{"type":"t","drop":true}';
const stays = '{ "type":"text", "text":"a,\\"]}\\u00e9" , "n":[1.50,{"content":[]}] }';

describe("dropBlocks", () => {
  test.each([
    [
      "the first block of a turn",
      `[{"role":"user","content":[${gone} , ${stays}]}]`,
      `[{"role":"user","content":[${stays}]}]`,
    ],
    [
      "the last block of a turn",
      `[{"role":"user","content":[ ${stays} , ${gone} ]}]`,
      `[{"role":"user","content":[ ${stays} ]}]`,
    ],
    [
      "blocks in between, in several turns",
      `[{"content":[${stays},${gone},${gone},${stays}],"role":"user"}, {"role":"user","content":"s"} ,{"role":"assistant","content":[${gone},${stays}]}]`,
      `[{"content":[${stays},${stays}],"role":"user"}, {"role":"user","content":"s"} ,{"role":"assistant","content":[${stays}]}]`,
    ],
    [
      "a turn that has no other block",
      `[ {"role":"user","content":"a"} , {"role":"assistant","content":[${gone}]}, {"role":"user","content":[${stays},${gone}]}]`,
      `[ {"role":"user","content":"a"} , {"role":"user","content":[${stays}]}]`,
    ],
    [
      "the last of two fields of the name, which is the one that counts",
      `[{"role":"user","content":[${gone}],"content":[${stays},${gone}]}]`,
      `[{"role":"user","content":[${gone}],"content":[${stays}]}]`,
    ],
  ])("takes out %s", (_name, messages, expected) => {
    expect(drop(messages)).toBe(expected);
    JSON.parse(expected);
  });

  test("gives the same bytes back when there is nothing to take out", () => {
    const parsed = anthropicMessages.parseRequest(
      Buffer.from(`${head}[{"role":"user","content":[${stays}]},{"role":"user","content":[]}]}`),
      limits,
    );
    expect(dropBlocks(parsed, isMarked)).toBe(parsed.bytes);
  });
});
