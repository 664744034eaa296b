/** A buffered Chat answer as a Message. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { stopFields } from "../maps/stop-reason.ts";
import { mintToolId } from "../maps/tool-names.ts";
import { messagesUsageFromChat } from "../maps/usage.ts";
import type { ReplyContext, TranslatedReply } from "../translator.ts";
import { callsOf, readCall } from "./calls.ts";
import { anthropicServiceTier, renderToolUse, type ToolUse } from "../messages-client/calls.ts";
import {
  filterText,
  mergeFinish,
  messageId,
  modelShown,
  reasoningText,
  renderCitation,
  textSignature,
  type ReplySettings,
} from "../messages-client/reply.ts";

interface Gathered {
  text: string;
  reasoning: string;
  refusal: string | null;
  finish: string | null;
  readonly calls: Json[];
  readonly citations: JsonObject[];
}

/** Everything the choices hold, as one: a vendor may emit text and tools as separate choices. */
function gather(choices: Json | undefined): Gathered {
  const all: Gathered = { text: "", reasoning: "", refusal: null, finish: null, calls: [], citations: [] };
  if (!isArray(choices)) return all;
  for (const choice of choices) {
    const message = own(choice, "message");
    const text = contentText(own(message, "content"));
    all.text += text;
    all.reasoning += reasoningText(message);
    const refusal = own(message, "refusal");
    if (isString(refusal) && refusal !== "") all.refusal = (all.refusal ?? "") + refusal;
    for (const call of callsOf(message)) all.calls.push(call);
    addCitations(all.citations, own(message, "annotations"), text);
    const finish = own(choice, "finish_reason");
    all.finish = mergeFinish(all.finish, isString(finish) ? finish : null);
  }
  return all;
}

function addCitations(citations: JsonObject[], annotations: Json | undefined, text: string): void {
  if (!isArray(annotations)) return;
  for (const annotation of annotations) {
    const citation = renderCitation(annotation, text);
    if (citation !== null) citations.push(citation);
  }
}

function contentText(content: Json | undefined): string {
  if (isString(content)) return content;
  if (!isArray(content)) return "";
  return content
    .map((part) => own(part, "text"))
    .filter(isString)
    .join("");
}

const NO_CALLS: readonly ToolUse[] = [];

function renderCalls(calls: readonly Json[], id: string, settings: ReplySettings): readonly ToolUse[] {
  return calls.map((call, index) => {
    const { name, argumentsText } = readCall(call);
    const callId = own(call, "id");
    return renderToolUse(
      isString(callId) && callId !== "" ? callId : mintToolId(id, index),
      settings.restoreName(name),
      argumentsText,
    );
  });
}

/** Translates a whole answer. */
export function translateResponse(reply: JsonObject, settings: ReplySettings, context: ReplyContext): TranslatedReply {
  const id = messageId(own(reply, "id"), context);
  const model = modelShown(own(reply, "model"), settings, context);
  const found = gather(own(reply, "choices"));
  const shown = filterText(settings, found.text);
  const text = shown.text + (found.refusal ?? "");

  const content: JsonObject[] = [];
  const adapted: string[] = [];
  if (found.reasoning !== "") {
    const signature = textSignature(own(reply, "id"), model);
    content.push({ type: "thinking", thinking: found.reasoning, signature });
  }
  if (text !== "") {
    content.push(
      found.citations.length > 0 ? { type: "text", text, citations: found.citations } : { type: "text", text },
    );
  }
  // A call after a matched stop sequence belongs to what the caller asked not to be written.
  const calls = shown.matched === null && found.calls.length > 0 ? renderCalls(found.calls, id, settings) : NO_CALLS;
  for (const { block, isValid } of calls) {
    if (!isValid) adapted.push(`content[${content.length}].input`);
    content.push(block);
  }

  const usage = own(reply, "usage");
  const stop = stopFields(found.finish, {
    hasToolCall: calls.length > 0,
    refusal: found.refusal,
    stopSequence: shown.matched,
  });
  const body: JsonObject = {
    id,
    type: "message",
    role: "assistant",
    model,
    content,
    ...stop,
    usage: {
      ...messagesUsageFromChat(isObject(usage) ? usage : {}),
      service_tier: anthropicServiceTier(own(reply, "service_tier")),
    },
  };
  return { kind: "answer", body, adapted };
}
