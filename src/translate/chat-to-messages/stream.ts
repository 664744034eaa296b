/** Messages stream events as Chat chunks. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import type { FieldRow, ReplyContext, StreamFrame, StreamTranslator } from "../translator.ts";
import { createChunkWriter, DONE_FRAME, PING_FRAME, type ChunkWriter } from "../chat-client/chunk-writer.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { createPauseCollector } from "../messages-upstream/pause-collector.ts";
import { chatUsageFromMessages, renderChatUsage } from "../maps/usage.ts";
import { createArgumentText } from "../messages-upstream/argument-text.ts";
import { renderContinuation } from "../messages-upstream/body.ts";
import { MAX_CONTINUATIONS, refusalText, rememberThinking } from "../messages-upstream/reply-parts.ts";
import { addCitation, chatId, planFinish, type Citations } from "./reply-parts.ts";
import type { ChatReplyPlan } from "./reply-plan.ts";
import { renderEnding } from "./stream-ending.ts";
import { createTextChannel } from "../messages-upstream/text-channel.ts";
import { createThinkingStream, type OpenThinking } from "./thinking-stream.ts";
import { createToolStream, type ToolStream } from "./tool-stream.ts";
import { createUsageTotals } from "../messages-upstream/usage-totals.ts";

/** What becomes of stream events. */
export const STREAM_ROWS: readonly FieldRow[] = [
  { field: "stream: message_start", outcomes: ["M"], becomes: "the first chunk, with the role" },
  { field: "stream: text_delta", outcomes: ["M"], becomes: "`delta.content`" },
  {
    field: "stream: tool_use, input_json_delta",
    outcomes: ["M"],
    becomes:
      "`delta.tool_calls`: id, type and name once, then argument text; indexes count calls; no arguments are `{}`",
  },
  {
    field: "stream: thinking_delta, signature_delta",
    outcomes: ["M"],
    becomes: "`delta.reasoning_content`; all `delta.reasoning_details` once, before the finish chunk",
  },
  { field: "stream: citations_delta", outcomes: ["M"], becomes: "`delta.annotations` of the finish chunk" },
  {
    field: "stream: message_stop",
    outcomes: ["M"],
    becomes: "the finish chunk, the usage chunk if asked for, `[DONE]`",
  },
  { field: "stream: ping", outcomes: ["M"], becomes: "a comment `: ping`" },
];

const NONE: readonly StreamFrame[] = [];

type OpenBlock =
  | { readonly kind: "text"; readonly start: number; readonly citations: Json[] }
  | { readonly kind: "thinking"; readonly thinking: OpenThinking }
  | { readonly kind: "tool"; readonly call: ToolStream }
  | { readonly kind: "json"; readonly text: ReturnType<typeof createArgumentText> };

/** Creates the translator of one streamed answer. `body` is the request that was sent. */
export function createReplyStream(plan: ChatReplyPlan, body: JsonObject, context: ReplyContext): StreamTranslator {
  let writer: ChunkWriter | null = null;
  const open = new Map<number, OpenBlock>();
  const text = createTextChannel(plan);
  const jsonHold = createSurrogateHold();
  const collector = plan.serverTools ? createPauseCollector() : null;
  const cited: Citations = { annotations: [], others: [] };
  const thinking = createThinkingStream();
  const totals = createUsageTotals({ reported: chatUsageFromMessages, estimated: renderChatUsage });
  const callIds: string[] = [];
  let textLength = 0;
  /** Text beside the tool that stands in for structured outputs: shown only when that tool is not called. */
  let spareText = "";
  let sawJson = false;
  let calls = 0;
  let blocksBefore = 0;
  let blocksSeen = 0;
  let continuations = 0;
  let isTerminal = false;
  let isFinished = false;
  let fallbackUsage: Usage | null = null;
  let stopReason: Json | undefined;
  let stopDetails: Json | undefined;

  const out = (): ChunkWriter => (writer ??= openWriter(null));
  const openWriter = (message: JsonObject | null): ChunkWriter =>
    createChunkWriter({
      id: chatId(own(message, "id")),
      created: context.createdSeconds,
      model: context.modelShown ?? own(message, "model") ?? "",
      includeUsage: plan.includeUsage,
    });

  const contentFrames = (piece: string): readonly StreamFrame[] =>
    piece === "" ? NONE : [out().delta(`{"content":${JSON.stringify(piece)}}`, { content: piece })];

  const addText = (piece: string): readonly StreamFrame[] => {
    if (piece === "") return NONE;
    textLength += piece.length;
    if (plan.jsonTool !== null) {
      spareText += piece;
      return NONE;
    }
    return contentFrames(text.push(piece));
  };

  const reasoningFrames = (piece: string): readonly StreamFrame[] =>
    piece === "" ? NONE : [out().delta(`{"reasoning_content":${JSON.stringify(piece)}}`, { reasoning_content: piece })];

  const startMessage = (message: Json | undefined): readonly StreamFrame[] => {
    totals.start(own(message, "usage"));
    isTerminal = false;
    if (writer !== null) {
      blocksBefore = blocksSeen;
      return NONE;
    }
    writer = openWriter(isObject(message) ? message : null);
    return [writer.delta('{"role":"assistant","content":""}', { role: "assistant", content: "" })];
  };

  const startBlock = (index: number, block: JsonObject): readonly StreamFrame[] => {
    collector?.start(index, block);
    const at = blocksBefore + index;
    blocksSeen = Math.max(blocksSeen, at + 1);
    switch (own(block, "type")) {
      case "text": {
        const citations = own(block, "citations");
        open.set(index, { kind: "text", start: textLength, citations: isArray(citations) ? [...citations] : [] });
        const initial = own(block, "text");
        return isString(initial) ? addText(initial) : NONE;
      }
      case "thinking":
      case "redacted_thinking": {
        const opened = thinking.open(block, at);
        open.set(index, { kind: "thinking", thinking: opened.block });
        return reasoningFrames(opened.shown);
      }
      case "tool_use":
        return startTool(index, block);
      default:
        return NONE;
    }
  };

  const startTool = (index: number, block: JsonObject): readonly StreamFrame[] => {
    const wireName = ownText(block, "name");
    if (wireName === plan.jsonTool) {
      sawJson = true;
      open.set(index, { kind: "json", text: createArgumentText(plan, wireName, own(block, "input")) });
      return NONE;
    }
    // The caller of `functions` can take one call only.
    if (plan.legacyFunctions && calls > 0) return NONE;
    const call = createToolStream(plan, out(), block, calls++);
    callIds.push(call.id);
    open.set(index, { kind: "tool", call });
    return [...contentFrames(text.flush()), ...call.start()];
  };

  const addDelta = (index: number, delta: JsonObject): readonly StreamFrame[] => {
    collector?.delta(index, delta);
    const block = open.get(index);
    if (block === undefined) return NONE;
    switch (block.kind) {
      case "text": {
        const piece = own(delta, "text");
        if (isString(piece)) return addText(piece);
        const citation = own(delta, "citation");
        if (citation !== undefined) block.citations.push(citation);
        return NONE;
      }
      case "thinking":
        return reasoningFrames(thinking.push(block.thinking, delta));
      case "tool":
      case "json": {
        const piece = own(delta, "partial_json");
        if (!isString(piece) || piece === "") return NONE;
        return block.kind === "tool" ? block.call.push(piece) : contentFrames(jsonHold.push(block.text.push(piece)));
      }
      default:
        return block satisfies never;
    }
  };

  const stopBlock = (index: number): readonly StreamFrame[] => {
    collector?.stop(index);
    const block = open.get(index);
    if (block === undefined) return NONE;
    open.delete(index);
    switch (block.kind) {
      case "text":
        for (const citation of block.citations) addCitation(cited, citation, block.start, textLength);
        return NONE;
      case "thinking":
        thinking.close(block.thinking);
        return NONE;
      case "tool":
        return block.call.stop();
      case "json":
        return contentFrames(jsonHold.push(block.text.end()) + jsonHold.end());
      default:
        return block satisfies never;
    }
  };

  const readMessageDelta = (json: JsonObject): void => {
    const delta = own(json, "delta");
    stopReason = own(delta, "stop_reason") ?? stopReason;
    stopDetails = own(delta, "stop_details") ?? stopDetails;
    totals.update(own(json, "usage"));
  };

  const canContinue = (): boolean =>
    isTerminal && collector !== null && stopReason === "pause_turn" && continuations < MAX_CONTINUATIONS;

  const finish = (): readonly StreamFrame[] => {
    isFinished = true;
    const spare = sawJson || spareText === "" ? "" : text.push(spareText);
    const frames: StreamFrame[] = [...contentFrames(spare + text.flush())];
    rememberThinking(
      plan,
      callIds,
      thinking.blocks.map(({ block }) => block),
    );
    const refusal = text.stopped ? null : refusalText(stopReason, stopDetails);
    const reason = planFinish(plan, stopReason, text.stopped);
    frames.push(...renderEnding(out(), { thinking: thinking.blocks, cited, refusal, finish: reason }));
    return frames;
  };

  return {
    push: (json) => {
      if (isFinished || text.stopped) return NONE;
      const index = own(json, "index");
      const at = typeof index === "number" ? index : -1;
      switch (own(json, "type")) {
        case "content_block_delta": {
          const delta = own(json, "delta");
          return isObject(delta) ? addDelta(at, delta) : NONE;
        }
        case "content_block_start": {
          const block = own(json, "content_block");
          return isObject(block) ? startBlock(at, block) : NONE;
        }
        case "content_block_stop":
          return stopBlock(at);
        case "message_start":
          return startMessage(own(json, "message"));
        case "message_delta":
          readMessageDelta(json);
          return NONE;
        case "message_stop":
          isTerminal = true;
          return canContinue() ? NONE : finish();
        case "ping":
          return [PING_FRAME];
        default:
          return NONE;
      }
    },
    end: () => {
      const frames = isFinished ? [] : [...finish()];
      if (plan.includeUsage) frames.push(out().usage(totals.render(fallbackUsage, text.stopped)));
      frames.push(DONE_FRAME);
      return frames;
    },
    get done() {
      return text.stopped;
    },
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
