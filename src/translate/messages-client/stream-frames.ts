/** The events of a Messages stream around its blocks. */
import type { Json, JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import type { StopFields } from "../maps/stop-reason.ts";
import { messagesUsageFromChat, renderMessagesUsage } from "../maps/usage.ts";
import type { StreamFrame } from "../translator.ts";
import { renderFrame } from "./blocks.ts";

const PING = renderFrame("ping", { type: "ping" });
const MESSAGE_STOP = renderFrame("message_stop", { type: "message_stop" });
/** No estimate here: clients that add it to the counters of `message_delta` would count twice. */
const NO_USAGE: JsonObject = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};

/** The frames that begin a stream. */
export function renderStart(id: string, model: string): readonly StreamFrame[] {
  const message: JsonObject = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: NO_USAGE,
  };
  return [renderFrame("message_start", { type: "message_start", message }), PING];
}

/** The frames that end one; `usage` as OpenAI reported it, else `fallback` counts. */
export function renderEnd(stop: StopFields, usage: JsonObject | null, fallback: Usage | null): readonly StreamFrame[] {
  const counters =
    usage === null && fallback !== null ? renderMessagesUsage(fallback) : messagesUsageFromChat(usage ?? {});
  const delta: Readonly<Record<string, Json>> = { ...stop };
  return [renderFrame("message_delta", { type: "message_delta", delta, usage: counters }), MESSAGE_STOP];
}
