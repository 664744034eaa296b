import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import { isArray, isObject, own, type Json, type JsonObject } from "../../../src/base/json.ts";
import { createSseDecoder } from "../../../src/wire/sse/decode.ts";
import { readCorpus } from "../../support/corpus.ts";
import { sharedDir } from "../../support/shared.ts";
import { assertMessagesStream } from "../../support/stream-invariants.ts";
import { replyContext, translate, translateText } from "./support.ts";

const title = sharedDir === null ? "recorded traffic (skipped: no ../shared)" : "recorded traffic";
const PLAIN = translate({ stream: true });

/** Every call is followed by exactly its results before anything else, as OpenAI insists. */
function assertCallsAnswered(messages: readonly Json[]): void {
  let awaited = new Set<Json | undefined>();
  for (const message of messages) {
    if (own(message, "role") === "tool") {
      expect(awaited.delete(own(message, "tool_call_id"))).toBe(true);
      continue;
    }
    expect(awaited.size).toBe(0);
    const calls = own(message, "tool_calls");
    awaited = new Set((isArray(calls) ? calls : []).map((call) => own(call, "id")));
  }
  expect(awaited.size).toBe(0);
}

describe.skipIf(sharedDir === null)(title, () => {
  const requests = readCorpus("anthropic-messages").filter(
    (record) => record.endpoint === "messages" && record.response.status === 200 && record.request !== null,
  );

  test.each(["gpt-4.1", "gpt-5.6"])("accepted Messages requests are translated for %s, or refused by path", (model) => {
    let translated = 0;
    for (const { request, id } of requests) {
      const text = JSON.stringify(request?.body);
      try {
        const result = translateText(text, { model });
        const body = JSON.parse(result.body) as JsonObject;
        assertCallsAnswered(body["messages"] as readonly Json[]);
        expect(translateText(text, { model }).body).toBe(result.body);
        translated++;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw new Error(`record ${id}`, { cause: error });
        expect(error.kind).toBe("unsupported-translation");
        expect(error.param).not.toBeNull();
      }
    }
    expect(requests.length).toBeGreaterThan(300);
    expect(translated / requests.length).toBeGreaterThan(0.6);
  });

  const answers = [...readCorpus("openai-chat"), ...readCorpus("response-only")].filter(
    ({ endpoint, response }) => endpoint === "chat.completions" && response.status === 200,
  );

  test("recorded Chat answers become Messages", () => {
    let count = 0;
    for (const { response } of answers) {
      if (!isObject(response.body) || !isArray(own(response.body, "choices"))) continue;
      const result = PLAIN.response(response.body, replyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      count++;
      expect(own(result.body, "type")).toBe("message");
      expect(String(own(result.body, "id"))).toMatch(/^msg_[A-Za-z0-9]+$/);
      const content = own(result.body, "content") as readonly JsonObject[];
      const hasCall = content.some((block) => own(block, "type") === "tool_use");
      if (hasCall) expect(["tool_use", "max_tokens"]).toContain(String(own(result.body, "stop_reason")));
      expect(own(result.body, "stop_reason")).not.toBeNull();
    }
    expect(count).toBeGreaterThan(200);
  });

  test("recorded Chat streams become Messages streams that hold every invariant", () => {
    let count = 0;
    for (const { id, response } of answers) {
      if (response.sse === undefined) continue;
      const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
      const translator = PLAIN.stream(replyContext);
      let text = "";
      let content = "";
      const events = [...decoder.push(new TextEncoder().encode(response.sse)), ...decoder.end()];
      for (const { event, data } of events) {
        if (data === null || data.trim() === "[DONE]") continue;
        const json = JSON.parse(data) as JsonObject;
        for (const choice of (own(json, "choices") as readonly Json[] | undefined) ?? []) {
          content += String(own(own(choice, "delta"), "content") ?? "");
        }
        for (const frame of translator.push(json, event)) text += frame.text;
      }
      for (const frame of translator.end()) text += frame.text;
      count++;
      try {
        const read = assertMessagesStream(text);
        expect(read.delta["stop_reason"]).not.toBeNull();
        if (!text.includes('"refusal"')) {
          const blocks = read.blocks.filter((block) => block.type === "text");
          expect(blocks.map((block) => block.text).join("")).toBe(content);
        }
      } catch (error) {
        throw new Error(`record ${id}`, { cause: error });
      }
    }
    expect(count).toBeGreaterThan(50);
  });
});
