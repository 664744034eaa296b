import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GatewayError } from "../../src/base/errors.ts";
import { isObject } from "../../src/base/json.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Facts } from "../../src/wire/format.ts";
import { formats } from "../../src/wire/formats.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 100_000 };

/** Names that mean something somewhere, and some that must not. */
const NAMES = [
  "model",
  "messages",
  "input",
  "role",
  "content",
  "type",
  "text",
  "tools",
  "function",
  "name",
  "parameters",
  "arguments",
  "tool_calls",
  "delta",
  "choices",
  "index",
  "finish_reason",
  "usage",
  "prompt_tokens",
  "input_tokens",
  "output_tokens",
  "message",
  "content_block",
  "partial_json",
  "response",
  "output",
  "item",
  "status",
  "error",
  "code",
  "metadata",
  "system",
  "stop_reason",
  "image_url",
  "url",
  "source",
  "data",
  "file",
  "file_data",
  "tool_choice",
  "mode",
  "response_format",
  "thinking",
  "stream",
  "max_tokens",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "0",
];
const WORDS = [
  "text",
  "tool_use",
  "tool_result",
  "image",
  "document",
  "base64",
  "image_url",
  "file",
  "function",
  "message_start",
  "content_block_start",
  "content_block_delta",
  "message_delta",
  "input_json_delta",
  "text_delta",
  "response.completed",
  "response.output_item.done",
  "function_call",
  "json_schema",
  "enabled",
  "any",
  "user",
  "tool",
  "data:image/png;base64,iVBORw0KGgo",
  "data:application/pdf;base64,L0NvdW50IDk5OTk5",
  "",
  "é😀",
];

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json>(...WORDS, null, true, false, 0, -1, 1.5, 1e300),
    fc.array(tie("json"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie("json")), { maxLength: 6 })
      .map((entries) => Object.fromEntries(entries) as Json),
  ),
}));
const object = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), json), { maxLength: 8 })
  .map((entries): JsonObject => Object.fromEntries(entries));

function readAll(facts: Facts): void {
  for (const name of Object.keys(facts)) void facts[name as keyof Facts];
  expect(Number.isFinite(facts.tokensInput)).toBe(true);
}

describe("hostile JSON", () => {
  for (const format of formats) {
    test(`a ${format.name} request is read or refused with a 400, never worse`, () => {
      const body = fc.tuple(object, fc.array(object, { maxLength: 3 })).map(([each, messages]) => ({
        ...each,
        model: "m",
        max_tokens: 1,
        messages: messages.map((message) => ({ role: "user", content: "x", ...message })),
      }));
      let read = 0;
      fc.assert(
        fc.property(body, (each) => {
          try {
            readAll(format.facts(format.parseRequest(Buffer.from(JSON.stringify(each)), LIMITS)));
            read += 1;
          } catch (error) {
            if (!(error instanceof GatewayError) || error.status !== 400) throw error;
          }
        }),
        { numRuns: 400 },
      );
      expect(read).toBeGreaterThan(20);
    });

    test(`a ${format.name} answer, event or error is read whatever it holds`, () => {
      fc.assert(
        fc.property(object, fc.array(object, { maxLength: 6 }), (reply, events) => {
          format.isReply(reply);
          format.readError(reply);
          format.readReply(reply);
          const tally = format.openTally({ collect: true, choices: 1 });
          const gatherer = format.openGatherer();
          for (const event of events) {
            tally.read(event, "");
            gatherer.read(event, "");
          }
          tally.facts();
          expect(tally.contentBytes).toBeGreaterThanOrEqual(0);
          expect(isObject(gatherer.reply())).toBe(true);
        }),
        { numRuns: 400 },
      );
    });
  }

  test("nothing that is read changes the prototype of anything", () => {
    const text =
      '{"model":"m","max_tokens":1,"messages":[],"metadata":{"__proto__":"x","a":"1"},"tools":[{"name":"__proto__","input_schema":{"__proto__":{}}}]}';
    for (const format of formats) {
      const facts = format.facts(format.parseRequest(Buffer.from(text), LIMITS));
      readAll(facts);
      expect(Object.getPrototypeOf(facts.metadata)).toBe(Object.prototype);
      expect(Object.hasOwn(facts.metadata, "__proto__")).toBe(true);
    }
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });
});
