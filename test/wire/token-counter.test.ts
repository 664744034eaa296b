import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { createTokenCounter } from "../../src/wire/token-counter.ts";
import type { TokenCounter } from "../../src/wire/token-counter.ts";
import { png } from "../support/png.ts";

describe("createTokenCounter", () => {
  const cost = (provider: "openai" | "anthropic", model: string, add: (counter: TokenCounter) => void): number => {
    const counter = createTokenCounter(provider, model);
    const before = counter.total();
    add(counter);
    return counter.total() - before;
  };

  test.each([
    ["anthropic", "claude-sonnet-4-5", 1024, 1024, false, 1369],
    ["anthropic", "claude-sonnet-4-5", 4032, 3024, false, 1568],
    ["anthropic", "claude-opus-5-5", 1920, 1080, false, 2691],
    ["openai", "gpt-4o", 1024, 1024, false, 765],
    ["openai", "gpt-4o", 1024, 1024, true, 85],
    ["openai", "gpt-4o", 4096, 8192, false, 1105],
    ["openai", "gpt-4.1-mini", 1024, 1024, false, 1659],
    ["openai", "gpt-6-astra", 256, 256, false, 77],
    ["openai", "gpt-6-astra", 1024, 1024, false, 1229],
  ] as const)("counts an image for %s %s of %d by %d as published", (provider, model, width, height, low, tokens) => {
    const counted = cost(provider, model, (counter) => counter.image(png(width, height), low));
    expect(Math.abs(counted - tokens)).toBeLessThanOrEqual(1);
  });

  test("charges an image and a document that are not at hand", () => {
    expect(cost("openai", "gpt-4o", (counter) => counter.image(null, false))).toBeGreaterThan(100);
    expect(cost("anthropic", "claude-opus-5-5", (counter) => counter.document(null, ""))).toBeGreaterThan(1000);
  });

  test("counts the pages that a PDF tells, and the text of a text file", () => {
    const pdf = (pages: number): string =>
      Buffer.from(`%PDF-1.4 /Type /Pages /Count ${pages} ${"x".repeat(200)}`).toString("base64");
    const page = cost("anthropic", "m", (counter) => counter.document(pdf(1), "application/pdf"));
    expect(cost("anthropic", "m", (counter) => counter.document(pdf(10), "application/pdf")) / page).toBeGreaterThan(9);
    expect(
      cost("openai", "m", (counter) =>
        counter.document(Buffer.from("three short words").toString("base64"), "text/plain"),
      ),
    ).toBe(3);
  });

  test("charges declared tools once more than nothing, and long schemas more than short ones", () => {
    const tools = (schema: Json): number =>
      cost("anthropic", "claude-sonnet-4-5", (counter) => counter.tool("f", "", schema, ""));
    expect(tools({})).toBeGreaterThan(300);
    expect(tools({ properties: { city: { type: "string", description: "where it is" } } })).toBeGreaterThan(tools({}));
  });
});

describe("tokensInput", () => {
  const estimate = (name: "chat" | "messages" | "responses", body: object): number => {
    const format = formatByName(name);
    return format.facts(format.parseRequest(Buffer.from(JSON.stringify(body)), { jsonDepth: 99, jsonNodes: 9999 }))
      .tokensInput;
  };
  const text = "lorem ipsum dolor ".repeat(50);

  test("sees text wherever it stands", () => {
    const chat = (messages: Json): number => estimate("chat", { model: "gpt-4.1", messages });
    for (const message of [
      { role: "system", content: text },
      { role: "user", content: [{ type: "text", text }] },
      { role: "tool", tool_call_id: "1", content: text },
      { role: "assistant", tool_calls: [{ id: "1", function: { name: "f", arguments: text } }] },
      { role: "assistant", refusal: null, content: [{ type: "refusal", refusal: text }] },
      { role: "user", content: [{ type: "tool_result", content: [{ type: "text", text }] }] },
    ] as Json[])
      expect(chat([message]), JSON.stringify(message)).toBeGreaterThan(140);

    const messages = (body: object): number =>
      estimate("messages", { model: "claude-opus-4-1", max_tokens: 1, messages: [], ...body });
    for (const body of [
      { system: text },
      { system: [{ type: "text", text }] },
      {
        messages: [
          { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: [{ type: "text", text }] }] },
        ],
      },
      { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: { text } }] }] },
      { messages: [{ role: "assistant", content: [{ type: "thinking", thinking: text, signature: "" }] }] },
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "text", data: text } }] }] },
      { tools: [{ name: "f", description: text, input_schema: {} }] },
    ])
      expect(messages(body), JSON.stringify(body)).toBeGreaterThan(140);

    const responses = (body: object): number => estimate("responses", { model: "gpt-5.4", ...body });
    for (const body of [
      { input: text },
      { instructions: text },
      { input: [{ type: "function_call_output", call_id: "1", output: text }] },
      { input: [{ type: "function_call", call_id: "1", name: "f", arguments: text }] },
    ])
      expect(responses(body), JSON.stringify(body)).toBeGreaterThan(140);
  });

  test("takes the tokenizer of the model's provider in either format", () => {
    const body = (model: string): object => ({ model, max_tokens: 9, messages: [{ role: "user", content: text }] });
    const claude = estimate("messages", body("claude-opus-4-8"));
    expect(estimate("chat", body("claude-opus-4-8"))).toBe(claude);
    expect(estimate("messages", body("gpt-4.1"))).toBe(estimate("chat", body("gpt-4.1")));
    expect(estimate("messages", body("gpt-4.1"))).toBeLessThan(claude);
  });

  test("does not count base64 as text", () => {
    const data = png(100, 100) + "A".repeat(100_000);
    const body = {
      model: "gpt-4o",
      messages: [
        { role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }] },
      ],
    };
    expect(estimate("chat", body)).toBeLessThan(300);
  });
});
