import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import { isArray, isObject, own, type Json, type JsonObject } from "../../../src/base/json.ts";
import { judgeResponses } from "../../../src/simulator/openai-responses-rules.ts";
import { readSignature } from "../../../src/translate/maps/reasoning-signature.ts";
import { createSseDecoder } from "../../../src/wire/sse/decode.ts";
import { openAiResponses } from "../../../src/wire/openai-responses/index.ts";
import { anthropicMessages } from "../../../src/wire/anthropic-messages/index.ts";
import { readCorpus } from "../../support/corpus.ts";
import { sharedDir } from "../../support/shared.ts";
import { assertMessagesStream } from "../../support/stream-invariants.ts";
import { declaredCalls } from "../../support/pairs.ts";
import { storyContext, translate, translateText } from "./support.ts";

const title = sharedDir === null ? "recorded traffic (skipped: no ../shared)" : "recorded traffic";
const PLAIN = translate({ stream: true });
/** A recorder took this path out of the whole answers whose deltas still spell it, in pieces. */
const EDITED = "/vercel/sandbox/";
const judging = { today: "2026-11-24", servesShutDown: true };

/** The provider seals reasoning anew for each event that holds it: the ends of an item and of the answer differ. */
function withoutSeals(content: Json | undefined): readonly JsonObject[] {
  return (isArray(content) ? content : []).filter(isObject).map((block) => {
    const envelope = readSignature(own(block, "signature"));
    return envelope === null ? block : { ...block, signature: envelope.id ?? "" };
  });
}

describe.skipIf(sharedDir === null)(title, () => {
  const requests = readCorpus("anthropic-messages").filter(
    (record) => record.endpoint === "messages" && record.response.status === 200 && record.request !== null,
  );

  test.each(["gpt-5.6", "gpt-5", "gpt-5.3-codex", "gpt-6.1-sol"])(
    "accepted Messages requests are translated for %s so that Responses takes them, or refused by path",
    (model) => {
      let translated = 0;
      for (const { request, id } of requests) {
        const text = JSON.stringify(request?.body);
        try {
          const result = translateText(text, { model });
          const body = JSON.parse(result.body) as JsonObject;
          const judgement = judgeResponses(body, judging, null);
          if (judgement !== null) expect(`${id}: ${judgement.rule}: ${judgement.message}`).toBe("");
          expect(translateText(text, { model }).body).toBe(result.body);
          translated++;
        } catch (error) {
          if (!(error instanceof GatewayError)) throw new Error(`record ${id}`, { cause: error });
          expect(error.kind).toBe("unsupported-translation");
          expect(error.param).not.toBeNull();
        }
      }
      expect(requests.length).toBeGreaterThan(300);
      expect(translated / requests.length).toBeGreaterThan(0.7);
    },
  );

  const answers = readCorpus("openai-responses").filter(
    ({ endpoint, response }) => endpoint === "responses" && response.status === 200,
  );

  test("recorded Responses become Messages", () => {
    let count = 0;
    for (const { response } of answers) {
      if (!isObject(response.body) || own(response.body, "object") !== "response") continue;
      const result = PLAIN.response(response.body, storyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      count++;
      expect(anthropicMessages.isReply(result.body)).toBe(true);
      expect(String(own(result.body, "id"))).toMatch(/^msg_[A-Za-z0-9]+$/);
      const told = openAiResponses.readReply(response.body);
      const shown = anthropicMessages.readReply(result.body);
      expect(shown.choices[0]?.text).toBe(`${told.choices[0]?.text}${told.choices[0]?.refusal ?? ""}`);
      expect(shown.choices[0]?.toolCalls.map(({ id, name }) => [id, name])).toEqual(
        declaredCalls(told.choices[0]?.toolCalls ?? []).map(({ id, name }) => [id, name]),
      );
      expect(shown.usage?.output).toBe(told.usage?.output ?? 0);
    }
    expect(count).toBeGreaterThan(200);
  });

  test("recorded Responses streams become Messages streams that say what the whole answer says", () => {
    let count = 0;
    for (const { id, response } of answers) {
      if (response.sse === undefined) continue;
      const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
      const translator = PLAIN.stream(storyContext);
      const gatherer = openAiResponses.openGatherer();
      const gathered = anthropicMessages.openGatherer();
      let text = "";
      const take = (frames: ReturnType<typeof translator.end>): void => {
        for (const frame of frames) {
          text += frame.text;
          if (frame.json !== null) gathered.read(frame.json, "");
        }
      };
      const events = [...decoder.push(Buffer.from(response.sse)), ...decoder.end()];
      let isFailed = false;
      for (const { data, event } of events) {
        if (data === null || data === "[DONE]") continue;
        const json = JSON.parse(data) as JsonObject;
        isFailed ||= openAiResponses.readError(json) !== null || json["type"] === "response.failed";
        gatherer.read(json, event);
        take(translator.push(json, event));
      }
      const whole = gatherer.reply();
      if (isFailed || !["completed", "incomplete"].includes(String(own(whole, "status")))) continue;
      take(translator.end());
      count++;
      assertMessagesStream(text);
      const result = PLAIN.response(whole, storyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      if (JSON.stringify(gathered.reply()).includes(EDITED)) continue;
      const streamed = { id, content: withoutSeals(own(gathered.reply(), "content")) };
      expect(streamed).toEqual({ id, content: withoutSeals(own(result.body, "content")) });
    }
    expect(count).toBeGreaterThan(50);
  });
});
