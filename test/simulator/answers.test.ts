/** What the simulated models say, read by the vendors' own SDKs, and how it looks on the wire. */
import { afterAll, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { own, type Json, type JsonObject } from "../../src/base/json.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { readCorpus } from "../support/corpus.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

const simulator = createSimulator();
const address = simulator.listen();
const openai = new OpenAI({ apiKey: "sk-test", baseURL: address.openaiUrl, maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: "sk-ant-test", baseURL: address.anthropicUrl, maxRetries: 0 });
afterAll(() => address.stop());

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const chatTools = [
  { type: "function" as const, function: { name: "get_weather", parameters } },
  { type: "function" as const, function: { name: "get_time", parameters: { type: "object", properties: {} } } },
];
const claudeTools = [
  { name: "get_weather", input_schema: { ...parameters, type: "object" as const } },
  { name: "get_time", input_schema: { type: "object" as const } },
];

const chat = (words: string, extra: object = {}): Promise<OpenAI.ChatCompletion> =>
  openai.chat.completions.create({
    model: "gpt-4.1",
    messages: [{ role: "user", content: words }],
    ...extra,
  });
const chatStream = (words: string, extra: object = {}): Promise<OpenAI.ChatCompletion> =>
  openai.chat.completions
    .stream({
      model: "gpt-4.1",
      messages: [{ role: "user", content: words }],
      stream_options: { include_usage: true },
      ...extra,
    })
    .finalChatCompletion();
const claude = (words: string, extra: object = {}): Promise<Anthropic.Message> =>
  anthropic.messages.create({
    model: "claude-haiku-4-5",
    max_tokens: 4000,
    messages: [{ role: "user", content: words }],
    ...extra,
  });
const claudeStream = (words: string, extra: object = {}): Promise<Anthropic.Message> =>
  anthropic.messages
    .stream({ model: "claude-haiku-4-5", max_tokens: 4000, messages: [{ role: "user", content: words }], ...extra })
    .finalMessage();
const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe("Chat Completions answers", () => {
  for (const [name, ask] of [
    ["buffered", chat],
    ["streamed", chatStream],
  ] as const) {
    test(`${name}: echoes the prompt without being told`, async () => {
      const answer = await ask("what is up?");
      expect(answer.choices[0]?.message.content).toContain("what is up?");
      expect(answer.choices[0]?.finish_reason).toBe("stop");
      expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    });

    test(`${name}: says the text it is told`, async () => {
      expect((await ask('[[sim: text "Grüße\\n日本 👩‍👩‍👧"; bytes 1]]')).choices[0]?.message.content).toBe(
        "Grüße\n日本 👩‍👩‍👧",
      );
    });

    test(`${name}: calls the tools it is told, with arguments of their schema`, async () => {
      const { message, finish_reason } = (await ask("[[sim: parallel 2]]", { tools: chatTools })).choices[0] ?? {};
      const calls = (message?.tool_calls ?? []).map((call) =>
        call.type === "function" ? [call.function.name, JSON.parse(call.function.arguments)] : [],
      );
      expect(calls).toEqual([
        ["get_weather", { city: "simulated" }],
        ["get_time", {}],
      ]);
      expect(finish_reason).toBe("tool_calls");
    });

    test(`${name}: a named choice ends in stop`, async () => {
      const choice = (
        await ask("hi", { tools: chatTools, tool_choice: { type: "function", function: { name: "get_time" } } })
      ).choices[0];
      expect(choice?.message.tool_calls).toHaveLength(1);
      expect(choice?.finish_reason).toBe("stop");
    });

    test(`${name}: refuses, is filtered, is cut`, async () => {
      const refusal = (await ask('[[sim: refusal "no"]]')).choices[0];
      expect([refusal?.message.refusal, refusal?.finish_reason]).toEqual(["no", "stop"]);
      expect((await ask("[[sim: filter]]")).choices[0]?.finish_reason).toBe("content_filter");
      const cut = (await ask('[[sim: text "a long answer of many words"]]', { max_completion_tokens: 2 })).choices[0];
      expect([cut?.message.content, cut?.finish_reason]).toEqual(["a long a", "length"]);
    });

    test(`${name}: stops before a stop sequence`, async () => {
      const choice = (await ask('[[sim: text "one two three"]]', { stop: ["three", "two"] })).choices[0];
      expect([choice?.message.content, choice?.finish_reason]).toEqual(["one ", "stop"]);
    });

    test(`${name}: gives as many choices as asked`, async () => {
      expect((await ask("hi", { n: 3 })).choices.map((choice) => choice.message.content?.length)).toEqual([31, 31, 31]);
    });
  }

  test("a legacy function is called as function_call", async () => {
    const choice = (
      await chat("[[sim: tools]]", { functions: [{ name: "f", parameters: { type: "object", properties: {} } }] })
    ).choices[0];
    expect([choice?.message.function_call?.name, choice?.finish_reason]).toEqual(["f", "function_call"]);
  });

  test("a JSON document is valid for its schema, or broken as told", async () => {
    const schema = {
      type: "object",
      properties: { a: { type: "integer" } },
      required: ["a"],
      additionalProperties: false,
    };
    const response_format = { type: "json_schema", json_schema: { name: "x", strict: true, schema } };
    const content = async (words: string): Promise<string> =>
      (await chat(words, { response_format })).choices[0]?.message.content ?? "";
    expect(await content("go")).toBe('{"a":1}');
    expect(await content("[[sim: invalid-json]]")).toBe('{"a":1');
    expect(await content("[[sim: wrong-json]]")).toBe('[{"unexpected":true}]');
    expect(await content("[[sim: fenced-json]]")).toBe('```json\n{"a":1}\n```');
  });

  test("counts reasoning, and a long prompt seen before as cached", async () => {
    const long = "The same long prompt. ".repeat(300);
    const first = await chat(long, { model: "gpt-5-mini" });
    const second = await chat(long, { model: "gpt-5-mini" });
    expect(first.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
    expect(first.usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(second.usage?.prompt_tokens ?? -1);
  });
});

describe("Messages answers", () => {
  for (const [name, ask] of [
    ["buffered", claude],
    ["streamed", claudeStream],
  ] as const) {
    test(`${name}: says, thinks and calls in one answer`, async () => {
      const message = await ask('[[sim: text "let me see"; tools; thinking "hm"]]', {
        tools: claudeTools,
        thinking: { type: "enabled", budget_tokens: 1024 },
      });
      expect(message.content.map((block) => block.type)).toEqual(["thinking", "text", "tool_use"]);
      expect(message.content[2]).toMatchObject({ name: "get_weather", input: { city: "simulated" } });
      expect(message.stop_reason).toBe("tool_use");
    });

    test(`${name}: a call without arguments has an empty input`, async () => {
      const message = await ask("[[sim: tools get_time]]", { tools: claudeTools });
      expect(message.content[0]).toMatchObject({ type: "tool_use", name: "get_time", input: {} });
    });

    test(`${name}: names the stop sequence`, async () => {
      const message = await ask('[[sim: text "one two"]]', { stop_sequences: ["two"] });
      expect([textOf(message), message.stop_reason, message.stop_sequence]).toEqual(["one ", "stop_sequence", "two"]);
    });

    test(`${name}: refuses and is cut`, async () => {
      const refused = await ask('[[sim: refusal "no"]]');
      expect([refused.stop_reason, refused.stop_details?.type]).toEqual(["refusal", "refusal"]);
      expect((await ask("[[sim: long 50]]", { max_tokens: 5 })).stop_reason).toBe("max_tokens");
    });

    test(`${name}: searches, pauses, goes on and cites`, async () => {
      const tools = [{ type: "web_search_20250305", name: "web_search" }];
      const paused = await ask('[[sim: pause "news"; citations]]', { tools });
      expect([paused.stop_reason, paused.content.map((block) => block.type)]).toEqual([
        "pause_turn",
        ["server_tool_use", "web_search_tool_result"],
      ]);
      const messages = [
        { role: "user", content: '[[sim: pause "news"; citations]]' },
        { role: "assistant", content: paused.content },
      ];
      const done = await ask("", { tools, messages });
      expect(done.stop_reason).toBe("end_turn");
      expect(done.content[0]).toMatchObject({ type: "text", citations: [{ type: "web_search_result_location" }] });
    });

    test(`${name}: reads from the cache what a marked prompt wrote to it`, async () => {
      const system = [
        { type: "text", text: `${name} rules. `.repeat(600), cache_control: { type: "ephemeral", ttl: "1h" } },
      ];
      const [first, second] = [await ask("one", { system }), await ask("two", { system })];
      expect(first.usage.cache_creation).toEqual({
        ephemeral_5m_input_tokens: 0,
        ephemeral_1h_input_tokens: first.usage.cache_creation_input_tokens ?? -1,
      });
      expect(first.usage.cache_creation_input_tokens).toBeGreaterThan(1024);
      expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
      expect(second.usage.cache_creation_input_tokens).toBe(0);
    });
  }

  test("thinking goes back unchanged or is refused", async () => {
    const model = "claude-opus-5-5";
    const first = await claude("[[sim: tools]]", {
      model,
      tools: claudeTools,
      thinking: { type: "adaptive", display: "summarized" },
    });
    const call = first.content.find((block) => block.type === "tool_use");
    const next = (content: unknown): Promise<Anthropic.Message> =>
      claude("", {
        model,
        tools: claudeTools,
        messages: [
          { role: "user", content: "[[sim: tools]]" },
          { role: "assistant", content },
          { role: "user", content: [{ type: "tool_result", tool_use_id: call?.id, content: "sunny" }] },
        ],
      });
    expect(textOf(await next(first.content))).toBe("The tool answered: sunny");
    const changed = first.content.map((block) => (block.type === "thinking" ? { ...block, thinking: "other" } : block));
    const refused = await next(changed).then(
      () => null,
      (error: unknown) => error,
    );
    expect(String(refused)).toContain("cannot be modified");
  });

  test("newest models think unasked and hide it behind a signature", async () => {
    const message = await claude("hi", { model: "claude-sonnet-5" });
    expect(message.content[0]).toMatchObject({ type: "thinking", thinking: "" });
  });
});

describe("a tool loop", () => {
  test("ends by quoting the result, on Chat and on Responses", async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "[[sim: tools]]" }];
    const first = await openai.chat.completions.create({ model: "gpt-4.1", messages, tools: chatTools });
    const assistant = first.choices[0]?.message;
    const id = assistant?.tool_calls?.[0]?.id ?? "";
    const second = await openai.chat.completions.create({
      model: "gpt-4.1",
      tools: chatTools,
      messages: [
        ...messages,
        assistant as OpenAI.ChatCompletionMessageParam,
        { role: "tool", tool_call_id: id, content: "sunny" },
      ],
    });
    expect(second.choices[0]?.message.content).toBe("The tool answered: sunny");

    const tools = [{ type: "function" as const, name: "get_weather", parameters, strict: false }];
    const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "[[sim: tools]]" }];
    const response = await openai.responses.create({
      model: "gpt-5.6",
      input,
      tools,
      include: ["reasoning.encrypted_content"],
      store: false,
    });
    const call = response.output.find((item) => item.type === "function_call");
    const final = await openai.responses.create({
      model: "gpt-5.6",
      tools,
      input: [
        ...input,
        ...(response.output as OpenAI.Responses.ResponseInput),
        { type: "function_call_output", call_id: call?.call_id ?? "", output: "sunny" },
      ],
    });
    expect(final.output_text).toBe("The tool answered: sunny");
  });
});

describe("Responses streams", () => {
  test("are read by the SDK, reasoning summary, text and call included", async () => {
    const tools = [{ type: "function" as const, name: "get_weather", parameters, strict: false }];
    const stream = openai.responses.stream({
      model: "gpt-5.6",
      input: '[[sim: text "wait"; tools]]',
      tools,
      reasoning: { summary: "auto" },
    });
    const response = await stream.finalResponse();
    expect(response.output.map((item) => item.type)).toEqual(["reasoning", "message", "function_call"]);
    expect(response.status).toBe("completed");
  });
});

/** Paths of the fields in a JSON value; list items count as one. */
function pathsOf(value: Json, prefix = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item as Json, `${prefix}[]`));
  if (typeof value !== "object" || value === null) return [prefix];
  return Object.entries(value).flatMap(([key, child]) => pathsOf(child, `${prefix}.${key}`));
}

const frames = (sse: string): JsonObject[] =>
  [...sse.matchAll(/^data: (\{.*)$/gm)].map((match) => JSON.parse(match[1] ?? "") as JsonObject);

describe.skipIf(sharedDir === null)(`shapes${sharedDir === null ? `: ${sharedMissing}` : ""}`, () => {
  // Tool inputs and texts of JSON documents are the client's own.
  const ownPart = (path: string): string => path.replace(/\.input\..*$/, ".input");
  const recorded = (name: "openai-chat" | "anthropic-messages"): Set<string> =>
    new Set(
      readCorpus(name)
        .filter((record) => record.response.status === 200)
        .flatMap(({ response }) =>
          response.sse === undefined
            ? pathsOf(response.body ?? null)
            : frames(response.sse).flatMap((frame) => pathsOf(frame)),
        )
        .map(ownPart),
    );
  const strangers = (seen: Set<string>, values: readonly JsonObject[]): string[] =>
    [...new Set(values.flatMap((value) => pathsOf(value)).map(ownPart))].filter((path) => !seen.has(path));

  test("every field of a Chat answer and chunk was recorded", async () => {
    const seen = recorded("openai-chat");
    const bodies = [
      await chat("hi"),
      await chat("[[sim: parallel]]", { tools: chatTools }),
      await chat("[[sim: refusal]]"),
      await chat("hi", { model: "gpt-5.6" }),
    ];
    const raw = await openai.chat.completions
      .create({
        model: "gpt-4.1",
        messages: [{ role: "user", content: '[[sim: text "x y"; parallel]]' }],
        tools: chatTools,
        stream: true,
        stream_options: { include_usage: true },
      })
      .asResponse();
    expect(strangers(seen, bodies as unknown as JsonObject[])).toEqual([]);
    expect(strangers(seen, frames(await raw.text()))).toEqual([]);
  });

  test("every field of a Messages answer and event was recorded", async () => {
    const seen = recorded("anthropic-messages");
    const extra = {
      tools: [...claudeTools, { type: "web_search_20250305", name: "web_search" }],
      thinking: { type: "enabled", budget_tokens: 1024 },
    };
    const body = await claude("[[sim: search; tools]]", extra);
    const raw = await anthropic.messages
      .create({
        model: "claude-haiku-4-5",
        max_tokens: 4000,
        stream: true,
        messages: [{ role: "user", content: "[[sim: search; tools]]" }],
        ...(extra as object),
      } as Anthropic.MessageCreateParamsStreaming)
      .asResponse();
    const text = await raw.text();
    expect(strangers(seen, [body as unknown as JsonObject])).toEqual([]);
    expect(strangers(seen, frames(text))).toEqual([]);
    const names = [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
    expect(names).toEqual(frames(text).map((frame) => String(own(frame, "type"))));
  });
});
