/** A Chat request as a Responses request, with the reply side that belongs to it. */
import type { MutableJsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { hasNumberAtRisk } from "../numbers.ts";
import { amendResponses } from "../amend-responses.ts";
import { createReport } from "../report.ts";
import { createSentRequest, type ReplySide } from "../sent-request.ts";
import { NO_ITEMS } from "../small-sets.ts";
import type { Translated, TranslationContext } from "../translator.ts";
import type { Draft, ReplyPlan } from "./draft.ts";
import { applyParameters } from "./parameters.ts";
import { renderReply } from "./response.ts";
import { createReplyStream } from "./stream.ts";

/** All fields, in the order in which they are written: the same request gives the same bytes. */
function emptyBody(): MutableJsonObject {
  return {
    model: undefined,
    input: undefined,
    max_output_tokens: undefined,
    temperature: undefined,
    top_p: undefined,
    reasoning: undefined,
    text: undefined,
    tools: undefined,
    tool_choice: undefined,
    parallel_tool_calls: undefined,
    service_tier: undefined,
    metadata: undefined,
    moderation: undefined,
    user: undefined,
    safety_identifier: undefined,
    prompt_cache_key: undefined,
    prompt_cache_options: undefined,
    prompt_cache_retention: undefined,
    include: undefined,
    store: undefined,
    truncation: undefined,
    stream: undefined,
    stream_options: undefined,
  };
}

const REPLY_SIDE: ReplySide<ReplyPlan> = {
  readsBody: false,
  whole: renderReply,
  stream: createReplyStream,
  amend: amendResponses,
};

/**
 * Translates a request.
 * @throws GatewayError `unsupported-translation` for what would change the meaning, `invalid-request` for what is wrong
 */
export function translateRequest(request: ParsedRequest, context: TranslationContext): Translated {
  const draft: Draft = {
    context,
    capabilities: context.model.capabilities,
    report: createReport(),
    json: request.json,
    source: hasNumberAtRisk(request.json) ? request.lossless() : request.json,
    body: emptyBody(),
    reply: {
      modelId: context.modelId,
      stops: [],
      includeUsage: false,
      legacyFunctions: false,
      thinkingStore: context.thinkingStore,
    },
  };
  applyParameters(draft);
  const { body, report, reply: plan } = draft;
  return createSentRequest({ body, upstreamStream: true, betas: NO_ITEMS, report, checks: NO_ITEMS, plan }, REPLY_SIDE);
}
