/** The pair that lets Responses clients talk to Claude. */
import { chatRateLimits } from "../maps/rate-limits.ts";
import { ERROR_ROWS, renderError } from "../messages-upstream/errors.ts";
import { createSentRequest, type ReplySide } from "../sent-request.ts";
import type { Translator } from "../translator.ts";
import type { ResponsesReplyPlan } from "./reply-plan.ts";
import { renderRequest, REQUEST_ROWS } from "./request.ts";
import { renderReply, RESPONSE_ROWS } from "./response.ts";
import { createReplyStream, STREAM_ROWS } from "./stream.ts";

const REPLY_SIDE: ReplySide<ResponsesReplyPlan> = {
  readsBody: true,
  whole: (plan, reply, context, earlier, body) => renderReply(plan, body, reply, context, earlier),
  stream: (plan, context, body) => createReplyStream(plan, body, context),
};

/** OpenAI Responses clients, Anthropic Messages upstream. */
export const responsesToMessages: Translator = {
  client: "responses",
  upstream: "messages",
  request: (request, context) => createSentRequest(renderRequest(request, context), REPLY_SIDE),
  error: renderError,
  headers: chatRateLimits,
  rows: [...REQUEST_ROWS, ...RESPONSE_ROWS, ...STREAM_ROWS, ...ERROR_ROWS],
};
