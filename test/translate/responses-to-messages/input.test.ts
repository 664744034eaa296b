import { describe, expect, test } from "bun:test";
import { sealThinking } from "../../../src/translate/maps/thinking-envelope.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import { call, outcome, output, translate, user, WEATHER } from "./support.ts";

const thought = { type: "thinking", thinking: "Hm.", signature: "EqQB" };
const reasoning = (block: JsonObject = thought): object => ({
  type: "reasoning",
  id: "rs_1",
  summary: [],
  encrypted_content: sealThinking(block),
});

const messages = (input: readonly object[], setup = {}, fields: object = {}) =>
  outcome({ input, tools: [WEATHER], ...fields }, setup).body["messages"] as readonly {
    readonly role: string;
    readonly content: readonly JsonObject[];
  }[];

const shape = (input: readonly object[], setup = {}, fields: object = {}): readonly string[] =>
  messages(input, setup, fields).map(({ role, content }) => `${role}: ${content.map(({ type }) => type).join(" ")}`);

describe("input", () => {
  test("instructions and leading system items are system, in order", () => {
    const { body } = outcome({
      instructions: "One.",
      input: [
        { role: "developer", content: "Two." },
        { type: "additional_tools", role: "developer", tools: [] },
        { role: "system", content: [{ type: "input_text", text: "Three." }] },
        user("Hi."),
      ],
    });
    expect(body["system"]).toEqual(["One.", "Two.", "Three."].map((text) => ({ type: "text", text })));
  });

  test("the items of one turn of the model are one turn, and so are their outputs", () => {
    const input = [
      user("Hi."),
      reasoning(),
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me see." }] },
      call("a"),
      call("b"),
      output("b"),
      output("a"),
    ];
    expect(shape(input)).toEqual([
      "user: text",
      "assistant: thinking text tool_use tool_use",
      "user: tool_result tool_result",
    ]);
    expect(messages(input)[2]?.content.map((block) => block["tool_use_id"])).toEqual(["a", "b"]);
  });

  test("calls of a namespace are known by the name that was sent", () => {
    const input = [user("Hi."), { ...call("a", "create"), namespace: "tracker" }, output("a")];
    expect(messages(input)[1]?.content[0]?.["name"]).toBe("tracker__create");
  });

  test("thinking that another vendor did is not sent, nor as text", () => {
    const theirs = {
      type: "reasoning",
      id: "rs",
      summary: [{ type: "summary_text", text: "secret" }],
      encrypted_content: "gAAA",
    };
    expect(shape([user("Hi."), theirs, call("a"), output("a")])).toEqual([
      "user: text",
      "assistant: tool_use",
      "user: tool_result",
    ]);
  });

  test("one damaged block takes all others with it", () => {
    const damaged = { type: "reasoning", id: "rs", summary: [], encrypted_content: "arouter1.e30" };
    const input = [user("Hi."), reasoning(), call("a"), output("a"), damaged, call("b"), output("b")];
    expect(shape(input).join()).not.toContain("thinking");
  });

  test("budget thinking is given up where a pending call lacks its thinking, and kept where it has it", () => {
    const setup = { model: "claude-sonnet-4-5" };
    const fields = { tools: [WEATHER], reasoning: { effort: "low" } };
    const without = outcome({ ...fields, input: [user("Hi."), call("a"), output("a")] }, setup);
    expect(without.body["thinking"]).toBeUndefined();
    expect(without.adapted).toEqual(["reasoning.effort=none"]);
    const withIt = outcome({ ...fields, input: [user("Hi."), reasoning(), call("a"), output("a")] }, setup);
    expect(withIt.body["thinking"]).toEqual({ type: "enabled", budget_tokens: 2_048 });
  });

  test("thinking that the client lost is put back from the store, before the turn's first item", () => {
    const thinkingStore = { get: (id: string) => (id === "b" ? [thought] : null), put: () => undefined };
    const input = [user("Hi."), { role: "assistant", content: "See:" }, call("b"), output("b")];
    expect(shape(input, { thinkingStore })[1]).toBe("assistant: thinking text tool_use");
  });

  test("newer models are told to let go of thinking whose history was edited", () => {
    const { body } = outcome({ input: [user("Hi."), reasoning(), call("a"), output("a")], tools: [WEATHER] });
    expect(body["thinking"]).toEqual({ type: "adaptive", block_binding: { prefix_mismatch_behavior: "drop_block" } });
    const { betas } = translate({ input: [user("Hi."), reasoning(), call("a"), output("a")], tools: [WEATHER] });
    expect(betas).toEqual(["thinking-binding-controls-2026-08-01"]);
  });

  test("what ran at OpenAI is told as text, an unknown item is left out, and both are reported", () => {
    const { body, dropped, adapted } = outcome({
      input: [
        user("Hi."),
        { type: "mcp_call", name: "ask", arguments: '{"q":1}', output: "42" },
        { type: "code_interpreter_call", code: "1+1", outputs: [{ type: "logs", logs: "2" }] },
        { type: "image_generation_call", id: "ig_1", result: "iVBOR" },
        { type: "later_call", id: "x" },
        user("Go on."),
      ],
    });
    const [, turn] = body["messages"] as readonly { readonly content: readonly JsonObject[] }[];
    expect(turn?.content.map((block) => block["text"])).toEqual([
      '[ask: {"q":1} → 42]',
      "[code_interpreter: 1+1 → 2]",
      "[image_generation]",
    ]);
    expect(dropped).toEqual(["input[4]"]);
    expect(adapted).toEqual(["input[1]", "input[2]", "input[3]"]);
  });

  test("a later developer message is a reminder where the model lets none stand", () => {
    const input = [
      user("Hi."),
      { role: "assistant", content: "Yes." },
      { role: "developer", content: "Be kind." },
      user("Go."),
    ];
    expect(shape(input)).toEqual(["user: text", "assistant: text", "user: text", "system: text"]);
    const turns = messages(input, { model: "claude-sonnet-5" });
    expect(turns.at(-1)?.content[0]?.["text"]).toBe("<system-reminder>\nBe kind.\n</system-reminder>");
  });

  test("the same history gives the same bytes, and a longer one begins with them", () => {
    const history = [user("Hi."), reasoning(), call("a"), output("a")];
    expect(translate({ input: history }).body).toBe(translate({ input: history }).body);
    const more = [
      ...history,
      reasoning({ ...thought, thinking: "So." }),
      { role: "assistant", content: "Done." },
      user("Thanks."),
    ];
    const short = JSON.stringify(messages(history)).slice(1, -1);
    expect(JSON.stringify(messages(more)).slice(1)).toStartWith(short);
  });

  test("__proto__ is data", () => {
    const body = JSON.stringify({ input: [user("x"), call("a", "weather", '{"__proto__":{"x":1}}')] });
    expect(translate(JSON.parse(body) as object).body).toContain('"input":{"__proto__":{"x":1}}');
  });
});
