/** The Vercel AI SDK against the running gateway: each of its providers with the models of both vendors, as docs/agents.md says. */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { live, simulated, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

// Two processes take turns on a busy machine.
setDefaultTimeout(20_000);

const gpt = "gpt-6.1-sol";
const claude = "claude-sonnet-5-5";

let gateway: SimulatedGateway;
beforeAll(async () => {
  gateway = await startSimulatedGateway();
});
afterAll(() => gateway.stop());

const openai = () => createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client" });
const anthropic = () => createAnthropic({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client" });

const MODELS: readonly (readonly [title: string, model: () => LanguageModel])[] = [
  ["openai, GPT", () => openai()(gpt)],
  ["openai, Claude", () => openai()(claude)],
  ["openai.chat, GPT", () => openai().chat("gpt-4.1")],
  ["openai.chat, Claude", () => openai().chat(claude)],
  ["anthropic, Claude", () => anthropic()(claude)],
  ["anthropic, GPT", () => anthropic()(gpt)],
];

const weather = tool({
  description: "Weather of a city.",
  inputSchema: jsonSchema<{ readonly city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  }),
  execute: ({ city }) => `19 degrees in ${city}`,
});

const person = jsonSchema<{ readonly name: string; readonly age: number }>({
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
});

/** `store: false`: the history is sent whole, as Claude keeps none. */
const common = { maxRetries: 0, maxOutputTokens: 2_000, providerOptions: { openai: { store: false } } };

describe.each(MODELS)("AI SDK, %s", (title, model) => {
  const round = () => ({
    ...common,
    model: model(),
    prompt: simulated("Weather in Paris?", "tools weather"),
    tools: { weather },
    stopWhen: stepCountIs(4),
  });

  test("calls a tool and goes on with its result", async () => {
    const { steps, text } = await generateText(round());
    expect(steps.length).toBeGreaterThanOrEqual(live ? 1 : 2);
    if (!live) expect(text).toContain("19 degrees");
  });

  test("does the same streamed", async () => {
    const result = streamText(round());
    let text = "";
    for await (const piece of result.textStream) text += piece;
    if (!live) expect(text).toContain("19 degrees");
    expect((await result.totalUsage).outputTokens).toBeGreaterThan(0);
  });

  test.skipIf(live)("is told of an error inside the stream", async () => {
    const errors: unknown[] = [];
    const prompt = simulated("Hi.", "long 3000; fault error-event");
    const result = streamText({ ...common, model: model(), prompt, onError: ({ error }) => void errors.push(error) });
    for await (const _ of result.textStream);
    expect(errors).toHaveLength(1);
    // What the gateway writes itself is an event that this SDK knows: it is not taken for a broken answer.
    if (title === "openai, Claude") expect(errors).toMatchObject([{ message: "Overloaded", statusCode: 503 }]);
  });

  test("reads an object by a schema", async () => {
    const { output } = await generateText({
      ...common,
      model: model(),
      prompt: "Ada is 36.",
      output: Output.object({ schema: person }),
    });
    expect(output).toMatchObject({ name: expect.any(String), age: expect.any(Number) });
  });
});
