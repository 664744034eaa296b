/** A buffered Message as a Chat completion. */
import { isArray, isString, own, type JsonObject, type MutableJsonObject } from "../../base/json.ts";
import { chatUsageFromMessages } from "../maps/usage.ts";
import { createStopScanner } from "../stop-scanner.ts";
import type { FieldRow, ReplyContext, TranslatedReply } from "../translator.ts";
import { createFenceStripper } from "../messages-upstream/json-fence.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { renderContinuation } from "../messages-upstream/body.ts";
import {
  customInput,
  joinContent,
  joinUsage,
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
  const content = joinContent(reply, earlier);
  const stopReason = own(reply, "stop_reason");
  if (stopReason === "pause_turn" && plan.serverTools && earlier.length < MAX_CONTINUATIONS) {
    return { kind: "continue", body: renderContinuation(body, content) };
  }
  const parts = readContent(plan, content);
  const text = renderText(plan, parts);
  const finish = planFinish(plan, stopReason, text.scanned);
  const usage = joinUsage(reply, earlier);
  const tier = serviceTier(own(own(reply, "usage"), "service_tier"));
  const answer: MutableJsonObject = {
    id: chatId(own(earlier[0] ?? reply, "id")),
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
    usage: usage === null ? undefined : chatUsageFromMessages(usage),
    service_tier: tier ?? undefined,
    system_fingerprint: null,
  };
  if (parts.thinking.length > 0) rememberThinking(plan, parts.toolCalls.map(idOf), parts.thinking.map(blockOf));
  return { kind: "answer", body: answer as JsonObject, adapted: NOTHING };
}

const NOTHING: readonly never[] = [];

interface PlacedBlock {
  readonly block: JsonObject;
  /** Its place among the blocks of the answer. */
  readonly at: number;
}

const idOf = (call: JsonObject): string => ownText(call, "id");
const blockOf = ({ block }: PlacedBlock): JsonObject => block;

interface Parts extends Citations {
  /** All text blocks, joined; null without one. */
  text: string | null;
  readonly toolCalls: JsonObject[];
  thinking: readonly PlacedBlock[];
  /** JSON text of the tool that stands in for structured outputs. */
  json: string | null;
}

function readContent(plan: ChatReplyPlan, content: readonly JsonObject[]): Parts {
  const parts: Parts = { text: null, toolCalls: [], thinking: NOTHING, annotations: [], others: [], json: null };
  for (let at = 0; at < content.length; at++) {
    const block = content[at] as JsonObject;
    switch (own(block, "type")) {
      case "text":
        readText(parts, block);
        break;
      case "thinking":
      case "redacted_thinking":
        parts.thinking = [...parts.thinking, { block, at }];
        break;
      case "tool_use":
        readCall(plan, parts, block);
        break;
      default:
    }
  }
  return parts;
}

function readText(parts: Parts, block: JsonObject): void {
  const text = own(block, "text");
  if (!isString(text)) return;
  const before = parts.text ?? "";
  parts.text = before + text;
  const citations = own(block, "citations");
  if (!isArray(citations)) return;
  for (const citation of citations) addCitation(parts, citation, before.length, parts.text.length);
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
  parts.toolCalls.push(
    plan.customTools.has(wireName)
      ? { id, type: "custom", custom: { name, input: customInput(text) } }
      : { id, type: "function", function: { name, arguments: argumentsText } },
  );
}

/** The answer's text as the caller is to see it. */
function renderText(plan: ChatReplyPlan, parts: Parts): { readonly text: string | null; readonly scanned: boolean } {
  if (parts.json !== null) return { text: parts.json, scanned: false };
  if (parts.text === null) return { text: parts.toolCalls.length > 0 ? null : "", scanned: false };
  let text = plan.prefill + parts.text;
  let scanned = false;
  if (plan.scannedStops.length > 0) {
    const scanner = createStopScanner(plan.scannedStops);
    text = scanner.push(text) + scanner.end();
    scanned = scanner.matched !== null;
  }
  if (plan.stripFence) {
    const fence = createFenceStripper();
    text = fence.push(text) + fence.end();
  }
  const isNothing = text === "" && parts.toolCalls.length > 0;
  return { text: isNothing ? null : text, scanned };
}

function renderMessage(plan: ChatReplyPlan, parts: Parts, content: string | null, refusal: string | null): JsonObject {
  const message: MutableJsonObject = { role: "assistant", content, refusal, annotations: parts.annotations };
  if (parts.others.length > 0) message["citations"] = parts.others;
  const firstCall = parts.toolCalls[0];
  if (firstCall !== undefined) {
    if (plan.legacyFunctions) message["function_call"] = own(firstCall, "function");
    else message["tool_calls"] = parts.toolCalls;
  }
  if (parts.thinking.length > 0) {
    const text = thinkingText(parts.thinking);
    if (text !== "") message["reasoning_content"] = text;
    message["reasoning_details"] = parts.thinking.map(renderPlacedDetail);
  }
  return message as JsonObject;
}

/** Thinking for people to read. */
function thinkingText(thinking: readonly PlacedBlock[]): string {
  return thinking
    .map(({ block }) => ownText(block, "thinking"))
    .filter((text) => text !== "")
    .join(THINKING_SEPARATOR);
}

function renderPlacedDetail({ block, at }: PlacedBlock, index: number): JsonObject {
  return renderDetail(block, index, at);
}
