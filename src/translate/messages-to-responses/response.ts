/** A whole Response as a Message. */
import { isObject, own, type JsonObject } from "../../base/json.ts";
import { stopFields } from "../maps/stop-reason.ts";
import { mintToolId } from "../maps/tool-names.ts";
import { messagesUsageFromChat } from "../maps/usage.ts";
import { anthropicServiceTier, renderToolUse } from "../messages-client/calls.ts";
import { createTextFilter, messageId, modelShown, type ReplySettings } from "../messages-client/reply.ts";
import { readResponse, responseFinish, type ResponseCall } from "../response-reader.ts";
import type { ReplyContext, TranslatedReply } from "../translator.ts";
import { citationsOf, isSealed, renderSearch, signatureOf } from "./reply.ts";

/** Translates a whole answer. */
export function translateResponse(reply: JsonObject, settings: ReplySettings, context: ReplyContext): TranslatedReply {
  const id = messageId(own(reply, "id"), context);
  const content: JsonObject[] = [];
  const adapted: string[] = [];
  const filter = createTextFilter(settings);
  let refusal: string | null = null;
  let thinking = "";
  let text = "";
  let call: ResponseCall | null = null;
  let input = "";
  let calls = 0;

  const isOver = (): boolean => filter.matched !== null;
  const addText = (more: string, item: JsonObject): void => {
    text += more;
    const citations = citationsOf(item);
    if (text !== "") content.push({ type: "text", text, ...(citations.length > 0 ? { citations } : {}) });
    text = "";
  };

  readResponse(reply, {
    reasoning: (more) => {
      thinking += more;
    },
    endReasoning: (item) => {
      if (!isOver() && (thinking !== "" || isSealed(item))) {
        content.push({ type: "thinking", thinking, signature: signatureOf(item, settings.modelId) });
      }
      thinking = "";
    },
    text: (more) => {
      text += filter.push(more);
    },
    refusal: (more) => {
      text += filter.end() + more;
      refusal = (refusal ?? "") + more;
    },
    endMessage: (item) => addText(filter.end(), item),
    openCall: (opened) => {
      call = opened;
      input = "";
    },
    input: (more) => {
      input += more;
    },
    endCall: () => {
      // A call after a matched stop sequence belongs to what the caller asked not to be written.
      if (call === null || isOver()) return;
      const callId = call.id === "" ? mintToolId(id, calls) : call.id;
      const json = call.custom ? JSON.stringify({ input }) : input;
      const { block, isValid } = renderToolUse(callId, settings.restoreName(call.name), json);
      if (!isValid) adapted.push(`content[${content.length}].input`);
      content.push(block);
      calls++;
    },
    other: (item) => {
      const search = isOver() ? null : renderSearch(item);
      if (search !== null) content.push({ ...search.call, input: search.input }, search.result);
    },
  });

  const usage = own(reply, "usage");
  const body: JsonObject = {
    id,
    type: "message",
    role: "assistant",
    model: modelShown(own(reply, "model"), settings, context),
    content,
    ...stopFields(responseFinish(reply), { hasToolCall: calls > 0, refusal, stopSequence: filter.matched }),
    usage: {
      ...messagesUsageFromChat(isObject(usage) ? usage : {}),
      service_tier: anthropicServiceTier(own(reply, "service_tier")),
    },
  };
  return { kind: "answer", body, adapted };
}
