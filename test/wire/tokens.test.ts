import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { readDataUrl, readImageSize } from "../../src/wire/image-size.ts";
import { createTokenCounter, estimateOutputTokens, estimateTokens } from "../../src/wire/tokens.ts";
import type { TokenCounter } from "../../src/wire/tokens.ts";
import { formatByName } from "../../src/wire/formats.ts";

describe("estimateTokens", () => {
  test("knows an empty text from a short one", () => {
    expect(estimateTokens("", "openai")).toBe(0);
    expect(estimateTokens(" ", "openai")).toBe(1);
  });

  test.each([
    ["prose", "The quick brown fox jumps over the lazy dog. ".repeat(40), 400],
    ["JSON", '{"name":"Alice","tags":["a","b"],"age":36}'.repeat(20), 360],
    ["Cyrillic", "Привет, как дела? ".repeat(30), 210],
    ["Chinese", "今天天气很好我们去公园".repeat(20), 200],
    ["digits", "1234567890 ".repeat(20), 110],
  ])("is near a tokenizer's count for %s", (_name, text, about) => {
    const estimate = estimateTokens(text, "openai");
    expect(estimate / about).toBeGreaterThan(0.6);
    expect(estimate / about).toBeLessThan(1.6);
    expect(estimateTokens(text, "anthropic")).toBeGreaterThan(estimate * 0.9);
  });

  test("grows with the text and is linear in it", () => {
    const once = estimateTokens("some words, 12 numbers and\nlines ".repeat(100), "openai");
    const tenfold = estimateTokens("some words, 12 numbers and\nlines ".repeat(1000), "openai");
    expect(tenfold / once).toBeCloseTo(10, 1);
  });

  test("costs 200 KB about a millisecond", () => {
    const text = 'const value = { "key": 123, camelCase: true };\n'.repeat(4300);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 20; run += 1) {
      const start = performance.now();
      estimateTokens(text, "anthropic");
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(2);
  });
});

const png = (width: number, height: number): string => {
  const bytes = Buffer.alloc(33);
  bytes.writeUInt32BE(0x89504e47, 0);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes.toString("base64");
};

const jpeg = (width: number, height: number, before: number): string => {
  const segment = Buffer.alloc(before + 2);
  segment.writeUInt16BE(before, 0);
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1]), segment.subarray(0, before), frame]).toString("base64");
};

const webp = (kind: string, write: (bytes: Buffer) => void): string => {
  const bytes = Buffer.alloc(40);
  bytes.write("RIFF", 0, "latin1");
  bytes.write(`WEBP${kind}`, 8, "latin1");
  write(bytes);
  return bytes.toString("base64");
};

describe("readImageSize", () => {
  test.each([
    ["PNG", png(640, 480), 640, 480],
    ["GIF", Buffer.from([...Buffer.from("GIF89a"), 0x80, 0x02, 0xe0, 0x01, 0, 0]).toString("base64"), 640, 480],
    ["JPEG", jpeg(640, 480, 20), 640, 480],
    ["JPEG behind a large profile", jpeg(640, 480, 60_000), 640, 480],
    ["lossy WebP", webp("VP8 ", (bytes) => { bytes.writeUInt16LE(640, 26); bytes.writeUInt16LE(480, 28); }), 640, 480],
    ["lossless WebP", webp("VP8L", (bytes) => bytes.writeUInt32LE(639 | (479 << 14), 21)), 640, 480],
    ["extended WebP", webp("VP8X", (bytes) => { bytes.writeUIntLE(639, 24, 3); bytes.writeUIntLE(479, 27, 3); }), 640, 480],
  ])("reads a %s", (_name, base64, width, height) => {
    expect(readImageSize(base64)).toEqual({ width, height });
  });

  test.each(["", "AAAA", "!!!!", png(1, 1).slice(0, 12), jpeg(1, 1, 20).slice(0, 20), Buffer.from("RIFF0000WEBPVP9 0000000000000000000").toString("base64")])(
    "gives null for %j",
    (base64) => {
      expect(readImageSize(base64)).toBeNull();
    },
  );
});

describe("readDataUrl", () => {
  test.each([
    ["data:image/PNG;base64,AAAA", { mediaType: "image/png", base64: "AAAA" }],
    ["data:text/plain;charset=utf-8;base64,AAAA", { mediaType: "text/plain", base64: "AAAA" }],
    ["data:text/plain,hello", null],
    ["data:nothing", null],
    ["https://example.com/;base64,x", null],
  ] as [string, Json][])("reads %s", (url, expected) => {
    expect(readDataUrl(url)).toEqual(expected as never);
  });
});

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
    const pdf = (pages: number): string => Buffer.from(`%PDF-1.4 /Type /Pages /Count ${pages} ${"x".repeat(200)}`).toString("base64");
    const page = cost("anthropic", "m", (counter) => counter.document(pdf(1), "application/pdf"));
    expect(cost("anthropic", "m", (counter) => counter.document(pdf(10), "application/pdf")) / page).toBeGreaterThan(9);
    expect(cost("openai", "m", (counter) => counter.document(Buffer.from("three short words").toString("base64"), "text/plain"))).toBe(3);
  });

  test("charges declared tools once more than nothing, and long schemas more than short ones", () => {
    const tools = (schema: Json): number => cost("anthropic", "claude-sonnet-4-5", (counter) => counter.tool("f", "", schema, ""));
    expect(tools({})).toBeGreaterThan(300);
    expect(tools({ properties: { city: { type: "string", description: "where it is" } } })).toBeGreaterThan(tools({}));
  });
});

describe("tokensInput", () => {
  const estimate = (name: "chat" | "messages" | "responses", body: object): number => {
    const format = formatByName(name);
    return format.facts(format.parseRequest(Buffer.from(JSON.stringify(body)), { jsonDepth: 99, jsonNodes: 9999 })).tokensInput;
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
    ] as Json[]) expect(chat([message]), JSON.stringify(message)).toBeGreaterThan(140);

    const messages = (body: object): number => estimate("messages", { model: "claude-opus-4-1", max_tokens: 1, messages: [], ...body });
    for (const body of [
      { system: text },
      { system: [{ type: "text", text }] },
      { messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: [{ type: "text", text }] }] }] },
      { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: { text } }] }] },
      { messages: [{ role: "assistant", content: [{ type: "thinking", thinking: text, signature: "" }] }] },
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "text", data: text } }] }] },
      { tools: [{ name: "f", description: text, input_schema: {} }] },
    ]) expect(messages(body), JSON.stringify(body)).toBeGreaterThan(140);

    const responses = (body: object): number => estimate("responses", { model: "gpt-5.4", ...body });
    for (const body of [
      { input: text },
      { instructions: text },
      { input: [{ type: "function_call_output", call_id: "1", output: text }] },
      { input: [{ type: "function_call", call_id: "1", name: "f", arguments: text }] },
    ]) expect(responses(body), JSON.stringify(body)).toBeGreaterThan(140);
  });

  test("does not count base64 as text", () => {
    const data = png(100, 100) + "A".repeat(100_000);
    const body = { model: "gpt-4o", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }] }] };
    expect(estimate("chat", body)).toBeLessThan(300);
  });
});

describe("estimateOutputTokens", () => {
  test("rounds up", () => {
    expect([estimateOutputTokens(0, "openai"), estimateOutputTokens(1, "openai"), estimateOutputTokens(430, "openai")]).toEqual([0, 1, 100]);
  });
});
