/** A buffered Message as a Chat completion. */
import { isArray, isString, own, type Json, type JsonObject, type MutableJsonObject } from "../../base/json.ts";
import { chatUsageFromMessages } from "../maps/usage.ts";
import { createStopScanner } from "../stop-scanner.ts";
import type { FieldRow, ReplyContext, TranslatedReply } from "../translator.ts";
import { createFenceStripper } from "../messages-upstream/json-fence.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { renderContinuation } from "../messages-upstream/body.ts";
import {
  addUsages,
  contentOf,
  customInput,
  MAX_CONTINUATIONS,
  refusalText,
  rememberThinking,
  serviceTier,
  unwrapArguments,
} from "../messages-upstream/reply-parts.ts";
import { addCitation, chatId, planFinish, renderDetail, THINKING_SEPARATOR, type Citations } from "./reply-parts.ts";
import type { ChatReplyPlan } from "./reply-plan.ts";

/** What becomes of the parts of an answer. */
export const RESPONSE_ROWS: readonly FieldRow[] = [
  { field: "answer: choices[0].message.content", outcomes: ["M"], becomes: "all text blocks, joined" },
  {
    field: "answer: choices[0].message.tool_calls",
    outcomes: ["M"],
    becomes: "`tool_use` blocks in order; server tools' calls are none",
  },
  {
    field: "answer: choices[0].message.refusal",
    outcomes: ["M"],
    becomes: "the explanation of stop reason `refusal`, or a fixed sentence; `finish_reason` is `content_filter`",
  },
  {
    field: "answer: choices[0].message.annotations",
    outcomes: ["M"],
    becomes: "web citations; other citations are in the extension `citations`",
  },
  {
    field: "answer: choices[0].message.reasoning_content, .reasoning_details",
    outcomes: ["M"],
    becomes: "thinking as text, and as complete blocks to be sent back (extensions)",
  },
  {
    field: "answer: choices[0].finish_reason",
    outcomes: ["M"],
    becomes:
      "from `stop_reason`, which `native_finish_reason` holds (extension); `pause_turn` is continued up to eight times",
  },
  {
    field: "answer: usage",
    outcomes: ["M"],
    becomes:
      "`prompt_tokens` counts cache reads and writes; `cache_creation` and `server_tool_use` are copied (extensions)",
  },
  {
    field: "answer: service_tier",
    outcomes: ["M"],
    becomes: "`standard` → `default`, `priority` the same, else left out",
  },
];

/** Translates an answer, or asks to go on when it paused. `body` is the request that was sent. */
export function renderReply(
  plan: ChatReplyPlan,
  body: JsonObject,
  reply: JsonObject,
  context: ReplyContext,
  earlier: readonly JsonObject[],
): TranslatedReply {
  const content = [...earlier, reply].flatMap(contentOf);
  const stopReason = own(reply, "stop_reason");
  if (stopReason === "pause_turn" && plan.serverTools && earlier.length < MAX_CONTINUATIONS) {
    return { kind: "continue", body: renderContinuation(body, content) };
  }
  const parts = readContent(plan, content);
  const text = renderText(plan, parts);
  const finish = planFinish(plan, stopReason, text.scanned);
  const first = earlier[0] ?? reply;
  const usage = [...earlier, reply].map((part) => own(part, "usage") ?? null).reduce(joinUsage, null);
  const tier = serviceTier(own(own(reply, "usage"), "service_tier"));
  const answer = {
    id: chatId(own(first, "id")),
    object: "chat.completion",
    created: context.createdSeconds,
    model: context.modelShown ?? own(reply, "model") ?? "",
    choices: [
      {
        index: 0,
        message: renderMessage(plan, parts, text.text, refusalText(stopReason, own(reply, "stop_details"))),
        logprobs: null,
        finish_reason: finish.reason,
        native_finish_reason: finish.native,
      },
    ],
    ...(usage === null ? {} : { usage: chatUsageFromMessages(usage) }),
    ...(tier === null ? {} : { service_tier: tier }),
    system_fingerprint: null,
  };
  rememberThinking(
    plan,
    parts.callIds,
    parts.thinking.map(({ block }) => block),
  );
  return { kind: "answer", body: answer, adapted: [] };
}

function joinUsage(sum: JsonObject | null, usage: Json): JsonObject | null {
  if (typeof usage !== "object" || usage === null || isArray(usage)) return sum;
  const next = usage;
  return sum === null ? next : addUsages(sum, next);
}

interface Parts extends Citations {
  readonly texts: string[];
  readonly toolCalls: JsonObject[];
  readonly callIds: string[];
  readonly thinking: { readonly block: JsonObject; readonly at: number }[];
  /** JSON text of the tool that stands in for structured outputs. */
  json: string | null;
}

function readContent(plan: ChatReplyPlan, content: readonly JsonObject[]): Parts {
  const parts: Parts = {
    texts: [],
    toolCalls: [],
    callIds: [],
    thinking: [],
    annotations: [],
    others: [],
    json: null,
  };
  let length = 0;
  content.forEach((block, at) => {
    switch (own(block, "type")) {
      case "text": {
        const text = own(block, "text");
        if (!isString(text)) return;
        const citations = own(block, "citations");
        for (const citation of isArray(citations) ? citations : []) {
          addCitation(parts, citation, length, length + text.length);
        }
        length += text.length;
        parts.texts.push(text);
        return;
      }
      case "thinking":
      case "redacted_thinking":
        parts.thinking.push({ block, at });
        return;
      case "tool_use":
        readCall(plan, parts, block);
        return;
      default:
        return;
    }
  });
  return parts;
}

function readCall(plan: ChatReplyPlan, parts: Parts, block: JsonObject): void {
  const wireName = ownText(block, "name");
  const id = ownText(block, "id");
  const text = JSON.stringify(own(block, "input") ?? {});
  const argumentsText = plan.wrappedTools.has(wireName) ? unwrapArguments(text) : text;
  if (plan.jsonTool === wireName) {
    parts.json = argumentsText;
    return;
  }
  const name = plan.names.restore(wireName);
  parts.callIds.push(id);
  parts.toolCalls.push(
    plan.customTools.has(wireName)
      ? { id, type: "custom", custom: { name, input: customInput(text) } }
      : { id, type: "function", function: { name, arguments: argumentsText } },
  );
}

/** The answer's text as the caller is to see it. */
function renderText(plan: ChatReplyPlan, parts: Parts): { readonly text: string | null; readonly scanned: boolean } {
  if (parts.json !== null) return { text: parts.json, scanned: false };
  if (parts.texts.length === 0) return { text: parts.toolCalls.length > 0 ? null : "", scanned: false };
  const scanner = createStopScanner(plan.scannedStops);
  let text = scanner.push(plan.prefill + parts.texts.join("")) + scanner.end();
  if (plan.stripFence) {
    const fence = createFenceStripper();
    text = fence.push(text) + fence.end();
  }
  const isNothing = text === "" && parts.toolCalls.length > 0;
  return { text: isNothing ? null : text, scanned: scanner.matched !== null };
}

function renderMessage(plan: ChatReplyPlan, parts: Parts, content: string | null, refusal: string | null): JsonObject {
  const message: MutableJsonObject = { role: "assistant", content, refusal, annotations: parts.annotations };
  if (parts.others.length > 0) message["citations"] = parts.others;
  const [firstCall] = parts.toolCalls;
  if (firstCall !== undefined) {
    if (plan.legacyFunctions) message["function_call"] = own(firstCall, "function");
    else message["tool_calls"] = parts.toolCalls;
  }
  if (parts.thinking.length > 0) {
    const texts = parts.thinking
      .map(({ block }) => own(block, "thinking"))
      .filter(isString)
      .filter(Boolean);
    if (texts.length > 0) message["reasoning_content"] = texts.join(THINKING_SEPARATOR);
    message["reasoning_details"] = parts.thinking.map(({ block, at }, index) => renderDetail(block, index, at));
  }
  return message as JsonObject;
}
