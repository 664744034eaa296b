import { describe, expect, test } from "bun:test";
import { isObject } from "../../src/base/json.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { totalInput } from "../../src/base/usage.ts";
import { parseCountTokensRequest } from "../../src/wire/anthropic-messages/index.ts";
import type { ReplyFacts, StreamTally, WireFormat } from "../../src/wire/format.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";
import { decodeAll } from "../support/chunks.ts";
import { readCorpus } from "../support/corpus.ts";
import type { CorpusRecord } from "../support/corpus.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };
const FORMATS: readonly (readonly [WireFormat, readonly CorpusRecord[]])[] = [
  [formatByName("chat"), readCorpus("openai-chat")],
  [formatByName("messages"), readCorpus("anthropic-messages")],
  [formatByName("responses"), readCorpus("openai-responses")],
];

interface StreamEvent {
  readonly event: string;
  readonly json: JsonObject | null;
}

function eventsOf(sse: string): StreamEvent[] {
  return decodeAll(createSseDecoder({ maxEventBytes: 1 << 24 }), [Buffer.from(sse)]).flatMap(({ event, data }) =>
    data === null ? [] : [{ event, json: data.trim() === "[DONE]" ? null : (JSON.parse(data) as JsonObject) }],
  );
}

function tally(format: WireFormat, events: readonly StreamEvent[], choices: number): StreamTally {
  const opened = format.openTally({ collect: true, choices });
  for (const { event, json } of events) {
    if (json === null) opened.readDone();
    else opened.read(json, event);
  }
  return opened;
}

function choicesOf(record: CorpusRecord): number {
  const n = record.request?.body["n"];
  return typeof n === "number" ? n : 1;
}

/** Facts but for the spelling of tool arguments, which a stream and a buffered answer write differently. */
function comparable(facts: ReplyFacts): unknown {
  return {
    ...facts,
    choices: facts.choices.map((choice) => ({
      ...choice,
      toolCalls: choice.toolCalls.map((call) => ({ ...call, arguments: parsed(call.arguments) })),
    })),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text === "" ? "{}" : text) as Json;
  } catch {
    return text;
  }
}

describe.skipIf(sharedDir === null)(`recorded traffic (${sharedMissing})`, () => {
  for (const [format, records] of FORMATS) {
    describe(format.name, () => {
      const succeeded = records.filter(({ response }) => response.status === 200);
      const streams = succeeded.flatMap((record) =>
        record.response.sse === undefined ? [] : [{ record, events: eventsOf(record.response.sse) }],
      );
      const replies = succeeded.flatMap(({ id, endpoint, response }) =>
        isObject(response.body) && !endpoint.includes("tokens") ? [{ id, body: response.body }] : [],
      );

      test("every request that the provider accepted parses, and has facts", () => {
        for (const { id, request, endpoint } of succeeded) {
          if (request === null) continue;
          const bytes = Buffer.from(JSON.stringify(request.body));
          const parse = endpoint.endsWith("count_tokens") ? parseCountTokensRequest : format.parseRequest;
          const facts = format.facts(parse(bytes, LIMITS));
          expect(facts.model, id).toBe((request.body["model"] as string | undefined) ?? "");
          expect(facts.stream).toBe(request.body["stream"] === true);
          expect(facts.tokensInput, id).toBeGreaterThan(0);
          expect([...facts.toolSchemas.keys()].sort()).toEqual([...new Set(facts.toolNames)].sort());
          expect(typeof facts.systemText + typeof facts.promptText).toBe("stringstring");
        }
      });

      test("every buffered answer is readable and has no error", () => {
        expect(replies.length).toBeGreaterThan(100);
        for (const { id, body } of replies) {
          expect(format.isReply(body), id).toBe(true);
          expect(format.readError(body), id).toBeNull();
          const facts = format.readReply(body);
          expect(facts.id, id).toBeString();
          expect(facts.choices.length, id).toBeGreaterThan(0);
          if (body["status"] === "queued") continue;
          // gpt-4-vision-preview of 2023 wrote `finish_details` instead of a finish reason.
          if (JSON.stringify(body).includes('"finish_details"')) continue;
          expect(
            facts.choices.every((choice) => choice.stop !== null && choice.stop !== "other"),
            id,
          ).toBe(true);
          expect(facts.usage, id).not.toBeNull();
          expect(facts.usage === null ? -1 : totalInput(facts.usage), id).toBeGreaterThanOrEqual(0);
        }
      });

      test("every error answer is read", () => {
        const failed = records.filter(({ response }) => response.status >= 400 && isObject(response.body));
        expect(failed.length).toBeGreaterThan(3);
        for (const { id, response } of failed) {
          const error = format.readError(response.body ?? null);
          expect(error?.message.length ?? 0, id).toBeGreaterThan(5);
          expect(error?.type, id).toBeString();
          expect(format.isReply(response.body ?? null)).toBe(false);
        }
      });

      test("every stream is complete, started, without error, and its usage read", () => {
        expect(streams.length).toBeGreaterThan(50);
        for (const { record, events } of streams) {
          const read = tally(format, events, choicesOf(record));
          expect(read.complete, record.id).toBe(true);
          expect(read.done, record.id).toBe(true);
          expect(read.started, record.id).toBe(true);
          expect(read.error, record.id).toBeNull();
          const facts = read.facts();
          expect(
            facts.choices.every((choice) => choice.stop !== null),
            record.id,
          ).toBe(true);
          const reports = format.name !== "chat" || record.tags.includes("usage-chunk");
          expect(facts.usage === null ? "none" : "reported", record.id).toBe(reports ? "reported" : "none");
        }
      });

      test("no stream cut before its terminal counts as complete", () => {
        for (const { record, events } of streams.slice(0, 40)) {
          const whole = tally(format, events, choicesOf(record)).facts();
          for (let length = 0; length < events.length; length += Math.ceil(events.length / 20)) {
            const read = tally(format, events.slice(0, length), choicesOf(record));
            if (read.complete)
              expect(comparable({ ...read.facts(), usage: null })).toEqual(comparable({ ...whole, usage: null }));
          }
        }
      });

      test("a stream's texts are only kept on demand, its bytes counted all the same", () => {
        for (const { record, events } of streams.slice(0, 40)) {
          const collected = tally(format, events, choicesOf(record));
          const light = format.openTally({ collect: false, choices: choicesOf(record) });
          for (const { event, json } of events) if (json !== null) light.read(json, event);
          expect(light.contentBytes).toBe(collected.contentBytes);
          expect(light.facts().choices.every((choice) => choice.text === "")).toBe(true);
          expect(light.facts().choices.map((choice) => choice.stop)).toEqual(
            collected.facts().choices.map((choice) => choice.stop),
          );
        }
      });

      test("a gathered stream reads like the buffered answer it stands for", () => {
        for (const { record, events } of streams) {
          const gatherer = format.openGatherer();
          for (const { json, event } of events) if (json !== null) gatherer.read(json, event);
          const reply = gatherer.reply();
          expect(format.isReply(reply), record.id).toBe(true);
          const told = tally(format, events, choicesOf(record)).facts();
          expect(comparable(format.readReply(JSON.parse(JSON.stringify(reply)) as JsonObject)), record.id).toEqual(
            comparable(told),
          );
        }
      });
    });
  }
});
