import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import type { ThinkingStore } from "../../../src/translate/translator.ts";
import {
  at,
  bodyOf,
  call,
  delta,
  ending,
  finishChoice,
  json,
  open,
  OPUS_5_5,
  openTool,
  outcome,
  pieces,
  play,
  replyContext,
  SONNET_4_5,
  SONNET_5_5,
  start,
  stop,
  translate,
  WEATHER,
} from "./support.ts";

const thinking = (text: string, signature: string): JsonObject => ({ type: "thinking", thinking: text, signature });
const redacted: JsonObject = { type: "redacted_thinking", data: "enc" };
const detail = (text: string, signature: string, index: number, block: number): JsonObject => ({
  type: "reasoning.text",
  text,
  signature,
  format: "anthropic-claude-v1",
  index,
  block,
});
const secret = (index: number, block: number): JsonObject => ({
  type: "reasoning.encrypted",
  data: "enc",
  format: "anthropic-claude-v1",
  index,
  block,
});
const history = (assistant: object): object => ({
  tools: [WEATHER],
  messages: [
    { role: "user", content: "x" },
    { role: "assistant", ...assistant },
    { role: "tool", tool_call_id: "a", content: "1" },
  ],
});
const turn = (body: unknown): unknown => at(body, "messages", 1, "content");
const use = { type: "tool_use", id: "a", name: "weather", input: {} };
const budget = { reasoning_effort: "high", max_tokens: 32_000 };

describe("thinking in the history", () => {
  test.each([
    [
      "reasoning_details",
      { content: null, reasoning_details: [detail("t", "s", 0, 0), secret(1, 1)], tool_calls: [call("a")] },
      [thinking("t", "s"), redacted, use],
    ],
    [
      "interleaved, by block",
      { content: "hm", reasoning_details: [detail("t", "s", 0, 0), detail("u", "r", 1, 2)], tool_calls: [call("a")] },
      [thinking("t", "s"), { type: "text", text: "hm" }, thinking("u", "r"), use],
    ],
    [
      "never behind a call",
      { content: null, reasoning_details: [detail("t", "s", 0, 9)], tool_calls: [call("a")] },
      [thinking("t", "s"), use],
    ],
    [
      "thinking_blocks",
      { content: null, thinking_blocks: [thinking("t", "s"), redacted], tool_calls: [call("a")] },
      [thinking("t", "s"), redacted, use],
    ],
    [
      "blocks in content",
      { content: [thinking("t", "s"), { type: "text", text: "hm" }], tool_calls: [call("a")] },
      [thinking("t", "s"), { type: "text", text: "hm" }, use],
    ],
    [
      "blocks with empty text",
      { content: null, reasoning_details: [detail("", "s", 0, 0)], tool_calls: [call("a")] },
      [thinking("", "s"), use],
    ],
    [
      "blocks minted by the gateway are removed",
      { content: [thinking("t", "arouter1.e30")], reasoning_details: [], tool_calls: [call("a")] },
      [use],
    ],
    [
      "details minted by the gateway are removed",
      { content: null, reasoning_details: [detail("t", "arouter1.e30", 0, 0)], tool_calls: [call("a")] },
      [use],
    ],
    [
      "details of other vendors are removed",
      {
        content: null,
        reasoning_details: [{ ...detail("t", "s", 0, 0), format: "openai-responses-v1" }],
        tool_calls: [call("a")],
      },
      [use],
    ],
  ])("%s", (_name, assistant, expected) => {
    expect(turn(bodyOf(history(assistant), { model: OPUS_5_5 }))).toEqual(expected);
  });

  test("a block that lost its signature strips all turns", () => {
    const messages = [
      { role: "user", content: "x" },
      { role: "assistant", content: "a", reasoning_details: [detail("t", "s", 0, 0)] },
      { role: "user", content: "y" },
      { role: "assistant", content: "b", reasoning_details: [{ ...detail("u", "", 0, 0) }] },
      { role: "user", content: "z" },
    ];
    expect(JSON.stringify(bodyOf({ messages }, { model: OPUS_5_5 }))).not.toContain("thinking");
  });

  test("a missing entry strips all turns", () => {
    const assistant = { content: null, reasoning_details: [detail("u", "r", 1, 1)], tool_calls: [call("a")] };
    expect(turn(bodyOf(history(assistant), { model: OPUS_5_5 }))).toEqual([use]);
  });

  test("a pending call without its thinking sends no budget thinking (pitfall 42)", () => {
    const result = outcome(
      { ...budget, ...history({ content: null, tool_calls: [call("a")] }) },
      { model: SONNET_4_5 },
    );
    expect(at(result.body, "thinking")).toBeUndefined();
    expect(result.adapted).toEqual(["reasoning_effort=none"]);
  });

  test("a pending call with its thinking keeps budget thinking", () => {
    const assistant = { content: null, reasoning_details: [detail("t", "s", 0, 0)], tool_calls: [call("a")] };
    const result = outcome({ ...budget, ...history(assistant) }, { model: SONNET_4_5 });
    expect(at(result.body, "thinking", "type")).toBe("enabled");
    expect(turn(result.body)).toEqual([thinking("t", "s"), use]);
  });

  test("models with preserved thinking are asked to drop what no longer fits", () => {
    const assistant = { content: null, reasoning_details: [detail("t", "s", 0, 0)], tool_calls: [call("a")] };
    const bound = translate({ ...history(assistant), reasoning_effort: "low" }, { model: OPUS_5_5 });
    expect(bound.betas).toEqual(["thinking-binding-controls-2026-08-01"]);
    expect(at(JSON.parse(bound.body), "thinking")).toEqual({
      type: "adaptive",
      display: "summarized",
      block_binding: { prefix_mismatch_behavior: "drop_block" },
    });
    const plain = translate(history(assistant), { model: OPUS_5_5 });
    expect(at(JSON.parse(plain.body), "thinking")).toEqual({
      type: "adaptive",
      block_binding: { prefix_mismatch_behavior: "drop_block" },
    });
    expect(translate(history({ content: "a", tool_calls: [call("a")] }), { model: OPUS_5_5 }).betas).toEqual([]);
    expect(translate(history(assistant), { model: SONNET_4_5 }).betas).toEqual([]);
  });

  test("the store gives blocks back to clients that lost them", () => {
    const kept = new Map<string, readonly JsonObject[]>();
    const thinkingStore: ThinkingStore = {
      get: (id) => kept.get(id) ?? null,
      put: (id, blocks) => void kept.set(id, blocks),
    };
    const first = translate({ tools: [WEATHER] }, { thinkingStore });
    first.response(
      { id: "msg_1", model: "c", content: [thinking("t", "s"), use], stop_reason: "tool_use" },
      replyContext,
      [],
    );
    expect(turn(bodyOf(history({ content: null, tool_calls: [call("a")] }), { thinkingStore }))).toEqual([
      thinking("t", "s"),
      use,
    ]);
    kept.clear();
    play(translate({ tools: [WEATHER], stream: true }, { thinkingStore }), [
      start(),
      open(0, thinking("", "")),
      delta(0, { type: "thinking_delta", thinking: "t" }),
      delta(0, { type: "signature_delta", signature: "s" }),
      stop(0),
      openTool(1, "a"),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(kept.get("a")).toEqual([thinking("t", "s")]);
  });
});

describe("thinking in answers", () => {
  const content = [thinking("one", "s1"), { type: "text", text: "hm" }, redacted, thinking("two", "s2"), use];
  const details = [detail("one", "s1", 0, 0), secret(1, 2), detail("two", "s2", 2, 3)];

  test("buffered: text for people, complete blocks for the next request", () => {
    const reply = translate({ tools: [WEATHER] }).response(
      { id: "msg_1", model: "c", content, stop_reason: "tool_use" },
      replyContext,
      [],
    );
    const message = at(reply.body, "choices", 0, "message");
    expect(at(message, "content")).toBe("hm");
    expect(at(message, "reasoning_content")).toBe("one\n\ntwo");
    expect(at(message, "reasoning_details")).toEqual(details);
  });

  test("a thinking block with empty text keeps its signature", () => {
    const reply = translate({}).response(
      { id: "msg_1", model: "c", content: [thinking("", "s")], stop_reason: "end_turn" },
      replyContext,
      [],
    );
    expect(at(reply.body, "choices", 0, "message", "reasoning_content")).toBeUndefined();
    expect(at(reply.body, "choices", 0, "message", "reasoning_details")).toEqual([detail("", "s", 0, 0)]);
  });

  const events = [
    start(),
    open(0, thinking("", "")),
    delta(0, { type: "thinking_delta", thinking: "o", estimated_tokens: 1 }),
    delta(0, { type: "thinking_delta", thinking: "ne" }),
    delta(0, { type: "signature_delta", signature: "s1" }),
    stop(0),
    open(1, { type: "text", text: "" }),
    delta(1, { type: "text_delta", text: "hm" }),
    stop(1),
    open(2, redacted),
    stop(2),
    open(3, thinking("", "")),
    delta(3, { type: "thinking_delta", thinking: "two" }),
    delta(3, { type: "signature_delta", signature: "s2" }),
    stop(3),
    openTool(4, "a"),
    json(4, ""),
    stop(4),
    ...ending("tool_use"),
  ];

  test("streamed: text as it comes, all blocks once in one chunk before the finish chunk", () => {
    const frames = play(translate({ tools: [WEATHER], stream: true }), events);
    expect(pieces(frames, "reasoning_content")).toEqual(["o", "ne", "\n\ntwo"]);
    expect(pieces(frames, "reasoning_details")).toEqual([details]);
    const position = frames.findIndex((frame) => frame.text.includes("reasoning_details"));
    expect(frames[position + 1]?.text).toContain('"finish_reason":"tool_calls"');
    expect(finishChoice(frames)).toMatchObject({ native_finish_reason: "tool_use" });
  });

  test("what is sent back is what came", () => {
    const frames = play(translate({ tools: [WEATHER], stream: true }), events);
    const reasoning_details = pieces(frames, "reasoning_details")[0];
    const body = bodyOf(history({ content: "hm", reasoning_details, tool_calls: [call("a")] }), { model: SONNET_5_5 });
    expect(turn(body)).toEqual(content);
  });
});
