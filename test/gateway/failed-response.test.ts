/** A Response that fails says so in its last event, without an error envelope. */
import { describe, expect, test } from "bun:test";
import { messagesEvents } from "../support/answers.ts";
import { createPipeline } from "../support/pipeline.ts";
import { sse } from "../support/scripted-client.ts";

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

const render = (event: Event): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const error = { code: "server_error", message: "boom" };
const failed = render({ type: "response.failed", response: { id: "resp_1", status: "failed", error, output: [] } });
const begun = [
  render({ type: "response.created", response: { id: "resp_1", status: "in_progress" } }),
  render({ type: "response.output_item.added", output_index: 0, item: { type: "message" } }),
  render({ type: "response.output_text.delta", output_index: 0, delta: "hi" }),
];
const config = "[retry]\nmax = 0\n";
const messages = { model: "gpt-5", max_tokens: 99, messages: [{ role: "user", content: "Hi" }] };
const responses = { model: "gpt-5", input: "Hi", stream: true };

describe("a failed Response", () => {
  test.each([
    ["streamed", true, [failed]],
    ["gathered", false, [failed]],
    ["gathered, with text before", false, [...begun, failed]],
  ] as const)("is an HTTP error for Messages clients, %s", async (_what, stream, events) => {
    const pipeline = createPipeline({ upstream: () => sse(events), config });
    const answer = await pipeline.send("messages", { ...messages, stream });
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toMatchObject({ type: "error", error: { type: "api_error", message: "boom" } });
  });

  test("ends a Messages stream with its error, and nothing that looks like an end", async () => {
    const pipeline = createPipeline({ upstream: () => sse([...begun, failed]), config });
    const { text } = await pipeline.send("messages", { ...messages, stream: true });
    expect(text).toContain('event: error\ndata: {"type":"error","error":{"type":"api_error","message":"boom"}');
    expect(text).not.toContain("message_stop");
  });

  test("is an HTTP error in an envelope for Responses clients, and passes through once their stream has begun", async () => {
    const early = createPipeline({ upstream: () => sse([failed]), config });
    const refused = await early.send("responses", responses);
    expect([refused.status, JSON.parse(refused.text)]).toEqual([
      500,
      { error: { message: "boom", type: "server_error", param: null, code: "server_error" } },
    ]);
    const late = createPipeline({ upstream: () => sse([...begun, failed]), config });
    expect((await late.send("responses", responses)).text).toBe([...begun, failed].join(""));
  });

  test("a stream that is cut ends with an error event that goes on counting", async () => {
    const numbered = begun.map((text, index) => text.replace("}\n\n", `,"sequence_number":${index}}\n\n`));
    const pipeline = createPipeline({
      upstream: () => sse([numbered[0] ?? "", ": note\n\n", ...numbered.slice(1)]),
      config,
    });
    const { text } = await pipeline.send("responses", responses);
    const [, last] = text.split("event: error\ndata: ");
    expect(JSON.parse(last ?? "null")).toMatchObject({
      type: "error",
      code: "upstream_stream_interrupted",
      sequence_number: begun.length,
    });
  });

  test("so does one that was translated", async () => {
    const pipeline = createPipeline({ upstream: () => sse(messagesEvents(["one", "two"]).slice(0, -2)), config });
    const { text } = await pipeline.send("responses", { ...responses, model: "claude-sonnet-4-5" });
    const numbers = [...text.matchAll(/"sequence_number":(\d+)/g)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(4);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(text).toContain('event: error\ndata: {"type":"error","code":"upstream_stream_interrupted"');
    expect(text).not.toContain("response.completed");
  });

  test("moves the chain on while nothing was shown", async () => {
    const pipeline = createPipeline({
      upstream: (_call, index) =>
        index === 0
          ? sse([failed])
          : sse([
              ...begun,
              render({ type: "response.completed", response: { id: "resp_2", status: "completed", output: [] } }),
            ]),
      config,
      policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-5-mini] }\n",
    });
    const answer = await pipeline.send("messages", { ...messages, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"text":"hi"');
    expect(pipeline.calls).toHaveLength(2);
  });
});
