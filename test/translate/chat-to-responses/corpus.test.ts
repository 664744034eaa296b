import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import { isArray, isObject, own, type Json, type JsonObject } from "../../../src/base/json.ts";
import { judgeResponses } from "../../../src/simulator/openai-responses-rules.ts";
import { readSignature } from "../../../src/translate/maps/reasoning-signature.ts";
import { openAiChat } from "../../../src/wire/openai-chat/index.ts";
import { openAiResponses } from "../../../src/wire/openai-responses/index.ts";
import { createSseDecoder } from "../../../src/wire/sse/decode.ts";
import { readCorpus } from "../../support/corpus.ts";
import { sharedDir } from "../../support/shared.ts";
import { assertChatStream } from "../../support/stream-invariants.ts";
import { declaredCalls } from "../../support/pairs.ts";
import { storyContext, translate, translateText } from "./support.ts";

const title = sharedDir === null ? "recorded traffic (skipped: no ../shared)" : "recorded traffic";
/** A recorder took this path out of the whole answers whose deltas still spell it, in pieces. */
const EDITED = "/vercel/sandbox/";
const PLAIN = translate({ stream: true });
const ENDED = ["completed", "incomplete"];
const judging = { today: "2026-11-24", servesShutDown: true };

/** The provider seals reasoning anew for each event that holds it: the ends of an item and of the answer differ. */
function withoutSeals(message: Json | undefined): JsonObject {
  const details = own(message, "reasoning_details");
  const ids = (isArray(details) ? details : []).map((entry) => readSignature(own(entry, "signature"))?.id ?? "");
  return { ...(isObject(message) ? message : {}), reasoning_details: ids };
}

describe.skipIf(sharedDir === null)(title, () => {
  const requests = readCorpus("openai-chat").filter(
    (record) =>
      record.endpoint === "chat.completions" && record.response.status === 200 && isObject(record.request?.body),
  );

  test.each(["gpt-5.6", "gpt-5", "gpt-6.1-sol"])(
    "accepted Chat requests are translated for %s so that Responses takes them, or refused by path",
    (model) => {
      let translated = 0;
      for (const { request, id } of requests) {
        const text = JSON.stringify(request?.body);
        try {
          const result = translateText(text, { model });
          const judgement = judgeResponses(JSON.parse(result.body) as JsonObject, judging, null);
          if (judgement !== null) expect(`${id}: ${judgement.rule}: ${judgement.message}`).toBe("");
          expect(translateText(text, { model }).body).toBe(result.body);
          translated++;
        } catch (error) {
          if (!(error instanceof GatewayError)) throw new Error(`record ${id}`, { cause: error });
          expect(`${id}: ${error.kind}`).toBe(`${id}: unsupported-translation`);
          expect(error.param).not.toBeNull();
        }
      }
      expect(requests.length).toBeGreaterThan(300);
      expect(translated / requests.length).toBeGreaterThan(0.85);
    },
  );

  const answers = readCorpus("openai-responses").filter(
    ({ endpoint, response }) => endpoint === "responses" && response.status === 200,
  );

  test("recorded Responses become Chat completions", () => {
    let count = 0;
    for (const { response } of answers) {
      if (!isObject(response.body) || !ENDED.includes(String(own(response.body, "status")))) continue;
      const result = PLAIN.response(response.body, storyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      count++;
      const [told] = openAiResponses.readReply(response.body).choices;
      const [shown] = openAiChat.readReply(result.body).choices;
      expect(shown?.text.replaceAll("\n", "")).toBe(told?.text.replaceAll("\n", "") ?? "");
      const calls = declaredCalls(told?.toolCalls ?? []);
      expect(shown?.toolCalls).toEqual([...calls]);
      expect(shown?.refusal).toBe(told?.refusal ?? null);
      if (calls.length === told?.toolCalls.length) expect(shown?.stop).toBe(told.stop);
    }
    expect(count).toBeGreaterThan(200);
  });

  test("recorded Responses streams become Chat streams that say what the whole answer says", () => {
    let count = 0;
    for (const { id, response } of answers) {
      if (response.sse === undefined) continue;
      const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
      const translator = PLAIN.stream(storyContext);
      const gatherer = openAiResponses.openGatherer();
      const gathered = openAiChat.openGatherer();
      let text = "";
      const take = (frames: ReturnType<typeof translator.end>): void => {
        for (const frame of frames) {
          text += frame.text;
          if (frame.json !== null) gathered.read(frame.json, "");
        }
      };
      let isFailed = false;
      for (const { data, event } of [...decoder.push(Buffer.from(response.sse)), ...decoder.end()]) {
        if (data === null || data === "[DONE]") continue;
        const json = JSON.parse(data) as JsonObject;
        isFailed ||= openAiResponses.readError(json) !== null;
        gatherer.read(json, event);
        take(translator.push(json, event));
      }
      const whole = gatherer.reply();
      if (isFailed || !ENDED.includes(String(own(whole, "status")))) continue;
      take(translator.end());
      count++;
      assertChatStream(text, { usage: false });
      const result = PLAIN.response(whole, storyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      if (JSON.stringify(gathered.reply()).includes(EDITED)) continue;
      const [streamed] = own(gathered.reply(), "choices") as readonly Json[];
      const [expected] = own(result.body, "choices") as readonly Json[];
      const comparable = (choice: Json | undefined) => {
        const message = withoutSeals(own(choice, "message"));
        return {
          id,
          finish: own(choice, "finish_reason"),
          content: own(message, "content") ?? "",
          calls: own(message, "tool_calls"),
          reasoning: own(message, "reasoning_content"),
          details: own(message, "reasoning_details"),
        };
      };
      expect(comparable(streamed)).toEqual(comparable(expected));
    }
    expect(count).toBeGreaterThan(50);
  });
});
