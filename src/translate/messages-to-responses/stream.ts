/** Responses events as Messages events: one block at a time, in the order of the output items. */
import { isObject, own, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { stopFields } from "../maps/stop-reason.ts";
import { mintToolId } from "../maps/tool-names.ts";
import { createBlockWriter, type BlockKind } from "../messages-client/blocks.ts";
import { createTextFilter, messageId, modelShown, type ReplySettings } from "../messages-client/reply.ts";
import { renderEnd, renderStart } from "../messages-client/stream-frames.ts";
import { createResponseReader, responseFinish, type ResponseSink } from "../response-reader.ts";
import type { ReplyContext, StreamFrame, StreamTranslator } from "../translator.ts";
import { citationsOf, isSealed, renderSearch, signatureOf } from "./reply.ts";

const EMPTY_BLOCKS: Readonly<Record<Exclude<BlockKind, "tool_use">, JsonObject>> = {
  text: { type: "text", text: "" },
  thinking: { type: "thinking", thinking: "", signature: "" },
};

/** Text inside a JSON string, of which only a piece is known. */
function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Creates the translator of one stream. */
export function createMessagesStream(settings: ReplySettings, context: ReplyContext): StreamTranslator {
  let frames: StreamFrame[] = [];
  const writer = createBlockWriter((frame) => void frames.push(frame));
  const filter = createTextFilter(settings);
  let isStarted = false;
  let id = "";
  let calls = 0;
  let isCustom = false;
  let refusal: string | null = null;
  let fallbackUsage: Usage | null = null;

  const write = (kind: keyof typeof EMPTY_BLOCKS, text: string): void => {
    if (text === "") return;
    if (writer.open !== kind) open(kind);
    writer.write(text);
  };

  const open = (kind: keyof typeof EMPTY_BLOCKS): void => {
    writer.stop();
    writer.start(kind, EMPTY_BLOCKS[kind]);
  };

  /** What comes after a matched stop sequence is what the caller asked not to be written. */
  const isOver = (): boolean => filter.matched !== null;

  const sink: ResponseSink = {
    reasoning: (text) => {
      if (!isOver()) write("thinking", text);
    },
    endReasoning: (item) => {
      if (isOver()) return;
      if (writer.open !== "thinking") {
        if (!isSealed(item)) return;
        open("thinking");
      }
      writer.delta({ type: "signature_delta", signature: signatureOf(item, settings.modelId) });
      writer.stop();
    },
    text: (text) => write("text", filter.push(text)),
    refusal: (text) => {
      write("text", filter.end() + text);
      refusal = (refusal ?? "") + text;
    },
    endMessage: (item) => {
      write("text", filter.end());
      if (writer.open === "text") {
        for (const citation of citationsOf(item)) writer.delta({ type: "citations_delta", citation });
      }
      writer.stop();
    },
    openCall: (call) => {
      if (isOver()) return;
      isCustom = call.custom;
      const callId = call.id === "" ? mintToolId(id, calls) : call.id;
      calls++;
      const name = settings.restoreName(call.name);
      writer.start("tool_use", { type: "tool_use", id: callId, name, input: {} });
      if (isCustom) writer.write('{"input":"');
    },
    input: (text) => writer.write(isCustom ? escapeJson(text) : text),
    endCall: () => {
      if (isCustom) writer.write('"}');
      writer.stop();
    },
    other: (item) => {
      const search = isOver() ? null : renderSearch(item);
      if (search === null) return;
      writer.start("tool_use", search.call);
      writer.write(JSON.stringify(search.input));
      writer.stop();
      writer.whole(search.result);
    },
  };
  const reader = createResponseReader(sink);

  const start = (response: JsonObject): void => {
    isStarted = true;
    id = messageId(own(response, "id"), context);
    frames.push(...renderStart(id, modelShown(own(response, "model"), settings, context)));
  };

  const take = (): readonly StreamFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };

  return {
    push: (json) => {
      if (isOver()) return [];
      if (!isStarted) {
        const response = own(json, "response");
        start(isObject(response) ? response : {});
      }
      reader.push(json);
      return take();
    },
    end: () => {
      if (!isStarted) start({});
      if (!isOver()) reader.end();
      writer.stop();
      const usage = own(reader.response, "usage");
      const stop = stopFields(responseFinish(reader.response), {
        hasToolCall: calls > 0,
        refusal,
        stopSequence: filter.matched,
      });
      frames.push(...renderEnd(stop, isObject(usage) ? usage : null, fallbackUsage));
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
