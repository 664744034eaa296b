import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GatewayError } from "../../../src/base/errors.ts";
import { at, call, OPUS_5_5, SONNET_4_5, translate, WEATHER } from "./support.ts";

const ids = fc.constantFrom("a", "b", "c", "d.e");
const words = fc.constantFrom("x", "", " ", "hello", "So: ");
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer"), content: words }),
  fc.record({ role: fc.constant("user"), content: words }),
  fc.record({
    role: fc.constant("user"),
    content: fc.array(
      words.map((text) => ({ type: "text", text })),
      { maxLength: 3 },
    ),
  }),
  fc.record({ role: fc.constant("assistant"), content: words }),
  fc.record({
    role: fc.constant("assistant"),
    content: fc.option(words),
    tool_calls: fc.uniqueArray(ids, { minLength: 1, maxLength: 3 }).map((list) => list.map((id) => call(id))),
  }),
  fc.record({
    role: fc.constant("assistant"),
    content: fc.constant(null),
    function_call: fc.constant({ name: "weather", arguments: "{}" }),
  }),
  fc.record({ role: fc.constant("function"), name: fc.constant("weather"), content: words }),
  fc.record({ role: fc.constant("tool"), tool_call_id: ids, content: words }),
  fc.record({
    role: fc.constant("user"),
    content: ids.map((id) => [{ type: "tool_result", tool_use_id: id, content: "r" }]),
  }),
);

/** What Anthropic asks of messages, whatever the client's history looks like. */
function assertTurns(body: unknown): void {
  const turns = at(body, "messages") as readonly object[];
  expect(at(turns[0], "role")).toBe("user");
  let calls: unknown[] = [];
  turns.forEach((turn, index) => {
    const role = at(turn, "role");
    const content = at(turn, "content") as readonly object[];
    const before = turns[index - 1];
    expect(content.length).toBeGreaterThan(0);
    expect(role).not.toBe(at(before, "role") as string);
    if (role === "system") expect(at(before, "role")).toBe("user");
    if (at(before, "role") === "system") expect(role).toBe("assistant");
    for (const block of content) {
      if (at(block, "type") === "text") expect((at(block, "text") as string).trim()).not.toBe("");
      if (at(block, "id") !== undefined) expect(at(block, "id")).toMatch(/^[A-Za-z0-9_-]+$/);
    }
    const results = content.filter((block) => at(block, "type") === "tool_result");
    expect(results.map((block) => at(block, "tool_use_id"))).toEqual(calls);
    expect(content.slice(0, results.length)).toEqual(results);
    calls = content.filter((block) => at(block, "type") === "tool_use").map((block) => at(block, "id"));
  });
  expect(calls).toEqual([]);
}

describe("any history", () => {
  for (const [name, model] of [
    ["with system turns", OPUS_5_5],
    ["with reminders", SONNET_4_5],
  ] as const) {
    test(`becomes turns that Claude takes, or is refused as empty, ${name}; and twice the same`, () => {
      fc.assert(
        fc.property(fc.array(message, { minLength: 1, maxLength: 10 }), (messages) => {
          const fields = { messages, tools: [WEATHER] };
          let body: string;
          try {
            body = translate(fields, { model }).body;
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            expect(error.param).toMatch(/^messages\[\d+\]\.content$/);
            return;
          }
          assertTurns(JSON.parse(body));
          expect(translate(fields, { model }).body).toBe(body);
        }),
        { numRuns: 400 },
      );
    });
  }
});
