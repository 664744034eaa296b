import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { assertChatStream } from "../../support/stream-invariants.ts";
import {
  at,
  delta,
  deltas,
  ending,
  finishChoice,
  json,
  open,
  openText,
  openTool,
  pieces,
  play,
  replyContext,
  start,
  stop,
  text,
  translate,
  WEATHER,
} from "./support.ts";

const streamed = { stream: true, tools: [WEATHER] };
const withUsage = { ...streamed, stream_options: { include_usage: true } };

/** Arguments of each call, put together by index as SDKs do. */
function argumentsOf(frames: Parameters<typeof pieces>[0]): string[] {
  const calls: string[] = [];
  for (const entry of pieces(frames, "tool_calls").flat()) {
    const index = at(entry, "index") as number;
    const piece = at(entry, "function", "arguments") ?? at(entry, "custom", "input") ?? "";
    calls[index] = (calls[index] ?? "") + String(piece);
  }
  return calls;
}

describe("events", () => {
  test("tool indexes count calls, not blocks; id, type and name come once (pitfalls 1, 4)", () => {
    const frames = play(translate(streamed), [
      start(),
      openText(0),
      text(0, "Hm."),
      stop(0),
      openTool(1, "a"),
      json(1, ""),
      json(1, '{"city":'),
      json(1, '"Oslo"}'),
      stop(1),
      openTool(2, "b"),
      json(2, "{}"),
      stop(2),
      ...ending("tool_use"),
    ]);
    const read = assertChatStream(frames, { usage: false });
    expect(read.calls).toEqual([
      { id: "a", name: "weather", arguments: '{"city":"Oslo"}' },
      { id: "b", name: "weather", arguments: "{}" },
    ]);
    expect(pieces(frames, "tool_calls")[1]).toEqual([{ index: 0, function: { arguments: '{"city":' } }]);
  });

  test.each([
    ["no delta", [openTool(0, "a"), stop(0)], "{}"],
    ["an empty delta", [openTool(0, "a"), json(0, ""), stop(0)], "{}"],
    ["input in the start event", [openTool(0, "a", "weather", { city: "Oslo" }), stop(0)], '{"city":"Oslo"}'],
  ])("a call with %s has arguments all the same (pitfall 7)", (_name, events, expected) => {
    const frames = play(translate(streamed), [start(), ...events, ...ending("tool_use")]);
    expect(argumentsOf(frames)).toEqual([expected]);
    expect(pieces(frames, "tool_calls")).toHaveLength(2);
  });

  test("text in the start event is content", () => {
    const frames = play(translate(streamed), [
      start(),
      open(0, { type: "text", text: "He" }),
      text(0, "y"),
      stop(0),
      ...ending("end_turn"),
    ]);
    expect(pieces(frames, "content")).toEqual(["", "He", "y"]);
  });

  test("server tools, unknown events, deltas and blocks give nothing", () => {
    const frames = play(translate(streamed), [
      start(),
      { type: "brand_new" },
      open(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
      json(0, '{"query":"x"}'),
      stop(0),
      open(1, { type: "web_search_tool_result", tool_use_id: "s", content: [] }),
      stop(1),
      open(2, { type: "hologram" }),
      delta(2, { type: "hologram_delta", text: "x" }),
      stop(2),
      openText(3),
      delta(3, { type: "hologram_delta" }),
      text(3, "a"),
      stop(3),
      ...ending("end_turn"),
    ]);
    expect(deltas(frames)).toEqual([{ role: "assistant", content: "" }, { content: "a" }, {}]);
  });

  test("a delta without its block gives nothing (pitfall 2)", () => {
    const frames = play(translate(streamed), [start(), text(7, "x"), json(7, "{"), stop(7), ...ending("end_turn")]);
    expect(deltas(frames)).toEqual([{ role: "assistant", content: "" }, {}]);
  });

  test("ping is a comment", () => {
    const stream = translate(streamed).stream(replyContext);
    expect(stream.push({ type: "ping" }, "ping")).toEqual([{ text: ": ping\n\n", json: null }]);
  });

  test("a model shown instead of the upstream's is in every chunk", () => {
    const frames = play(translate(streamed), [start(), openText(0), text(0, "a"), stop(0), ...ending("end_turn")], {
      ...replyContext,
      modelShown: "asked",
    });
    for (const frame of frames) if (frame.json !== null) expect(at(frame.json, "model")).toBe("asked");
  });

  test("never splits a surrogate pair, in text, thinking or arguments", () => {
    const frames = play(translate(streamed), [
      start(),
      open(0, { type: "thinking", thinking: "", signature: "s" }),
      delta(0, { type: "thinking_delta", thinking: "\ud83d" }),
      delta(0, { type: "thinking_delta", thinking: "\ude00" }),
      stop(0),
      openText(1),
      text(1, "a\ud83d"),
      text(1, "\ude00b"),
      stop(1),
      openTool(2, "a"),
      json(2, '{"x":"\ud83d'),
      json(2, '\ude00"}'),
      stop(2),
      ...ending("tool_use"),
    ]);
    expect(pieces(frames, "content")).toEqual(["", "a", "😀b"]);
    expect(pieces(frames, "reasoning_content")).toEqual(["😀"]);
    expect(argumentsOf(frames)).toEqual(['{"x":"😀"}']);
    for (const frame of frames) expect(frame.text).not.toMatch(/\\ud8|\\ude/);
  });

  test("a refusal is told before the finish chunk (pitfall 55)", () => {
    const frames = play(translate(streamed), [
      start(),
      openText(0),
      text(0, "Well"),
      stop(0),
      ...ending("refusal", { output_tokens: 1 }, { type: "refusal", explanation: "No." }),
    ]);
    expect(deltas(frames).slice(-2)).toEqual([{ refusal: "No." }, {}]);
    expect(finishChoice(frames)).toMatchObject({ finish_reason: "content_filter", native_finish_reason: "refusal" });
  });

  test("citations are annotations of the finish chunk, over the joined text", () => {
    const citation = { type: "web_search_result_location", url: "https://a.example", title: "T" };
    const frames = play(translate(streamed), [
      start(),
      openText(0),
      text(0, "ab"),
      stop(0),
      open(1, { type: "text", text: "", citations: [] }),
      delta(1, { type: "citations_delta", citation }),
      text(1, "cde"),
      stop(1),
      ...ending("end_turn"),
    ]);
    expect(at(finishChoice(frames), "delta")).toEqual({
      annotations: [
        { type: "url_citation", url_citation: { url: "https://a.example", title: "T", start_index: 2, end_index: 5 } },
      ],
    });
  });
});

describe("tools of other kinds", () => {
  const custom = { stream: true, tools: [{ type: "custom", custom: { name: "run" } }] };
  const inputs = ["ls -l", 'say "hi"\\\n\t', "ünï😀", "", "/\u2028"];

  test.each(inputs)("a custom tool's text %j is decoded, however its JSON is cut", (input) => {
    for (const escaped of [
      JSON.stringify({ input }),
      JSON.stringify({ input }).replace(
        /[^\x20-\x7e]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ),
    ]) {
      for (const size of [1, 2, 3, 7, 100]) {
        const parts = escaped.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
        const frames = play(translate(custom), [
          start(),
          openTool(0, "a", "run"),
          ...parts.map((part) => json(0, part)),
          stop(0),
          ...ending("tool_use"),
        ]);
        expect(pieces(frames, "tool_calls")[0]).toEqual([
          { index: 0, id: "a", type: "custom", custom: { name: "run", input: "" } },
        ]);
        expect(argumentsOf(frames)).toEqual([input]);
      }
    }
  });

  test("a custom tool's text streams before its JSON is whole", () => {
    const stream = translate(custom).stream(replyContext);
    for (const event of [start(), openTool(0, "a", "run")]) stream.push(event, "");
    expect(pieces(stream.push(json(0, '{"input": "ls'), ""), "tool_calls")).toEqual([
      [{ index: 0, custom: { input: "ls" } }],
    ]);
  });

  test("a custom tool's call of another shape is given whole", () => {
    const frames = play(translate(custom), [
      start(),
      openTool(0, "a", "run"),
      json(0, '{"cmd":'),
      json(0, '"x"}'),
      stop(0),
      ...ending("tool_use"),
    ]);
    expect(argumentsOf(frames)).toEqual(['{"cmd":"x"}']);
  });

  test("wrapped arguments are unwrapped", () => {
    const tools = [{ type: "function", function: { name: "f", parameters: { type: "array" } } }];
    const frames = play(translate({ stream: true, tools }), [
      start(),
      openTool(0, "a", "f"),
      json(0, '{"value":[1,'),
      json(0, "12345678901234567890]}"),
      stop(0),
      ...ending("tool_use"),
    ]);
    expect(argumentsOf(frames)).toEqual(["[1,12345678901234567890]"]);
  });

  test("legacy functions stream function_call, the first call only", () => {
    const legacy = { stream: true, functions: [{ name: "weather" }] };
    const frames = play(translate(legacy), [
      start(),
      openTool(0, "a"),
      json(0, '{"x"'),
      json(0, ":1}"),
      stop(0),
      openTool(1, "b"),
      json(1, "{}"),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(pieces(frames, "function_call")).toEqual([
      { name: "weather", arguments: "" },
      { arguments: '{"x"' },
      { arguments: ":1}" },
    ]);
    expect(pieces(frames, "tool_calls")).toEqual([]);
    expect(finishChoice(frames)).toMatchObject({ finish_reason: "function_call" });
  });

  test("shortened names are restored", () => {
    const name = "n".repeat(130);
    const translated = translate({ stream: true, tools: [{ type: "function", function: { name } }] });
    const wire = at(JSON.parse(translated.body), "tools", 0, "name") as string;
    const frames = play(translated, [start(), openTool(0, "a", wire), stop(0), ...ending("tool_use")]);
    expect(at(pieces(frames, "tool_calls")[0], 0, "function", "name")).toBe(name);
  });
});

describe("usage", () => {
  const message = [openText(0), text(0, "a"), stop(0)];
  const usageOf = (frames: Parameters<typeof pieces>[0]): unknown => at(frames.at(-2)?.json, "usage");

  test("comes once, with choices [], only when asked for (pitfall 15)", () => {
    const asked = play(translate(withUsage), [start(), ...message, ...ending("end_turn")]);
    assertChatStream(asked, { usage: true });
    expect(at(asked.at(-2)?.json, "choices")).toEqual([]);
    assertChatStream(play(translate(streamed), [start(), ...message, ...ending("end_turn")]), { usage: false });
  });

  test("message_delta replaces what it names and keeps the rest (pitfalls 20, 21)", () => {
    const frames = play(translate(withUsage), [
      start({ input_tokens: 2_479, cache_read_input_tokens: 100, cache_creation_input_tokens: 7, output_tokens: 4 }),
      ...message,
      ...ending("end_turn", {
        input_tokens: 404_500,
        cache_creation_input_tokens: null,
        output_tokens: 9,
      }),
    ]);
    expect(usageOf(frames)).toMatchObject({ prompt_tokens: 404_607, completion_tokens: 9 });
  });

  test("is the fallback's when upstream reported none", () => {
    const stream = translate(withUsage).stream(replyContext);
    for (const event of [
      { type: "message_start", message: { id: "msg_1" } },
      ...message,
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" },
    ])
      stream.push(event, "");
    stream.setFallbackUsage({
      input: 11,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 3,
      reasoning: 0,
      source: "estimated",
    });
    expect(usageOf([...stream.end()])).toMatchObject({ prompt_tokens: 11, completion_tokens: 3 });
  });
});

describe("a stop sequence of white space", () => {
  const stops = { ...withUsage, stop: ["\n\n"] };
  test("ends the answer wherever the text is cut", () => {
    for (const cut of [["a\n\nb"], ["a\n", "\nb"], ["a", "\n", "\n", "b"]]) {
      const stream = translate(stops).stream(replyContext);
      const frames = [...stream.push(start(), ""), ...stream.push(openText(0), "")];
      for (const piece of cut) {
        if (!stream.done) frames.push(...stream.push(text(0, piece), ""));
      }
      expect(stream.done).toBe(true);
      stream.setFallbackUsage({
        input: 0,
        cacheRead: 0,
        cacheWrite: 0,
        cacheWriteLong: 0,
        output: 42,
        reasoning: 0,
        source: "estimated",
      });
      frames.push(...stream.end());
      expect(pieces(frames, "content").join("")).toBe("a");
      expect(finishChoice(frames)).toMatchObject({ finish_reason: "stop", native_finish_reason: "stop_sequence" });
      expect(at(frames.at(-2)?.json, "usage")).toMatchObject({ prompt_tokens: 1, completion_tokens: 42 });
      assertChatStream(frames, { usage: true });
    }
  });

  test("gives back what it held when there is no match", () => {
    const frames = play(translate(stops), [
      start(),
      openText(0),
      text(0, "a\n"),
      stop(0),
      openTool(1, "a"),
      stop(1),
      ...ending("tool_use"),
    ]);
    expect(deltas(frames)[2]).toEqual({ content: "\n" });
    expect(pieces(frames, "content").join("")).toBe("a\n");
  });
});

describe("pause_turn", () => {
  const search = { stream: true, stream_options: { include_usage: true }, web_search_options: {} };
  const part = (id: string, value: string, reason: string): JsonObject[] => [
    { type: "message_start", message: { id, model: "c", usage: { input_tokens: 10, output_tokens: 1 } } },
    open(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
    json(0, '{"query":'),
    json(0, '"x"}'),
    stop(0),
    open(1, { type: "text", text: "" }),
    text(1, value),
    stop(1),
    ...ending(reason, { output_tokens: 5 }),
  ];

  test("goes on in the same answer", () => {
    const stream = translate(search).stream(replyContext);
    const frames = part("msg_1", "a", "pause_turn").flatMap((event) => [...stream.push(event, "")]);
    const body: unknown = JSON.parse(stream.continuation() ?? "null");
    expect(at(body, "messages", -1)).toEqual({
      role: "assistant",
      content: [
        { type: "server_tool_use", id: "s", name: "web_search", input: { query: "x" } },
        { type: "text", text: "a" },
      ],
    });
    expect(at(body, "stream")).toBe(true);
    frames.push(...part("msg_2", "b", "end_turn").flatMap((event) => [...stream.push(event, "")]));
    expect(stream.continuation()).toBeNull();
    frames.push(...stream.end());
    const read = assertChatStream(frames, { usage: true });
    expect(read.text).toBe("ab");
    expect(read.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 10 });
    expect(at(read.first, "id")).toBe("chatcmpl-1");
  });

  test("ends with stop after eight times", () => {
    const stream = translate(search).stream(replyContext);
    const frames = [];
    for (let round = 0; round < 8; round++) {
      for (const event of part(`msg_${round}`, "a", "pause_turn")) frames.push(...stream.push(event, ""));
      expect(stream.continuation()).not.toBeNull();
    }
    for (const event of part("msg_9", "a", "pause_turn")) frames.push(...stream.push(event, ""));
    expect(stream.continuation()).toBeNull();
    frames.push(...stream.end());
    expect(assertChatStream(frames, { usage: true }).finish).toBe("stop");
  });

  test("without server tools is an ending", () => {
    const stream = translate(streamed).stream(replyContext);
    for (const event of part("msg_1", "a", "pause_turn")) stream.push(event, "");
    expect(stream.continuation()).toBeNull();
  });
});

describe("markdown fences", () => {
  const asked = { stream: true, response_format: { type: "json_object" }, tools: [WEATHER] };
  const whole = '```json\n{"a": "```"}\n```\n';
  test("are stripped wherever the text is cut", () => {
    for (let size = 1; size <= whole.length; size++) {
      const parts = whole.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      const frames = play(translate(asked), [
        start(),
        openText(0),
        ...parts.map((part) => text(0, part)),
        stop(0),
        ...ending("end_turn"),
      ]);
      expect(pieces(frames, "content").join("")).toBe('{"a": "```"}');
    }
  });
});
