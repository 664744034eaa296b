import { describe, expect, test } from "bun:test";
import type { FormatName } from "../../src/base/names.ts";
import type { Facts, ParsedRequest } from "../../src/wire/format.ts";
import { formatByName } from "../../src/wire/formats.ts";

const LIMITS = { jsonDepth: 99, jsonNodes: 99_999 };
const PROSE = 'Les élèves wrote 12 lines of `code`, "quoted":\n\tif (a\\b) {}\n'.repeat(400);
/** Enough of what is no long text that such a body is parsed as a whole. */
const PADDING = Array.from({ length: 12_000 }, (_, at) => at);

function parse(name: FormatName, body: object): { request: ParsedRequest; facts: Facts } {
  const format = formatByName(name);
  const request = format.parseRequest(Buffer.from(JSON.stringify(body)), LIMITS);
  return { request, facts: format.facts(request) };
}

const BODIES: readonly (readonly [FormatName, string, object])[] = [
  [
    "chat",
    "messages and calls",
    {
      model: "gpt-5.4",
      messages: [
        { role: "system", content: `${PROSE} system` },
        { role: "assistant", content: null, tool_calls: [{ id: "a", function: { name: "f", arguments: PROSE } }] },
        { role: "tool", tool_call_id: "a", content: PROSE },
        { role: "user", content: [{ type: "text", text: `${PROSE} prompt` }] },
      ],
      user: "u1",
    },
  ],
  [
    "messages",
    "blocks of all kinds",
    {
      model: "claude-opus-5-5",
      max_tokens: 100,
      system: [{ type: "text", text: `${PROSE} system`, cache_control: { type: "ephemeral" } }],
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: { file: PROSE } }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: PROSE }] },
        { role: "user", content: `${PROSE} prompt` },
      ],
      tools: [{ name: "f", description: PROSE, input_schema: { type: "object", description: PROSE } }],
    },
  ],
  [
    "responses",
    "items",
    {
      model: "gpt-5.4",
      instructions: `${PROSE} system`,
      input: [
        { type: "function_call", name: "f", call_id: "a", arguments: PROSE },
        { type: "function_call_output", call_id: "a", output: PROSE },
        { role: "user", content: [{ type: "input_text", text: `${PROSE} prompt` }] },
      ],
    },
  ],
  ["responses", "a text alone", { model: "gpt-5.4", input: `${PROSE} prompt`, instructions: "the system" }],
];

describe("a request whose long texts stay in its bytes", () => {
  test.each(BODIES)("has the facts of one that is parsed as a whole: %s, %s", (name, _title, body) => {
    const sparse = parse(name, body);
    const whole = parse(name, { ...body, padding: PADDING });
    expect([sparse.request.longTexts === null, whole.request.longTexts === null]).toEqual([false, true]);
    expect(sparse.facts.systemText).toBe(whole.facts.systemText);
    expect(sparse.facts.promptText).toBe(whole.facts.promptText);
    expect(sparse.facts.toolSchemas).toEqual(whole.facts.toolSchemas);
    expect([sparse.facts.hasCacheControl, sparse.facts.user]).toEqual([whole.facts.hasCacheControl, whole.facts.user]);
    expect(sparse.facts.tokensInput / whole.facts.tokensInput).toBeGreaterThan(0.95);
    expect(sparse.facts.tokensInput / whole.facts.tokensInput).toBeLessThan(1.05);
  });

  test.each(BODIES)("reads as JSON like any other: %s, %s", (name, _title, body) => {
    const { request } = parse(name, body);
    const text = JSON.stringify(body);
    expect(JSON.stringify(request.json)).toBe(text);
    expect(JSON.stringify(request.lossless())).toBe(text);
    expect(structuredClone(request.json)).toEqual(JSON.parse(text));
  });

  test("is refused for what it lacks and what it repeats, by the same words", () => {
    const chat = formatByName("chat");
    const refusal = (text: string): unknown => {
      try {
        return chat.parseRequest(Buffer.from(text), LIMITS);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const messages = JSON.stringify([{ role: "user", content: PROSE }]);
    expect(refusal(`{"messages":${messages}}`)).toBe("missing required parameter: model");
    expect(refusal(`{"model":"m","messages":[{"content":${JSON.stringify(PROSE)}}]}`)).toBe(
      "missing required parameter: messages[0].role",
    );
    expect(refusal(`{"model":"m","messages":${messages},"model":"n"}`)).toBe("field occurs twice: model; send it once");
    expect(refusal(`{"model":"m","messages":${messages.replace("élèves", "\n")}}`)).toMatch(/not valid JSON/);
  });
});
