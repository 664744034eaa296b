/** The official npm `openai` package against the running gateway, with both providers' models. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { makeParseableResponseFormat } from "openai/lib/parser";
import { live, simulated, startSimulatedGateway, untilAborted, type SimulatedGateway } from "../support/simulated.ts";

const gpt = "gpt-4.1";
const claude = "claude-sonnet-5-5";
const models = [gpt, claude] as const;

// Two processes take turns on a busy machine.
setDefaultTimeout(20_000);

let gateway: SimulatedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await startSimulatedGateway();
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client", maxRetries: 0, timeout: 20_000 });
});
afterAll(() => gateway.stop());

const user = (text: string, words: string) => ({ role: "user", content: simulated(text, words) }) as const;

const weatherParameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const weather = {
  type: "function",
  function: { name: "weather", description: "Current weather of a city.", parameters: weatherParameters },
} as const;

const person = {
  type: "json_schema",
  json_schema: {
    name: "person",
    strict: true,
    schema: {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer" } },
      required: ["name", "age"],
      additionalProperties: false,
    },
  },
} as const;

/** Runs and returns what it throws. */
async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

describe.each(models)("openai npm, %s", (model) => {
  test("creates text", async () => {
    const answer = await client.chat.completions.create({ model, messages: [user("Say hello.", 'text "Hello."')] });
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    if (!live) expect(answer.choices[0]?.message.content).toBe("Hello.");
    expect(answer._request_id).toBeString();
  });

  test("streams chunks to one text", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [user("Say hello.", 'text "Hello, wide world."; chunk 4')],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usages = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (chunk.usage) usages += 1;
    }
    if (!live) expect(text).toBe("Hello, wide world.");
    expect(usages).toBe(1);
  });

  test("stream helper ends in finalChatCompletion", async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: [user("Say hello.", 'text "Hello, helper."; chunk 3')],
      stream_options: { include_usage: true },
    });
    let deltas = "";
    stream.on("content", (delta) => {
      deltas += delta;
    });
    const answer = await stream.finalChatCompletion();
    expect(answer.choices[0]?.message.content).toBe(deltas);
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect((await stream.totalUsage()).total_tokens).toBeGreaterThan(0);
    if (!live) expect(deltas).toBe("Hello, helper.");
  });

  test("stream helper keeps parallel tool calls apart", async () => {
    const answer = await client.chat.completions
      .stream({
        model,
        messages: [user("Weather in Paris and Oslo?", "parallel 2")],
        tools: [weather],
      })
      .finalChatCompletion();
    const calls = answer.choices[0]?.message.tool_calls ?? [];
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
    if (!live) expect(calls).toHaveLength(2);
    for (const call of calls) {
      if (call.type !== "function") throw new Error("not a function call");
      expect(JSON.parse(call.function.arguments)).toHaveProperty("city");
    }
  });

  test("parse reads the answer by a JSON schema", async () => {
    const answer = await client.chat.completions.parse({
      model,
      messages: [user("Invent a person.", "usage output=9")],
      response_format: makeParseableResponseFormat(person, (text) => JSON.parse(text) as { name: string; age: number }),
    });
    expect(answer.choices[0]?.message.parsed?.name).toBeString();
    expect(answer.choices[0]?.message.parsed?.age).toBeNumber();
  });

  test("runTools drives the loop itself", async () => {
    const asked: string[] = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: [user("Weather in Paris?", "tools")],
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Current weather of a city.",
            parameters: weatherParameters,
            parse: (text: string) => JSON.parse(text) as { city: string },
            function: ({ city }: { city: string }) => {
              asked.push(city);
              return "18 C";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBeTruthy();
    expect(asked.length).toBeGreaterThan(0);
  });

  test("streamed runTools drives the loop itself", async () => {
    let called = 0;
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [user("Weather in Paris?", "tools")],
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Current weather of a city.",
            parameters: weatherParameters,
            parse: (text: string) => JSON.parse(text) as { city: string },
            function: () => {
              called += 1;
              return "18 C";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBeTruthy();
    expect(called).toBeGreaterThan(0);
  });

  test("withResponse shows the headers", async () => {
    const { response } = await client.chat.completions
      .create({ model, messages: [user("Say hello.", 'text "Hi."')] })
      .withResponse();
    expect(response.headers.get("x-arouter-upstream-format")).toBe(model === gpt ? "chat" : "messages");
    expect(response.headers.get("x-request-id")).toBeString();
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id"));
  });

  test.skipIf(live)("breaking off a stream aborts upstream", async () => {
    const marker = `npm-openai-cancel-${model}`;
    const stream = await client.chat.completions.create({
      model,
      messages: [user(marker, "long 2000; delay 10")],
      stream: true,
    });
    let seen = 0;
    for await (const _ of stream) {
      seen += 1;
      if (seen === 3) break;
    }
    await untilAborted(gateway, marker);
  });
});

test("openai npm lists and retrieves models of both providers", async () => {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toContain(gpt);
  expect(ids).toContain(claude);
  expect((await client.models.retrieve(claude)).id).toBe(claude);
});

describe.skipIf(live)("openai npm errors", () => {
  test.each([
    ["claude", "status 400 type=invalid_request_error", OpenAI.BadRequestError, 400, null],
    ["claude", "status 401 type=authentication_error", OpenAI.InternalServerError, 502, "upstream_auth_error"],
    ["claude", "status 402 type=billing_error", OpenAI.RateLimitError, 429, "insufficient_quota"],
    ["claude", "status 403 type=permission_error", OpenAI.PermissionDeniedError, 403, "permission_denied"],
    ["claude", "status 404 type=not_found_error", OpenAI.NotFoundError, 404, "model_not_found"],
    ["claude", "status 409 type=conflict_error", OpenAI.ConflictError, 409, "conflict"],
    ["claude", "status 413 type=request_too_large", OpenAI.APIError, 413, "request_too_large"],
    ["claude", "status 429 type=rate_limit_error", OpenAI.RateLimitError, 429, "rate_limit_exceeded"],
    ["claude", "status 500 type=api_error", OpenAI.InternalServerError, 500, null],
    ["claude", "status 504 type=timeout_error", OpenAI.InternalServerError, 504, "timeout"],
    ["claude", "status 529 type=overloaded_error", OpenAI.InternalServerError, 503, "overloaded"],
    [
      "gpt",
      "status 401 type=invalid_request_error code=invalid_api_key",
      OpenAI.AuthenticationError,
      401,
      "invalid_api_key",
    ],
    ["gpt", "status 422 type=invalid_request_error", OpenAI.UnprocessableEntityError, 422, null],
    ["gpt", "status 503 type=server_error", OpenAI.InternalServerError, 503, null],
  ] as const)("%s: %s", async (provider, words, expected, status, code) => {
    const model = provider === "gpt" ? gpt : claude;
    const error = await thrownBy(() =>
      client.chat.completions.create({ model, messages: [user("Say hello.", words)] }),
    );
    if (!(error instanceof OpenAI.APIError)) throw error;
    expect(error.constructor).toBe(expected);
    expect([error.status, error.code ?? null]).toEqual([status, code]);
    expect(error.requestID).toBeString();
  });

  test.each(models)("an error inside a stream of %s raises", async (model) => {
    const error = await thrownBy(async () => {
      const stream = await client.chat.completions.create({
        model,
        messages: [user("Say hello.", "fault error-event")],
        stream: true,
      });
      for await (const _ of stream);
    });
    expect(error).toBeInstanceOf(OpenAI.APIError);
  });
});
