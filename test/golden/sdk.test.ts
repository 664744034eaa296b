/** The streams that Responses clients get in the stories, read by the official SDK's own accumulator. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Stream } from "openai/core/streaming";
import { accumulateResponse } from "openai/lib/responses/ResponseAccumulator";
import { ResponseStream } from "openai/lib/responses/ResponseStream";
import type { Response as Answer, ResponseStreamEvent } from "openai/resources/responses/responses";
import { own } from "../../src/base/json.ts";
import { assertResponsesStream } from "../support/responses-invariants.ts";

const group = join(import.meta.dir, "responses-to-messages");
const streamed = readdirSync(group)
  .map((name) => [name, join(group, name, "response.sse")] as const)
  .filter(([, path]) => existsSync(path));

/** The stream as the SDK opens it. */
function open(text: string): Stream<ResponseStreamEvent> {
  const response = new Response(text, { headers: { "content-type": "text/event-stream" } });
  return Stream.fromSSEResponse(response, new AbortController());
}

describe("the official SDK", () => {
  test("has streams to read, of every kind of item", () => {
    const all = streamed.map(([, path]) => readFileSync(path, "utf8")).join("");
    for (const type of ["message", "reasoning", "function_call", "custom_tool_call", "tool_search_call"]) {
      expect(all).toContain(`"type":"${type}"`);
    }
    for (const type of ["refusal", "url_citation", "web_search_call"]) expect(all).toContain(`"type":"${type}"`);
  });

  test.each(streamed)("%s: its deltas add up to the Response at the end", async (_name, path) => {
    const text = readFileSync(path, "utf8");
    const told = own(assertResponsesStream(text), "output");
    let snapshot: Answer | undefined;
    for await (const event of open(text)) {
      if (event.type === "response.completed" || event.type === "response.incomplete") break;
      snapshot = accumulateResponse(event, snapshot);
    }
    expect(snapshot?.output as unknown).toMatchObject(told as readonly object[]);
    const final = await ResponseStream.fromReadableStream(open(text).toReadableStream()).finalResponse();
    expect(final.output as unknown).toMatchObject(told as readonly object[]);
  });
});
