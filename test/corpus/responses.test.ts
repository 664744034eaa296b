/**
 * Recorded traffic of the Responses API: every record passes through unchanged, and becomes a request that Claude accepts or
 * is refused for a reason in the table; Claude's recorded answers become Responses that the official SDK reads.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { Stream } from "openai/core/streaming";
import { ResponseStream } from "openai/lib/responses/ResponseStream";
import { GatewayError } from "../../src/base/errors.ts";
import { isObject, own, type JsonObject } from "../../src/base/json.ts";
import { responsesToMessages } from "../../src/translate/responses-to-messages/index.ts";
import type { Translated } from "../../src/translate/translator.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { spliceFields } from "../../src/wire/splice.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";
import { decodeAll, splitEvery } from "../support/chunks.ts";
import { readCorpus, type CorpusRecord } from "../support/corpus.ts";
import { parseFor, translateReply, translateRequest, translateStream } from "../support/pairs.ts";
import { assertResponsesStream } from "../support/responses-invariants.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";
import { judgeRequest } from "./judge.ts";
import { explain } from "./refusals.ts";

const pair = "responses-to-messages";
const models = ["claude-sonnet-5-5", "claude-sonnet-4-5-20250929", "claude-opus-4-8"];
const wire = formatByName("responses");

const all = readCorpus("openai-responses");
const records = all.filter((record) => record.endpoint === "responses");
const answers = [...readCorpus("anthropic-messages"), ...readCorpus("response-only")].filter(
  (record) => record.endpoint === "messages",
);

const counts = new Map<string, number>();
const count = (what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1);
};
afterAll(() => {
  for (const [what, number] of [...counts].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`${number}\t${what}`);
});

const accepted = (record: CorpusRecord): boolean => record.response.status < 400;
const bodyBytes = (record: CorpusRecord): Uint8Array => Buffer.from(JSON.stringify(record.request?.body ?? null));

/** Collects what went wrong, so that a run names every record at once. */
async function collect(list: readonly CorpusRecord[], check: (record: CorpusRecord) => unknown): Promise<void> {
  const wrong: string[] = [];
  for (const record of list) {
    try {
      await check(record);
    } catch (error) {
      wrong.push(`${record.id}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
    }
  }
  expect(wrong).toEqual([]);
}

const plain = (stream: boolean): Translated =>
  translateRequest(
    responsesToMessages,
    parseFor("responses", Buffer.from(JSON.stringify({ model: "m", input: "Hello.", stream }))),
    "claude-sonnet-5-5",
  );

describe.skipIf(sharedDir === null)(
  `recorded Responses traffic${sharedDir === null ? `: ${sharedMissing}` : ""}`,
  () => {
    test("is there in full", () => {
      expect(records.length).toBeGreaterThan(400);
      expect(answers.length).toBeGreaterThan(400);
    });

    test("every accepted request parses, and passes through byte for byte but for the model", async () => {
      await collect(all.filter(accepted), (record) => {
        const bytes = bodyBytes(record);
        if (own(record.request?.body, "model") === undefined) {
          count("responses requests without a model of their own (a stored prompt brings it, or nothing to generate)");
          return;
        }
        expect(Buffer.from(parseFor("responses", bytes).bytes)).toEqual(Buffer.from(bytes));
        const there = spliceFields(bytes, [{ field: "model", value: "another-model" }]);
        const back = spliceFields(there, [{ field: "model", value: own(record.request?.body, "model") ?? "" }]);
        expect(Buffer.from(back).toString()).toBe(Buffer.from(bytes).toString());
        expect(JSON.parse(Buffer.from(there).toString())).toEqual({ ...record.request?.body, model: "another-model" });
        count("responses requests spliced");
      });
    });

    test("every stream passes through byte for byte and is read whole", async () => {
      await collect(records, (record) => {
        const { sse } = record.response;
        if (sse === undefined) return;
        const events = decodeAll(createSseDecoder({ maxEventBytes: 16_777_216 }), splitEvery(Buffer.from(sse), 61));
        expect(
          Buffer.concat(events.map((event) => event.bytes))
            .toString()
            .trimEnd(),
        ).toBe(sse.trimEnd());
        const tally = wire.openTally({ collect: true, choices: 1 });
        for (const { data, event } of events) {
          if (data !== null && data.trim() !== "[DONE]") tally.read(JSON.parse(data) as JsonObject, event);
        }
        if (tally.error === null) expect(tally.complete).toBe(true);
        count(`responses streams passed through${tally.error === null ? "" : ", ended by an error event"}`);
      });
    });

    test("every answer and error is read", async () => {
      await collect(records, (record) => {
        const { body, status } = record.response;
        if (!isObject(body)) return;
        if (status >= 400) expect(wire.readError(body)).not.toBeNull();
        else {
          expect(wire.isReply(body)).toBe(true);
          expect(wire.readReply(body).model).toBeString();
        }
        count(`responses ${status >= 400 ? "errors" : "answers"} read`);
      });
    });

    for (const model of models) {
      test(`every request becomes one that ${model} accepts, or is refused for a known reason`, async () => {
        await collect(records, (record) => {
          let translated: Translated;
          try {
            translated = translateRequest(responsesToMessages, parseFor("responses", bodyBytes(record)), model);
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            if (accepted(record)) count(`${pair}, ${model}: refused: ${explain(pair, error)}`);
            else count(`${pair}, ${model}: refused what the provider refused too`);
            return;
          }
          const judgement = judgeRequest("messages", JSON.parse(translated.body) as JsonObject, translated.betas);
          if (judgement !== null && accepted(record)) {
            throw new Error(`${model} refuses it (${judgement.rule}): ${judgement.message}`);
          }
          const again = translateRequest(responsesToMessages, parseFor("responses", bodyBytes(record)), model);
          expect(again.body).toBe(translated.body);
          count(`${pair}, ${model}: requests accepted`);
        });
      });
    }

    test("every answer of Claude becomes a Response of the same content", async () => {
      const translated = plain(false);
      await collect(answers, (record) => {
        const { body } = record.response;
        if (!isObject(body) || !accepted(record)) return;
        const answer = translateReply(translated, body);
        if (answer === null) return;
        expect(wire.isReply(answer.body)).toBe(true);
        const after = wire.readReply(answer.body);
        const before = formatByName("messages").readReply(body);
        expect(after.usage?.output).toBe(before.usage?.output ?? 0);
        expect(after.choices[0]?.text).toBe(before.choices[0]?.text ?? "");
        expect(after.choices[0]?.toolCalls.map(({ name }) => name)).toEqual(
          before.choices[0]?.toolCalls.map(({ name }) => name) ?? [],
        );
        count(`${pair} answers translated`);
      });
    });

    test("every stream of Claude keeps the rules, says what the whole answer says, and is read by the official SDK", async () => {
      await collect(answers, async (record) => {
        const { sse } = record.response;
        if (sse === undefined || !accepted(record)) return;
        const text = translateStream(responsesToMessages, plain(true), splitEvery(Buffer.from(sse), 97));
        const final = assertResponsesStream(text);
        const response = new Response(text, { headers: { "content-type": "text/event-stream" } });
        const events = Stream.fromSSEResponse(response, new AbortController()).toReadableStream();
        const read = await ResponseStream.fromReadableStream(events).finalResponse();
        expect(read.output.length).toBe((own(final, "output") as readonly unknown[]).length);
        count(`${pair} streams translated`);
      });
    });

    test("a translated answer can be sent back: Claude accepts the conversation that goes on", async () => {
      await collect(answers, (record) => {
        const { body } = record.response;
        if (!isObject(body) || !accepted(record)) return;
        const answer = translateReply(plain(false), body);
        const output = own(answer?.body, "output");
        if (!Array.isArray(output) || output.length === 0) return;
        const calls = (output as readonly JsonObject[]).filter((item) => own(item, "type") === "function_call");
        const results = calls.map((call) => ({
          type: "function_call_output",
          call_id: own(call, "call_id") ?? "",
          output: "done",
        }));
        const next = {
          model: "m",
          input: [{ role: "user", content: "Hi." }, ...output, ...results, { role: "user", content: "Go on." }],
        };
        const request = parseFor("responses", Buffer.from(JSON.stringify(next)));
        const translated = translateRequest(responsesToMessages, request, "claude-sonnet-5-5");
        const judgement = judgeRequest("messages", JSON.parse(translated.body) as JsonObject, translated.betas);
        if (judgement !== null) throw new Error(`refused (${judgement.rule}): ${judgement.message}`);
        count(`${pair} answers sent back`);
      });
    });
  },
);
