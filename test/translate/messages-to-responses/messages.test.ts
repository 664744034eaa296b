import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { mintSignature } from "../../../src/translate/maps/reasoning-signature.ts";
import { refusal, sent, sentInput, translate } from "./support.ts";

const PNG = "iVBORw0KGgo=";
const user = (content: Json): JsonObject => ({ role: "user", content });
const assistant = (...content: readonly JsonObject[]): JsonObject => ({ role: "assistant", content });
const use = (id: string, input: JsonObject = {}): JsonObject => ({ type: "tool_use", id, name: "look", input });
const result = (id: string, content: Json, more: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id: id,
  content,
  ...more,
});
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } };
const call = (call_id: string, args = "{}"): JsonObject => ({
  type: "function_call",
  call_id,
  name: "look",
  arguments: args,
});
const output = (call_id: string, value: Json): JsonObject => ({ type: "function_call_output", call_id, output: value });
const said = (...texts: readonly string[]): JsonObject => ({
  type: "message",
  role: "assistant",
  content: texts.map((text) => ({ type: "output_text", text })),
});
const asked = (...parts: readonly (string | JsonObject)[]): JsonObject => ({
  type: "message",
  role: "user",
  content: parts.map((part) => (typeof part === "string" ? { type: "input_text", text: part } : part)),
});
const thinking = (id: string, model = "gpt-5.6"): JsonObject => ({
  type: "thinking",
  thinking: `about ${id}`,
  signature: mintSignature({ id, encryptedContent: `sealed ${id}`, model }),
});
const reasoning = (id: string): JsonObject => ({
  type: "reasoning",
  id,
  summary: [{ type: "summary_text", text: `about ${id}` }],
  encrypted_content: `sealed ${id}`,
});
const inputImage = { type: "input_image", image_url: `data:image/png;base64,${PNG}` };

const ROWS: readonly (readonly [what: string, messages: readonly JsonObject[], input: readonly JsonObject[]])[] = [
  [
    "text",
    [user("Hi"), assistant({ type: "text", text: "a" }, { type: "text", text: "b" }), user("on")],
    [asked("Hi"), said("a", "b"), asked("on")],
  ],
  [
    "an empty user message",
    [user(""), assistant({ type: "text", text: "x" }), user("y")],
    [asked(""), said("x"), asked("y")],
  ],
  [
    "text before and behind a call keeps its place",
    [
      user("Hi"),
      assistant({ type: "text", text: "a" }, use("1"), { type: "text", text: "b" }),
      user([result("1", "r")]),
    ],
    [asked("Hi"), said("a"), call("1"), said("b"), output("1", "r")],
  ],
  [
    "results first, in order, then the rest of the turn",
    [
      user("Hi"),
      assistant(use("1"), use("2")),
      user([{ type: "text", text: "t" }, result("1", "a"), result("2", "b")]),
    ],
    [asked("Hi"), call("1"), call("2"), output("1", "a"), output("2", "b"), asked("t")],
  ],
  [
    "blocks of a result are joined",
    [
      user("Hi"),
      assistant(use("1")),
      user([
        result("1", [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ]),
      ]),
    ],
    [asked("Hi"), call("1"), output("1", "a\nb")],
  ],
  [
    "#33 images of a result stay in it",
    [user("Hi"), assistant(use("1")), user([result("1", [{ type: "text", text: "a" }, image])])],
    [asked("Hi"), call("1"), output("1", [{ type: "input_text", text: "a" }, inputImage])],
  ],
  [
    "a failed result says so, with an image too",
    [
      user("Hi"),
      assistant(use("1"), use("2")),
      user([result("1", "no", { is_error: true }), result("2", [image], { is_error: true })]),
    ],
    [
      asked("Hi"),
      call("1"),
      call("2"),
      output("1", "Error: no"),
      output("2", [{ type: "input_text", text: "Error: " }, inputImage]),
    ],
  ],
  [
    "a result of nothing",
    [user("Hi"), assistant(use("1")), user([{ type: "tool_result", tool_use_id: "1" }])],
    [asked("Hi"), call("1"), output("1", "")],
  ],
  [
    "#26 a call without a result",
    [user("Hi"), assistant(use("1")), user("on")],
    [asked("Hi"), call("1"), output("1", "no result was provided"), asked("on")],
  ],
  ["a result without its call", [user([result("9", "lost")])], [asked("[result of unknown tool call 9] lost")]],
  [
    "reasoning before what follows it",
    [
      user("Hi"),
      assistant(thinking("rs_1"), { type: "text", text: "a" }, thinking("rs_2"), use("1")),
      user([result("1", "r")]),
    ],
    [asked("Hi"), reasoning("rs_1"), said("a"), reasoning("rs_2"), call("1"), output("1", "r")],
  ],
  [
    "reasoning that nothing follows is left out",
    [user("Hi"), assistant({ type: "text", text: "a" }, thinking("rs_1")), user("on")],
    [asked("Hi"), said("a"), asked("on")],
  ],
  [
    "other models' reasoning is left out",
    [
      user("Hi"),
      assistant(thinking("rs_1", "gpt-5"), { type: "thinking", thinking: "t", signature: "EqQ" }, use("1")),
      user([result("1", "r")]),
    ],
    [asked("Hi"), call("1"), output("1", "r")],
  ],
  [
    "instructions in between, never between a call and its result",
    [user("Hi"), assistant(use("1")), { role: "system", content: "new" }, user([result("1", "r")])],
    [
      asked("Hi"),
      call("1"),
      output("1", "r"),
      { type: "message", role: "developer", content: [{ type: "input_text", text: "new" }] },
    ],
  ],
];

describe("messages", () => {
  test.each(ROWS)("%s", (_what, messages, input) => {
    expect(sentInput(messages)).toEqual([...input]);
  });

  test("system blocks are parts of one message, without the billing line", () => {
    const { input } = sent({
      system: [
        { type: "text", text: "x-anthropic-billing-header: 1" },
        { type: "text", text: "a", cache_control: { type: "ephemeral" } },
        { type: "text", text: "b" },
      ],
    });
    expect((input as readonly Json[])[0]).toEqual({
      type: "message",
      role: "developer",
      content: [
        { type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } },
        { type: "input_text", text: "b" },
      ],
    });
  });

  test("cache markers stand on results, and nowhere for models that cache by themselves", () => {
    const messages = [
      user("Hi"),
      assistant(use("1")),
      user([result("1", "r", { cache_control: { type: "ephemeral" } })]),
    ];
    expect(sentInput(messages)[2]).toEqual(
      output("1", [{ type: "input_text", text: "r", prompt_cache_breakpoint: { mode: "explicit" } }]),
    );
    expect(sentInput(messages, { model: "gpt-5" })[2]).toEqual(output("1", "r"));
  });

  test("#38 ids over 40 characters are shortened alike on both sides", () => {
    const long = "toolu_".padEnd(60, "x");
    const [, made, given] = sentInput([user("Hi"), assistant(use(long)), user([result(long, "r")])]);
    const id = (made as JsonObject)["call_id"];
    expect(id).toMatch(/^call_[0-9a-f]{32}$/);
    expect((given as JsonObject)["call_id"]).toBe(id as string);
  });

  test("numbers of an input are sent as they were spelled", () => {
    const [, made] = sentInput([
      user("Hi"),
      assistant(use("1", JSON.parse('{"n":1}') as JsonObject)),
      user([result("1", "r")]),
    ]);
    expect((made as JsonObject)["arguments"]).toBe('{"n":1}');
  });

  test("what was dropped is named once", () => {
    const foreign = { type: "thinking", thinking: "t", signature: "EqQ" };
    const { dropped } = translate({
      messages: [user("a"), assistant(foreign, foreign, { type: "text", text: "x" }), user("b")],
    });
    expect(dropped).toEqual(["messages[].content[].thinking"]);
  });

  test.each([
    [
      "an uploaded image",
      { type: "image", source: { type: "file", file_id: "file_1" } },
      "messages[0].content[0].source",
    ],
    [
      "an uploaded document",
      { type: "document", source: { type: "file", file_id: "file_1" } },
      "messages[0].content[0].source",
    ],
    ["a container's upload", { type: "container_upload", file_id: "f" }, "messages[0].content[0]"],
  ] as const)("%s is refused by its path", (_what, block, param) => {
    expect(refusal(() => sentInput([user([block])]))).toMatchObject({ kind: "unsupported-translation", param });
  });
});

describe("tools", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    additionalProperties: false,
  };
  const tools = (...list: readonly JsonObject[]): JsonObject => ({ tools: list });

  test.each([
    ["strict, where the schema fits", { name: "x", strict: true, input_schema: schema }, true, []],
    [
      "strict, where it does not",
      { name: "x", strict: true, input_schema: { type: "object" } },
      false,
      ["tools[0].strict=false"],
    ],
    ["not strict", { name: "x", input_schema: schema }, false, []],
  ] as const)("%s", (_what, tool, strict, adapted) => {
    const [made] = sent(tools(tool))["tools"] as readonly JsonObject[];
    expect(made?.["strict"]).toBe(strict);
    expect(translate(tools(tool)).adapted).toEqual([...adapted]);
  });

  test("names over 64 characters are shortened, and restored in the answer", () => {
    const name = "n".repeat(70);
    const [made] = sent(tools({ name, input_schema: {} }))["tools"] as readonly JsonObject[];
    expect(String(made?.["name"])).toHaveLength(64);
  });

  test.each([
    [{ type: "auto" }, "auto"],
    [{ type: "any" }, "required"],
    [{ type: "none" }, "none"],
    [
      { type: "tool", name: "x" },
      { type: "function", name: "x" },
    ],
  ] as const)("tool_choice %j", (tool_choice, choice) => {
    expect(sent({ ...tools({ name: "x", input_schema: {} }), tool_choice })["tool_choice"]).toEqual(choice);
  });

  test("one call at a time", () => {
    const fields = {
      ...tools({ name: "x", input_schema: {} }),
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    };
    expect(sent(fields)["parallel_tool_calls"]).toBe(false);
    expect(translate(fields, { model: "o3" }).dropped).toEqual(["tool_choice.disable_parallel_tool_use"]);
  });

  test("server tools are dropped, or refused", () => {
    const fetch = tools({ type: "web_fetch_20250910", name: "web_fetch" });
    expect(translate(fetch).dropped).toEqual(["tools[0]"]);
    expect(refusal(() => translate(fetch, { options: { serverTools: "reject" } })).param).toBe("tools[0].type");
    const search = tools({ type: "web_search_20250305", name: "web_search" });
    expect(refusal(() => translate(search, { options: { webSearch: false } })).param).toBe("tools[0].type");
    expect(refusal(() => translate(search, { model: "gpt-5.4" })).param).toBe("tools[0].type");
  });
});
