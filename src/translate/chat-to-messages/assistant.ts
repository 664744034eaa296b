/** One assistant message of a Chat history as blocks. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isString, own, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { markLast, readMarker } from "../messages-upstream/cache-markers.ts";
import { renderFunctionCall } from "../messages-upstream/calls.ts";
import { renderCall } from "./calls.ts";
import { renderContent } from "./content.ts";
import type { LegacyCalls } from "./legacy-calls.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import { filterThinking } from "../messages-upstream/thinking-blocks.ts";
import { restoreThinking, type ThinkingHistory } from "./thinking-history.ts";
import { isBlank } from "../messages-upstream/turns.ts";

/** What an assistant message needs to know of the history around it. */
export interface AssistantContext {
  /** Thinking to restore, by message; null when none is sent. */
  readonly thinking: ThinkingHistory | null;
  readonly legacyCalls: LegacyCalls;
}

/**
 * Text, refusal and calls in this order, with the thinking of the turn put back; no block for a message without content.
 * @throws GatewayError naming the part that cannot be carried
 */
export function renderAssistant(
  draft: Draft,
  message: JsonObject,
  index: number,
  context: AssistantContext,
): readonly JsonObject[] {
  const path = `messages[${index}]`;
  if ((own(message, "audio") ?? null) !== null) {
    throw unsupported(`${path}.audio`, "this model takes no audio; send the transcript as content");
  }
  const blocks: JsonObject[] = [];
  for (const block of renderContent(own(message, "content"), { path: `${path}.content`, markerTtl: draft.markerTtl })) {
    if (!isBlank(block) || own(block, "cache_control") !== undefined) blocks.push(fitCall(draft, block));
  }
  const refusal = own(message, "refusal");
  if (isString(refusal) && refusal !== "") blocks.push({ type: "text", text: refusal });
  addCalls(draft, message, path, blocks);
  const legacy = own(message, "function_call");
  const legacyName = own(legacy, "name");
  if (isString(legacyName)) {
    const id = context.legacyCalls.open();
    blocks.push(renderFunctionCall(draft, id, legacyName, legacy, `${path}.function_call.arguments`));
  }
  const kept = filterThinking(blocks, context.thinking !== null);
  const restored = restoreThinking(kept, context.thinking?.get(index) ?? []);
  return markLast(restored, readMarker(message, draft.markerTtl));
}

function addCalls(draft: Draft, message: JsonObject, path: string, blocks: JsonObject[]): void {
  const calls = own(message, "tool_calls");
  if (!isArray(calls)) return;
  // Clients that mix shapes may send a call in both.
  const inline = new Set(blocks.map((block) => own(block, "id")));
  calls.forEach((call, position) => {
    const block = renderCall(draft, call, `${path}.tool_calls[${position}]`);
    if (!inline.has(own(block, "id"))) blocks.push(block);
  });
}

/** A call in Anthropic's own shape gets an id and a name that fit. */
function fitCall(draft: Draft, block: JsonObject): JsonObject {
  const id = own(block, "id");
  const name = own(block, "name");
  if (own(block, "type") !== "tool_use" || !isString(id) || !isString(name)) return block;
  return { ...block, id: messagesToolId(id), name: draft.reply.names.send(name) };
}
