/** One tool call of a streamed answer, from its block's start to its stop. */
import { own, type JsonObject } from "../../base/json.ts";
import type { StreamFrame } from "../translator.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import { callShape } from "../chat-client/call-shape.ts";
import type { ChunkWriter } from "../chat-client/chunk-writer.ts";
import { createArgumentText } from "../messages-upstream/argument-text.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import type { ChatReplyPlan } from "./reply-plan.ts";

/** Takes a call's pieces and gives the frames they make. */
export interface ToolStream {
  readonly id: string;
  readonly start: () => readonly StreamFrame[];
  readonly push: (fragment: string) => readonly StreamFrame[];
  readonly stop: () => readonly StreamFrame[];
}

/** Creates the frames of the call in `block`; `index` counts tool calls, not blocks. */
export function createToolStream(
  plan: ChatReplyPlan,
  writer: ChunkWriter,
  block: JsonObject,
  index: number,
): ToolStream {
  const wireName = ownText(block, "name");
  const id = ownText(block, "id");
  const name = plan.names.restore(wireName);
  const text = createArgumentText(plan, wireName, own(block, "input"));
  const hold = createSurrogateHold();
  const kind = plan.legacyFunctions ? "legacy" : plan.customTools.has(wireName) ? "custom" : "function";
  const shape = callShape(kind, { id, name, index });

  const frames = (piece: string): readonly StreamFrame[] => {
    if (piece === "") return [];
    return [writer.delta(shape.open + JSON.stringify(piece) + shape.close, shape.json(piece))];
  };
  return {
    id,
    start: () => [writer.delta(JSON.stringify(shape.start), shape.start)],
    push: (fragment) => (fragment === "" ? [] : frames(hold.push(text.push(fragment)))),
    stop: () => frames(hold.push(text.end()) + hold.end()),
  };
}
