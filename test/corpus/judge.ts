/** Whether a provider would take a request: by the simulator's rules, which know nothing of the translators. */
import type { JsonObject } from "../../src/base/json.ts";
import type { FormatName } from "../../src/base/names.ts";
import { judgeMessages } from "../../src/simulator/anthropic-rules.ts";
import { judgeChat } from "../../src/simulator/openai-chat-rules.ts";
import { judgeResponses } from "../../src/simulator/openai-responses-rules.ts";
import type { Judgement } from "../../src/simulator/refusal.ts";

/** The day of every judgement. */
const today = "2026-11-24";

/** The provider's refusal; null when it would answer. `betas` are the values of `anthropic-beta`. */
export function judgeRequest(format: FormatName, json: JsonObject, betas: readonly string[]): Judgement | null {
  const options = { today, servesShutDown: true };
  switch (format) {
    case "chat":
      return judgeChat(json, options);
    case "responses":
      return judgeResponses(json, options, null);
    case "messages":
      return judgeMessages(json, { ...options, version: "2023-06-01", betas, signer: null, counting: false });
    default:
      return format satisfies never;
  }
}
