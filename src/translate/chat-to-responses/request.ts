/** A Chat request as a Responses request, with the reply side that belongs to it. */
import type { MutableJsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { hasNumberAtRisk } from "../numbers.ts";
import { amendResponses } from "../amend-responses.ts";
import { createReport } from "../report.ts";
import type { Translated, TranslationContext } from "../translator.ts";
import type { Draft } from "./draft.ts";
import { applyParameters } from "./parameters.ts";
import { renderReply } from "./response.ts";
import { createReplyStream } from "./stream.ts";

/** Order of the keys in the body: the same request gives the same bytes. */
const BODY_KEYS = [
  "model",
  "input",
  "max_output_tokens",
  "temperature",
  "top_p",
  "reasoning",
  "text",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "service_tier",
  "metadata",
  "moderation",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "include",
  "store",
  "truncation",
  "stream",
  "stream_options",
] as const;

function renderBody(fields: MutableJsonObject): string {
  const body: MutableJsonObject = {};
  for (const key of BODY_KEYS) if (fields[key] !== undefined) body[key] = fields[key];
  return JSON.stringify(body);
}

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
    body: {},
    reply: {
      modelId: context.modelId,
      stops: [],
      includeUsage: false,
      legacyFunctions: false,
      thinkingStore: context.thinkingStore,
    },
  };
  applyParameters(draft);
  return {
    body: renderBody(draft.body),
    upstreamStream: true,
    betas: [],
    dropped: draft.report.dropped(),
    adapted: draft.report.adapted(),
    checks: [],
    response: (reply, replyContext) => renderReply(draft.reply, reply, replyContext),
    stream: (replyContext) => createReplyStream(draft.reply, replyContext),
    amend: amendResponses,
  };
}
