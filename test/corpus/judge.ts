import { judgeChat } from "../../src/simulator/openai-chat-rules.ts";
import type { JsonObject } from "../../src/base/json.ts";
export function judgeRequest(format: string, json: JsonObject, _b: readonly string[]) {
  return format === "chat" ? judgeChat(json, { today: "2026-11-24", servesShutDown: true }) : null;
}
