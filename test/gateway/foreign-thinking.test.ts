import { describe, expect, test } from "bun:test";
import { mintSignature } from "../../src/translate/maps/reasoning-signature.ts";
import { messagesAnswer, messagesHi } from "../support/answers.ts";
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

test("text that only mentions such a signature is the client's own bytes", async () => {
  const gateway = createPipeline({ upstream: () => messagesAnswer("hi") });
  const body = JSON.stringify({ ...messagesHi, messages: [{ role: "user", content: `what is ${signature}?` }] });
  await gateway.send("messages", body);
  expect(gateway.calls[0]?.body).toBe(body);
});
