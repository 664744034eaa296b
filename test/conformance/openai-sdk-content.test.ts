/** What goes into requests and comes back in answers, by the official npm `openai` package and both providers' models. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { PDF, PNG } from "../support/media.ts";
import { live, simulated, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

const gpt = "gpt-4.1";
const claude = "claude-sonnet-5-5";

setDefaultTimeout(20_000);

let gateway: SimulatedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await startSimulatedGateway();
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client", maxRetries: 0, timeout: 20_000 });
});
afterAll(() => gateway.stop());

const user = (text: string, words: string) => ({ role: "user", content: simulated(text, words) }) as const;

const weather: OpenAI.ChatCompletionTool = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe.each([gpt, claude])("openai npm, %s", (model) => {
  test("an image and a PDF", async () => {
    const answer = await client.chat.completions.create({
      model,
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: "file", file: { filename: "page.pdf", file_data: `data:application/pdf;base64,${PDF}` } },
            { type: "text", text: simulated("What are these?", 'text "A dot and a page."') },
          ],
        },
      ],
    });
    expect(answer.choices[0]?.message.content).toBeTruthy();
    if (!live) expect(answer.choices[0]?.message.content).toBe("A dot and a page.");
  });

  test("a tool loop with parallel calls, streamed, ends in text", async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: "system", content: "Use the tool for every city." },
      user("Weather in Paris and Oslo?", "parallel 2"),
    ];
    const first = await client.chat.completions.stream({ model, messages, tools: [weather] }).finalMessage();
    const calls = first.tool_calls ?? [];
    if (!live) expect(calls).toHaveLength(2);
    messages.push(
      { role: "assistant", content: first.content, tool_calls: calls },
      ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "18 C" }) as const),
    );
    const second = await client.chat.completions.create({ model, messages, tools: [weather] });
    expect(second.choices[0]?.finish_reason).toBe("stop");
    expect(second.choices[0]?.message.content).toBeTruthy();
  });

  test("system and developer messages, and a stop sequence", async () => {
    const answer = await client.chat.completions.create({
      model,
      stop: "three",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: "Count." },
        user("Count to five.", 'text "one two three four five"'),
      ],
    });
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.choices[0]?.message.content).not.toContain("three");
    if (!live) expect(answer.choices[0]?.message.content).toBe("one two ");
  });

  test.skipIf(live)("usage counts what was read from and written to the cache", async () => {
    const answer = await client.chat.completions.create({
      model,
      messages: [user("Count.", 'usage input=30 output=25 cache-read=400 cache-write=0; text "x"')],
    });
    expect(answer.usage).toMatchObject({
      prompt_tokens: 430,
      completion_tokens: 25,
      total_tokens: 455,
      prompt_tokens_details: { cached_tokens: 400 },
    });
  });

  test.skipIf(live)("characters of many bytes survive every cut", async () => {
    const whole = await client.chat.completions.create({ model, messages: [user("Speak.", "unicode")] });
    const stream = client.chat.completions.stream({ model, messages: [user("Speak.", "unicode; bytes 1")] });
    expect(await stream.finalContent()).toBe(whole.choices[0]?.message.content ?? "");
  });
});

test("reasoning of Claude goes back as it came, over several turns", async () => {
  const ask = {
    model: claude,
    max_completion_tokens: 8192,
    reasoning_effort: "low" as const,
    tools: [weather],
  };
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    user("Weather in Paris?", 'tools weather; thinking "Let me look."'),
  ];
  const first = (await client.chat.completions.create({ ...ask, messages })).choices[0]?.message;
  if (first === undefined) throw new Error("no answer");
  const details = "reasoning_details" in first ? first.reasoning_details : null;
  if (!live) expect(details).toMatchObject([{ type: "reasoning.text", text: "Let me look.", index: 0 }]);
  const calls = first.tool_calls ?? [];
  messages.push(first, ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "18 C" }) as const));
  const second = await client.chat.completions.create({ ...ask, messages });
  expect(second.choices[0]?.finish_reason).toBe("stop");
});
