/**
 * Cost and saved computed a second time: from the usage in the providers' own words and the prices in the catalog's file,
 * with none of the gateway's code, in decimal fractions of integers.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { own, type Json } from "../../src/base/json.ts";
import builtIn from "../../src/catalog/models.json" with { type: "json" };
import { renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { json, sse } from "../support/scripted-client.ts";
import { createPipeline } from "../support/pipeline.ts";

/** Prices as they stand in the catalog's file: dollars per million tokens. */
interface FilePrices {
  readonly input: number;
  readonly output: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly cache_write_long?: number;
}

const OPENAI = ["gpt-4.1", "gpt-4o-mini", "gpt-4.1-nano"] as const;
const ANTHROPIC = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"] as const;

/** Prices of a tier for a request of `inputTokens`, cached ones included. */
function pricesOf(model: string, inputTokens: number, tier = "standard"): FilePrices {
  const prices = own(own(own(builtIn.models, model), "usd_per_mtok"), tier);
  const above = Object.entries((own(prices, "above") ?? {}) as Readonly<Record<string, Json>>);
  const band = above.filter(([over]) => inputTokens > Number(over)).toSorted(([a], [b]) => Number(b) - Number(a))[0];
  return (band === undefined ? prices : band[1]) as unknown as FilePrices;
}

/** Exact: millionths of a dollar per million tokens are integers, so tokens × price is an integer of 1e-12 dollars. */
function dollars(parts: readonly (readonly [tokens: number, usdPerMillion: number])[]): number {
  const pico = parts.reduce((sum, [tokens, price]) => sum + BigInt(tokens) * BigInt(Math.round(price * 1e6)), 0n);
  return Number(pico) / 1e12;
}

interface OpenAiUsage {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
}

function openAiCost(model: string, usage: OpenAiUsage, tier?: string): number {
  const { input, output, cache_read = input } = pricesOf(model, usage.prompt, tier);
  return dollars([
    [usage.prompt - usage.cached, input],
    [usage.cached, cache_read],
    [usage.completion, output],
  ]);
}

interface AnthropicUsage {
  readonly input: number;
  readonly read: number;
  readonly written: number;
  readonly writtenLong: number;
  readonly output: number;
}

function anthropicCost(model: string, usage: AnthropicUsage): number {
  const {
    input,
    output,
    cache_read = input,
    cache_write = input,
    cache_write_long = input,
  } = pricesOf(model, usage.input + usage.read + usage.written + usage.writtenLong);
  return dollars([
    [usage.input, input],
    [usage.read, cache_read],
    [usage.written, cache_write],
    [usage.writtenLong, cache_write_long],
    [usage.output, output],
  ]);
}

function chatReply(model: string, { prompt, cached, completion }: OpenAiUsage, content = "{}") {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model,
    choices: [
      { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: cached },
    },
  };
}

function messagesReply(model: string, { input, read, written, writtenLong, output }: AnthropicUsage) {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text: "hi" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: input,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: written + writtenLong,
      cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: writtenLong },
      output_tokens: output,
    },
  };
}

/** Cost and saved as the ledger has them. */
function ledgerMoney(record: Parameters<typeof renderLedgerLine>[0]): readonly [cost: number, saved: number] {
  const line = JSON.parse(renderLedgerLine(record, { keepBody: false })) as { cost_usd: number; saved_usd: number };
  return [line.cost_usd, line.saved_usd];
}

const tokens = fc.integer({ min: 0, max: 90_000 });
const ASK = { messages: [{ role: "user", content: "hi" }] };
const RUNS = { numRuns: 60 };

function policyTo(model: string, then = ""): string {
  return `rules:\n  - name: all\n    then: { model: ${model}${then} }\n`;
}

function expectMoney(actual: readonly [number, number], cost: number, saved: number): void {
  expect(Math.abs(actual[0] - cost)).toBeLessThan(1e-9);
  expect(Math.abs(actual[1] - saved)).toBeLessThan(1e-9);
}

describe("cost and saved, computed a second time from the providers' usage", () => {
  test("agree for a Chat answer of another OpenAI model", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OPENAI),
        fc.constantFrom(...OPENAI),
        tokens,
        tokens,
        tokens,
        async (asked, used, fresh, cached, completion) => {
          const usage = { prompt: fresh + cached, cached, completion };
          const pipeline = createPipeline({ upstream: () => json(chatReply(used, usage)), policy: policyTo(used) });
          await pipeline.send("chat", { model: asked, messages: [{ role: "user", content: "hi" }] });
          const [record] = pipeline.records;
          if (record === undefined) throw new Error("no record");
          const cost = openAiCost(used, usage);
          expectMoney(ledgerMoney(record), cost, openAiCost(asked, usage) - cost);
        },
      ),
      RUNS,
    );
  });

  test("agree for a Messages answer with cache reads and both kinds of writes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...ANTHROPIC),
        fc.constantFrom(...ANTHROPIC),
        fc.record({ input: tokens, read: tokens, written: fc.nat(9000), writtenLong: fc.nat(9000), output: tokens }),
        async (asked, used, usage) => {
          const pipeline = createPipeline({ upstream: () => json(messagesReply(used, usage)), policy: policyTo(used) });
          await pipeline.send("messages", { model: asked, max_tokens: 9, messages: [{ role: "user", content: "hi" }] });
          const [record] = pipeline.records;
          if (record === undefined) throw new Error("no record");
          const cost = anthropicCost(used, usage);
          expectMoney(ledgerMoney(record), cost, anthropicCost(asked, usage) - cost);
        },
      ),
      RUNS,
    );
  });

  test("agree on both sides of a long-context band, which prices the whole request", async () => {
    for (const input of [99_999, 100_000, 100_001, 250_000]) {
      const usage = { input: input - 40, read: 20, written: 15, writtenLong: 5, output: 1000 };
      const pipeline = createPipeline({
        upstream: () => json(messagesReply("claude-haiku-5-5", usage)),
        policy: policyTo("claude-haiku-5-5"),
      });
      await pipeline.send("messages", { ...ASK, model: "claude-sonnet-4-5", max_tokens: 9 });
      const [record] = pipeline.records;
      if (record === undefined) throw new Error("no record");
      const cost = anthropicCost("claude-haiku-5-5", usage);
      expectMoney(ledgerMoney(record), cost, anthropicCost("claude-sonnet-4-5", usage) - cost);
    }
    const [below, above] = [100_000, 100_001].map((tokens) => pricesOf("claude-haiku-5-5", tokens).input);
    expect(below).not.toBe(above as number);
  });

  test("agree for an answer of another service tier", async () => {
    const usage = { prompt: 1000, cached: 200, completion: 300 };
    const pipeline = createPipeline({
      upstream: () => json({ ...chatReply("gpt-4.1", usage), service_tier: "priority" }),
    });
    await pipeline.send("chat", { ...ASK, model: "gpt-4.1", service_tier: "priority" });
    const [record] = pipeline.records;
    if (record === undefined) throw new Error("no record");
    const cost = openAiCost("gpt-4.1", usage, "priority");
    expect(ledgerMoney(record)[0]).toBeCloseTo(cost, 12);
  });

  test("agree when a first answer was rejected: it is paid for as well", async () => {
    await fc.assert(
      fc.asyncProperty(tokens, tokens, tokens, tokens, async (prompt, wrong, again, right) => {
        const first = { prompt, cached: 0, completion: wrong };
        const second = { prompt: again, cached: 0, completion: right };
        const pipeline = createPipeline({
          upstream: (_, index) =>
            index === 0 ? json(chatReply("gpt-4o-mini", first, "no json")) : json(chatReply("gpt-4.1", second)),
          policy: policyTo("gpt-4o-mini", ", validate: [json], fallback_chain: [gpt-4.1]"),
        });
        await pipeline.send("chat", { model: "gpt-4.1", messages: [{ role: "user", content: "hi" }] });
        const [record] = pipeline.records;
        if (record === undefined) throw new Error("no record");
        expect(record.heal).toBe("healed");
        const cost = openAiCost("gpt-4o-mini", first) + openAiCost("gpt-4.1", second);
        expectMoney(ledgerMoney(record), cost, openAiCost("gpt-4.1", second) - cost);
      }),
      RUNS,
    );
  });

  test("agree for a stream that reports its usage at its end", async () => {
    await fc.assert(
      fc.asyncProperty(tokens, tokens, tokens, async (fresh, cached, completion) => {
        const usage = { prompt: fresh + cached, cached, completion };
        const reply = chatReply("gpt-4o-mini", usage);
        const chunk = (more: object): string =>
          `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "gpt-4o-mini", choices: [], ...more })}\n\n`;
        const pipeline = createPipeline({
          upstream: () =>
            sse([
              chunk({ choices: [{ index: 0, delta: { role: "assistant", content: "hi" }, finish_reason: null }] }),
              chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
              chunk({ usage: reply.usage }),
              "data: [DONE]\n\n",
            ]),
          policy: policyTo("gpt-4o-mini"),
        });
        await pipeline.send("chat", {
          model: "gpt-4.1",
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: "user", content: "hi" }],
        });
        const [record] = pipeline.records;
        if (record === undefined) throw new Error("no record");
        expect(record.usage?.source).toBe("reported");
        const cost = openAiCost("gpt-4o-mini", usage);
        expectMoney(ledgerMoney(record), cost, openAiCost("gpt-4.1", usage) - cost);
      }),
      RUNS,
    );
  });
});
