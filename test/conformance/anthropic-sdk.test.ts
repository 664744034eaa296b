/** The official npm `@anthropic-ai/sdk` against the running gateway, with both providers' models. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { live, simulated, startSimulatedGateway, untilAborted, type SimulatedGateway } from "../support/simulated.ts";

const gpt = "gpt-4.1";
/** Served on Responses, as every reasoning model is. */
const reasoning = "gpt-5.6";
const claude = "claude-sonnet-5-5";
const models = [gpt, reasoning, claude] as const;
const SURFACES = { [gpt]: "chat", [reasoning]: "responses", [claude]: "messages" } as const;

// Two processes take turns on a busy machine.
setDefaultTimeout(20_000);

let gateway: SimulatedGateway;
let client: Anthropic;

beforeAll(async () => {
  gateway = await startSimulatedGateway();
  client = new Anthropic({ baseURL: gateway.url, apiKey: "sk-client", maxRetries: 0, timeout: 20_000 });
});
afterAll(() => gateway.stop());

const user = (text: string, words: string) => ({ role: "user", content: simulated(text, words) }) as const;

const weather = {
  name: "weather",
  description: "Current weather of a city.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
} as const satisfies Anthropic.Tool;

const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

/** Runs and returns what it throws. */
async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

describe.each(models)("anthropic npm, %s", (model) => {
  test("creates text", async () => {
    const answer = await client.messages.create({
      model,
      max_tokens: 512,
      messages: [user("Say hello.", 'text "Hello."')],
    });
    expect([answer.type, answer.role, answer.stop_reason]).toEqual(["message", "assistant", "end_turn"]);
    if (!live) expect(textOf(answer)).toBe("Hello.");
    expect(answer._request_id).toBeString();
  });

  test("streams raw events in their order", async () => {
    const stream = await client.messages.create({
      model,
      max_tokens: 512,
      messages: [user("Say hello.", 'text "Hello, wide world."; chunk 4')],
      stream: true,
    });
    const kinds: string[] = [];
    for await (const event of stream) kinds.push(event.type);
    expect(kinds[0]).toBe("message_start");
    expect(kinds.slice(-2)).toEqual(["message_delta", "message_stop"]);
  });

  test("stream helper ends in finalMessage", async () => {
    const stream = client.messages.stream({
      model,
      max_tokens: 512,
      messages: [user("Say hello.", 'text "Hello, helper."; chunk 3')],
    });
    let deltas = "";
    stream.on("text", (delta) => {
      deltas += delta;
    });
    const answer = await stream.finalMessage();
    expect(textOf(answer)).toBe(deltas);
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
    expect(answer.usage.input_tokens).toBeGreaterThan(0);
    if (!live) expect(deltas).toBe("Hello, helper.");
  });

  test("stream helper keeps parallel tool calls apart", async () => {
    const answer = await client.messages
      .stream({
        model,
        max_tokens: 512,
        messages: [user("Weather in Paris and Oslo?", "parallel 2")],
        tools: [weather],
      })
      .finalMessage();
    const calls = answer.content.filter((block) => block.type === "tool_use");
    expect(answer.stop_reason).toBe("tool_use");
    if (!live) expect(calls).toHaveLength(2);
    for (const call of calls) expect(call.input).toHaveProperty("city");
  });

  test("parse reads the answer by a JSON schema", async () => {
    const answer = await client.messages.parse({
      model,
      max_tokens: 512,
      messages: [user("Invent a person.", "usage output=9")],
      output_config: {
        format: jsonSchemaOutputFormat({
          type: "object",
          properties: { name: { type: "string" }, age: { type: "integer" } },
          required: ["name", "age"],
          additionalProperties: false,
        }),
      },
    });
    expect(answer.parsed_output?.name).toBeString();
    expect(answer.parsed_output?.age).toBeNumber();
  });

  test.each([
    ["buffered", false],
    ["streamed", true],
  ] as const)("toolRunner drives the loop itself, %s", async (_, stream) => {
    const asked: string[] = [];
    const runner = client.beta.messages.toolRunner({
      model,
      max_tokens: 512,
      stream,
      messages: [user("Weather in Paris?", "tools")],
      tools: [
        betaTool({
          name: "weather",
          description: "Current weather of a city.",
          inputSchema: {
            type: "object",
            properties: { city: { type: "string" } },
            required: ["city"],
            additionalProperties: false,
          },
          run: ({ city }) => {
            asked.push(city);
            return "18 C";
          },
        }),
      ],
    });
    const final = await runner.runUntilDone();
    expect(asked.length).toBeGreaterThan(0);
    expect(final.stop_reason).toBe("end_turn");
  });

  test("withResponse shows the headers", async () => {
    const { response, request_id } = await client.messages
      .create({ model, max_tokens: 64, messages: [user("Say hello.", 'text "Hi."')] })
      .withResponse();
    expect(response.headers.get("x-arouter-upstream-format")).toBe(SURFACES[model]);
    expect(request_id).toBe(response.headers.get("x-request-id"));
  });

  test("counts tokens", async () => {
    const { input_tokens: count } = await client.messages.countTokens({
      model,
      messages: [user("Say hello.", "echo")],
    });
    expect(count).toBeGreaterThan(0);
  });

  test.skipIf(live)("aborting a stream aborts upstream", async () => {
    const marker = `npm-anthropic-cancel-${model}`;
    const stream = client.messages.stream({
      model,
      max_tokens: 4096,
      messages: [user(marker, "long 2000; delay 10")],
    });
    const failed = thrownBy(() => stream.finalMessage());
    await new Promise<void>((resolve) => stream.once("text", () => resolve()));
    stream.abort();
    expect(await failed).toBeInstanceOf(Anthropic.APIUserAbortError);
    await untilAborted(gateway, marker);
  });
});

test("anthropic npm lists and retrieves models of both providers", async () => {
  const ids: string[] = [];
  for await (const model of client.models.list({ limit: 20 })) ids.push(model.id);
  expect(ids).toContain(gpt);
  expect(ids).toContain(claude);
  expect(new Set(ids).size).toBe(ids.length);
  expect((await client.models.retrieve(gpt)).type).toBe("model");
});

describe.skipIf(live)("anthropic npm errors", () => {
  test.each([
    ["gpt", "status 400 type=invalid_request_error", Anthropic.BadRequestError, 400, "invalid_request_error"],
    ["gpt", "status 401 type=invalid_request_error", Anthropic.InternalServerError, 502, "api_error"],
    ["gpt", "status 403 type=invalid_request_error", Anthropic.PermissionDeniedError, 403, "permission_error"],
    ["gpt", "status 404 type=invalid_request_error", Anthropic.NotFoundError, 404, "not_found_error"],
    ["gpt", "status 408 type=invalid_request_error", Anthropic.RequestTimeoutError, 408, "timeout_error"],
    ["gpt", "status 409 type=invalid_request_error", Anthropic.ConflictError, 409, "conflict_error"],
    ["gpt", "status 413 type=invalid_request_error", Anthropic.ContentTooLargeError, 413, "request_too_large"],
    ["gpt", "status 422 type=invalid_request_error", Anthropic.UnprocessableEntityError, 422, "invalid_request_error"],
    ["gpt", "status 429 type=requests code=rate_limit_exceeded", Anthropic.RateLimitError, 429, "rate_limit_error"],
    ["gpt", "status 429 code=insufficient_quota", Anthropic.PaymentRequiredError, 402, "billing_error"],
    ["gpt", "status 500 type=server_error", Anthropic.InternalServerError, 500, "api_error"],
    ["gpt", "status 503 type=server_error", Anthropic.OverloadedError, 529, "overloaded_error"],
    ["gpt", "status 504 type=server_error", Anthropic.GatewayTimeoutError, 504, "timeout_error"],
    ["claude", "status 401 type=authentication_error", Anthropic.AuthenticationError, 401, "authentication_error"],
    ["claude", "status 529 type=overloaded_error", Anthropic.OverloadedError, 529, "overloaded_error"],
  ] as const)("%s: %s", async (provider, words, expected, status, type) => {
    const model = provider === "gpt" ? gpt : claude;
    const error = await thrownBy(() =>
      client.messages.create({ model, max_tokens: 64, messages: [user("Say hello.", words)] }),
    );
    if (!(error instanceof Anthropic.APIError)) throw error;
    expect(error.constructor).toBe(expected);
    expect(error.status).toBe(status);
    expect(error.type as string).toBe(type);
    expect(error.requestID).toBeString();
  });

  test.each(models)("an error inside a stream of %s raises", async (model) => {
    const error = await thrownBy(() =>
      client.messages
        .stream({ model, max_tokens: 64, messages: [user("Say hello.", "fault error-event")] })
        .finalMessage(),
    );
    expect(error).toBeInstanceOf(Anthropic.APIError);
  });
});
