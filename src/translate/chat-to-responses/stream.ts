/** Responses events as Chat chunks. */
import { own, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { callShape, type CallShape } from "../chat-client/call-shape.ts";
import { createChunkWriter, DONE_FRAME, type ChunkWriter } from "../chat-client/chunk-writer.ts";
import { mintToolId } from "../maps/tool-names.ts";
import { renderChatUsage } from "../maps/usage.ts";
import { createResponseReader, type ResponseSink } from "../response-reader.ts";
import { createStopScanner } from "../stop-scanner.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import type { ReplyContext, StreamFrame, StreamTranslator } from "../translator.ts";
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

/** Creates the translator of one streamed answer. */
export function createReplyStream(plan: ReplyPlan, context: ReplyContext): StreamTranslator {
  let frames: StreamFrame[] = [];
  let writer: ChunkWriter | null = null;
  const scanner = createStopScanner(plan.stops);
  const textHold = createSurrogateHold();
  const callHold = createSurrogateHold();
  const annotations: JsonObject[] = [];
  const reasoning: PlacedReasoning[] = [];
  const callIds: string[] = [];
  let id = "";
  let items = 0;
  let calls = 0;
  /** Characters of content so far. */
  let length = 0;
  let separator = "";
  let summary = "";
  let summarySeparator = "";
  let shape: CallShape | null = null;
  let hasInput = false;
  let isCustom = false;
  let fallbackUsage: Usage | null = null;

  const out = (): ChunkWriter => (writer ??= start(undefined));
  const start = (response: JsonObject | undefined): ChunkWriter => {
    id = chatId(own(response, "id"));
    const opened = createChunkWriter({
      id,
      created: createdAt(response, context.createdSeconds),
      model: modelOf(response, plan, context.modelShown),
      includeUsage: plan.includeUsage,
    });
    frames.push(opened.delta('{"role":"assistant","content":""}', { role: "assistant", content: "" }));
    return opened;
  };
  const isOver = (): boolean => scanner.matched !== null;

  /** Writes `text` as the delta's only field. */
  const write = (name: "content" | "reasoning_content" | "refusal", text: string): void => {
    if (text !== "") frames.push(out().delta(`{"${name}":${JSON.stringify(text)}}`, { [name]: text }));
  };
  const writeText = (piece: string): void => {
    if (piece === "") return;
    const text = separator + piece;
    separator = "";
    length += text.length;
    write("content", textHold.push(text));
  };
  const writeInput = (text: string): void => {
    if (shape === null || text === "") return;
    frames.push(out().delta(shape.open + JSON.stringify(text) + shape.close, shape.json(text)));
  };

  const sink: ResponseSink = {
    reasoning: (text) => {
      if (isOver()) return;
      summary += text;
      write("reasoning_content", summarySeparator + text);
      summarySeparator = "";
    },
    endReasoning: (item) => {
      const placed = readReasoning(item, summary, items++, plan.modelId);
      if (placed !== null) reasoning.push(placed);
      if (summary !== "") summarySeparator = MESSAGE_SEPARATOR;
      summary = "";
    },
    text: (text) => writeText(scanner.push(text)),
    refusal: (text) => write("refusal", text),
    endMessage: (item) => {
      items++;
      writeText(scanner.end());
      write("content", textHold.end());
      if (!isOver()) annotations.push(...renderAnnotations(item, length - textLength(item)));
      if (length > 0) separator = MESSAGE_SEPARATOR;
    },
    openCall: (call) => {
      if (isOver() || (plan.legacyFunctions && calls > 0)) return;
      const callId = call.id === "" ? mintToolId(id, calls) : call.id;
      callIds.push(callId);
      isCustom = call.custom;
      hasInput = false;
      const kind = plan.legacyFunctions ? "legacy" : isCustom ? "custom" : "function";
      shape = callShape(kind, { id: callId, name: call.name, index: calls++ });
      frames.push(out().delta(JSON.stringify(shape.start), shape.start));
    },
    input: (text) => {
      hasInput = true;
      writeInput(callHold.push(text));
    },
    endCall: () => {
      items++;
      writeInput(callHold.end());
      if (!hasInput && !isCustom) writeInput("{}");
      shape = null;
    },
    other: () => undefined,
  };
  const reader = createResponseReader(sink);

  const finish = (): void => {
    if (!isOver()) reader.end();
    write("content", textHold.end());
    rememberReasoning(plan, callIds, reasoning);
    if (reasoning.length > 0) {
      // Whole and once: clients concatenate or overwrite what comes in pieces.
      const delta = { reasoning_details: renderDetails(reasoning) };
      frames.push(out().delta(JSON.stringify(delta), delta));
    }
    frames.push(
      out().finish(annotations.length === 0 ? {} : { annotations }, planFinish(plan, reader.response, calls, isOver())),
    );
    if (plan.includeUsage) {
      const usage = chatUsage(reader.response) ?? (fallbackUsage === null ? null : renderChatUsage(fallbackUsage));
      if (usage !== null) frames.push(out().usage(usage));
    }
    frames.push(DONE_FRAME);
  };

  const take = (): readonly StreamFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };

  return {
    push: (json) => {
      if (isOver()) return [];
      const response = own(json, "response");
      writer ??= start(typeof response === "object" && response !== null ? (response as JsonObject) : undefined);
      reader.push(json);
      return take();
    },
    end: () => {
      finish();
      return take();
    },
    get done() {
      return isOver();
    },
    continuation: () => null,
    setFallbackUsage: (estimate) => {
      fallbackUsage = estimate;
    },
  };
}

/** Characters of the text that a message item holds. */
function textLength(item: JsonObject): number {
  const content = own(item, "content");
  let sum = 0;
  for (const part of Array.isArray(content) ? content : []) {
    const text = own(part, "text");
    if (typeof text === "string") sum += text.length;
  }
  return sum;
}
