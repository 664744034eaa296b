import { expect, test } from "bun:test";
import { chatAnswer, chatHi, chatStream, messagesAnswer, messagesEvents, openAiError } from "../support/answers.ts";
import { createPipeline, type PipelineOptions } from "../support/pipeline.ts";
import { json, sse } from "../support/scripted-client.ts";

const claude = { ...chatHi, model: "claude-sonnet-4-5" };
const long = "x".repeat(500);
const two = {
  choices: ["stop", "length"].map((reason, index) => ({
    index,
    message: { role: "assistant", content: "hi", refusal: null },
    logprobs: null,
    finish_reason: reason,
  })),
};

const rows: readonly (readonly [name: string, body: object, upstream: PipelineOptions["upstream"], answer: unknown])[] =
  [
    ["a whole answer", chatHi, () => chatAnswer("hi"), { id: "chatcmpl-1", model: "gpt-4.1", finishReasons: ["stop"] }],
    [
      "one of several choices",
      { ...chatHi, n: 2 },
      () => chatAnswer("hi", "gpt-4.1", two),
      { id: "chatcmpl-1", model: "gpt-4.1", finishReasons: ["stop", "length"] },
    ],
    [
      "a translated one, by the provider's words",
      claude,
      () => messagesAnswer("hi", "claude-sonnet-4-5-20250929"),
      { id: "msg_1", model: "claude-sonnet-4-5-20250929", finishReasons: ["stop"] },
    ],
    [
      "a stream",
      { ...chatHi, stream: true },
      () => chatStream(["hi"]),
      { id: "chatcmpl-1", model: "gpt-4.1", finishReasons: ["stop"] },
    ],
    [
      "a translated stream",
      { ...claude, stream: true },
      () => sse(messagesEvents(["hi"])),
      { id: "msg_1", model: "claude-sonnet-4-5", finishReasons: ["stop"] },
    ],
    [
      "one with a name of any length",
      chatHi,
      () => chatAnswer("hi", long, { id: long }),
      { id: long.slice(0, 128), model: long.slice(0, 128), finishReasons: ["stop"] },
    ],
    ["an error: nothing", chatHi, () => openAiError(400), null],
    ["what is no answer: nothing", chatHi, () => json("cut", 400), null],
  ];

test.each(rows)("keeps what %s says of itself", async (_, body, upstream, answer) => {
  const pipeline = createPipeline({ upstream });
  await pipeline.send("chat", body);
  expect(pipeline.records[0]?.attempts[0]?.answer).toEqual(answer as never);
});
