/** Writes the events of a Responses stream, numbered in their order. */
import type { JsonObject } from "../../base/json.ts";
import type { StreamFrame } from "../translator.ts";

/** Collects frames until they are taken. */
export interface EventWriter {
  readonly send: (type: string, fields: JsonObject) => void;
  /** A writer of one item's deltas: what is the same in each is made once. `after` stands behind the delta. */
  readonly openDeltas: (type: string, place: JsonObject, after?: JsonObject) => (delta: string) => void;
  /** The frames since the last call. */
  readonly take: () => readonly StreamFrame[];
}

/** A comment that keeps the connection alive; it stands for an upstream ping. */
export const PING_FRAME: StreamFrame = { text: ": ping\n\n", json: null };

const NONE: readonly StreamFrame[] = [];
const NOTHING: JsonObject = {};

/** Creates the writer of one answer's events. */
export function createEventWriter(): EventWriter {
  let frames: StreamFrame[] = [];
  let sequence = 0;
  return {
    send: (type, fields) => {
      const json = { type, ...fields, sequence_number: sequence++ };
      frames.push({ text: `event: ${type}\ndata: ${JSON.stringify(json)}\n\n`, json });
    },
    openDeltas: (type, place, after = NOTHING) => {
      const head = `event: ${type}\ndata: ${JSON.stringify({ type, ...place }).slice(0, -1)},"delta":`;
      const tail = `${JSON.stringify(after).slice(1, -1)}${Object.keys(after).length === 0 ? "" : ","}"sequence_number":`;
      return (delta) => {
        const sequence_number = sequence++;
        const text = `${head}${JSON.stringify(delta)},${tail}${sequence_number}}\n\n`;
        frames.push({ text, json: { type, ...place, delta, ...after, sequence_number } });
      };
    },
    take: () => {
      if (frames.length === 0) return NONE;
      const taken = frames;
      frames = [];
      return taken;
    },
  };
}
