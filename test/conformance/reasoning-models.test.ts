/** Agents on OpenAI's reasoning models, which think and call tools together on Responses only. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { isArray, own, type Json, type JsonObject } from "../../src/base/json.ts";
import { live, simulated, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

setDefaultTimeout(20_000);

const model = "gpt-5.6";
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let gateway: SimulatedGateway;
let anthropic: Anthropic;
let openai: OpenAI;

beforeAll(async () => {
  gateway = await startSimulatedGateway();
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "sk-client", maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client", maxRetries: 0 });
});
afterAll(() => gateway.stop());

const weather = {
  name: "weather",
  description: "Current weather of a city.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
} as const satisfies Anthropic.Tool;

/** The input items of the last request on Responses whose body holds `marker`. */
function lastInput(marker: string): readonly Json[] {
  const entry = gateway.simulator?.log.entries.findLast(
    ({ path, body }) => path.endsWith("/responses") && body.includes(marker),
  );
  const input = own(JSON.parse(entry?.body ?? "{}") as JsonObject, "input");
  return isArray(input) ? input : [];
}

const typesOf = (items: readonly Json[]): readonly Json[] =>
  items.map((item) => own(item, "type") ?? null).filter((type) => type !== "message");

describe.skipIf(live)("Messages clients", () => {
  test.each([
    ["buffered", false],
    ["streamed", true],
  ] as const)("carry encrypted reasoning over several turns, %s", async (_, isStreamed) => {
    const marker = `reasoning-turns-${isStreamed}`;
    const messages: Anthropic.MessageParam[] = [
      { role: "user", content: simulated(`${marker}: weather in Paris?`, 'tools; thinking "I need the weather."') },
    ];
    const ask = (): Promise<Anthropic.Message> => {
      const body: Anthropic.MessageCreateParamsNonStreaming = {
        model,
        max_tokens: 2048,
        thinking: { type: "adaptive", display: "summarized" },
        tools: [weather],
        messages,
      };
      return isStreamed ? anthropic.messages.stream(body).finalMessage() : anthropic.messages.create(body);
    };
    const signatures: string[] = [];
    for (let turn = 1; turn <= 3; turn++) {
      const answer = await ask();
      const [thinking] = answer.content;
      if (thinking?.type !== "thinking") throw new Error("the answer does not begin with thinking");
      expect(thinking.thinking).not.toBe("");
      expect(thinking.signature).toStartWith("arouter1.");
      signatures.push(thinking.signature);
      messages.push({ role: "assistant", content: answer.content });
      const call = answer.content.find((block) => block.type === "tool_use");
      messages.push({
        role: "user",
        content:
          call === undefined
            ? simulated(`${marker}: and Oslo ${turn}?`, "tools")
            : [{ type: "tool_result", tool_use_id: call.id, content: "18 C" }],
      });
    }
    expect(new Set(signatures).size).toBe(3);
    // Two answers were sent back with the third request: their sealed reasoning is verified by the simulator.
    const input = lastInput(marker);
    expect(typesOf(input).filter((type) => type === "reasoning")).toHaveLength(2);
    expect(typesOf(input).slice(0, 3)).toEqual(["reasoning", "function_call", "function_call_output"]);
  });

  test("keep images in tool results where they are", async () => {
    const marker = "image-in-result";
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 1024,
      tools: [weather],
      messages: [
        { role: "user", content: simulated(marker, "echo") },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Rome" } }] },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              content: [
                { type: "text", text: "the map:" },
                { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
              ],
            },
          ],
        },
      ],
    });
    expect(answer.stop_reason).toBe("end_turn");
    const output = lastInput(marker).find((item) => own(item, "type") === "function_call_output");
    expect(own(output, "output")).toEqual([
      { type: "input_text", text: "the map:" },
      { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
    ]);
  });

  test("lose another model's reasoning, not the conversation", async () => {
    const marker = "other-model";
    const first = await anthropic.messages.create({
      model,
      max_tokens: 1024,
      thinking: { type: "adaptive" },
      messages: [{ role: "user", content: simulated(marker, "echo") }],
    });
    expect(first.content[0]?.type).toBe("thinking");
    for (const next of ["gpt-5.5", "gpt-4.1", "claude-sonnet-5-5"]) {
      const answer = await anthropic.messages.create({
        model: next,
        max_tokens: 1024,
        messages: [
          { role: "user", content: simulated(marker, "echo") },
          { role: "assistant", content: first.content },
          { role: "user", content: `and ${next}?` },
        ],
      });
      expect(answer.stop_reason).toBe("end_turn");
    }
    expect(typesOf(lastInput(marker))).toEqual([]);
  });

  test("go on without sealed reasoning that the provider cannot open any more", async () => {
    const marker = "resealed";
    const envelope = JSON.stringify({ id: "rs_1", encrypted_content: "gAAAAABother", model });
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 1024,
      tools: [weather],
      messages: [
        { role: "user", content: simulated(marker, "echo") },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "", signature: `arouter1.${Buffer.from(envelope).toString("base64url")}` },
            { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Rome" } },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "18 C" }] },
      ],
    });
    expect(answer.stop_reason).toBe("end_turn");
    expect(typesOf(lastInput(marker))).toEqual(["function_call", "function_call_output"]);
  });

  test("match stop sequences that Responses does not know", async () => {
    const answer = await anthropic.messages
      .stream({
        model,
        max_tokens: 1024,
        stop_sequences: ["</end>"],
        messages: [{ role: "user", content: simulated("Stop.", 'text "before</end>after"; chunk 3') }],
      })
      .finalMessage();
    expect(answer.stop_reason).toBe("stop_sequence");
    expect(answer.stop_sequence).toBe("</end>");
    expect(answer.content.at(-1)).toMatchObject({ type: "text", text: "before" });
  });
});

describe.skipIf(live)("Chat clients whose model was exchanged", () => {
  const tools: OpenAI.ChatCompletionTool[] = [
    {
      type: "function",
      function: {
        name: "weather",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ];
  const exchange = { headers: { "x-arouter-model": model } };

  test("reach tools on Responses, and a model that takes them on Chat passes through", async () => {
    const body = {
      model: "gpt-4.1",
      messages: [{ role: "user", content: simulated("Weather?", "tools") }],
      tools,
    } satisfies OpenAI.ChatCompletionCreateParams;
    const bridged = await openai.chat.completions.create(body, exchange).withResponse();
    expect(bridged.response.headers.get("x-arouter-upstream-format")).toBe("responses");
    expect(bridged.data.choices[0]?.finish_reason).toBe("tool_calls");
    const passed = await openai.chat.completions
      .create(body, { headers: { "x-arouter-model": "gpt-4o" } })
      .withResponse();
    expect(passed.response.headers.get("x-arouter-upstream-format")).toBe("chat");
    const plain = await openai.chat.completions.create({ ...body, tools: [] }, exchange).withResponse();
    expect(plain.response.headers.get("x-arouter-upstream-format")).toBe("chat");
  });

  test("drive a tool loop with runTools, streamed", async () => {
    const asked: string[] = [];
    const runner = openai.chat.completions.runTools(
      {
        model: "gpt-4.1",
        stream: true,
        messages: [{ role: "user", content: simulated("Weather in Paris?", "tools") }],
        tools: [
          {
            type: "function",
            function: {
              name: "weather",
              description: "Current weather.",
              parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
              parse: (text: string) => JSON.parse(text) as { city: string },
              function: ({ city }: { city: string }) => {
                asked.push(city);
                return "18 C";
              },
            },
          },
        ],
      },
      exchange,
    );
    expect(await runner.finalContent()).toBeString();
    expect(asked.length).toBeGreaterThan(0);
  });

  test("give encrypted reasoning back when they keep the extension", async () => {
    const marker = "chat-reasoning";
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: simulated(`${marker}?`, "tools") }];
    const first = await openai.chat.completions.create({ model: "gpt-4.1", messages, tools }, exchange);
    const message = first.choices[0]?.message;
    if (message === undefined) throw new Error("no message");
    expect(own(message, "reasoning_details")).toBeArray();
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      messages.push({ role: "tool", tool_call_id: call.id, content: "18 C" });
    }
    const second = await openai.chat.completions.create({ model: "gpt-4.1", messages, tools }, exchange);
    expect(second.choices[0]?.finish_reason).toBe("stop");
    expect(typesOf(lastInput(marker))).toEqual(["reasoning", "function_call", "function_call_output"]);
  });
});
