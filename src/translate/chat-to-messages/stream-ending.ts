/** The chunks that close a streamed answer. */
import type { JsonObject } from "../../base/json.ts";
import type { StreamFrame } from "../translator.ts";
import type { ChunkWriter, Finish } from "../chat-client/chunk-writer.ts";
import { renderDetail, type Citations } from "./reply-parts.ts";

/** What is told at the end of an answer. */
export interface Ending {
  /** Whole thinking blocks with their place among all blocks. */
  readonly thinking: readonly { readonly block: JsonObject; readonly at: number }[];
  readonly cited: Citations;
  /** Text of a refusal; null without one. */
  readonly refusal: string | null;
  readonly finish: Finish;
}

/**
 * Refusal, thinking and the finish chunk with its citations. Each whole value goes out once and in one chunk: clients
 * concatenate or overwrite what comes in pieces.
 */
export function renderEnding(writer: ChunkWriter, ending: Ending): readonly StreamFrame[] {
  const { thinking, cited, refusal, finish } = ending;
  const frames: StreamFrame[] = [];
  if (refusal !== null) frames.push(writer.delta(`{"refusal":${JSON.stringify(refusal)}}`, { refusal }));
  if (thinking.length > 0) {
    const delta = { reasoning_details: thinking.map(({ block, at }, index) => renderDetail(block, index, at)) };
    frames.push(writer.delta(JSON.stringify(delta), delta));
  }
  const delta = {
    ...(cited.annotations.length === 0 ? {} : { annotations: cited.annotations }),
    ...(cited.others.length === 0 ? {} : { citations: cited.others }),
  };
  frames.push(writer.finish(delta, finish));
  return frames;
}
