/**
 * Chat chunks as Messages events. OpenAI may let text and several tool calls run side by side, Anthropic has one open
 * block: what comes while a call's JSON is incomplete waits until it is whole, or until the answer ends.
 */
import { callsOf } from "./calls.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { stopFields } from "../maps/stop-reason.ts";
import { mintToolId } from "../maps/tool-names.ts";
import type { ReplyContext, StreamFrame, StreamTranslator } from "../translator.ts";
import { createBlockWriter } from "../messages-client/blocks.ts";
import { renderEnd, renderStart } from "../messages-client/stream-frames.ts";
import {
  createTextFilter,
  mergeFinish,
  messageId,
  modelShown,
  reasoningText,
  renderCitation,
  textSignature,
  type ReplySettings,
} from "../messages-client/reply.ts";
import { createToolQueue } from "./tool-queue.ts";

/** A piece of prose: text or thinking. */
interface Piece {
  readonly kind: "text" | "thinking";
  text: string;
}

/** Creates the translator of one stream. */
export function createMessagesStream(settings: ReplySettings, context: ReplyContext): StreamTranslator {
  let frames: StreamFrame[] = [];
  const writer = createBlockWriter((frame) => void frames.push(frame));
  const filter = createTextFilter(settings);
  const waiting: Piece[] = [];
  const finished = new Set<number>();
  let isStarted = false;
  let id = "";
  let upstreamId: Json | undefined;
  let model = "";
  let finish: string | null = null;
  let refusal: string | null = null;
  let usage: JsonObject | null = null;
  let fallbackUsage: Usage | null = null;
  let searchText = "";

  const tools = createToolQueue({
    open: (call) => {
      closeBlock();
      const name = settings.restoreName(call.name);
      const callId = call.id === "" ? mintToolId(id, call.order) : call.id;
      writer.start("tool_use", { type: "tool_use", id: callId, name, input: {} });
    },
    write: writer.write,
    close: writer.stop,
  });

  const start = (chunk: JsonObject | null): void => {
    isStarted = true;
    upstreamId = own(chunk, "id");
    id = messageId(upstreamId, context);
    model = modelShown(own(chunk, "model"), settings, context);
    frames.push(...renderStart(id, model));
  };

  const closeBlock = (): void => {
    if (writer.open === "thinking") {
      writer.delta({ type: "signature_delta", signature: textSignature(upstreamId, model) });
    }
    writer.stop();
  };

  const writePiece = (kind: Piece["kind"], text: string): void => {
    if (writer.open !== kind) {
      closeBlock();
      writer.start(
        kind,
        kind === "text" ? { type: "text", text: "" } : { type: "thinking", thinking: "", signature: "" },
      );
    }
    writer.write(text);
  };

  const addPiece = (kind: Piece["kind"], text: string): void => {
    if (text === "") return;
    if (!tools.isOpen) {
      writePiece(kind, text);
      return;
    }
    const last = waiting.at(-1);
    if (last?.kind === kind) last.text += text;
    else waiting.push({ kind, text });
  };

  /** Lets on what waits, as far as the open call allows; all of it when the answer has ended. */
  const advance = (isEnd: boolean): void => {
    if (tools.hasWaiting) tools.advance(isEnd);
    if (waiting.length === 0 || !tools.close(isEnd)) return;
    for (const { kind, text } of waiting) writePiece(kind, text);
    waiting.length = 0;
  };

  const flush = (): void => {
    addPiece("text", filter.end());
    advance(true);
    tools.close(true);
    closeBlock();
  };

  const readCitations = (annotations: Json | undefined): void => {
    if (!isArray(annotations) || writer.open !== "text") return;
    for (const annotation of annotations) {
      const citation = renderCitation(annotation, searchText);
      if (citation !== null) writer.delta({ type: "citations_delta", citation });
    }
  };

  const readDelta = (delta: Json | undefined, choice: number): void => {
    addPiece("thinking", reasoningText(delta));
    const content = own(delta, "content");
    if (isString(content) && content !== "") {
      if (settings.searches) searchText += content;
      addPiece("text", filter.push(content));
    }
    const refused = own(delta, "refusal");
    if (isString(refused) && refused !== "") {
      addPiece("text", filter.end() + refused);
      refusal = (refusal ?? "") + refused;
    }
    if (settings.searches) readCitations(own(delta, "annotations"));
    const calls = callsOf(delta);
    if (calls.length > 0 && filter.matched === null) {
      // What the scanner holds back comes before the call.
      addPiece("text", filter.end());
      for (const call of calls) tools.push(call, choice);
    }
    advance(false);
  };

  const readChoice = (choice: Json): void => {
    const position = own(choice, "index");
    const index = typeof position === "number" ? position : 0;
    if (finished.has(index)) return;
    readDelta(own(choice, "delta"), index);
    const reason = own(choice, "finish_reason");
    if (!isString(reason)) return;
    finished.add(index);
    finish = mergeFinish(finish, reason);
    flush();
  };

  const take = (): readonly StreamFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };

  return {
    push: (json) => {
      const reported = own(json, "usage");
      if (isObject(reported)) usage = reported;
      const choices = own(json, "choices");
      if (!isArray(choices) || choices.length === 0 || filter.matched !== null) return [];
      if (!isStarted) start(json);
      for (const choice of choices) readChoice(choice);
      return take();
    },
    end: () => {
      if (!isStarted) start(null);
      flush();
      const stop = stopFields(finish, {
        hasToolCall: tools.hasCalls,
        refusal,
        stopSequence: filter.matched,
      });
      frames.push(...renderEnd(stop, usage, fallbackUsage));
      return take();
    },
    get done() {
      return filter.matched !== null;
    },
    continuation: () => null,
    setFallbackUsage: (estimate) => {
      fallbackUsage = estimate;
    },
  };
}
