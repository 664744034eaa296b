/** Any sequence of items becomes a request that Claude's rules accept, whatever clients trim, repeat or reorder. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/base/json.ts";
import { sealThinking } from "../../../src/translate/maps/thinking-envelope.ts";
import { judgeRequest } from "../../corpus/judge.ts";
import { outcome, translate, WEATHER } from "./support.ts";

const text = fc.constantFrom("Hi.", "Go on.", "a\n", "");
const id = fc.constantFrom("a", "b", "c d");
const custom = { type: "custom", name: "note" };

const item: fc.Arbitrary<object> = fc.oneof(
  fc.record({ role: fc.constant("user"), content: fc.constantFrom("Hi.", "Go on.") }),
  fc.record({ role: fc.constantFrom("assistant", "developer", "system"), content: text }),
  fc.record({
    type: fc.constant("function_call"),
    call_id: id,
    name: fc.constantFrom("weather", "gone"),
    arguments: fc.constantFrom("{}", "", "[1]", "{bad", '{"city":"Oslo"}'),
  }),
  fc.record({ type: fc.constant("custom_tool_call"), call_id: id, name: fc.constant("note"), input: text }),
  fc.record({ type: fc.constantFrom("function_call_output", "custom_tool_call_output"), call_id: id, output: text }),
  fc.constantFrom(
    {
      type: "reasoning",
      id: "rs_1",
      summary: [],
      encrypted_content: sealThinking({ type: "thinking", thinking: "Hm.", signature: "EqQB" }),
    },
    {
      type: "reasoning",
      id: "rs_2",
      summary: [],
      encrypted_content: sealThinking({ type: "redacted_thinking", data: "x" }),
    },
    { type: "reasoning", id: "rs_3", summary: [], encrypted_content: "gAAAA" },
    { type: "reasoning", id: "rs_4", summary: [] },
    { type: "web_search_call", id: "ws_1", action: { query: "a" } },
    { type: "additional_tools", role: "developer", tools: [WEATHER, custom] },
    { type: "later", id: "x" },
  ),
);

test.each(["claude-sonnet-5-5", "claude-sonnet-4-5", "claude-sonnet-5", "claude-opus-4-8"])(
  "any history is one that %s accepts",
  (model) => {
    const history = fc.array(item, { minLength: 1, maxLength: 12 });
    const reasoning = fc.constantFrom({}, { reasoning: { effort: "low" } }, { reasoning: { effort: "none" } });
    fc.assert(
      fc.property(history, reasoning, (input, asked) => {
        const fields = { input, tools: [WEATHER, custom], ...asked };
        const { body } = outcome(fields, { model });
        const judgement = judgeRequest("messages", body satisfies JsonObject, translate(fields, { model }).betas);
        expect(judgement).toBeNull();
        expect(translate(fields, { model }).body).toBe(JSON.stringify(body));
      }),
      { numRuns: 300, seed: 8 },
    );
  },
);
