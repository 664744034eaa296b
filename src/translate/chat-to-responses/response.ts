/** A whole Response as a Chat completion. */
import { own, type JsonObject, type MutableJsonObject } from "../../base/json.ts";
import { mintToolId } from "../maps/tool-names.ts";
import { readResponse, type ResponseCall } from "../response-reader.ts";
import { createStopScanner } from "../stop-scanner.ts";
import type { ReplyContext, TranslatedReply } from "../translator.ts";
import type { ReplyPlan } from "./draft.ts";
import { readReasoning, rememberReasoning, renderDetails, type PlacedReasoning } from "./reasoning.ts";
import {
  chatId,
  chatUsage,
  createdAt,
  MESSAGE_SEPARATOR,
  modelOf,
  planFinish,
  renderAnnotations,
} from "./reply-parts.ts";

interface Parts {
  content: string;
  refusal: string | null;
  summary: string;
  readonly calls: JsonObject[];
  readonly callIds: string[];
  readonly annotations: JsonObject[];
  readonly reasoning: PlacedReasoning[];
  isStopped: boolean;
}

/** Translates a whole answer. */
export function renderReply(plan: ReplyPlan, reply: JsonObject, context: ReplyContext): TranslatedReply {
  const parts = readParts(plan, reply);
  const finish = planFinish(plan, reply, parts.calls.length, parts.isStopped);
  const usage = chatUsage(reply);
  const tier = own(reply, "service_tier");
  rememberReasoning(plan, parts.callIds, parts.reasoning);
  const body: JsonObject = {
    id: chatId(own(reply, "id")),
    object: "chat.completion",
    created: createdAt(reply, context.createdSeconds),
    model: modelOf(reply, plan, context.modelShown),
    choices: [
      {
        index: 0,
        message: renderMessage(plan, parts),
        logprobs: null,
        finish_reason: finish.reason,
        native_finish_reason: finish.native,
      },
    ],
    ...(usage === null ? {} : { usage }),
    ...(tier === undefined || tier === null ? {} : { service_tier: tier }),
    system_fingerprint: null,
  };
  return { kind: "answer", body, adapted: [] };
}

function readParts(plan: ReplyPlan, reply: JsonObject): Parts {
  const parts: Parts = {
    content: "",
    refusal: null,
    summary: "",
    calls: [],
    callIds: [],
    annotations: [],
    reasoning: [],
    isStopped: false,
  };
  const scanner = createStopScanner(plan.stops);
  let items = 0;
  let text = "";
  let summary = "";
  let call: ResponseCall | null = null;
  let input = "";
  readResponse(reply, {
    reasoning: (more) => {
      summary += more;
    },
    endReasoning: (item) => {
      if (summary !== "") parts.summary += (parts.summary === "" ? "" : MESSAGE_SEPARATOR) + summary;
      const placed = readReasoning(item, summary, items++, plan.modelId);
      if (placed !== null) parts.reasoning.push(placed);
      summary = "";
    },
    text: (more) => {
      text += scanner.push(more);
    },
    refusal: (more) => {
      parts.refusal = (parts.refusal ?? "") + more;
    },
    endMessage: (item) => {
      items++;
      text += scanner.end();
      if (text !== "" && parts.content !== "") parts.content += MESSAGE_SEPARATOR;
      if (text !== "") parts.annotations.push(...renderAnnotations(item, parts.content.length));
      parts.content += text;
      text = "";
    },
    openCall: (opened) => {
      call = opened;
      input = "";
    },
    input: (more) => {
      input += more;
    },
    endCall: () => {
      items++;
      if (call === null || scanner.matched !== null || (plan.legacyFunctions && parts.calls.length > 0)) return;
      const id = call.id === "" ? mintToolId(chatId(own(reply, "id")), parts.calls.length) : call.id;
      const { name } = call;
      parts.callIds.push(id);
      parts.calls.push(
        call.custom
          ? { id, type: "custom", custom: { name, input } }
          : { id, type: "function", function: { name, arguments: input === "" ? "{}" : input } },
      );
    },
    other: () => undefined,
  });
  parts.isStopped = scanner.matched !== null;
  return parts;
}

function renderMessage(plan: ReplyPlan, parts: Parts): JsonObject {
  const hasNone = parts.content === "" && (parts.calls.length > 0 || parts.refusal !== null);
  const message: MutableJsonObject = {
    role: "assistant",
    content: hasNone ? null : parts.content,
    refusal: parts.refusal,
    annotations: parts.annotations,
  };
  const [first] = parts.calls;
  if (first !== undefined) {
    if (plan.legacyFunctions) message["function_call"] = own(first, "function");
    else message["tool_calls"] = parts.calls;
  }
  if (parts.summary !== "") message["reasoning_content"] = parts.summary;
  if (parts.reasoning.length > 0) message["reasoning_details"] = renderDetails(parts.reasoning);
  return message as JsonObject;
}
