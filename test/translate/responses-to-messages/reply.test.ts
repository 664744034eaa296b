import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { openThinking } from "../../../src/translate/maps/thinking-envelope.ts";
import type { Translated } from "../../../src/translate/translator.ts";
import { storyContext } from "../../support/pairs.ts";
import { assertResponsesStream } from "../../support/responses-invariants.ts";
import { delta, ending, json, open, openText, openTool, play, start, stop, text } from "../chat-to-messages/support.ts";
import { translate, WEATHER } from "./support.ts";

const items = (response: JsonObject): readonly JsonObject[] => response["output"] as readonly JsonObject[];

/** Plays a stream and returns the Response at its end, every rule of streams held. */
const playAll = (translated: Translated, events: readonly JsonObject[]): JsonObject =>
  assertResponsesStream(play(translated, events));

const stream = (fields: object = {}, setup = {}): Translated =>
  translate({ stream: true, tools: [WEATHER], ...fields }, setup);

function whole(translated: Translated, content: readonly JsonObject[], stopReason = "end_turn"): JsonObject {
  const message = {
    id: "msg_1",
    model: "claude",
    content,
    stop_reason: stopReason,
    usage: { input_tokens: 1, output_tokens: 5 },
  };
  const reply = translated.response(message, storyContext, []);
  if (reply.kind !== "answer") throw new Error("it goes on");
  return reply.body;
}

describe("streamed answers", () => {
  test("neighbouring texts are one item, and every kind of block has its own", () => {
    const response = playAll(stream(), [
      start(),
      open(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "Hm." }),
      delta(0, { type: "signature_delta", signature: "EqQB" }),
      stop(0),
      openText(1),
      text(1, "One"),
      stop(1),
      openText(2),
      text(2, " two."),
      stop(2),
      openTool(3, "toolu_1"),
      json(3, ""),
      json(3, '{"city":'),
      json(3, '"Oslo"}'),
      stop(3),
      openTool(4, "toolu_2"),
      json(4, ""),
      stop(4),
      ...ending("tool_use"),
    ]);
    expect(items(response).map((item) => item["type"])).toEqual([
      "reasoning",
      "message",
      "function_call",
      "function_call",
    ]);
    expect(openThinking(items(response)[0]?.["encrypted_content"])).toEqual({
      type: "thinking",
      thinking: "Hm.",
      signature: "EqQB",
    });
    expect(
      items(response)
        .slice(2)
        .map((item) => item["arguments"]),
    ).toEqual(['{"city":"Oslo"}', "{}"]);
    expect(response["usage"]).toMatchObject({ input_tokens: 1, output_tokens: 5, total_tokens: 6 });
  });

  test("a pair of surrogates is never split between two deltas", () => {
    const frames = play(stream(), [
      start(),
      openText(0),
      text(0, "a\ud83d"),
      text(0, "\ude00b"),
      stop(0),
      ...ending("end_turn"),
    ]);
    expect(items(assertResponsesStream(frames))[0]?.["content"]).toMatchObject([{ text: "a😀b" }]);
    for (const frame of frames) expect(frame.text.isWellFormed()).toBe(true);
  });

  test("a call that the limit cut is incomplete, the one before it is not", () => {
    const response = playAll(stream(), [
      start(),
      openTool(0, "toolu_1"),
      json(0, "{}"),
      stop(0),
      openTool(1, "toolu_2"),
      json(1, '{"ci'),
      stop(1),
      ...ending("max_tokens"),
    ]);
    expect(items(response).map((item) => item["status"])).toEqual(["completed", "incomplete"]);
    expect(response["incomplete_details"]).toEqual({ reason: "max_output_tokens" });
  });

  test("the tool that stands in for a schema gives text, and hides what is said beside it", () => {
    const format = { type: "json_schema", name: "a", schema: { type: "object", additionalProperties: true } };
    const translated = stream({ tools: [], text: { format } }, { model: "claude-opus-4-8" });
    expect(translated.adapted).toContain("text.format");
    const response = playAll(translated, [
      start(),
      openText(0),
      text(0, "Here:"),
      stop(0),
      openTool(1, "toolu_1", "json_response"),
      json(1, '{"a":1}'),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(items(response)).toHaveLength(1);
    expect(items(response)[0]?.["content"]).toMatchObject([{ text: '{"a":1}' }]);
    expect(response["status"]).toBe("completed");
  });

  test("an answer without content is whole and empty", () => {
    const response = playAll(stream(), [start(), ...ending("end_turn")]);
    expect([response["status"], response["output"]]).toEqual(["completed", []]);
  });

  test("usage that upstream never told is the gateway's estimate", () => {
    const translator = stream().stream(storyContext);
    translator.push({ type: "message_start", message: { id: "msg_1", model: "c" } }, "message_start");
    translator.push({ type: "message_stop" }, "message_stop");
    translator.setFallbackUsage({
      input: 3,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 4,
      reasoning: 0,
      source: "estimated",
    });
    expect(translator.end().at(-1)?.json?.["response"]).toMatchObject({ usage: { input_tokens: 3, output_tokens: 4 } });
  });

  test("a paused search goes on in the same Response", () => {
    const translated = stream({ tools: [{ type: "web_search" }] });
    const translator = translated.stream(storyContext);
    const frames = [
      start(),
      open(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
      json(0, '{"query":"a"}'),
      stop(0),
      ...ending("pause_turn"),
    ].flatMap((event) => translator.push(event, ""));
    const next = JSON.parse(translator.continuation() ?? "null") as JsonObject;
    expect((next["messages"] as readonly JsonObject[]).at(-1)).toMatchObject({ role: "assistant" });
    frames.push(
      ...[start(), openText(0), text(0, "Found."), stop(0), ...ending("end_turn")].flatMap((event) =>
        translator.push(event, ""),
      ),
    );
    frames.push(...translator.end());
    const response = assertResponsesStream(frames);
    expect(items(response).map((item) => item["type"])).toEqual(["web_search_call", "message"]);
    expect(response["usage"]).toMatchObject({ output_tokens: 10 });
  });

  test("calls teach the store their thinking", () => {
    const kept = new Map<string, readonly JsonObject[]>();
    const thinkingStore = {
      get: () => null,
      put: (id: string, blocks: readonly JsonObject[]) => void kept.set(id, blocks),
    };
    playAll(stream({}, { thinkingStore }), [
      start(),
      open(0, { type: "redacted_thinking", data: "x" }),
      stop(0),
      openTool(1, "toolu_1"),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(kept.get("toolu_1")).toEqual([{ type: "redacted_thinking", data: "x" }]);
  });
});

describe("whole answers", () => {
  test("names and namespaces are the caller's again, long and illegal ones too", () => {
    const name = `say.${"x".repeat(200)}`;
    const translated = translate({
      tools: [
        {
          type: "namespace",
          name: "talk",
          tools: [
            { type: "function", name, parameters: {} },
            { type: "custom", name: "raw" },
          ],
        },
        { type: "function", name: "plain.name", parameters: { type: "array", items: {} } },
      ],
    });
    const sent = (JSON.parse(translated.body) as { readonly tools: readonly { readonly name: string }[] }).tools;
    for (const tool of sent) expect(tool.name).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
    const calls = sent.map((tool, index) => ({
      type: "tool_use",
      id: `toolu_${index}`,
      name: tool.name,
      input: [{ a: 1 }, { input: "text" }, { value: [1] }][index] ?? {},
    }));
    expect(items(whole(translated, calls, "tool_use"))).toMatchObject([
      { type: "function_call", namespace: "talk", name, arguments: '{"a":1}' },
      { type: "custom_tool_call", namespace: "talk", name: "raw", input: "text" },
      { type: "function_call", name: "plain.name", arguments: "[1]" },
    ]);
  });

  test("a whole answer is what its stream says", () => {
    const content = [
      { type: "text", text: "Hi." },
      { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
    ];
    const streamed = playAll(stream(), [
      {
        type: "message_start",
        message: { id: "msg_1", model: "claude", usage: { input_tokens: 1, output_tokens: 1 } },
      },
      openText(0),
      text(0, "Hi."),
      stop(0),
      openTool(1, "toolu_1"),
      json(1, '{"city":"Oslo"}'),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(whole(stream(), content, "tool_use")).toEqual(streamed);
  });
});
