/** The Responses API of the official npm `openai` package against the running gateway, with both providers' models. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { makeParseableTextFormat } from "openai/lib/parser";
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
  ResponseStreamEvent,
  Tool,
} from "openai/resources/responses/responses";
import { live, simulated, startSimulatedGateway, untilAborted, type SimulatedGateway } from "../support/simulated.ts";

const gpt = "gpt-5.6-luna";
const claude = "claude-sonnet-5-5";
const models = ["gpt-4.1", gpt, claude, "claude-sonnet-4-5-20250929"] as const;

// Two processes take turns on a busy machine.
setDefaultTimeout(20_000);

/** Extraction begins at a small model and is judged; what does not fit is asked of Claude. */
const policies = `version: 1
rules:
  - name: extract
    when: { format: responses, model: gpt-6.1-sol, response_format_type: json_schema }
    then: { model: gpt-6-luna, validate: [json_schema], fallback_chain: [claude-sonnet-5-5] }
`;

let gateway: SimulatedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await startSimulatedGateway({ policies, config: '\n[router]\npolicy_file = "policies.yaml"\n' });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "sk-client", maxRetries: 0, timeout: 20_000 });
});
afterAll(() => gateway.stop());

const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather: Tool = {
  type: "function",
  name: "weather",
  description: "Weather of a city.",
  parameters,
  strict: true,
};

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};

const calls = (response: Response) => response.output.filter((item) => item.type === "function_call");

/** Runs and returns what it throws. */
async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

async function readAll(stream: AsyncIterable<ResponseStreamEvent>): Promise<readonly ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** One request of an agent that keeps its own history. */
function turn(model: string, input: readonly ResponseInputItem[]): ResponseCreateParamsNonStreaming {
  return {
    model,
    input: [...input],
    tools: [weather],
    reasoning: { effort: "low", summary: "auto" },
    store: false,
    include: ["reasoning.encrypted_content"],
  };
}

/** The Response at the end of the stream. */
async function streamed(request: ResponseCreateParamsNonStreaming): Promise<Response> {
  const last = (await readAll(await client.responses.create({ ...request, stream: true }))).at(-1);
  if (last?.type !== "response.completed") throw new Error(`ended by ${last?.type}`);
  return last.response;
}

/** The items of an answer as history, and the same output for each of its calls. */
function answered(response: Response, output: string): readonly ResponseInputItem[] {
  const outputs = calls(response).map(({ call_id }) => ({ type: "function_call_output" as const, call_id, output }));
  return [...(response.output as readonly ResponseInputItem[]), ...outputs];
}

describe.each(models)("openai npm, responses, %s", (model) => {
  test("creates text", async () => {
    const response = await client.responses.create({ model, input: simulated("Say hello.", 'text "Hello."') });
    expect(response.status).toBe("completed");
    if (!live) expect(response.output_text).toBe("Hello.");
    expect(response._request_id).toBeString();
  });

  test("streams numbered events to one text", async () => {
    const input = simulated("Say hello.", 'text "Hello, wide world."; chunk 4');
    const events = await readAll(await client.responses.create({ model, input, stream: true }));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    const text = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
    const last = events.at(-1);
    if (last?.type !== "response.completed") throw new Error("not completed");
    if (!live) expect(text).toBe("Hello, wide world.");
    expect(last.response.usage?.output_tokens).toBeGreaterThan(0);
  });

  test("stream helper keeps parallel calls apart", async () => {
    const stream = client.responses.stream({ model, input: simulated("Weather?", "parallel 2"), tools: [weather] });
    const response = await stream.finalResponse();
    if (!live) expect(calls(response)).toHaveLength(2);
    for (const call of calls(response)) expect(JSON.parse(call.arguments)).toHaveProperty("city");
  });

  test("parse and streamed parse read the answer by a JSON schema", async () => {
    const format = makeParseableTextFormat(
      { type: "json_schema", name: "person", strict: true, schema: person },
      (content) => JSON.parse(content) as { readonly name: string; readonly age: number },
    );
    const request = { model, input: simulated("Ada is 36.", ""), text: { format } } as const;
    expect((await client.responses.parse(request)).output_parsed?.name).toBeString();
    expect((await client.responses.stream(request).finalResponse()).output_parsed?.age).toBeNumber();
  });
});

describe.each([gpt, claude])("openai npm, responses, %s", (model) => {
  test("a streamed tool round carries the reasoning and ends", async () => {
    const input: ResponseInputItem[] = [{ role: "user", content: simulated("Weather in Paris?", "tools weather") }];
    const first = await streamed(turn(model, input));
    const [reasoning] = first.output.filter((item) => item.type === "reasoning");
    if (!live) expect(reasoning?.encrypted_content).toBeString();
    input.push(...answered(first, "19 degrees"));
    const second = await streamed(turn(model, input));
    expect(second.status).toBe("completed");
    // A stream's last event has no `output_text`: the SDK adds it to whole answers only.
    if (!live) expect(JSON.stringify(second.output)).toContain("19 degrees");
  });

  test.skipIf(live)("an error inside the stream is thrown", async () => {
    const input = simulated("Hi.", "long 3000; fault error-event");
    const error = await thrownBy(async () => readAll(await client.responses.create({ model, input, stream: true })));
    expect(error).toBeInstanceOf(OpenAI.APIError);
  });

  test.skipIf(live)("leaving the stream leaves upstream", async () => {
    const marker = `responses-npm-leave-${model}`;
    const stream = await client.responses.create({
      model,
      input: simulated(marker, "long 400; delay 20"),
      stream: true,
    });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    await untilAborted(gateway, marker);
  });
});

test("a chat that changes providers at every turn keeps going", async () => {
  const input: ResponseInputItem[] = [];
  for (const [index, model] of [claude, gpt, claude, gpt].entries()) {
    input.push({ role: "user", content: simulated(`Turn ${index}.`, "tools weather") });
    const first = await client.responses.create(turn(model, input));
    input.push(...answered(first, `${index} degrees`));
    const second = await client.responses.create(turn(model, input));
    expect(second.status).toBe("completed");
    input.push(...answered(second, ""));
  }
});

test("state at OpenAI is refused for Claude", async () => {
  const error = await thrownBy(() =>
    client.responses.create({ model: claude, previous_response_id: "r", input: "Hi." }),
  );
  if (!(error instanceof OpenAI.BadRequestError)) throw error;
  expect([error.param, error.code]).toEqual(["previous_response_id", "unsupported_parameter"]);
});

test.skipIf(live).each([false, true])(
  "an answer that does not fit is healed by the other provider, streamed: %p",
  async (stream) => {
    const request = {
      model: "gpt-6.1-sol",
      input: simulated("Ada is 36.", "wrong-json model=gpt-6-luna"),
      text: { format: { type: "json_schema", name: "person", strict: true, schema: person } },
    } as const;
    const { data, response } = await client.responses.create({ ...request, stream }).withResponse();
    expect(response.headers.get("x-arouter-model")).toBe(claude);
    expect(response.headers.get("x-arouter-attempts")).toBe("2");
    const last = Symbol.asyncIterator in data ? (await readAll(data)).at(-1) : data;
    expect(JSON.stringify(last)).toContain('{\\"name\\":\\"simulated\\",\\"age\\":1}');
  },
);
