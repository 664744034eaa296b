import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { assertMessagesStream, readFrames, type ReadMessage } from "../../support/stream-invariants.ts";
import { answer, chunk, message, replyContext, stream, translate } from "./support.ts";

const PLAIN = translate({ stream: true });
const FIRST = chunk({ role: "assistant", content: "", refusal: null });
const USAGE: JsonObject = {
  id: "chatcmpl-AbC1",
  choices: [],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 7,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    completion_tokens_details: { reasoning_tokens: 4 },
  },
};

const text = (content: string): JsonObject => chunk({ content });
const tool = (index: number, name: string, args = "", id: string | null = `call_${index}`): JsonObject =>
  chunk({
    tool_calls: [{ index, ...(id === null ? {} : { id }), type: "function", function: { name, arguments: args } }],
  });
const args = (index: number, fragment: string, more: JsonObject = {}): JsonObject =>
  chunk({ tool_calls: [{ index, ...more, function: { arguments: fragment } }] });

function run(...chunks: readonly JsonObject[]): ReadMessage {
  return assertMessagesStream(stream(PLAIN, chunks));
}

/** Blocks as `type:text` or `name(arguments)`. */
function shape({ blocks }: ReadMessage): readonly string[] {
  return blocks.map((block) =>
    block.type === "tool_use" ? `${block.start["name"] as string}(${block.text})` : `${block.type}:${block.text}`,
  );
}

describe("a stream", () => {
  test("text is one block", () => {
    const read = run(FIRST, text("Hel"), text("lo"), chunk({}, "stop"), USAGE);
    expect(shape(read)).toEqual(["text:Hello"]);
    expect(read.delta).toEqual({ stop_reason: "end_turn", stop_sequence: null });
  });

  test("#8 #9 text and a call end with tool_use, whatever the finish reason", () => {
    for (const finish of ["stop", "tool_calls", "function_call"]) {
      const read = run(FIRST, text("a"), tool(0, "f"), args(0, "{}"), chunk({}, finish));
      expect(shape(read)).toEqual(["text:a", "f({})"]);
      expect(read.delta["stop_reason"]).toBe("tool_use");
    }
  });

  test("tool_calls without any call is end_turn", () => {
    expect(run(FIRST, text("a"), chunk({}, "tool_calls")).delta["stop_reason"]).toBe("end_turn");
  });

  test("length is max_tokens, even when it cut a call", () => {
    const read = run(FIRST, tool(0, "f", '{"a":'), chunk({}, "length"));
    expect(shape(read)).toEqual(['f({"a":)']);
    expect(read.delta["stop_reason"]).toBe("max_tokens");
  });

  test("#4 a repeated id and name start no new block", () => {
    const read = run(FIRST, tool(0, "f", '{"a"'), tool(0, "f", ":1}"), chunk({}, "tool_calls"));
    expect(shape(read)).toEqual(['f({"a":1})']);
  });

  test("#5 content with an empty tool_calls is text", () => {
    const read = run(FIRST, chunk({ content: "a", tool_calls: [] }), chunk({}, "stop"));
    expect(shape(read)).toEqual(["text:a"]);
  });

  test("#7 a call without arguments has no delta", () => {
    expect(shape(run(FIRST, tool(0, "f"), chunk({}, "tool_calls")))).toEqual(["f()"]);
  });

  test("#1 #2 #3 calls one after the other are live: a whole call is closed when the next comes", () => {
    const translator = PLAIN.stream(replyContext);
    const counts = [FIRST, tool(0, "f"), args(0, "{}"), tool(1, "g"), args(1, "{}"), text("x"), tool(2, "h")].map(
      (json) => translator.push(json, "").length,
    );
    // message_start and ping; start; delta; stop and start; delta; stop, start and delta of text; stop and start
    expect(counts).toEqual([2, 1, 1, 2, 1, 3, 2]);
  });

  test("#3 what comes while a call is incomplete waits until it is whole", () => {
    const read = run(
      FIRST,
      tool(0, "f", '{"a":'),
      tool(2, "h", "{}"),
      tool(1, "g", '{"b":"}'),
      text("why"),
      args(0, "1}"),
      args(1, '"}'),
      chunk({}, "tool_calls"),
    );
    expect(shape(read)).toEqual(['f({"a":1})', 'g({"b":"}"})', "h({})", "text:why"]);
  });

  test("the next waiting call goes live as soon as the one before is whole", () => {
    const translator = PLAIN.stream(replyContext);
    const sizes = [FIRST, tool(0, "f", "{"), tool(1, "g", '{"b"'), args(0, "}"), args(1, ":1}")].map(
      (json) => translator.push(json, "").length,
    );
    // the third is held; the fourth gives delta, stop, start, delta; the fifth a delta
    expect(sizes).toEqual([2, 2, 0, 4, 1]);
  });

  test("a call waits for its name, an id that never comes is minted", () => {
    const read = run(
      FIRST,
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { name: "f", arguments: ":1}" } }] }),
      chunk({}, "tool_calls"),
    );
    expect(shape(read)).toEqual(['f({"a":1})']);
    expect(read.blocks[0]?.start["id"]).toMatch(/^toolu_[0-9a-f]{24}$/);
  });

  test("entries without an index go by id, else to the last call", () => {
    const entry = (more: JsonObject): JsonObject => chunk({ tool_calls: [more] });
    const read = run(
      FIRST,
      entry({ id: "a", function: { name: "f", arguments: '{"x"' } }),
      entry({ function: { arguments: ":1}" } }),
      entry({ id: "b", function: { name: "g", arguments: "{" } }),
      entry({ id: "b", function: { arguments: "}" } }),
      chunk({}, "tool_calls"),
    );
    expect(shape(read)).toEqual(['f({"x":1})', "g({})"]);
  });

  test("#14 #15 usage may come first, on every chunk or last, and ends nothing", () => {
    const expected = {
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 60,
      output_tokens: 7,
      output_tokens_details: { thinking_tokens: 4 },
    };
    const withUsage = (json: JsonObject): JsonObject => ({ ...json, usage: USAGE["usage"] as Json });
    expect(run(USAGE, FIRST, text("a"), chunk({}, "stop")).usage).toEqual(expected);
    expect(run(withUsage(FIRST), { ...text("a"), usage: null }, withUsage(chunk({}, "stop"))).usage).toEqual(expected);
    expect(run(FIRST, text("a"), chunk({}, "stop"), USAGE).usage).toEqual(expected);
  });

  test("without reported usage the estimate is shown", () => {
    const translator = PLAIN.stream(replyContext);
    const frames = [
      ...translator.push(FIRST, ""),
      ...translator.push(text("a"), ""),
      ...translator.push(chunk({}, "stop"), ""),
    ];
    translator.setFallbackUsage({
      input: 3,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 2,
      reasoning: 0,
      source: "estimated",
    });
    const read = assertMessagesStream([...frames, ...translator.end()]);
    expect([read.usage["input_tokens"], read.usage["output_tokens"]]).toEqual([3, 2]);
  });

  test("content after the finish reason is ignored", () => {
    expect(shape(run(FIRST, text("a"), chunk({}, "stop"), text("b"), USAGE))).toEqual(["text:a"]);
  });

  test("#55 a refusal is text, and the reason", () => {
    const read = run(FIRST, chunk({ refusal: "I " }), chunk({ refusal: "cannot." }), chunk({}, "stop"));
    expect(shape(read)).toEqual(["text:I cannot."]);
    expect(read.delta).toEqual({
      stop_reason: "refusal",
      stop_sequence: null,
      stop_details: { type: "refusal", category: null, explanation: "I cannot." },
    });
  });

  test("#44 reasoning is a thinking block, signed before it ends", () => {
    const read = run(
      FIRST,
      chunk({ reasoning_content: "hm" }),
      chunk({ reasoning: "m" }),
      text("a"),
      chunk({}, "stop"),
    );
    expect(shape(read)).toEqual(["thinking:hmm", "text:a"]);
    expect(read.blocks[0]?.deltas.at(-1)?.["signature"]).toMatch(/^arouter1\./);
    expect(shape(run(FIRST, chunk({ reasoning_content: "hm" }), chunk({}, "length")))).toEqual(["thinking:hm"]);
  });

  test("several choices are merged", () => {
    const second = (delta: JsonObject, finish: string | null): JsonObject => ({
      ...chunk({}),
      choices: [{ index: 1, delta, finish_reason: finish }],
    });
    const read = run(
      FIRST,
      text("a"),
      chunk({}, "stop"),
      second({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "{}" } }] }, null),
      second({}, "tool_calls"),
    );
    expect(shape(read)).toEqual(["text:a", "f({})"]);
    expect(read.delta["stop_reason"]).toBe("tool_use");
  });

  test("a first chunk without choices starts nothing: its id may be empty", () => {
    const read = run(
      { id: "", model: "", choices: [], prompt_filter_results: [] },
      FIRST,
      text("a"),
      chunk({}, "stop"),
    );
    expect([read.message["id"], read.message["model"]]).toEqual(["msg_AbC1", "gpt-4.1-2025-04-14"]);
  });

  test("#16 never splits a surrogate pair, in text and in arguments", () => {
    const [high, low] = ["\ud83d", "\ude00"];
    const read = run(
      FIRST,
      text(`a${high}`),
      text(`${low}b`),
      tool(0, "f", `{"x":"${high}`),
      args(0, `${low}"}`),
      chunk({}, "tool_calls"),
    );
    expect(shape(read)).toEqual(["text:a😀b", 'f({"x":"😀"})']);
  });

  test("a lone surrogate at the end of a block is shown, not lost", () => {
    const frames = stream(PLAIN, [FIRST, text("a\ud83d"), tool(0, "f", "{}"), chunk({}, "tool_calls")]);
    const deltas = frames.map((frame) => frame.json).filter((json) => json?.["type"] === "content_block_delta");
    expect(deltas.slice(0, 2).map((json) => (json?.["delta"] as JsonObject)["text"])).toEqual(["a", "\ud83d"]);
  });

  test("citations of a search model are given while its text block is open", () => {
    const searching = translate(
      { stream: true, tools: [{ type: "web_search_20250305", name: "web_search" }] },
      { model: "gpt-4o-search-preview" },
    );
    const annotations = [
      { type: "url_citation", url_citation: { url: "https://a.test", title: "A", start_index: 0, end_index: 3 } },
    ];
    const read = assertMessagesStream(
      stream(searching, [FIRST, text("Osl"), text("o"), chunk({ annotations }), chunk({}, "stop")]),
    );
    expect(read.blocks[0]?.deltas.at(-1)).toEqual({
      type: "citations_delta",
      citation: {
        type: "web_search_result_location",
        url: "https://a.test",
        title: "A",
        encrypted_index: "",
        cited_text: "Osl",
      },
    });
  });

  test("each frame's JSON is that of its text", () => {
    const frames = stream(PLAIN, [FIRST, text('q"\n'), tool(0, "f", "{}"), chunk({}, "tool_calls"), USAGE]);
    expect(readFrames(frames).map((frame) => frame.json)).toEqual(frames.map((frame) => frame.json));
  });
});

describe("stop sequences that the gateway matches", () => {
  const scanning = translate({ stream: true, stop_sequences: ["END", "STOP"] }, { model: "o3" });

  test("end the stream before them and name the one that matched", () => {
    const read = assertMessagesStream(
      stream(scanning, [FIRST, text("ab E"), text("ND cd"), text("ef"), chunk({}, "stop")]),
    );
    expect(shape(read)).toEqual(["text:ab "]);
    expect(read.delta).toEqual({ stop_reason: "stop_sequence", stop_sequence: "END" });
  });

  test("tell the gateway to stop reading", () => {
    const translator = scanning.stream(replyContext);
    translator.push(FIRST, "");
    expect(translator.done).toBe(false);
    translator.push(text("x END y"), "");
    expect(translator.done).toBe(true);
  });

  test("let go of what they held back before a call and at the end", () => {
    const read = assertMessagesStream(
      stream(scanning, [FIRST, text("a E"), tool(0, "f", "{}"), text("b S"), chunk({}, "tool_calls")]),
    );
    expect(shape(read)).toEqual(["text:a E", "f({})", "text:b S"]);
  });
});

describe("#32 a prefill", () => {
  const messages = [
    { role: "user", content: "a" },
    { role: "assistant", content: "The sky" },
  ];
  const prefilled = translate({ stream: true, messages });
  const shown = (...pieces: readonly string[]): readonly string[] =>
    shape(assertMessagesStream(stream(prefilled, [FIRST, ...pieces.map(text), chunk({}, "stop")])));

  test("that is repeated is cut, however it is split", () => {
    expect(shown("Th", "e s", "ky is", " blue")).toEqual(["text: is blue"]);
    expect(shown("The sky", " is")).toEqual(["text: is"]);
    expect(shown("The sky")).toEqual([]);
  });

  test("that is not repeated leaves the text alone", () => {
    expect(shown("Th", "is is")).toEqual(["text:This is"]);
    expect(shown("Th")).toEqual(["text:Th"]);
  });
});

describe("any interleaving", () => {
  /** JSON of each call is cut into pieces; pieces of all calls and texts are shuffled, each call's own in order. */
  const scenario = fc
    .record({
      inputs: fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { maxKeys: 3 }), {
        maxLength: 4,
      }),
      texts: fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 4 }),
      thoughts: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
      seed: fc.infiniteStream(fc.nat(1000)),
    })
    .map(({ inputs, texts, thoughts, seed }) => {
      const next = (bound: number): number => (seed.next().value ?? 0) % bound;
      const lanes: JsonObject[][] = inputs.map((input, index) => {
        const json = JSON.stringify(input);
        const lane = [tool(index, `f${index}`)];
        for (let start = 0; start < json.length;) {
          const size = 1 + next(6);
          lane.push(args(index, json.slice(start, start + size)));
          start += size;
        }
        return lane;
      });
      lanes.push(
        texts.map(text),
        thoughts.map((thought) => chunk({ reasoning_content: thought })),
      );
      const chunks: JsonObject[] = [];
      while (lanes.some((lane) => lane.length > 0)) {
        const open = lanes.filter((lane) => lane.length > 0);
        const taken = open[next(open.length)]?.shift();
        if (taken !== undefined) chunks.push(taken);
      }
      return { inputs, texts, thoughts, chunks };
    });

  test("keeps the invariants, every call's input and all of the text", () => {
    fc.assert(
      fc.property(scenario, ({ inputs, texts, thoughts, chunks }) => {
        const read = run(FIRST, ...chunks, chunk({}, "tool_calls"), USAGE);
        const textOf = (type: string): string =>
          read.blocks
            .filter((block) => block.type === type)
            .map((block) => block.text)
            .join("");
        expect(textOf("text")).toBe(texts.join(""));
        expect(textOf("thinking")).toBe(thoughts.join(""));
        const tools = read.blocks.filter((block) => block.type === "tool_use");
        expect(tools).toHaveLength(inputs.length);
        for (const block of tools) {
          const index = Number((block.start["name"] as string).slice(1));
          expect(block.text).toBe(JSON.stringify(inputs[index]));
          expect(block.start["id"]).toBe(`call_${index}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("gives the calls, text and reason of the buffered answer", () => {
    fc.assert(
      fc.property(scenario, ({ inputs, texts, chunks }) => {
        const tool_calls = inputs.map((input, index) => ({
          id: `call_${index}`,
          type: "function",
          function: { name: `f${index}`, arguments: JSON.stringify(input) },
        }));
        const buffered = message(PLAIN, answer({ content: texts.join(""), tool_calls }));
        const blocks = buffered["content"] as readonly JsonObject[];
        const read = run(FIRST, ...chunks, chunk({}, "stop"));
        const calls = read.blocks
          .filter((block) => block.type === "tool_use")
          .map((block) => ({ ...block.start, input: JSON.parse(block.text) as Json }));
        const byId = (a: JsonObject, b: JsonObject): number => String(a["id"]).localeCompare(String(b["id"]));
        expect(calls.sort(byId)).toEqual(blocks.filter((block) => block["type"] === "tool_use") as typeof calls);
        expect(read.delta["stop_reason"]).toBe(buffered["stop_reason"] as string);
      }),
      { numRuns: 50 },
    );
  });
});
