/** What goes into requests and comes back in answers, by the official npm `@anthropic-ai/sdk` and both providers' models. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { PDF, PNG } from "../support/media.ts";
import { live, simulated, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

const gpt = "gpt-4.1";
const reasoning = "gpt-5.6";
const claude = "claude-sonnet-5-5";

setDefaultTimeout(20_000);

let gateway: SimulatedGateway;
let client: Anthropic;

beforeAll(async () => {
  gateway = await startSimulatedGateway();
  client = new Anthropic({ baseURL: gateway.url, apiKey: "sk-client", maxRetries: 0, timeout: 20_000 });
});
afterAll(() => gateway.stop());

const user = (text: string, words: string) => ({ role: "user", content: simulated(text, words) }) as const;

const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("");

const resultsOf = ({ content }: Anthropic.Message): Anthropic.MessageParam => ({
  role: "user",
  content: content.flatMap((block) =>
    block.type === "tool_use" ? [{ type: "tool_result", tool_use_id: block.id, content: "18 C" } as const] : [],
  ),
});

const weather: Anthropic.Tool = {
  name: "weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

describe.each([gpt, reasoning, claude])("anthropic npm, %s", (model) => {
  test("an image and a PDF", async () => {
    const answer = await client.messages.create({
      model,
      max_tokens: 512,
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
            {
              type: "document",
              title: "page.pdf",
              source: { type: "base64", media_type: "application/pdf", data: PDF },
            },
            { type: "text", text: simulated("What are these?", 'text "A dot and a page."') },
          ],
        },
      ],
    });
    expect(textOf(answer)).toBeTruthy();
    if (!live) expect(textOf(answer)).toBe("A dot and a page.");
  });

  test("a tool loop with parallel calls, streamed, ends in text", async () => {
    const messages: Anthropic.MessageParam[] = [user("Weather in Paris and Oslo?", "parallel 2")];
    const ask = { model, max_tokens: 2048, system: "Use the tool for every city.", tools: [weather] };
    const first = await client.messages.stream({ ...ask, messages }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    if (!live) expect(first.content.filter(({ type }) => type === "tool_use")).toHaveLength(2);
    messages.push({ role: "assistant", content: first.content }, resultsOf(first));
    const second = await client.messages.create({ ...ask, messages });
    expect(second.stop_reason).toBe("end_turn");
    expect(textOf(second)).toBeTruthy();
  });

  test("a system prompt of blocks with cache markers, and an output cap", async () => {
    const answer = await client.messages.create({
      model,
      max_tokens: 16,
      system: [
        { type: "text", text: "Be thorough." },
        { type: "text", text: "Count on.", cache_control: { type: "ephemeral" } },
      ],
      messages: [user("Count to a thousand.", "long 200")],
    });
    expect(answer.stop_reason).toBe("max_tokens");
  });

  test.skipIf(live)("usage leaves out what was read from the cache", async () => {
    const answer = await client.messages.create({
      model,
      max_tokens: 512,
      messages: [user("Count.", 'usage input=30 output=25 cache-read=400 cache-write=0; text "x"')],
    });
    expect(answer.usage).toMatchObject({ input_tokens: 30, cache_read_input_tokens: 400, output_tokens: 25 });
  });

  test.skipIf(live)("characters of many bytes survive every cut", async () => {
    const ask = { model, max_tokens: 2048 };
    const whole = await client.messages.create({ ...ask, messages: [user("Speak.", "unicode")] });
    const stream = client.messages.stream({ ...ask, messages: [user("Speak.", "unicode; bytes 1")] });
    expect(textOf(await stream.finalMessage())).toBe(textOf(whole));
  });
});

test.each([gpt, claude])("a stop sequence is named, %s", async (model) => {
  const answer = await client.messages.create({
    model,
    max_tokens: 512,
    stop_sequences: ["three", "v", "x", "y", "z"],
    messages: [user("Count to five.", 'text "one two three four five"')],
  });
  expect(answer.stop_sequence).toBe("three");
  expect(textOf(answer)).toBe("one two ");
});

/** The models that a conversation with thinking goes through, turn by turn. */
const JOURNEYS = [
  [claude, claude],
  [reasoning, reasoning],
  [reasoning, claude],
  [claude, reasoning],
] as const;

test.each(JOURNEYS)("thinking of %s is sent back to %s with the result of its call", async (first, second) => {
  const thinks: Anthropic.ThinkingConfigParam = { type: "adaptive", display: "summarized" };
  const ask = { max_tokens: 4096, thinking: thinks, tools: [weather] };
  const messages: Anthropic.MessageParam[] = [
    user("Weather in Paris?", 'tools weather; thinking "Let me look."; usage reasoning=9'),
  ];
  const asked = await client.messages.stream({ ...ask, model: first, messages }).finalMessage();
  const thinking = asked.content.filter((block) => block.type === "thinking");
  if (!live) expect(thinking.map((block) => block.thinking)).toEqual(["Let me look."]);
  expect(thinking.every(({ signature }) => signature !== "")).toBe(true);
  messages.push({ role: "assistant", content: asked.content }, resultsOf(asked));
  const answer = await client.messages.create({ ...ask, model: second, messages });
  expect(answer.stop_reason).toBe("end_turn");
});
