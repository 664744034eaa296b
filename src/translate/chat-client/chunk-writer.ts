/** Writes Chat stream chunks. What is the same in every chunk is made once. */
import type { Json, JsonObject } from "../../base/json.ts";
import type { StreamFrame } from "../translator.ts";

/** Why the answer ended, in Chat's words. */
export interface Finish {
  readonly reason: string;
  /** The provider's own word; null when it gave none. */
  readonly native: string | null;
}

/** Frames of one answer. */
export interface ChunkWriter {
  /** A chunk whose `delta` is `delta`; `text` is the same as compact JSON. */
  readonly delta: (text: string, delta: JsonObject) => StreamFrame;
  /** The one chunk that says why the answer ended. */
  readonly finish: (delta: JsonObject, finish: Finish) => StreamFrame;
  /** The chunk without choices that carries usage. */
  readonly usage: (usage: JsonObject) => StreamFrame;
}

/** What all chunks of an answer share. */
export interface ChunkHead {
  readonly id: string;
  readonly created: number;
  readonly model: Json;
  /** The caller asked for usage: every chunk but the last says `usage: null`. */
  readonly includeUsage: boolean;
}

const OBJECT = "chat.completion.chunk";

/** The end of a Chat stream. */
export const DONE_FRAME: StreamFrame = { text: "data: [DONE]\n\n", json: null };

/** A comment that keeps the connection alive; it stands for an upstream ping. */
export const PING_FRAME: StreamFrame = { text: ": ping\n\n", json: null };

/** A chunk of one delta, written out as it is made for every token: copying what chunks share would cost more than the rest. */
function deltaChunk({ id, created, model, includeUsage }: ChunkHead, delta: JsonObject): JsonObject {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: null }];
  return includeUsage
    ? { id, object: OBJECT, created, model, system_fingerprint: null, choices, usage: null }
    : { id, object: OBJECT, created, model, system_fingerprint: null, choices };
}

/** Creates the writer for one answer. */
export function createChunkWriter(head: ChunkHead): ChunkWriter {
  const shared = {
    id: head.id,
    object: OBJECT,
    created: head.created,
    model: head.model,
    system_fingerprint: null,
  };
  const tail = head.includeUsage ? { usage: null } : {};
  const open = `data: ${JSON.stringify(shared).slice(0, -1)},"choices":[`;
  const close = head.includeUsage ? `],"usage":null}\n\n` : `]}\n\n`;
  const openDelta = `${open}{"index":0,"delta":`;
  const closeDelta = `,"logprobs":null,"finish_reason":null}${close}`;
  return {
    delta: (text, delta) => ({ text: openDelta + text + closeDelta, json: deltaChunk(head, delta) }),
    finish: (delta, finish) => {
      const choice = {
        index: 0,
        delta,
        logprobs: null,
        finish_reason: finish.reason,
        native_finish_reason: finish.native,
      };
      return { text: open + JSON.stringify(choice) + close, json: { ...shared, choices: [choice], ...tail } };
    },
    usage: (usage) => {
      const json = { ...shared, choices: [], usage };
      return { text: `data: ${JSON.stringify(json)}\n\n`, json };
    },
  };
}
