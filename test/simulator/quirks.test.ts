import { describe, expect, test } from "bun:test";
import { own, type JsonObject } from "../../src/base/json.ts";
import { QUIRKS } from "../../src/simulator/quirks.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

const simulator = createSimulator();
const tool = { type: "object", properties: { city: { type: "string" } } };

async function chat(words: string): Promise<string> {
  const body = {
    model: "gpt-4.1",
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    messages: [{ role: "user", content: `[[sim: ${words}]]` }],
    tools: ["a", "b"].map((name) => ({ type: "function", function: { name, parameters: tool } })),
  };
  const headers = { authorization: "Bearer sk", "content-type": "application/json" };
  return (
    await simulator.openai(
      new Request("http://simulated/v1/chat/completions", { method: "POST", headers, body: JSON.stringify(body) }),
    )
  ).text();
}

async function messages(words: string): Promise<string> {
  const body = {
    model: "claude-haiku-4-5",
    max_tokens: 100,
    stream: true,
    messages: [{ role: "user", content: `[[sim: ${words}]]` }],
    tools: [{ name: "a", input_schema: tool }],
  };
  const headers = { "x-api-key": "sk", "anthropic-version": "2023-06-01", "content-type": "application/json" };
  return (
    await simulator.anthropic(
      new Request("http://simulated/v1/messages", { method: "POST", headers, body: JSON.stringify(body) }),
    )
  ).text();
}

const data = (sse: string): JsonObject[] =>
  [...sse.matchAll(/^data: ?(\{.*)$/gm)].map((match) => JSON.parse(match[1] ?? "") as JsonObject);
interface Call {
  readonly index: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}
const callsOf = (sse: string): Call[] =>
  data(sse).flatMap(
    (chunk) => (own(chunk, "choices") as unknown as { delta: { tool_calls?: Call[] } }[])[0]?.delta.tool_calls ?? [],
  );

describe("quirks of Chat streams", () => {
  test("interleave: fragments alternate and still make the same arguments", async () => {
    const calls = callsOf(await chat("parallel; chunk 3; quirk interleave"));
    expect(calls.slice(0, 6).map((call) => call.index)).toEqual([0, 1, 0, 1, 0, 1]);
    const joined = [0, 1].map((index) =>
      calls
        .filter((call) => call.index === index)
        .map((call) => call.function?.arguments)
        .join(""),
    );
    expect(joined).toEqual(['{"city":"simulated"}', '{"city":"simulated 2"}']);
  });

  test("repeat-id: each fragment has id and name", async () => {
    const calls = callsOf(await chat("tools; quirk repeat-id"));
    expect(calls.length).toBeGreaterThan(2);
    expect(calls.every((call) => call.id === calls[0]?.id && call.function?.name === "a")).toBe(true);
    expect(calls.map((call) => call.function?.arguments).join("")).toBe('{"city":"simulated"}');
  });

  test("early-usage: usage first and everywhere, none at the end", async () => {
    const chunks = data(await chat("quirk early-usage"));
    expect(chunks.every((chunk) => own(own(chunk, "usage"), "total_tokens") !== undefined)).toBe(true);
    expect([own(chunks[0], "choices"), own(chunks.at(-1), "choices")]).toEqual([
      [],
      expect.arrayContaining([expect.anything()]),
    ]);
  });

  test("no-role, stop-finish, empty-tool-calls, whole-arguments", async () => {
    expect(await chat("quirk no-role")).not.toContain('"role"');
    expect(await chat("tools; quirk stop-finish")).toContain('"finish_reason":"stop"');
    expect(await chat("quirk empty-tool-calls")).toContain('"tool_calls":[]');
    expect(callsOf(await chat("tools; quirk whole-arguments")).map((call) => call.function?.arguments)).toEqual([
      '{"city":"simulated"}',
    ]);
  });
});

describe("quirks of Messages streams", () => {
  test("whole-arguments: the input stands in the block's start", async () => {
    const events = data(await messages("tools; quirk whole-arguments"));
    expect(events.find((event) => own(event, "type") === "content_block_start")).toMatchObject({
      content_block: { input: { city: "simulated" } },
    });
    expect(events.some((event) => own(event, "type") === "content_block_delta")).toBe(false);
  });

  test("unknown-events: one nobody has heard of", async () => {
    expect(await messages("quirk unknown-events")).toContain("event: x_unknown\n");
  });
});

describe("quirks of framing", () => {
  const frames = ["event: a\ndata: {}\n\n", "data: [DONE]\n\n"];
  const cases: readonly (readonly [keyof typeof QUIRKS, readonly string[]])[] = [
    ["crlf", ["event: a\r\ndata: {}\r\n\r\n", "data: [DONE]\r\n\r\n"]],
    ["cr", ["event: a\rdata: {}\r\r", "data: [DONE]\r\r"]],
    ["bom", ["\uFEFFevent: a\ndata: {}\n\n", "data: [DONE]\n\n"]],
    ["no-space", ["event:a\ndata:{}\n\n", "data:[DONE]\n\n"]],
    ["comments", [": a comment\nevent: a\ndata: {}\n\n: another\n\n", ": a comment\ndata: [DONE]\n\n: another\n\n"]],
  ];
  for (const [name, expected] of cases) test(name, () => expect(QUIRKS[name](frames)).toEqual(expected));
});
