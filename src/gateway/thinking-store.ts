/** Claude's thinking blocks by tool-call id, for clients that do not send them back. In memory, bounded, for an hour. */
import type { Clock } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import type { ThinkingStore } from "../translate/translator.ts";

const LIFE_MS = 3_600_000;
const MAX_ENTRIES = 10_000;

export function createThinkingStore(clock: Clock): ThinkingStore {
  // Insertion-ordered: the first is the oldest.
  const entries = new Map<string, { readonly blocks: readonly JsonObject[]; readonly untilMs: number }>();
  return {
    get: (toolCallId) => {
      const entry = entries.get(toolCallId);
      if (entry === undefined) return null;
      if (entry.untilMs > clock.nowMs()) return entry.blocks;
      entries.delete(toolCallId);
      return null;
    },
    put: (toolCallId, blocks) => {
      entries.delete(toolCallId);
      entries.set(toolCallId, { blocks, untilMs: clock.nowMs() + LIFE_MS });
      if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value ?? "");
    },
  };
}
