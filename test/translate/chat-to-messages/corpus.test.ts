import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { openGatherer } from "../../../src/wire/anthropic-messages/gather.ts";
import { createSseDecoder } from "../../../src/wire/sse/decode.ts";
import { readCorpus } from "../../support/corpus.ts";
import { sharedDir, sharedMissing } from "../../support/shared.ts";
import { at, finishChoice, pieces, play, replyContext, translate } from "./support.ts";

function eventsOf(sse: string): JsonObject[] {
  const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
  const events = [...decoder.push(Buffer.from(sse)), ...decoder.end()];
  return events.flatMap(({ data }) => (data === null ? [] : [JSON.parse(data) as JsonObject]));
}

/** Calls put together from `delta.tool_calls`, as clients do. */
function joinCalls(entries: readonly unknown[]): unknown[] | undefined {
  const calls: { id: unknown; type: unknown; function: { name: unknown; arguments: string } }[] = [];
  for (const entry of entries) {
    const call = calls[at(entry, "index") as number];
    const piece = at(entry, "function", "arguments") as string;
    if (call !== undefined) call.function.arguments += piece;
    else
      calls.push({
        id: at(entry, "id"),
        type: at(entry, "type"),
        function: { name: at(entry, "function", "name"), arguments: piece },
      });
  }
  // Spacing of streamed arguments is the model's; the buffered answer writes them anew.
  for (const call of calls) call.function.arguments = JSON.stringify(JSON.parse(call.function.arguments));
  return calls.length === 0 ? undefined : calls;
}

describe.skipIf(sharedDir === null)(
  `recorded streams of Claude${sharedDir === null ? `: ${sharedMissing}` : ""}`,
  () => {
    test("say the same streamed as gathered and translated whole", () => {
      let streams = 0;
      for (const record of [...readCorpus("anthropic-messages"), ...readCorpus("response-only")]) {
        const { sse } = record.response;
        if (sse === undefined || record.endpoint !== "messages") continue;
        const events = eventsOf(sse);
        const isOneAnswer = events.filter((event) => event["type"] === "message_start").length === 1;
        if (!isOneAnswer || events.some((event) => event["type"] === "error")) continue;
        const gatherer = openGatherer();
        for (const event of events) gatherer.read(event, String(event["type"]));
        const translated = translate({ stream: true, stream_options: { include_usage: true } });
        const whole = translated.response(gatherer.reply(), replyContext, []).body;
        const message = at(whole, "choices", 0, "message");
        const frames = play(translated, events);
        const finish = finishChoice(frames);
        const told: unknown = {
          content: pieces(frames, "content").join(""),
          tool_calls: joinCalls(pieces(frames, "tool_calls").flat()),
          reasoning_content: pieces(frames, "reasoning_content").join(""),
          reasoning_details: pieces(frames, "reasoning_details").at(0),
          annotations: at(finish, "delta", "annotations") ?? [],
          citations: at(finish, "delta", "citations"),
          finish_reason: at(finish, "finish_reason"),
          usage: at(frames.at(-2)?.json, "usage"),
        };
        expect(told, record.id).toEqual({
          content: at(message, "content") ?? "",
          tool_calls: at(message, "tool_calls"),
          reasoning_content: at(message, "reasoning_content") ?? "",
          reasoning_details: at(message, "reasoning_details"),
          annotations: at(message, "annotations"),
          citations: at(message, "citations"),
          finish_reason: at(whole, "choices", 0, "finish_reason"),
          usage: at(whole, "usage"),
        });
        streams++;
      }
      expect(streams).toBeGreaterThan(100);
    });
  },
);
