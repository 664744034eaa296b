/** Messages stream events as Responses events. */
import { isObject, own, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { renderContinuation } from "../messages-upstream/body.ts";
import { createPauseCollector } from "../messages-upstream/pause-collector.ts";
import { MAX_CONTINUATIONS } from "../messages-upstream/reply-parts.ts";
import type { FieldRow, ReplyContext, StreamFrame, StreamTranslator } from "../translator.ts";
import { incompleteReason } from "./envelope.ts";
import { createEventWriter, PING_FRAME } from "./events.ts";
import type { ResponsesReplyPlan } from "./reply-plan.ts";
import { createReplyWriter } from "./reply-writer.ts";

/** What becomes of stream events. */
export const STREAM_ROWS: readonly FieldRow[] = [
  {
    field: "stream: message_start",
    outcomes: ["M"],
    becomes: "`response.created`, `response.in_progress`; every event has its `sequence_number`",
  },
  {
    field: "stream: content_block_start, content_block_stop",
    outcomes: ["M"],
    becomes: "`response.output_item.added`, `.done` with the parts between them; indexes count items, not blocks",
  },
  {
    field: "stream: text_delta",
    outcomes: ["M"],
    becomes: "`response.output_text.delta`; neighbouring text blocks are one item",
  },
  {
    field: "stream: tool_use, input_json_delta",
    outcomes: ["M"],
    becomes:
      "`response.function_call_arguments.delta` or `response.custom_tool_call_input.delta`; the item is done when the next one begins or the answer ends; no arguments are `{}`",
  },
  {
    field: "stream: thinking_delta, signature_delta",
    outcomes: ["M"],
    becomes: "`response.reasoning_summary_text.delta`; `encrypted_content` in the item's `done`",
  },
  { field: "stream: citations_delta", outcomes: ["M"], becomes: "`response.output_text.annotation.added`" },
  {
    field: "stream: message_stop",
    outcomes: ["M"],
    becomes: "`response.completed` or `response.incomplete` with the whole Response and its usage",
  },
  { field: "stream: ping", outcomes: ["M"], becomes: "a comment `: ping`" },
];

const NONE: readonly StreamFrame[] = [];
const PING: readonly StreamFrame[] = [PING_FRAME];

/** Creates the translator of one streamed answer. `body` is the request that was sent. */
export function createReplyStream(plan: ResponsesReplyPlan, body: JsonObject, context: ReplyContext): StreamTranslator {
  const events = createEventWriter();
  const writer = createReplyWriter(plan, context, events);
  const collector = plan.serverTools ? createPauseCollector() : null;
  let continuations = 0;
  let isTerminal = false;
  let isFinished = false;
  let fallbackUsage: Usage | null = null;

  const canContinue = (): boolean =>
    isTerminal && collector !== null && writer.stopReason === "pause_turn" && continuations < MAX_CONTINUATIONS;

  const finish = (): void => {
    isFinished = true;
    writer.finish();
  };

  const handle = (json: JsonObject): void => {
    const index = own(json, "index");
    const at = typeof index === "number" ? index : -1;
    switch (own(json, "type")) {
      case "content_block_delta": {
        const delta = own(json, "delta");
        if (!isObject(delta)) return;
        collector?.delta(at, delta);
        writer.delta(at, delta);
        return;
      }
      case "content_block_start": {
        const block = own(json, "content_block");
        if (!isObject(block)) return;
        collector?.start(at, block);
        writer.startBlock(at, block);
        return;
      }
      case "content_block_stop":
        collector?.stop(at);
        writer.stopBlock(at);
        return;
      case "message_start":
        isTerminal = false;
        writer.start(own(json, "message"));
        return;
      case "message_delta": {
        const delta = own(json, "delta");
        writer.tell(own(delta, "stop_reason"), own(delta, "stop_details"), own(json, "usage"));
        return;
      }
      case "message_stop":
        isTerminal = true;
        if (!canContinue()) finish();
        return;
      default:
    }
  };

  return {
    push: (json) => {
      if (isFinished) return NONE;
      if (own(json, "type") === "ping") return PING;
      handle(json);
      return events.take();
    },
    end: () => {
      if (!isFinished) finish();
      const response = writer.response(fallbackUsage);
      const isWhole = incompleteReason(writer.stopReason) === null;
      events.send(isWhole ? "response.completed" : "response.incomplete", { response });
      return events.take();
    },
    done: false,
    continuation: () => {
      if (!canContinue() || collector === null) return null;
      continuations++;
      isTerminal = false;
      return renderContinuation(body, collector.blocks);
    },
    setFallbackUsage: (fallback) => {
      fallbackUsage = fallback;
    },
  };
}
