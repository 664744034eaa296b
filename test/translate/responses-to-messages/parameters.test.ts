import { describe, expect, test } from "bun:test";
import { responsesToMessages } from "../../../src/translate/responses-to-messages/index.ts";
import { outcome, refusal, translate, user, WEATHER } from "./support.ts";

describe("parameters", () => {
  test.each([
    ["previous_response_id", { previous_response_id: "resp_1" }],
    ["conversation", { conversation: { id: "conv_1" } }],
    ["background", { background: true }],
    ["prompt", { prompt: { id: "pmpt_1" } }],
    ["include", { include: ["message.output_text.logprobs"] }],
    ["top_logprobs", { top_logprobs: 3 }],
    ["moderation", { moderation: { policy: { input: { mode: "block" } } } }],
    ["tool_choice", { tools: [{ type: "image_generation" }], tool_choice: "required" }],
    ["tool_choice", { tools: [WEATHER], tool_choice: { type: "file_search" } }],
    ["input[0]", { input: [{ type: "item_reference", id: "msg_1" }] }],
    ["input[0]", { input: [{ type: "compaction", encrypted_content: "x" }] }],
    ["input[0].content[0].file_id", { input: [user([{ type: "input_image", file_id: "file-1" }])] }],
    ["input[0].content[0]", { input: [user([{ type: "input_audio", input_audio: {} }])] }],
    ["input[0].content[0].file_url", { input: [user([{ type: "input_file", file_url: "http://a.b/c.pdf" }])] }],
    ["tools[1]", { tools: [WEATHER, WEATHER] }],
  ])("refuses what would change the meaning: %s", (param, fields) => {
    expect(refusal(fields)).toEqual({ param, kind: "unsupported-translation" });
  });

  test.each([
    ["input", { input: [] }],
    ["input", { input: null }],
    ["input[0].role", { input: [{ role: "nobody", content: "x" }] }],
    ["input[0].content[0].type", { input: [user([{ type: "thing" }])] }],
    ["input[0].call_id", { input: [{ type: "function_call", name: "a", arguments: "{}" }] }],
    ["input[0].name", { input: [{ type: "function_call", call_id: "c", arguments: "{}" }] }],
    ["max_output_tokens", { max_output_tokens: 0 }],
    ["reasoning.effort", { reasoning: { effort: "much" } }],
    ["text.format.type", { text: { format: { type: "yaml" } } }],
    ["tools[0].name", { tools: [{ type: "function" }] }],
    ["tools[0].tools", { tools: [{ type: "namespace", name: "a" }] }],
    ["tool_choice", { tools: [WEATHER], tool_choice: { type: "function", name: "other" } }],
    ["tool_choice", { tool_choice: "required" }],
  ])("refuses what is wrong: %s", (param, fields) => {
    expect(refusal(fields)).toEqual({ param, kind: "invalid-request" });
  });

  test("tools that run at OpenAI are refused where the settings say so", () => {
    const setup = { options: { serverTools: "reject" } } as const;
    expect(refusal({ tools: [{ type: "code_interpreter" }] }, setup).param).toBe("tools[0]");
  });

  test("null, false and what clients always send have no effect and are not reported", () => {
    const { dropped, adapted } = outcome({
      previous_response_id: null,
      background: false,
      conversation: null,
      store: false,
      include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
      stream_options: { include_obfuscation: false },
      truncation: "disabled",
      prompt_cache_key: "k",
      client_metadata: { a: "b" },
      tool_choice: "auto",
      parallel_tool_calls: false,
      top_logprobs: 0,
      text: { format: { type: "text" }, verbosity: "medium" },
    });
    expect([dropped, adapted]).toEqual([[], []]);
  });

  test("what is not carried is told", () => {
    const fields = {
      store: true,
      truncation: "auto",
      max_tool_calls: 2,
      later: 1,
      context_management: [{}],
      temperature: 0.5,
    };
    expect(outcome({ ...fields, tools: [{ type: "mcp" }, WEATHER] }).dropped.toSorted()).toEqual(
      ["context_management", "later", "max_tool_calls", "store", "temperature", "tools[0]", "truncation"].toSorted(),
    );
  });

  test.each([
    [{ effort: "high", summary: "auto" }, { type: "adaptive", display: "summarized" }, { effort: "high" }],
    [{ effort: "high" }, { type: "adaptive" }, { effort: "high" }],
    [{ summary: "detailed" }, { type: "adaptive", display: "summarized" }, undefined],
    [{ effort: "none" }, { type: "between_tools" }, undefined],
  ])("reasoning %j", (reasoning, thinking, config) => {
    const { body } = outcome({ reasoning });
    expect([body["thinking"], body["output_config"]]).toEqual([thinking as never, config as never]);
  });

  test("a model that thinks on a budget is given one", () => {
    const { body } = outcome({ reasoning: { effort: "low" } }, { model: "claude-sonnet-4-5" });
    expect(body["thinking"]).toEqual({ type: "enabled", budget_tokens: 2_048 });
  });

  test("Anthropic's own parameters in the body win", () => {
    const { body, dropped } = outcome({ thinking: { type: "disabled" }, cache_control: { type: "ephemeral" } });
    expect([body["thinking"], body["cache_control"]]).toEqual([{ type: "disabled" }, { type: "ephemeral" }]);
    expect(dropped).toEqual([]);
  });

  test("numbers that a double cannot hold keep their digits", () => {
    const body = `{"model":"m","input":[{"type":"function_call","call_id":"c","name":"a","arguments":"{\\"n\\":12345678901234567890}"}]}`;
    const fields = JSON.parse(body) as object;
    expect(translate(fields).body).toContain('"input":{"n":12345678901234567890}');
  });

  test("every row of the documentation says where and what", () => {
    for (const { field, outcomes, becomes } of responsesToMessages.rows) {
      expect(field).not.toBe("");
      expect(outcomes.length).toBeGreaterThan(0);
      expect(becomes).not.toBe("");
    }
  });
});
