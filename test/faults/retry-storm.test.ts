import Anthropic from "@anthropic-ai/sdk";
import { afterEach, expect, test } from "bun:test";
import OpenAI from "openai";
import { openStage, type Stage } from "./stage.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const calls = isLong ? 2000 : 300;
const clients = 20;

let stage: Stage;
afterEach(() => stage.close());

/** Fast, so that a storm fits into a test; the budget and its reserve are the defaults. */
const FAST = `
[retry]
base = "1ms"
cap = "2ms"
throttle_base = "1ms"
throttle_cap = "2ms"
`;
const NO_BREAKER = `
[breaker]
consecutive_failures = 1000000
min_requests = 1000000
`;

/** The official SDKs; null: with their own retries, as applications have them. */
function createCallers(url: string, maxRetries: number | null): readonly ((words: string) => Promise<unknown>)[] {
  const retries = maxRetries === null ? {} : { maxRetries };
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", ...retries });
  const anthropic = new Anthropic({ baseURL: url, apiKey: "unused", ...retries });
  return [
    (words) => openai.chat.completions.create({ model: "gpt-5.6", messages: [{ role: "user", content: words }] }),
    (words) =>
      openai.chat.completions.create({ model: "gpt-5.6", stream: true, messages: [{ role: "user", content: words }] }),
    (words) => openai.responses.create({ model: "gpt-5.6", input: words }),
    (words) =>
      anthropic.messages.create({ model: "gpt-5.6", max_tokens: 64, messages: [{ role: "user", content: words }] }),
  ];
}

async function storm(
  words: string,
  maxRetries: number | null = null,
): Promise<{ upstream: number; gateway: number; seconds: number }> {
  const callers = createCallers(stage.url, maxRetries);
  const startedMs = performance.now();
  let made = 0;
  const client = async (): Promise<void> => {
    while (made < calls) {
      made += 1;
      const call = callers[made % callers.length];
      const failed = await call?.(words).then(
        () => false,
        () => true,
      );
      expect(failed).toBe(true);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const attempts = stage.events.filter(({ type }) => type === "attempt-started").length;
  return { upstream: attempts, gateway: stage.records.length, seconds: (performance.now() - startedMs) / 1000 };
}

test("an upstream that fails wholly sees a fifth more than was asked, SDK retries included", async () => {
  stage = await openStage({ config: FAST + NO_BREAKER });
  const { upstream, gateway, seconds } = await storm("[[sim: error server]]");
  const limit = 1.2 * calls + 3 * (seconds + 1);
  console.log(
    `retry storm: ${calls} SDK calls, ${gateway} requests to the gateway, ${upstream} upstream (limit ${Math.round(limit)})`,
  );
  expect(upstream).toBeLessThanOrEqual(limit);
  // The SDKs would have made three of each; the gateway tells them not to.
  expect(gateway).toBeLessThanOrEqual(calls * 1.05);
}, 120_000);

test("with breakers it sees next to nothing", async () => {
  stage = await openStage({ config: FAST });
  const { upstream, gateway, seconds } = await storm("[[sim: error server]]", 0);
  console.log(
    `retry storm: ${calls} SDK calls, ${gateway} requests to the gateway, ${upstream} upstream behind breakers in ${seconds.toFixed(1)} s`,
  );
  expect(upstream).toBeLessThanOrEqual(calls * 0.2);
}, 120_000);

test("one that refuses connections is no different", async () => {
  stage = await openStage({ config: FAST + NO_BREAKER });
  await stage.simulator.refuse("openai");
  const { upstream, gateway, seconds } = await storm("hello");
  const limit = 1.2 * calls + 3 * (seconds + 1);
  console.log(
    `retry storm, refused: ${calls} SDK calls, ${gateway} requests, ${upstream} upstream (limit ${Math.round(limit)})`,
  );
  expect(upstream).toBeLessThanOrEqual(limit);
  await stage.simulator.accept("openai");
}, 120_000);
