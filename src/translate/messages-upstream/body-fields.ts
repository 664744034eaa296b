/** The fields of a Messages request that is being written. */
import type { Json } from "../../base/json.ts";

type BodyField =
  | "model"
  | "max_tokens"
  | "system"
  | "messages"
  | "tools"
  | "tool_choice"
  | "stop_sequences"
  | "temperature"
  | "top_p"
  | "top_k"
  | "thinking"
  | "output_config"
  | "metadata"
  | "service_tier"
  | "speed"
  | "cache_control"
  | "context_management"
  | "mcp_servers"
  | "container"
  | "inference_geo"
  | "stream";

/** A body in the making; what stays undefined is not sent. */
export type MessagesBody = { [Field in BodyField]: Json | undefined };

/** All fields, in the order in which they are written: the same request gives the same bytes. */
export function emptyBody(): MessagesBody {
  return {
    model: undefined,
    max_tokens: undefined,
    system: undefined,
    messages: undefined,
    tools: undefined,
    tool_choice: undefined,
    stop_sequences: undefined,
    temperature: undefined,
    top_p: undefined,
    top_k: undefined,
    thinking: undefined,
    output_config: undefined,
    metadata: undefined,
    service_tier: undefined,
    speed: undefined,
    cache_control: undefined,
    context_management: undefined,
    mcp_servers: undefined,
    container: undefined,
    inference_geo: undefined,
    stream: undefined,
  };
}
