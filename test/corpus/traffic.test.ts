/**
 * Recorded traffic through the gateway's pure parts: every request, answer and stream of the three formats is parsed, passed
 * through and translated, and what comes out is judged by the other provider's rules and by the other SDK's own readers.
 * Prints how many records went through each check, and the refusals by reason.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { Stream as MessageSseStream } from "@anthropic-ai/sdk/core/streaming";
import { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import { Stream as ChatSseStream } from "openai/core/streaming";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { GatewayError } from "../../src/base/errors.ts";
import { isObject, own, type JsonObject } from "../../src/base/json.ts";
import type { FormatName } from "../../src/base/names.ts";
import type { Translated, Translator } from "../../src/translate/translator.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { spliceFields } from "../../src/wire/splice.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";
import { decodeAll, splitEvery } from "../support/chunks.ts";
import { readCorpus, type CorpusRecord } from "../support/corpus.ts";
import { declaredCalls, PAIRS, parseFor, translateReply, translateRequest, translateStream } from "../support/pairs.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";
import { assertChatStream, assertMessagesStream } from "../support/stream-invariants.ts";
import { judgeRequest } from "./judge.ts";
import { explain } from "./refusals.ts";

/** Targets of the translation: a model of the newest family and one that still takes what newer ones refuse. */
const TARGETS: Readonly<Record<FormatName, readonly string[]>> = {
  chat: ["gpt-4.1"],
  messages: ["claude-sonnet-5-5", "claude-sonnet-4-5-20250929", "claude-opus-4-8"],
  responses: ["gpt-5.6", "gpt-5", "gpt-6.1-sol"],
};

interface Direction {
  readonly pair: string;
  readonly translator: Translator;
  readonly records: readonly CorpusRecord[];
  /** Recorded answers in the format that the translated request is answered in. */
  readonly answers: readonly CorpusRecord[];
}

const chatRecords = readCorpus("openai-chat").filter((record) => record.endpoint === "chat.completions");
const messagesRecords = readCorpus("anthropic-messages").filter((record) => record.endpoint === "messages");

/** Answers that were recorded without their request. */
const loneAnswers = readCorpus("response-only");
const chatAnswers = [...chatRecords, ...loneAnswers.filter((record) => record.endpoint === "chat.completions")];
const responsesAnswers = [...readCorpus("openai-responses"), ...loneAnswers].filter(
  (record) => record.endpoint === "responses",
);
const messagesAnswers = [...messagesRecords, ...loneAnswers.filter((record) => record.endpoint === "messages")];

const ANSWERS: Readonly<Record<FormatName, readonly CorpusRecord[]>> = {
  chat: chatAnswers,
  messages: messagesAnswers,
  responses: responsesAnswers,
};

/** Traffic of Responses clients is checked in responses.test.ts. */
const DIRECTIONS: readonly Direction[] = Object.entries(PAIRS)
  .filter(([, translator]) => translator.client !== "responses")
  .map(([pair, translator]) => ({
    pair,
    translator,
    records: translator.client === "chat" ? chatRecords : messagesRecords,
    answers: ANSWERS[translator.upstream],
  }));

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
function collect(records: readonly CorpusRecord[], check: (record: CorpusRecord) => void): void {
  const wrong = records.flatMap((record) => {
    try {
      check(record);
      return [];
    } catch (error) {
      return [`${record.id}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`];
    }
  });
  expect(wrong).toEqual([]);
}

/** A request that asks for nothing special, in the format of the client, to hang recorded answers on. */
function plainRequest(translator: Translator, stream: boolean, model: string): Translated {
  const body = {
    model,
    max_tokens: 4096,
    messages: [{ role: "user", content: "Hello." }],
    ...(stream ? { stream: true } : {}),
    ...(stream && translator.client === "chat" ? { stream_options: { include_usage: true } } : {}),
  };
  return translateRequest(translator, parseFor(translator.client, Buffer.from(JSON.stringify(body))), model);
}

/** Reads a translated stream with the official SDK of the client's format, bytes to final object, as its users do. */
async function readWithSdk(client: FormatName, text: string): Promise<void> {
  const response = new Response(text, { headers: { "content-type": "text/event-stream" } });
  if (client === "chat") {
    const chunks = ChatSseStream.fromSSEResponse(response, new AbortController()).toReadableStream();
    const final = await ChatCompletionStream.fromReadableStream(chunks).finalChatCompletion();
    expect(final.choices).toHaveLength(1);
  } else {
    const events = MessageSseStream.fromSSEResponse(response, new AbortController()).toReadableStream();
    const final = await MessageStream.fromReadableStream(events).finalMessage();
    expect(final.type).toBe("message");
  }
}

describe.skipIf(sharedDir === null)(`recorded traffic${sharedDir === null ? `: ${sharedMissing}` : ""}`, () => {
  test("is there in full", () => {
    expect(chatRecords.length).toBeGreaterThan(500);
    expect(messagesRecords.length).toBeGreaterThan(400);
    expect(responsesAnswers.length).toBeGreaterThan(400);
  });

  for (const [format, records, answers] of [
    ["chat", chatRecords, chatAnswers],
    ["messages", messagesRecords, messagesAnswers],
  ] as const) {
    test(`${format}: every accepted request parses, and a refused one is refused or passed on`, () => {
      collect(records, (record) => {
        try {
          parseFor(format, bodyBytes(record));
          count(`${format} requests parsed`);
        } catch (error) {
          if (!(error instanceof GatewayError) || accepted(record)) throw error;
          count(`${format} requests refused that the provider refused too: ${error.message}`);
        }
      });
    });

    test(`${format}: every request passes through byte for byte but for the model`, () => {
      collect(records.filter(accepted), (record) => {
        const bytes = bodyBytes(record);
        expect(Buffer.from(parseFor(format, bytes).bytes)).toEqual(Buffer.from(bytes));
        const there = spliceFields(bytes, [{ field: "model", value: "another-model" }]);
        const back = spliceFields(there, [{ field: "model", value: own(record.request?.body, "model") ?? "" }]);
        expect(Buffer.from(back).toString()).toBe(Buffer.from(bytes).toString());
        expect(JSON.parse(Buffer.from(there).toString())).toEqual({ ...record.request?.body, model: "another-model" });
        count(`${format} requests spliced`);
      });
    });

    test(`${format}: every stream passes through byte for byte and is read whole`, () => {
      collect(answers, (record) => {
        const { sse } = record.response;
        if (sse === undefined) return;
        const bytes = Buffer.from(sse);
        const events = decodeAll(createSseDecoder({ maxEventBytes: 16_777_216 }), splitEvery(bytes, 61));
        expect(
          Buffer.concat(events.map((event) => event.bytes))
            .toString()
            .trimEnd(),
        ).toBe(sse.trimEnd());
        const choices = own(record.request?.body, "n");
        const tally = formatByName(format).openTally({
          collect: true,
          choices: typeof choices === "number" ? choices : 1,
        });
        for (const { data, event } of events) {
          if (data === null) continue;
          if (data.trim() === "[DONE]") tally.readDone();
          else tally.read(JSON.parse(data) as JsonObject, event);
        }
        if (tally.error === null) expect(tally.complete).toBe(true);
        count(`${format} streams passed through${tally.error === null ? "" : ", ended by an error event"}`);
      });
    });

    test(`${format}: every answer and error is read`, () => {
      collect(answers, (record) => {
        const { body, status } = record.response;
        if (!isObject(body)) return;
        const wire = formatByName(format);
        if (status >= 400) expect(wire.readError(body)).not.toBeNull();
        else {
          expect(wire.isReply(body)).toBe(true);
          expect(wire.readReply(body).model).toBeString();
        }
        count(`${format} ${status >= 400 ? "errors" : "answers"} read`);
      });
    });
  }

  for (const { pair, translator, records, answers } of DIRECTIONS) {
    for (const model of TARGETS[translator.upstream]) {
      test(`${pair}: every request becomes one that ${model} accepts, or is refused for a known reason`, () => {
        collect(records, (record) => {
          let translated: Translated;
          try {
            translated = translateRequest(translator, parseFor(translator.client, bodyBytes(record)), model);
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            if (accepted(record)) count(`${pair}, ${model}: refused: ${explain(pair, error)}`);
            else count(`${pair}, ${model}: refused what the provider refused too`);
            return;
          }
          const judgement = judgeRequest(
            translator.upstream,
            JSON.parse(translated.body) as JsonObject,
            translated.betas,
          );
          if (judgement !== null && accepted(record)) {
            throw new Error(`${model} refuses it (${judgement.rule}): ${judgement.message}`);
          }
          count(`${pair}, ${model}: requests accepted`);
        });
      });
    }

    test(`${pair}: translating a request twice gives the same bytes`, () => {
      const [model = ""] = TARGETS[translator.upstream];
      collect(records.filter(accepted), (record) => {
        const translate = (): string => {
          try {
            return translateRequest(translator, parseFor(translator.client, bodyBytes(record)), model).body;
          } catch (error) {
            return String(error);
          }
        };
        expect(translate()).toBe(translate());
      });
    });

    test(`${pair}: every answer becomes one of the client's format`, () => {
      const [model = ""] = TARGETS[translator.upstream];
      const translated = plainRequest(translator, false, model);
      const client = formatByName(translator.client);
      collect(answers, (record) => {
        const { body } = record.response;
        if (!isObject(body) || !accepted(record)) return;
        const answer = translateReply(translated, body);
        if (answer === null) {
          count(`${pair} answers to be continued`);
          return;
        }
        expect(client.isReply(answer.body)).toBe(true);
        const before = formatByName(translator.upstream).readReply(body);
        const after = client.readReply(answer.body);
        expect(after.usage?.output ?? 0).toBe(before.usage?.output ?? 0);
        if (before.choices.length === 1) expectSameContent(after, before);
        count(`${pair} answers translated`);
      });
    });

    test(`${pair}: every stream becomes one that keeps the rules and that the client's SDK reads`, async () => {
      const [model = ""] = TARGETS[translator.upstream];
      const wrong: string[] = [];
      for (const record of answers) {
        const { sse } = record.response;
        const choices = own(record.request?.body, "n");
        if (sse === undefined || !accepted(record) || (typeof choices === "number" && choices > 1)) continue;
        if (/^event: (error|response\.failed)$/m.test(sse)) continue;
        try {
          const text = translateStream(
            translator,
            plainRequest(translator, true, model),
            splitEvery(Buffer.from(sse), 97),
          );
          if (translator.client === "chat") assertChatStream(text, { usage: true });
          else assertMessagesStream(text);
          await readWithSdk(translator.client, text);
          count(`${pair} streams translated`);
        } catch (error) {
          wrong.push(`${record.id}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
        }
      }
      expect(wrong).toEqual([]);
    });

    test(`${pair}: every error keeps its words`, () => {
      collect(answers, (record) => {
        const { body, status } = record.response;
        if (status < 400) return;
        const text = record.response.text ?? JSON.stringify(body);
        const json = isObject(body) ? body : null;
        const translated = translator.error({ status, headers: new Headers(), json, text }, 502);
        const message = formatByName(translator.upstream).readError(body ?? null)?.message;
        if (message !== undefined) expect(translated.error.message).toContain(message);
        count(`${pair} errors translated`);
      });
    });
  }
});

type Facts = ReturnType<ReturnType<typeof formatByName>["readReply"]>;

/** Text, tool calls and their arguments are the same on both sides. */
function expectSameContent(after: Facts, before: Facts): void {
  const [one] = after.choices;
  const [other] = before.choices;
  if (one === undefined || other === undefined) throw new Error("an answer without a choice");
  // A Response may hold several messages: where one text stands for them, an empty line parts them.
  const shown = ({ text, refusal }: typeof one): string =>
    (text === "" && refusal !== null ? refusal : text).replaceAll("\n\n", "");
  expect(shown(one)).toBe(shown(other));
  // A format without custom tools has their text as the field `input`.
  const hasCustom = (choice: typeof one) => declaredCalls(choice.toolCalls).some(({ kind }) => kind === "custom");
  const isLifted = hasCustom(one) !== hasCustom(other);
  const calls = (choice: typeof one) =>
    declaredCalls(choice.toolCalls).map((call) => ({
      name: call.name,
      arguments: isLifted && call.kind === "custom" ? { input: call.arguments } : parseArguments(call.arguments),
    }));
  expect(calls(one)).toEqual(calls(other));
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch {
    return text;
  }
}
