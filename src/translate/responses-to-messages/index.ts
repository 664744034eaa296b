/** The pair that lets Responses clients talk to Claude. */
import { chatRateLimits } from "../maps/rate-limits.ts";
import { ERROR_ROWS, renderError } from "../messages-upstream/errors.ts";
import type { Translator } from "../translator.ts";
import { renderRequest, REQUEST_ROWS } from "./request.ts";
import { renderReply, RESPONSE_ROWS } from "./response.ts";
import { createReplyStream, STREAM_ROWS } from "./stream.ts";

/** OpenAI Responses clients, Anthropic Messages upstream. */
export const responsesToMessages: Translator = {
  client: "responses",
  upstream: "messages",
  request: (request, context) => {
    const { body, upstreamStream, draft, reply } = renderRequest(request, context);
    return {
      body: JSON.stringify(body),
      upstreamStream,
      betas: [...draft.betas],
      dropped: draft.report.dropped(),
      adapted: draft.report.adapted(),
      checks: [...draft.checks],
      response: (answer, replyContext, earlier) => renderReply(reply, body, answer, replyContext, earlier),
      stream: (replyContext) => createReplyStream(reply, body, replyContext),
    };
  },
  error: renderError,
  headers: chatRateLimits,
  rows: [...REQUEST_ROWS, ...RESPONSE_ROWS, ...STREAM_ROWS, ...ERROR_ROWS],
};
