/** Adds up what a streamed answer and its continuations report of tokens. */
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { addUsages } from "./reply-parts.ts";

/** Writes usage in the client's format. */
export interface UsageRenderer {
  /** From Anthropic's counts. */
  readonly reported: (usage: JsonObject) => JsonObject;
  readonly estimated: (usage: Usage) => JsonObject;
}

/** Token counts of one answer as Anthropic reports them. */
export interface UsageTotals {
  /** Takes the usage of `message_start`: a new message, whose counts are added to those of the messages before it. */
  readonly start: (usage: Json | undefined) => void;
  /** Takes the usage of `message_delta`: totals that replace those named; absent ones stay. */
  readonly update: (usage: Json | undefined) => void;
  /**
   * The client's usage for all of it. `fallback` is used where upstream reported nothing; when the answer was `cut` short
   * by the gateway, for the output, whose size upstream never said.
   */
  readonly render: (fallback: Usage | null, cut: boolean) => JsonObject;
}

/** Creates empty totals. */
export function createUsageTotals(renderer: UsageRenderer): UsageTotals {
  let earlier: JsonObject | null = null;
  let current: JsonObject | null = null;

  const reported = (): JsonObject | null => {
    if (earlier === null || current === null) return current ?? earlier;
    return addUsages(earlier, current);
  };
  return {
    start: (usage) => {
      earlier = reported();
      current = isObject(usage) ? usage : null;
    },
    update: (usage) => {
      if (!isObject(usage)) return;
      const present = Object.entries(usage).filter(([, value]) => value !== null);
      current = { ...current, ...Object.fromEntries(present) };
    },
    render: (fallback, cut) => {
      const usage = reported();
      if (usage === null) return fallback === null ? renderer.reported({}) : renderer.estimated(fallback);
      return renderer.reported(cut && fallback !== null ? { ...usage, output_tokens: fallback.output } : usage);
    },
  };
}
