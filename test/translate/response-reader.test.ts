import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import {
  createResponseReader,
  readResponse,
  responseFinish,
  type ResponseSink,
} from "../../src/translate/response-reader.ts";

/** A sink that writes down what it is given. */
function createLog(): { readonly log: string[]; readonly sink: ResponseSink } {
  const log: string[] = [];
  const sink: ResponseSink = {
    reasoning: (text) => void log.push(`reasoning ${text}`),
    endReasoning: ({ id }) => void log.push(`end reasoning ${String(id)}`),
    text: (text) => void log.push(`text ${text}`),
    refusal: (text) => void log.push(`refusal ${text}`),
    endMessage: () => void log.push("end message"),
    openCall: ({ id, name, custom }) => void log.push(`call ${id} ${name}${custom ? " custom" : ""}`),
    input: (text) => void log.push(`input ${text}`),
    endCall: () => void log.push("end call"),
    other: ({ type }) => void log.push(`other ${String(type)}`),
  };
  return { log, sink };
}

function read(events: readonly JsonObject[]): readonly string[] {
  const { log, sink } = createLog();
  const reader = createResponseReader(sink);
  for (const event of events) reader.push(event);
  reader.end();
  return log;
}

const message = (text: string): JsonObject => ({ type: "message", content: [{ type: "output_text", text }] });
const call = (id: string, args: string): JsonObject => ({
  type: "function_call",
  call_id: id,
  name: "look",
  arguments: args,
});
const added = (output_index: number, item: JsonObject): JsonObject => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (output_index: number, item: JsonObject): JsonObject => ({
  type: "response.output_item.done",
  output_index,
  item,
});
const text = (output_index: number, delta: string): JsonObject => ({
  type: "response.output_text.delta",
  output_index,
  delta,
});
const args = (output_index: number, delta: string): JsonObject => ({
  type: "response.function_call_arguments.delta",
  output_index,
  delta,
});
const completed = (output: readonly JsonObject[]): JsonObject => ({
  type: "response.completed",
  response: { status: "completed", output },
});

describe("the reader of Responses", () => {
  test("gives pieces as they come", () => {
    expect(
      read([
        added(0, { type: "message", content: [] }),
        text(0, "a"),
        text(0, "b"),
        done(0, message("ab")),
        added(1, call("c1", "")),
        args(1, "{}"),
        done(1, call("c1", "{}")),
        completed([message("ab"), call("c1", "{}")]),
      ]),
    ).toEqual(["text a", "text b", "end message", "call c1 look", "input {}", "end call"]);
  });

  test("keeps items apart that run side by side, in the order of their places", () => {
    expect(
      read([
        added(0, { type: "message", content: [] }),
        text(0, "a"),
        added(2, call("c2", "")),
        added(1, call("c1", "")),
        args(2, "{2"),
        args(1, "{1}"),
        done(2, call("c2", "{2}")),
        text(0, "b"),
        done(0, message("ab")),
        done(1, call("c1", "{1}")),
        completed([message("ab"), call("c1", "{1}"), call("c2", "{2}")]),
      ]),
    ).toEqual([
      "text a",
      "text b",
      "end message",
      "call c1 look",
      "input {1}",
      "end call",
      "call c2 look",
      "input {2",
      "end call",
    ]);
  });

  test("#6 supplies from an item's end what came without deltas, and from the answer's end what had none", () => {
    expect(
      read([
        added(0, call("c1", "")),
        done(0, call("c1", '{"a":1}')),
        completed([call("c1", '{"a":1}'), message("late")]),
      ]),
    ).toEqual(["call c1 look", 'input {"a":1}', "end call", "text late", "end message"]);
  });

  test("ends what was left open, though the answer's end holds nothing", () => {
    expect(
      read([added(0, { type: "message", content: [] }), text(0, "a"), added(1, call("c1", "")), completed([])]),
    ).toEqual(["text a", "end message", "call c1 look", "end call"]);
  });

  test("joins the parts of a summary by an empty line", () => {
    const part = { type: "response.reasoning_summary_part.added", output_index: 0 };
    const delta = (piece: string): JsonObject => ({
      type: "response.reasoning_summary_text.delta",
      output_index: 0,
      delta: piece,
    });
    const item = { type: "reasoning", id: "rs_1", summary: [{ text: "ab" }, { text: "c" }] };
    const streamed = [added(0, item), part, delta("a"), delta("b"), part, delta("c"), done(0, item), completed([item])];
    expect(read(streamed)).toEqual(["reasoning a", "reasoning b", "reasoning \n\nc", "end reasoning rs_1"]);
    const { log, sink } = createLog();
    readResponse({ output: [item] }, sink);
    expect(log).toEqual(["reasoning ab\n\nc", "end reasoning rs_1"]);
  });

  test("reads a whole answer, items of other types and things that are none", () => {
    const { log, sink } = createLog();
    readResponse(
      {
        output: [
          { type: "web_search_call" },
          null,
          { type: "custom_tool_call", call_id: "c", name: "say", input: "hi" },
          { type: "message", content: [{ type: "refusal", refusal: "no" }] },
          { type: "reasoning", content: [{ type: "reasoning_text", text: "open" }] },
        ],
      },
      sink,
    );
    expect(log).toEqual([
      "other web_search_call",
      "call c say custom",
      "input hi",
      "end call",
      "refusal no",
      "end message",
      "reasoning open",
      "end reasoning undefined",
    ]);
  });

  test("ignores what is repeated after an item's end", () => {
    expect(
      read([added(0, message("")), text(0, "a"), done(0, message("a")), text(0, "a"), done(0, message("a"))]),
    ).toEqual(["text a", "end message"]);
  });

  test.each([
    [{ status: "completed" }, "stop"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length"],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" } }, "content_filter"],
    [{ status: "incomplete" }, "length"],
    [{}, "stop"],
  ] as const)("tells why %j ended", (response, word) => {
    expect(responseFinish(response)).toBe(word);
  });
});
