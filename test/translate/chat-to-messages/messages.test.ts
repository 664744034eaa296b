import { describe, expect, test } from "bun:test";
import {
  at,
  bodyOf,
  call,
  OPUS_4_8,
  OPUS_5_5,
  outcome,
  refusal,
  SONNET_4_5,
  SONNET_5,
  translateText,
  WEATHER,
  type Setup,
} from "./support.ts";

const text = (value: string): object => ({ type: "text", text: value });
const user = (...content: object[]): object => ({ role: "user", content });
const assistant = (...content: object[]): object => ({ role: "assistant", content });
const system = (...content: object[]): object => ({ role: "system", content });
const use = (id: string, input: object = {}, name = "weather"): object => ({ type: "tool_use", id, name, input });
const result = (id: string, content?: unknown, more: object = {}): object => ({
  type: "tool_result",
  tool_use_id: id,
  ...(content === undefined ? {} : { content }),
  ...more,
});
const missing = (id: string): object => result(id, "no result was provided", { is_error: true });
const PNG = "iVBORw0KGgoAAAANSUhEUg==";
const JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/";
const PDF = Buffer.from("%PDF-1.7 test").toString("base64");
const image = (media_type: string, data: string): object => ({
  type: "image",
  source: { type: "base64", media_type, data },
});
const url = (value: string): object => ({ type: "image_url", image_url: { url: value, detail: "high" } });
const marker = { type: "ephemeral" };
const reminder = (value: string): object => text(`<system-reminder>\n${value}\n</system-reminder>`);

interface Case {
  readonly row: string;
  readonly messages: readonly object[];
  readonly turns: readonly object[];
  readonly system?: readonly object[];
  readonly adapted?: readonly string[];
  readonly setup?: Setup;
}

const hi = { role: "user", content: "Hi" };
const asked = { role: "assistant", content: null, tool_calls: [call("a"), call("b")] };
const tool = (id: string, content: unknown, more: object = {}): object => ({
  role: "tool",
  tool_call_id: id,
  content,
  ...more,
});
const midSystem = { model: OPUS_5_5 };

const CASES: readonly Case[] = [
  {
    row: "leading run of system and developer: one block each, never joined or trimmed (pitfall 29)",
    messages: [
      { role: "system", content: " A\n" },
      { role: "developer", content: [text("B"), text("C")] },
      { role: "system", content: "" },
      hi,
    ],
    system: [text(" A\n"), text("B"), text("C")],
    turns: [user(text("Hi"))],
  },
  {
    row: "later system, in place after a user turn",
    messages: [hi, { role: "system", content: "S" }],
    turns: [user(text("Hi")), system(text("S"))],
    setup: midSystem,
  },
  {
    row: "later system, moved after the user turn it precedes",
    messages: [
      hi,
      { role: "assistant", content: "Yes" },
      { role: "developer", content: "S" },
      { role: "user", content: "Go" },
      { role: "assistant", content: "x" },
      hi,
    ],
    turns: [
      user(text("Hi")),
      assistant(text("Yes")),
      user(text("Go")),
      system(text("S")),
      assistant(text("x")),
      user(text("Hi")),
    ],
    setup: midSystem,
  },
  {
    row: "later system between call and result, after the results",
    messages: [hi, { role: "assistant", tool_calls: [call("a")] }, { role: "system", content: "S" }, tool("a", "1")],
    turns: [user(text("Hi")), assistant(use("a")), user(result("a", "1")), system(text("S"))],
    setup: midSystem,
  },
  {
    row: "later system on a model without it (pitfall 30)",
    messages: [hi, { role: "system", content: "S" }, { role: "user", content: "Go" }],
    turns: [user(text("Hi"), reminder("S"), text("Go"))],
    adapted: ["messages[1]"],
    setup: { model: SONNET_5 },
  },
  {
    row: "later system on a model without it, after an assistant turn",
    messages: [
      hi,
      { role: "assistant", content: "Yes" },
      { role: "system", content: "S" },
      { role: "user", content: "Go" },
    ],
    turns: [user(text("Hi")), assistant(text("Yes")), user(reminder("S"), text("Go"))],
    adapted: ["messages[2]"],
  },
  {
    row: "later system on a model without it, between call and result",
    messages: [hi, { role: "assistant", tool_calls: [call("a")] }, { role: "system", content: "S" }, tool("a", "1")],
    turns: [user(text("Hi")), assistant(use("a")), user(result("a", "1"), reminder("S"))],
    adapted: ["messages[2]"],
  },
  {
    row: "later system at the end, after an assistant turn",
    messages: [hi, { role: "assistant", content: "Yes" }, { role: "system", content: "S" }],
    turns: [user(text("Hi")), assistant(text("Yes")), user(reminder("S"))],
    adapted: ["messages[2]"],
  },
  {
    row: "user text parts, name",
    messages: [{ role: "user", name: "bob", content: [text("a"), text("b")] }],
    turns: [user(text("a"), text("b"))],
  },
  {
    row: "image data URL",
    messages: [{ role: "user", content: [url(`data:image/png;base64,${PNG}`)] }],
    turns: [user(image("image/png", PNG))],
  },
  {
    row: "image type corrected by magic bytes",
    messages: [{ role: "user", content: [url(`data:image/png;base64,${JPEG}`)] }],
    turns: [user(image("image/jpeg", JPEG))],
  },
  {
    row: "image data URL with parameters, line breaks and no padding",
    messages: [
      {
        role: "user",
        content: [url(`data:image/png;charset=utf-8;base64,${PNG.slice(0, 8)}\n${PNG.slice(8).replace(/=/g, "")}`)],
      },
    ],
    turns: [user(image("image/png", PNG))],
  },
  {
    row: "image https URL",
    messages: [{ role: "user", content: [url("https://example.com/a.png")] }],
    turns: [user({ type: "image", source: { type: "url", url: "https://example.com/a.png" } })],
  },
  {
    row: "file PDF as a data URL, title from the name",
    messages: [
      {
        role: "user",
        content: [{ type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` } }],
      },
    ],
    turns: [
      user({ type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF }, title: "a.pdf" }),
    ],
  },
  {
    row: "file PDF as bare base64, told by its magic bytes",
    messages: [{ role: "user", content: [{ type: "file", file: { file_data: PDF } }] }],
    turns: [user({ type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF } })],
  },
  {
    row: "file text",
    messages: [
      {
        role: "user",
        content: [
          {
            type: "file",
            file: { filename: "a.md", file_data: `data:text/markdown;base64,${Buffer.from("# Ø").toString("base64")}` },
          },
        ],
      },
    ],
    turns: [user({ type: "document", source: { type: "text", media_type: "text/plain", data: "# Ø" }, title: "a.md" })],
  },
  {
    row: "file json",
    messages: [
      {
        role: "user",
        content: [
          {
            type: "file",
            file: {
              filename: "a.json",
              file_data: `data:application/json;base64,${Buffer.from("{}").toString("base64")}`,
            },
          },
        ],
      },
    ],
    turns: [
      user({ type: "document", source: { type: "text", media_type: "text/plain", data: "{}" }, title: "a.json" }),
    ],
  },
  {
    row: "file image",
    messages: [{ role: "user", content: [{ type: "file", file: { file_data: `data:image/png;base64,${PNG}` } }] }],
    turns: [user(image("image/png", PNG))],
  },
  {
    row: "file_id of an Anthropic upload",
    messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file_011" } }] }],
    turns: [user({ type: "document", source: { type: "file", file_id: "file_011" } })],
  },
  {
    row: "file_id of an Anthropic upload that is an image by its name",
    messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file_011", filename: "a.PNG" } }] }],
    turns: [user({ type: "image", source: { type: "file", file_id: "file_011" } })],
  },
  {
    row: "prompt_cache_breakpoint on a part",
    messages: [
      {
        role: "user",
        content: [
          { ...text("a"), prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } },
          { ...text("b"), prompt_cache_breakpoint: { mode: "explicit" } },
        ],
      },
    ],
    turns: [user({ ...text("a"), cache_control: { ...marker, ttl: "1h" } }, { ...text("b"), cache_control: marker })],
  },
  {
    row: "cache_control on a part and on a message",
    messages: [
      { role: "system", content: "S", cache_control: marker },
      {
        role: "user",
        content: [{ ...text("a"), cache_control: marker }, text("b")],
        cache_control: { ...marker, ttl: "5m" },
      },
    ],
    system: [{ ...text("S"), cache_control: marker }],
    turns: [user({ ...text("a"), cache_control: marker }, { ...text("b"), cache_control: { ...marker, ttl: "5m" } })],
  },
  {
    row: "assistant string, parts, refusal part and refusal field",
    messages: [
      hi,
      { role: "assistant", content: [text("a"), { type: "refusal", refusal: "no" }] },
      hi,
      { role: "assistant", content: "b", refusal: "never" },
      hi,
    ],
    turns: [
      user(text("Hi")),
      assistant(text("a"), text("no")),
      user(text("Hi")),
      assistant(text("b"), text("never")),
      user(text("Hi")),
    ],
  },
  {
    row: "assistant content null, empty or missing with calls: no text block (pitfall 27)",
    messages: [
      hi,
      { role: "assistant", content: "", tool_calls: [call("a")] },
      tool("a", "1"),
      { role: "assistant", tool_calls: [call("b")] },
      tool("b", "2"),
    ],
    turns: [user(text("Hi")), assistant(use("a")), user(result("a", "1")), assistant(use("b")), user(result("b", "2"))],
  },
  {
    row: "tool call arguments: empty, white space, no object, no JSON (pitfall 7)",
    messages: [
      hi,
      {
        role: "assistant",
        tool_calls: [
          call("a", ""),
          call("b", " \n"),
          call("c", "[1]"),
          call("d", "7"),
          call("e", '{"x":'),
          call("f", "null"),
        ],
      },
      ...["a", "b", "c", "d", "e", "f"].map((id) => tool(id, "1")),
    ],
    turns: [
      user(text("Hi")),
      assistant(
        use("a"),
        use("b"),
        use("c", { value: [1] }),
        use("d", { value: 7 }),
        use("e", { _raw_arguments: '{"x":' }),
        use("f", { value: null }),
      ),
      user(...["a", "b", "c", "d", "e", "f"].map((id) => result(id, "1"))),
    ],
    adapted: ["messages[1].tool_calls[4].function.arguments"],
  },
  {
    row: "custom tool call",
    messages: [
      hi,
      { role: "assistant", tool_calls: [{ id: "a", type: "custom", custom: { name: "run", input: 'ls "x"' } }] },
      tool("a", "1"),
    ],
    turns: [user(text("Hi")), assistant(use("a", { input: 'ls "x"' }, "run")), user(result("a", "1"))],
  },
  {
    row: "legacy function_call and its function message",
    messages: [
      hi,
      { role: "assistant", content: null, function_call: { name: "weather", arguments: "{}" } },
      { role: "function", name: "weather", content: "1" },
      { role: "assistant", content: null, function_call: { name: "weather", arguments: "{}" } },
      { role: "function", name: "weather", content: "2" },
    ],
    turns: [
      user(text("Hi")),
      assistant(use("call_fn_0")),
      user(result("call_fn_0", "1")),
      assistant(use("call_fn_1")),
      user(result("call_fn_1", "2")),
    ],
  },
  {
    row: "reasoning text alone is never sent (pitfall 43)",
    messages: [hi, { role: "assistant", content: "a", reasoning_content: "secret", reasoning: "secret" }, hi],
    turns: [user(text("Hi")), assistant(text("a")), user(text("Hi"))],
  },
  {
    row: "Anthropic-shaped blocks are accepted (pitfall 25)",
    messages: [
      { role: "user", content: [image("image/png", PNG)] },
      { role: "assistant", content: [text("a"), use("x", { city: "Oslo" })] },
      { role: "user", content: [text("then"), result("x", "1")] },
    ],
    turns: [
      user(image("image/png", PNG)),
      assistant(text("a"), use("x", { city: "Oslo" })),
      user(result("x", "1"), text("then")),
    ],
  },
  {
    row: "parallel results: one turn, in the order of the calls (pitfall 22)",
    messages: [hi, asked, tool("b", "2"), tool("a", "1")],
    turns: [user(text("Hi")), assistant(use("a"), use("b")), user(result("a", "1"), result("b", "2"))],
  },
  {
    row: "text of the next user message follows the results (pitfall 24)",
    messages: [hi, asked, tool("a", "1"), tool("b", "2"), { role: "user", content: "and now" }],
    turns: [user(text("Hi")), assistant(use("a"), use("b")), user(result("a", "1"), result("b", "2"), text("and now"))],
  },
  {
    row: "result content: parts, images, empty, is_error",
    messages: [
      hi,
      asked,
      tool("a", [text("x"), url(`data:image/png;base64,${PNG}`)], { is_error: true }),
      tool("b", ""),
    ],
    turns: [
      user(text("Hi")),
      assistant(use("a"), use("b")),
      user(result("a", [text("x"), image("image/png", PNG)], { is_error: true }), result("b")),
    ],
  },
  {
    row: "result without a matching call",
    messages: [hi, { role: "assistant", content: "a" }, tool("zz", "lost")],
    turns: [user(text("Hi")), assistant(text("a")), user(text("[result of unknown tool call zz] lost"))],
    adapted: ["messages[2]"],
  },
  {
    row: "call without a result (pitfall 26)",
    messages: [hi, asked, tool("b", "2"), { role: "user", content: "go" }],
    turns: [user(text("Hi")), assistant(use("a"), use("b")), user(missing("a"), result("b", "2"), text("go"))],
    adapted: ["messages[1].tool_calls"],
  },
  {
    row: "call without a result at the end",
    messages: [hi, { role: "assistant", tool_calls: [call("a")] }],
    turns: [user(text("Hi")), assistant(use("a")), user(missing("a"))],
    adapted: ["messages[1].tool_calls"],
  },
  {
    row: "two tool messages for one id are merged, distinct ids never (pitfall 23)",
    messages: [hi, asked, tool("a", "1"), tool("b", "2"), tool("a", "3")],
    turns: [
      user(text("Hi")),
      assistant(use("a"), use("b")),
      user(result("a", [text("1"), text("3")]), result("b", "2")),
    ],
  },
  {
    row: "consecutive turns of one role are joined",
    messages: [
      hi,
      hi,
      { role: "assistant", content: "a" },
      { role: "assistant", tool_calls: [call("x")] },
      tool("x", "1"),
    ],
    turns: [user(text("Hi"), text("Hi")), assistant(text("a"), use("x")), user(result("x", "1"))],
  },
  {
    row: "first turn is assistant",
    messages: [{ role: "assistant", content: "a" }, hi],
    turns: [user(text("Continue.")), assistant(text("a")), user(text("Hi"))],
    adapted: ["messages"],
  },
  {
    row: "only system messages",
    messages: [{ role: "system", content: "S" }],
    system: [text("S")],
    turns: [user(text("Continue."))],
    adapted: ["messages"],
  },
  {
    row: "blank text blocks are dropped, an empty assistant turn too",
    messages: [
      { role: "user", content: [text("a"), text("  "), text("")] },
      { role: "assistant", content: " " },
      { role: "user", content: "b" },
    ],
    turns: [user(text("a"), text("b"))],
  },
  {
    row: "cache_control of a dropped block moves to the one before (pitfall 28)",
    messages: [{ role: "user", content: [text("a"), { ...text(""), cache_control: marker }] }],
    turns: [user({ ...text("a"), cache_control: marker })],
  },
  {
    row: "last turn assistant, model takes prefill: kept and right-trimmed (pitfall 31)",
    messages: [hi, { role: "assistant", content: "So: \n" }],
    turns: [user(text("Hi")), assistant(text("So:"))],
    setup: { model: SONNET_4_5 },
  },
  {
    row: "last turn assistant, model refuses prefill (pitfall 32)",
    messages: [hi, { role: "assistant", content: "So: " }],
    turns: [user(text("Hi")), assistant(text("So: ")), user(text("Continue."))],
    adapted: ["messages"],
    setup: { model: OPUS_5_5 },
  },
  {
    row: "ids with characters that Claude does not take, on both sides alike (pitfall 38)",
    messages: [hi, { role: "assistant", tool_calls: [call("call:1")] }, tool("call:1", "x")],
    turns: [
      user(text("Hi")),
      assistant(use(`call_1_${new Bun.CryptoHasher("sha256").update("call:1").digest("hex").slice(0, 8)}`)),
      user(result(`call_1_${new Bun.CryptoHasher("sha256").update("call:1").digest("hex").slice(0, 8)}`, "x")),
    ],
  },
];

describe("messages", () => {
  test.each([...CASES])("$row", ({ messages, turns, system: expected, adapted, setup }) => {
    const translated = outcome({ messages, tools: [WEATHER] }, setup);
    expect(at(translated.body, "messages") as object[]).toEqual([...turns]);
    expect(at(translated.body, "system") as object[] | undefined).toEqual(
      expected === undefined ? undefined : [...expected],
    );
    expect(translated.adapted).toEqual(adapted ?? []);
    expect(translated.dropped).toEqual([]);
  });

  test.each([
    ["no messages", [], "messages"],
    ["an unknown role", [{ role: "critic", content: "x" }], "messages[0].role"],
    [
      "a user message without content",
      [hi, { role: "assistant", content: "a" }, { role: "user", content: " " }],
      "messages[2].content",
    ],
    [
      "audio input",
      [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "", format: "wav" } }] }],
      "messages[0].content[0].input_audio",
    ],
    ["assistant audio", [hi, { role: "assistant", audio: { id: "a" } }], "messages[1].audio"],
    [
      "an OpenAI file id",
      [{ role: "user", content: [{ type: "file", file: { file_id: "file-abc" } }] }],
      "messages[0].content[0].file.file_id",
    ],
    [
      "an http image",
      [{ role: "user", content: [url("http://example.com/a.png")] }],
      "messages[0].content[0].image_url.url",
    ],
    [
      "another image scheme",
      [{ role: "user", content: [url("gs://b/a.png")] }],
      "messages[0].content[0].image_url.url",
    ],
    [
      "an image type that Claude does not read",
      [{ role: "user", content: [url("data:image/bmp;base64,Qk0=")] }],
      "messages[0].content[0].image_url.url",
    ],
    [
      "a file type that Claude does not read",
      [{ role: "user", content: [{ type: "file", file: { file_data: "data:application/zip;base64,UEsDBA==" } }] }],
      "messages[0].content[0].file.file_data",
    ],
    ["an unknown part", [{ role: "user", content: [{ type: "hologram" }] }], "messages[0].content[0].type"],
    [
      "an image in a system message",
      [{ role: "system", content: [url(`data:image/png;base64,${PNG}`)] }, hi],
      "messages[0].content",
    ],
  ])("refuses %s", (_name, messages, param) => {
    expect(refusal({ messages })).toMatchObject({ param, status: 400 });
  });

  test("keeps a 20-digit integer in a call's arguments", () => {
    const body = JSON.stringify({
      model: "m",
      max_tokens: 9,
      messages: [
        hi,
        { role: "assistant", tool_calls: [call("a", '{"id":12345678901234567890,"x":1.0}')] },
        tool("a", "1"),
      ],
    });
    expect(translateText(body).body).toContain('"input":{"id":12345678901234567890,"x":1.0}');
  });

  test("keeps a 20-digit integer in a call in Anthropic's shape", () => {
    const body =
      '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"n","input":{"id":12345678901234567890}}]},{"role":"tool","tool_call_id":"a","content":"1"}]}';
    expect(translateText(body).body).toContain('"input":{"id":12345678901234567890}');
  });

  test("carries arguments nested too deep for JSON as text", () => {
    const deep = (levels: number): object =>
      outcome({
        messages: [
          hi,
          { role: "assistant", tool_calls: [call("a", "[".repeat(levels) + "]".repeat(levels))] },
          tool("a", "1"),
        ],
      });
    expect(deep(100_000)).toMatchObject({ adapted: ["messages[1].tool_calls[0].function.arguments"] });
    expect(deep(128)).toMatchObject({ adapted: [] });
    const quoted = `{"x":"${"[".repeat(500)}\\""}`;
    expect(
      outcome({ messages: [hi, { role: "assistant", tool_calls: [call("a", quoted)] }, tool("a", "1")] }).adapted,
    ).toEqual([]);
  });

  test("stays quick with many calls, results and markers of a hostile client", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `c${index}`);
    const results = many.map(() => tool("c0", "1"));
    const parts = many.map((id) => ({ ...text(id), cache_control: marker }));
    const messages = [
      hi,
      { role: "assistant", tool_calls: many.map((id) => call(id)) },
      ...results,
      { role: "user", content: parts },
    ];
    const before = performance.now();
    translateText(JSON.stringify({ model: "m", max_tokens: 9, messages }));
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test("keeps __proto__ in arguments plain data", () => {
    const body = JSON.stringify({
      model: "m",
      max_tokens: 9,
      messages: [hi, { role: "assistant", tool_calls: [call("a", '{"__proto__":{"x":1}}')] }, tool("a", "1")],
    });
    expect(translateText(body).body).toContain('"input":{"__proto__":{"x":1}}');
  });

  test("never hoists a late system message: the prefix stays byte for byte when the history grows", () => {
    const early = [
      { role: "system", content: "S" },
      hi,
      { role: "assistant", content: "a" },
      { role: "system", content: "late" },
      { role: "user", content: "b" },
    ];
    for (const model of [OPUS_5_5, OPUS_4_8, SONNET_5, SONNET_4_5]) {
      const first = at(bodyOf({ messages: early }, { model }), "messages") as object[];
      const grown = bodyOf(
        { messages: [...early, { role: "assistant", content: "c" }, { role: "user", content: "d" }] },
        { model },
      );
      expect((at(grown, "messages") as object[]).slice(0, first.length)).toEqual(first);
      expect(at(grown, "system")).toEqual([text("S")]);
    }
  });
});

describe("cache markers", () => {
  const marked = (value: string, ttl?: string): object => ({
    type: "text",
    text: value,
    cache_control: ttl === undefined ? marker : { ...marker, ttl },
  });
  const markers = (body: unknown): string[] =>
    [
      ...JSON.stringify(body).matchAll(/"text":"(\w+)","cache_control":(?:\{"type":"ephemeral"(?:,"ttl":"(\w+)")?\})/g),
    ].map((match) => `${match[1]}${match[2] ?? ""}`);

  test("beyond four keep the last of system and tools and the last three others (pitfall 40)", () => {
    const body = bodyOf({
      tools: [{ ...WEATHER, cache_control: marker }],
      messages: [
        { role: "system", content: [marked("s1"), marked("s2")] },
        { role: "user", content: ["u1", "u2", "u3", "u4"].map((value) => marked(value)) },
      ],
    });
    expect(markers(body)).toEqual(["s2", "u2", "u3", "u4"]);
    expect(at(body, "tools", 0, "cache_control")).toBeUndefined();
  });

  test("count the top-level one", () => {
    const body = bodyOf({
      cache_control: marker,
      messages: [{ role: "user", content: ["u1", "u2", "u3", "u4"].map((value) => marked(value)) }],
    });
    expect(markers(body)).toEqual(["u2", "u3", "u4"]);
  });

  test("of one hour after shorter ones are shortened", () => {
    const body = bodyOf({
      messages: [{ role: "user", content: [marked("u1", "1h"), marked("u2"), marked("u3", "1h")] }],
    });
    expect(markers(body)).toEqual(["u11h", "u2", "u3"]);
  });

  test("take their lifetime from prompt_cache_options", () => {
    const part = { type: "text", text: "u1", prompt_cache_breakpoint: { mode: "explicit" } };
    expect(
      markers(
        bodyOf({
          prompt_cache_options: { mode: "explicit", ttl: "12h" },
          messages: [{ role: "user", content: [part] }],
        }),
      ),
    ).toEqual(["u11h"]);
  });

  test("inside tool results count too", () => {
    const parts = ["r1", "r2", "r3", "r4", "r5"].map((value) => marked(value));
    const body = bodyOf({ messages: [hi, { role: "assistant", tool_calls: [call("a")] }, tool("a", parts)] });
    expect(markers(body)).toEqual(["r2", "r3", "r4", "r5"]);
  });
});
