/** The pair that lets Chat clients talk to Claude. */
import { chatRateLimits } from "../maps/rate-limits.ts";
import { createSentRequest, type ReplySide } from "../sent-request.ts";
import type { Translator } from "../translator.ts";
import { ERROR_ROWS, renderError } from "../messages-upstream/errors.ts";
import type { ChatReplyPlan } from "./reply-plan.ts";
import { renderRequest, REQUEST_ROWS } from "./request.ts";
import { renderReply, RESPONSE_ROWS } from "./response.ts";
import { createReplyStream, STREAM_ROWS } from "./stream.ts";

const REPLY_SIDE: ReplySide<ChatReplyPlan> = {
  readsBody: true,
  whole: (plan, reply, context, earlier, body) => renderReply(plan, body, reply, context, earlier),
  stream: (plan, context, body) => createReplyStream(plan, body, context),
};

/** OpenAI Chat Completions clients, Anthropic Messages upstream. */
export const chatToMessages: Translator = {
  client: "chat",
  upstream: "messages",
  request: (request, context) => createSentRequest(renderRequest(request, context), REPLY_SIDE),
  error: renderError,
  headers: chatRateLimits,
  rows: [...REQUEST_ROWS, ...RESPONSE_ROWS, ...STREAM_ROWS, ...ERROR_ROWS],
};
