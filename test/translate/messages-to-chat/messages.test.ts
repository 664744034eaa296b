import { describe, expect, test } from "bun:test";
import { sha256Hex } from "../../../src/base/ids.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { refusal, sent, sentMessages, translate, translateText, type Settings } from "./support.ts";

const text = (value: string, more: JsonObject = {}): JsonObject => ({ type: "text", text: value, ...more });
const use = (id: string, input: JsonObject = {}): JsonObject => ({ type: "tool_use", id, name: "f", input });
const result = (id: string, content?: Json, more: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id: id,
  ...(content === undefined ? {} : { content }),
  ...more,
});
const user = (content: Json): JsonObject => ({ role: "user", content });
const assistant = (content: Json): JsonObject => ({ role: "assistant", content });
const tool = (id: string, content: Json): JsonObject => ({ role: "tool", tool_call_id: id, content });
const calls = (content: Json, ...ids: readonly string[]): JsonObject => ({
  role: "assistant",
  content,
  tool_calls: ids.map((id) => ({ id, type: "function", function: { name: "f", arguments: "{}" } })),
});
const PNG = "iVBORw0KGgo=";
const image = (more: JsonObject = {}): JsonObject => ({
  type: "image",
  source: { type: "base64", media_type: "image/png", data: PNG },
  ...more,
});
const imagePart = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } };
const LONG_ID = `toolu_${"x".repeat(40)}`;
const SHORT_ID = `call_${sha256Hex(LONG_ID, 32)}`;
const MARK = { prompt_cache_breakpoint: { mode: "explicit" } };
const CACHE = { cache_control: { type: "ephemeral" } };

interface Case {
  readonly row: string;
  readonly messages: readonly JsonObject[];
  readonly out: readonly JsonObject[];
  readonly settings?: Settings;
  readonly dropped?: readonly string[];
  readonly adapted?: readonly string[];
}

const CASES: readonly Case[] = [
  { row: "user string", messages: [user("Hi")], out: [user("Hi")] },
  { row: "a single text block is a plain string", messages: [user([text("Hi")])], out: [user("Hi")] },
  { row: "text blocks are parts", messages: [user([text("a"), text("b")])], out: [user([text("a"), text("b")])] },
  { row: "user empty", messages: [user("")], out: [user("")] },
  { row: "user without blocks", messages: [user([])], out: [user("")] },
  {
    row: "user messages in a row stay apart",
    messages: [user("a"), user("b")],
    out: [user("a"), user("b")],
  },
  { row: "image base64", messages: [user([image()])], out: [user([imagePart])] },
  {
    row: "image url",
    messages: [user([text("see"), { type: "image", source: { type: "url", url: "https://x.test/a.png" } }])],
    out: [user([text("see"), { type: "image_url", image_url: { url: "https://x.test/a.png" } }])],
  },
  {
    row: "image.transformations",
    messages: [user([image({ transformations: [{}] })])],
    out: [user([imagePart])],
    dropped: ["messages[].content[].transformations"],
  },
  {
    row: "document base64 PDF",
    messages: [
      user([
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
          title: "A.pdf",
        },
      ]),
    ],
    out: [user([{ type: "file", file: { filename: "A.pdf", file_data: "data:application/pdf;base64,JVBERg==" } }])],
  },
  {
    row: "document text with title and context; citations",
    messages: [
      user([
        {
          type: "document",
          source: { type: "text", media_type: "text/plain", data: "body" },
          title: 'The "A"',
          context: "old",
          citations: { enabled: true },
        },
      ]),
    ],
    out: [user('<document title="The &quot;A&quot;" context="old">\nbody\n</document>')],
    dropped: ["messages[].content[].citations"],
  },
  {
    row: "document content blocks keep the order of text and images",
    messages: [
      user([{ type: "document", source: { type: "content", content: [text("a"), text("b"), image(), text("c")] } }]),
    ],
    out: [user([text("<document>\na\nb\n</document>"), imagePart, text("<document>\nc\n</document>")])],
  },
  {
    row: "search_result",
    messages: [user([{ type: "search_result", source: "s", title: "t", content: [text("x"), text("y")] }])],
    out: [user('<search_result source="s" title="t">\nx\ny\n</search_result>')],
  },
  {
    row: "tool_reference, browser_state",
    messages: [
      user([
        { type: "tool_reference", tool_name: "f" },
        { type: "browser_state", tabs: [{ tab_id: "1", title: "T", url: "https://x.test", active: true }] },
      ]),
    ],
    out: [user([text("tool loaded: f"), text("[browser tabs: T (https://x.test) (active)]")])],
  },
  {
    row: "unknown block",
    messages: [user([text("a"), { type: "hologram" }])],
    out: [user("a")],
    dropped: ["messages[].content[].hologram"],
  },
  {
    row: "unknown block whose type is no word: nothing of it reaches a header",
    messages: [user([text("a"), { type: "x\r\nset-cookie: y" }])],
    out: [user("a")],
    dropped: ["messages[].content[]"],
  },
  {
    row: "tool_addition in a role system message",
    messages: [user("a"), { role: "system", content: [text("s"), { type: "tool_addition", tool: {} }] }],
    out: [user("a"), { role: "system", content: [text("s")] }],
    dropped: ["messages[].content[].tool_addition"],
  },
  {
    row: "#27 assistant text is one string; empty turns are left out",
    messages: [user("a"), assistant([text("b"), text("c")]), user("d"), assistant(""), user("e")],
    out: [user("a"), assistant("bc"), user("d"), user("e")],
  },
  {
    row: "tool_use, content null without text",
    messages: [user("a"), assistant([use("t1")]), user([result("t1", "r")])],
    out: [user("a"), calls(null, "t1"), tool("t1", "r")],
  },
  {
    row: "#38 tool ids over 40 characters, both places",
    messages: [user("a"), assistant([use(LONG_ID)]), user([result(LONG_ID, "r")])],
    out: [user("a"), calls(null, SHORT_ID), tool(SHORT_ID, "r")],
  },
  {
    row: "#22 #24 results first, in order, text after, even if it came first",
    messages: [
      user("a"),
      assistant([text("b"), use("t1"), use("t2")]),
      user([text("first"), result("t2", "r2"), text("mid"), result("t1", "r1")]),
    ],
    out: [user("a"), calls("b", "t1", "t2"), tool("t2", "r2"), tool("t1", "r1"), user([text("first"), text("mid")])],
  },
  {
    row: "#23 results in separate user messages",
    messages: [
      user("a"),
      assistant([use("t1"), use("t2")]),
      user([result("t1", "r1")]),
      user([result("t2", "r2"), text("x")]),
    ],
    out: [user("a"), calls(null, "t1", "t2"), tool("t1", "r1"), tool("t2", "r2"), user("x")],
  },
  {
    row: "assistant messages in a row are one turn, so that calls stay with their results",
    messages: [
      user("a"),
      assistant([use("t1")]),
      assistant([text("b"), use("t2")]),
      user([result("t1", "1"), result("t2", "2")]),
    ],
    out: [user("a"), calls("b", "t1", "t2"), tool("t1", "1"), tool("t2", "2")],
  },
  {
    row: "tool_result.content blocks are joined by newlines; none is empty",
    messages: [
      user("a"),
      assistant([use("t1"), use("t2"), use("t3")]),
      user([result("t1", [text("x"), text("y")]), result("t2"), result("t3", null)]),
    ],
    out: [user("a"), calls(null, "t1", "t2", "t3"), tool("t1", "x\ny"), tool("t2", ""), tool("t3", "")],
  },
  {
    row: "is_error",
    messages: [
      user("a"),
      assistant([use("t1"), use("t2"), use("t3")]),
      user([
        result("t1", "boom", { is_error: true }),
        result("t2", "Error: boom", { is_error: true }),
        result("t3", "fine", { is_error: false }),
      ]),
    ],
    out: [
      user("a"),
      calls(null, "t1", "t2", "t3"),
      tool("t1", "Error: boom"),
      tool("t2", "Error: boom"),
      tool("t3", "fine"),
    ],
  },
  {
    row: "#33 images in tool results go to one user message after the run",
    messages: [
      user("a"),
      assistant([use("t1"), use("t2")]),
      user([result("t1", [text("shot"), image(), image()]), result("t2", [image()]), text("next")]),
    ],
    out: [
      user("a"),
      calls(null, "t1", "t2"),
      tool("t1", "shot\n[image 1 of tool result t1 follows]\n[image 2 of tool result t1 follows]"),
      tool("t2", "[image 1 of tool result t2 follows]"),
      user([imagePart, imagePart, imagePart]),
      user("next"),
    ],
  },
  {
    row: "#26 a call without a result",
    messages: [user("a"), assistant([use("t1"), use("t2")]), user([result("t2", "r"), text("b")])],
    out: [user("a"), calls(null, "t1", "t2"), tool("t2", "r"), tool("t1", "no result was provided"), user("b")],
    adapted: ["messages[].content[].tool_use"],
  },
  {
    row: "#26 a call at the very end",
    messages: [user("a"), assistant([use("t1")])],
    out: [user("a"), calls(null, "t1"), tool("t1", "no result was provided")],
    adapted: ["messages[].content[].tool_use"],
  },
  {
    row: "a result without its call",
    messages: [user([result("t9", [text("r"), image()]), text("b")])],
    out: [
      user([text("[result of unknown tool call t9] r\n[image 1 of tool result t9 follows]"), imagePart, text("b")]),
    ],
    adapted: ["messages[].content[].tool_result"],
  },
  {
    row: "a second result for one call",
    messages: [user("a"), assistant([use("t1")]), user([result("t1", "r"), result("t1", "s")])],
    out: [user("a"), calls(null, "t1"), tool("t1", "r"), user("[result of unknown tool call t1] s")],
    adapted: ["messages[].content[].tool_result"],
  },
  {
    row: "role system in place",
    messages: [user("a"), { role: "system", content: "be brief" }, user("b")],
    out: [user("a"), { role: "system", content: "be brief" }, user("b")],
  },
  {
    row: "role system, developer for reasoning models; clear_at and output_config",
    messages: [user("a"), { role: "system", content: [text("x")], clear_at: "y", output_config: {} }, user("b")],
    out: [user("a"), { role: "developer", content: [text("x")] }, user("b")],
    settings: { model: "o3" },
    dropped: ["messages[].clear_at", "messages[].output_config"],
  },
  {
    row: "role system never between a call and its result",
    messages: [
      user("a"),
      assistant([use("t1")]),
      { role: "system", content: "s" },
      user([result("t1", "r"), text("b")]),
    ],
    out: [user("a"), calls(null, "t1"), tool("t1", "r"), { role: "system", content: "s" }, user("b")],
  },
  {
    row: "#43 thinking and redacted_thinking",
    messages: [
      user("a"),
      assistant([
        { type: "thinking", thinking: "x", signature: "s" },
        { type: "redacted_thinking", data: "d" },
        text("b"),
      ]),
      user("c"),
    ],
    out: [user("a"), assistant("b"), user("c")],
    dropped: ["messages[].content[].thinking", "messages[].content[].redacted_thinking"],
  },
  {
    row: "server tools become text without encrypted parts",
    messages: [
      user("a"),
      assistant([
        text("Let me look."),
        { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "oslo" } },
        {
          type: "web_search_tool_result",
          tool_use_id: "s1",
          content: [
            { type: "web_search_result", title: "A", url: "https://a.test", encrypted_content: "SECRET" },
            { type: "web_search_result", title: "B", url: "https://b.test", encrypted_content: "SECRET" },
          ],
        },
        text("Done."),
      ]),
      user("b"),
    ],
    out: [
      user("a"),
      assistant("Let me look.\n[web_search: oslo → A (https://a.test), B (https://b.test)]\nDone."),
      user("b"),
    ],
    adapted: ["messages[].content[].web_search_tool_result"],
  },
  {
    row: "code execution, errors, MCP, compaction and fallback become text",
    messages: [
      user("a"),
      assistant([
        { type: "server_tool_use", id: "s1", name: "bash_code_execution", input: { command: "ls" } },
        {
          type: "bash_code_execution_tool_result",
          tool_use_id: "s1",
          content: { type: "bash_code_execution_result", stdout: "x.txt", stderr: "", return_code: 0, content: [] },
        },
        {
          type: "web_fetch_tool_result",
          tool_use_id: "s2",
          content: { type: "web_fetch_tool_result_error", error_code: "gone" },
        },
        { type: "mcp_tool_use", id: "m1", name: "list", server_name: "s", input: { a: 1 } },
        { type: "mcp_tool_result", tool_use_id: "m1", is_error: false, content: [text("one")] },
        { type: "compaction", content: "sum", encrypted_content: "SECRET" },
        { type: "fallback", from: { model: "x" }, to: { model: "y" } },
      ]),
      user("b"),
    ],
    out: [
      user("a"),
      assistant(
        '\n[bash_code_execution: ls → x.txt]\n\n[web_fetch: error gone]\n\n[list: {"a":1} → one]\n\n[summary of the conversation so far: sum]\n\n[continued by y after x]\n',
      ),
      user("b"),
    ],
    adapted: [
      "messages[].content[].bash_code_execution_tool_result",
      "messages[].content[].web_fetch_tool_result",
      "messages[].content[].mcp_tool_result",
      "messages[].content[].compaction",
      "messages[].content[].fallback",
    ],
  },
  {
    row: "cache_control on blocks",
    messages: [
      user([text("a", CACHE)]),
      assistant([text("b"), text("c", CACHE), use("t1")]),
      user([result("t1", "r", CACHE), image(CACHE)]),
    ],
    out: [
      user([text("a", MARK)]),
      { ...calls([text("b"), text("c", MARK)], "t1") },
      tool("t1", [text("r", MARK)]),
      user([{ ...imagePart, ...MARK }]),
    ],
    settings: { model: "gpt-5.6" },
  },
  {
    row: "cache_control on blocks, models that cache by themselves, and null",
    messages: [user([text("a", CACHE)]), user([text("b", { cache_control: null })])],
    out: [user("a"), user("b")],
  },
];

describe("messages", () => {
  test.each(CASES.map((entry) => [entry.row, entry] as const))("%s", (_row, entry) => {
    const translated = translate({ messages: entry.messages }, entry.settings);
    expect((JSON.parse(translated.body) as JsonObject)["messages"]).toEqual(entry.out);
    expect(translated.dropped).toEqual(entry.dropped ?? []);
    expect(translated.adapted).toEqual(entry.adapted ?? []);
    expect(translated.body).not.toContain("SECRET");
  });

  test("notes a long conversation's thinking once", () => {
    const turn = [assistant([{ type: "thinking", thinking: "x", signature: "s" }, text("b")]), user("c")];
    const messages = [user("a"), ...Array.from({ length: 50 }, () => turn).flat()];
    expect(translate({ messages }).dropped).toEqual(["messages[].content[].thinking"]);
  });

  test("#32 keeps a prefill, with the hint to go on where it ends", () => {
    const translated = translate({ messages: [user("a"), assistant('{"x":')] });
    const messages = (JSON.parse(translated.body) as JsonObject)["messages"] as readonly JsonObject[];
    expect(messages.slice(0, 2)).toEqual([user("a"), assistant('{"x":')]);
    expect(messages).toHaveLength(3);
    expect(messages[2]?.["role"]).toBe("system");
    expect(translated.adapted).toEqual(["messages"]);
    expect((sentMessages([user("a"), assistant("b")], { model: "o3" })[2] as JsonObject)["role"]).toBe("developer");
  });

  test("keeps big integers and number spellings of tool input in the arguments", () => {
    const input = '{"id":12345678901234567890,"price":1.10,"tiny":1e-400}';
    const body = JSON.parse(
      translateText(
        '{"model":"gpt-4.1","max_tokens":9,"temperature":1.0,"messages":[{"role":"user","content":"a"},' +
          `{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":${input}}]},` +
          '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}',
      ).body,
    );
    expect(body.messages[1].tool_calls[0].function.arguments).toBe(input);
    expect(body.temperature).toBe(1);
  });

  test("treats __proto__ in tool input as data", () => {
    const body = translateText(
      '{"model":"gpt-4.1","max_tokens":9,"messages":[{"role":"user","content":"a"},' +
        '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"__proto__":{"a":1}}}]},' +
        '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}',
    ).body;
    expect(body).toContain('"arguments":"{\\"__proto__\\":{\\"a\\":1}}"');
  });
});

describe("system", () => {
  const first = (system: Json, settings: Settings = {}): Json | undefined =>
    (sent({ system }, settings)["messages"] as readonly Json[])[0];

  test("a string stays one", () => {
    expect(first("Be brief.")).toEqual({ role: "system", content: "Be brief." });
    expect(first("Be brief.", { model: "o3" })).toEqual({ role: "developer", content: "Be brief." });
  });

  test("#29 blocks become parts, one each", () => {
    expect(first([text("a"), text("b", CACHE)], { model: "gpt-5.6" })).toEqual({
      role: "developer",
      content: [text("a"), text("b", MARK)],
    });
  });

  test("an empty one is left out", () => {
    expect(first("")).toEqual(user("Hi"));
    expect(first([])).toEqual(user("Hi"));
  });

  test("#48 Claude Code's billing line is left out, so that the prompt cache lives", () => {
    const billing = "x-anthropic-billing-header: cc_version=1.2.3; cch=abc12;";
    expect(first([text(billing), text("You are")])).toEqual({ role: "system", content: [text("You are")] });
    expect(first([text(billing)])).toEqual(user("Hi"));
    expect(first(`${billing}\nYou are`)).toEqual({ role: "system", content: "You are" });
  });
});

describe("content that cannot be sent", () => {
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ["image file_id", { type: "image", source: { type: "file", file_id: "file_1" } }, "messages[0].content[1].source"],
    [
      "document file_id",
      { type: "document", source: { type: "file", file_id: "file_1" } },
      "messages[0].content[1].source",
    ],
    [
      "document url",
      { type: "document", source: { type: "url", url: "https://x.test/a.pdf" } },
      "messages[0].content[1].source",
    ],
    ["container_upload", { type: "container_upload", file_id: "file_1" }, "messages[0].content[1]"],
  ];

  test.each(cases)("%s is refused by its path", (_name, block, param) => {
    const error = refusal(() => sentMessages([user([text("a"), block])]));
    expect([error.kind, error.param]).toEqual(["unsupported-translation", param]);
  });
});
