/** From a JSON body to the judge of its endpoint, and from there to the prompt and its renderer. */
import { own, type JsonObject } from "../base/json.ts";
import { countRequestTokens, judgeMessages, readBetas } from "./anthropic-rules.ts";
import { findClaudeModel } from "./claude-models.ts";
import { judgeChat } from "./openai-chat-rules.ts";
import { findOpenAiModel } from "./openai-models.ts";
import { judgeResponses } from "./openai-responses-rules.ts";
import type { Prompt } from "./prompt.ts";
import { readChatPrompt } from "./read-chat.ts";
import { readMessagesPrompt } from "./read-messages.ts";
import { readResponsesPrompt } from "./read-responses.ts";
import type { Judgement } from "./refusal.ts";
import { chatRenderer } from "./render-chat.ts";
import { messagesRenderer } from "./render-messages.ts";
import { responsesRenderer } from "./render-responses.ts";
import type { Renderer } from "./render.ts";
import type { Generates } from "./route.ts";
import type { Signer } from "./signature.ts";

/** What an accepted request leads to. */
export type Judged =
  | { readonly kind: "prompt"; readonly prompt: Prompt; readonly renderer: Renderer }
  | { readonly kind: "count"; readonly tokens: number };

interface JudgeContext {
  readonly today: string;
  readonly servesShutDown: boolean;
  readonly signer: Signer;
}

/** Judges the body and reads the prompt of an accepted one. */
export function judgeRequest(
  endpoint: Generates,
  json: JsonObject,
  headers: Headers,
  context: JudgeContext,
): Judged | Judgement {
  const id = String(own(json, "model"));
  if (endpoint === "chat" || endpoint === "responses") {
    const judgement = endpoint === "chat" ? judgeChat(json, context) : judgeResponses(json, context, context.signer);
    const model = findOpenAiModel(id);
    if (judgement !== null || model === null) return judgement ?? unknownModel(id);
    return endpoint === "chat"
      ? { kind: "prompt", prompt: readChatPrompt(json, model), renderer: chatRenderer }
      : { kind: "prompt", prompt: readResponsesPrompt(json, model), renderer: responsesRenderer };
  }
  const judgement = judgeMessages(json, {
    ...context,
    version: headers.get("anthropic-version") ?? "",
    betas: readBetas(headers.get("anthropic-beta")),
    counting: endpoint === "count",
  });
  const model = findClaudeModel(id);
  if (judgement !== null || model === null) return judgement ?? unknownModel(id);
  return endpoint === "count"
    ? { kind: "count", tokens: countRequestTokens(json) }
    : { kind: "prompt", prompt: readMessagesPrompt(json, model), renderer: messagesRenderer };
}

function unknownModel(id: string): Judgement {
  return {
    status: 404,
    type: "not_found_error",
    message: `model: ${id}`,
    param: null,
    code: "model_not_found",
    rule: "model exists",
  };
}
