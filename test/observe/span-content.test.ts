import { describe, expect, test } from "bun:test";
import { contentAttributes } from "../../src/observe/span-content.ts";
import { recordOf } from "./support.ts";

const asIs = (text: string): string => text;

function read(body: unknown, answer: string | null = null): Record<string, unknown> {
  const requestBytes = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  return Object.fromEntries(
    Object.entries(contentAttributes(recordOf({ requestBytes, answer }), asIs)).map(([name, value]) => [
      name,
      JSON.parse(String(value)) as unknown,
    ]),
  );
}

const text = (content: string) => ({ type: "text", content });

describe("contentAttributes", () => {
  test("reads a chat with tools", () => {
    const call = { id: "c1", type: "function", function: { name: "look", arguments: '{"a":1}' } };
    expect(
      read({
        messages: [
          { role: "system", content: "be brief" },
          {
            role: "user",
            content: [
              { type: "text", text: "hi" },
              { type: "image_url", image_url: { url: "data:" } },
            ],
          },
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: "c1", content: "found" },
        ],
      })["gen_ai.input.messages"],
    ).toEqual([
      { role: "system", parts: [text("be brief")] },
      { role: "user", parts: [text("hi"), { type: "image_url" }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "look", arguments: '{"a":1}' }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "found" }] },
    ]);
  });

  test("reads messages with a system prompt", () => {
    const found = read({
      system: [{ type: "text", text: "rules" }],
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "t", name: "look", input: { a: 1 } }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "ok" }] },
      ],
    });
    expect(found["gen_ai.system_instructions"]).toEqual([text("rules")]);
    expect(found["gen_ai.input.messages"]).toEqual([
      { role: "assistant", parts: [{ type: "tool_call", id: "t", name: "look", arguments: { a: 1 } }] },
      { role: "user", parts: [{ type: "tool_call_response", id: "t", response: "ok" }] },
    ]);
  });

  test("reads responses, as a text and as items", () => {
    expect(read({ instructions: "rules", input: "hello" })).toEqual({
      "gen_ai.system_instructions": [text("rules")],
      "gen_ai.input.messages": [{ role: "user", parts: [text("hello")] }],
    });
    const call = { type: "function_call", call_id: "f", name: "look", arguments: "{}" };
    const output = { type: "function_call_output", call_id: "f", output: "ok" };
    expect(read({ input: [call, output] })["gen_ai.input.messages"]).toEqual([
      { role: "assistant", parts: [{ type: "tool_call", id: "f", name: "look", arguments: "{}" }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "f", response: "ok" }] },
    ]);
  });

  test("reads the calls of tools that take free text", () => {
    const call = { type: "custom_tool_call", call_id: "c", name: "exec", input: "ls" };
    const output = { type: "custom_tool_call_output", call_id: "c", output: "a" };
    expect(read({ input: [call, output] })["gen_ai.input.messages"]).toEqual([
      { role: "assistant", parts: [{ type: "tool_call", id: "c", name: "exec", arguments: "ls" }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c", response: "a" }] },
    ]);
  });

  test.each([
    ["chat", '{"choices":[{"message":{"content":"one"}},{"message":{"content":"two"}}]}', ["one", "two"]],
    ["messages", '{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"one"}]}', ["one"]],
    ["responses", '{"output":[{"type":"message","content":[{"type":"output_text","text":"one"}]}]}', ["one"]],
    [
      "a chat stream",
      'data: {"choices":[{"index":0,"delta":{"content":"o"}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"ne"}}]}\n\ndata: [DONE]\n\n',
      ["one"],
    ],
    [
      "a messages stream",
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"one"}}\n\n',
      ["one"],
    ],
    ["a responses stream", 'data: {"type":"response.output_text.delta","delta":"one"}\n\n', ["one"]],
  ])("reads the answer of %s", (_, answer, texts) => {
    const messages = texts.map((content) => ({ role: "assistant", parts: [text(content)] }));
    expect(read({}, answer)["gen_ai.output.messages"]).toEqual(messages);
  });

  test("takes what is no request for none", () => {
    for (const body of ["", "[1", "null", '{"messages":{"__proto__":1}}']) expect(read(body)).toEqual({});
  });

  test("cuts what is too long", () => {
    const requestBytes = new TextEncoder().encode(JSON.stringify({ input: "x".repeat(200_000) }));
    const value = contentAttributes(recordOf({ requestBytes }), asIs)["gen_ai.input.messages"];
    expect(String(value).length).toBeLessThan(66_000);
  });
});
