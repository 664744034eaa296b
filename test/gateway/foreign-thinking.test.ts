import { describe, expect, test } from "bun:test";
import { mintSignature } from "../../src/translate/maps/reasoning-signature.ts";
import { sealThinking } from "../../src/translate/maps/thinking-envelope.ts";
import { messagesAnswer, messagesHi, responsesAnswer } from "../support/answers.ts";
import { createPipeline } from "../support/pipeline.ts";

const signature = mintSignature({ id: "rs_1", encryptedContent: "sealed", model: "gpt-5.6" });
const ours = JSON.stringify({ type: "thinking", thinking: "", signature });
const claudes = '{"type":"thinking","thinking":"","signature":"EqQBCkYI"}';
const said = '{ "type":"text", "text":"18\\u00b0C", "n":12345678901234567890 }';

const bodyOf = (blocks: string, model: string): string =>
  `{"model":"${model}","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${blocks}]},{"role":"user","content":"b"}]}`;

describe("a conversation that a model of OpenAI began", () => {
  const pipeline = () =>
    createPipeline({ upstream: () => messagesAnswer("hi"), policy: 'aliases: { best: "claude-sonnet-4-5" }\n' });

  test("goes on at Claude without the thinking that Claude could not read, and with its own", async () => {
    const gateway = pipeline();
    const answer = await gateway.send("messages", bodyOf(`${ours}, ${claudes},${said}`, "claude-sonnet-4-5"), {
      headers: { "idempotency-key": "k" },
    });
    expect(answer.status).toBe(200);
    expect(gateway.calls[0]?.body).toBe(bodyOf(`${claudes},${said}`, "claude-sonnet-4-5"));
    // Another body than the one that the key was made for.
    expect(gateway.calls[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  test("so it does where the model's name changes too", async () => {
    const gateway = pipeline();
    await gateway.send("messages", bodyOf(`${said},${ours}`, "best"));
    expect(gateway.calls[0]?.body).toBe(bodyOf(said, "claude-sonnet-4-5"));
  });
});

describe("a conversation of a Responses client that Claude began", () => {
  const sealed = JSON.stringify({
    type: "reasoning",
    id: "rs_1",
    summary: [],
    encrypted_content: sealThinking({ type: "thinking", thinking: "hm", signature: "EqQBCkYI" }),
  });
  const theirs = '{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAAA"}';
  const bodyWith = (items: string): string =>
    `{"model":"gpt-5.4", "input":[{"role":"user","content":"a"},${items}{"role":"user","content":"b", "n":1.0}]}`;

  test("goes on at OpenAI without the thinking that OpenAI could not read, and with its own", async () => {
    const gateway = createPipeline({ upstream: () => responsesAnswer("hi") });
    await gateway.send("responses", bodyWith(`${sealed},${theirs},`));
    expect(gateway.calls[0]?.body).toBe(bodyWith(`${theirs},`));
  });

  test("is the client's own bytes where nothing of it is there", async () => {
    const gateway = createPipeline({ upstream: () => responsesAnswer("hi") });
    await gateway.send("responses", bodyWith(`${theirs},`));
    expect(gateway.calls[0]?.body).toBe(bodyWith(`${theirs},`));
  });
});

test("text that only mentions such a signature is the client's own bytes", async () => {
  const gateway = createPipeline({ upstream: () => messagesAnswer("hi") });
  const body = JSON.stringify({ ...messagesHi, messages: [{ role: "user", content: `what is ${signature}?` }] });
  await gateway.send("messages", body);
  expect(gateway.calls[0]?.body).toBe(body);
});
