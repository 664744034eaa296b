import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "bun:test";
import OpenAI from "openai";
import { startSimulatorProcess, type SimulatorProcess } from "../faults/simulator-process.ts";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const restarts = isLong ? 12 : 4;
const clients = 12;

let providers: SimulatorProcess;
beforeAll(async () => {
  providers = await startSimulatorProcess(true);
});
afterAll(() => providers.stop());

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

function start(port: number): Promise<GatewayProcess> {
  return startGateway({
    args: ["serve", "--reuse-port", "--listen", `127.0.0.1:${port}`],
    config: `
[log]
access = false
[drain]
delay = "400ms"
timeout = "2s"
[providers.openai]
base_url = "${providers.openaiUrl}"
[providers.anthropic]
base_url = "${providers.anthropicUrl}"
`,
    environment: { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" },
  });
}

const TEXT = "all of it has to arrive";

/** Calls of both official SDKs, streamed and not, across providers; each gives the text that it got. */
function createCalls(url: string): readonly (() => Promise<string>)[] {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused" });
  const anthropic = new Anthropic({ baseURL: url, apiKey: "unused" });
  const prompt = `restart [[sim: text "${TEXT}"; chunk 4; delay 15]]`;
  const messages = [{ role: "user" as const, content: prompt }];
  return [
    async () => {
      const answer = await openai.chat.completions.create({ model: "claude-sonnet-5-5", messages });
      return answer.choices[0]?.message.content ?? "";
    },
    async () => {
      let text = "";
      const stream = await openai.chat.completions.create({ model: "gpt-5.6", stream: true, messages });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      return text;
    },
    async () => {
      const stream = anthropic.messages.stream({ model: "gpt-5.6", max_tokens: 256, messages });
      return stream.finalText();
    },
    async () => (await openai.responses.create({ model: "gpt-5.6", input: prompt })).output_text,
  ];
}

test("two gateways on one port, restarted one after the other under load, lose no request", async () => {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const running = [await start(port), await start(port)];
  const calls = createCalls(url);
  const failures: string[] = [];
  let made = 0;
  let stopping = false;
  const client = async (): Promise<void> => {
    while (!stopping) {
      made += 1;
      const call = calls[made % calls.length];
      try {
        const text = await call?.();
        if (text !== TEXT) failures.push(`got ${JSON.stringify(text)}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const load = Promise.all(Array.from({ length: clients }, client));
  const codes: number[] = [];
  for (let restart = 0; restart < restarts; restart += 1) {
    await Bun.sleep(300);
    const old = running.shift();
    running.push(await start(port));
    codes.push((await old?.stop()) ?? -1);
  }
  await Bun.sleep(300);
  stopping = true;
  await load;
  for (const gateway of running) codes.push(await gateway.stop());
  console.log(`rolling restart: ${made} SDK calls over ${restarts} restarts, ${failures.length} lost`);
  expect(failures).toEqual([]);
  // Nothing had to be cut.
  expect(codes.every((code) => code === 0)).toBe(true);
  expect(made).toBeGreaterThan(50);
}, 120_000);

test("a gateway alone refuses a port that is taken", async () => {
  const port = freePort();
  const first = await start(port);
  const second = startGateway({
    args: ["serve", "--listen", `127.0.0.1:${port}`],
    config: "",
    environment: { OPENAI_API_KEY: "sk-simulated" },
  });
  expect(second).rejects.toThrow("ended with 2");
  await second.catch(() => undefined);
  await first.stop();
}, 60_000);
