/** A buffered Message as a Response: its blocks take the way of a stream's, and the events are left unread. */
import { own, type JsonObject } from "../../base/json.ts";
import { renderContinuation } from "../messages-upstream/body.ts";
import { contentOf, MAX_CONTINUATIONS } from "../messages-upstream/reply-parts.ts";
import type { FieldRow, ReplyContext, TranslatedReply } from "../translator.ts";
import type { EventWriter } from "./events.ts";
import type { ResponsesReplyPlan } from "./reply-plan.ts";
import { createReplyWriter } from "./reply-writer.ts";

/** What becomes of the parts of an answer. */
export const RESPONSE_ROWS: readonly FieldRow[] = [
  {
    field: "answer: output[] message",
    outcomes: ["M"],
    becomes: "neighbouring text blocks, joined; citations of the web as `url_citation`, others have no shape",
  },
  {
    field: "answer: output[] reasoning",
    outcomes: ["M"],
    becomes: "a thinking block: its text in `summary`, the whole of it, signature included, in `encrypted_content`",
  },
  {
    field: "answer: output[] function_call, custom_tool_call, tool_search_call",
    outcomes: ["M"],
    becomes: "`tool_use` blocks in order, with the caller's names and namespaces",
  },
  {
    field: "answer: output[] web_search_call",
    outcomes: ["M"],
    becomes: "a search that ran at Anthropic; its results are not repeated",
  },
  {
    field: "answer: status, incomplete_details",
    outcomes: ["M"],
    becomes:
      "`incomplete` with `max_output_tokens` or, beside a `refusal` part with its explanation, `content_filter`; else `completed`; `pause_turn` is continued up to eight times",
  },
  {
    field: "answer: usage",
    outcomes: ["M"],
    becomes: "`input_tokens` counts cache reads and writes; reasoning is part of the output",
  },
  {
    field: "answer: service_tier",
    outcomes: ["M"],
    becomes: "`standard` → `default`, `priority` the same, else left out",
  },
  {
    field: "answer: instructions, tools, text, reasoning, metadata, …",
    outcomes: ["M"],
    becomes: "repeated from the request; `store` is false: nothing is kept",
  },
];

/** Takes events and forgets them. */
const UNREAD: EventWriter = { send: () => undefined, openDeltas: () => () => undefined, take: () => [] };

/** Translates an answer, or asks to go on when it paused. `body` is the request that was sent. */
export function renderReply(
  plan: ResponsesReplyPlan,
  body: JsonObject,
  reply: JsonObject,
  context: ReplyContext,
  earlier: readonly JsonObject[],
): TranslatedReply {
  const parts = [...earlier, reply];
  const stopReason = own(reply, "stop_reason");
  if (stopReason === "pause_turn" && plan.serverTools && earlier.length < MAX_CONTINUATIONS) {
    return { kind: "continue", body: renderContinuation(body, parts.flatMap(contentOf)) };
  }
  const writer = createReplyWriter(plan, context, UNREAD);
  for (const part of parts) {
    writer.start(part);
    contentOf(part).forEach((block, index) => {
      writer.startBlock(index, block);
      writer.stopBlock(index);
    });
  }
  writer.tell(stopReason, own(reply, "stop_details"), undefined);
  writer.finish();
  return { kind: "answer", body: writer.response(null), adapted: [] };
}
