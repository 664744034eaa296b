/** A Messages request as a Responses request, with the reply side that belongs to it. */
import type { MutableJsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { createChatToolNames } from "../maps/tool-names.ts";
import type { Draft } from "../messages-client/draft.ts";
import { readSource } from "../messages-client/source.ts";
import type { ReplySettings } from "../messages-client/reply.ts";
import { createReport } from "../report.ts";
import { amendResponses } from "../amend-responses.ts";
import type { Translated, TranslationContext } from "../translator.ts";
import { applyParameters } from "./parameters.ts";
import { translateResponse } from "./response.ts";
import { createMessagesStream } from "./stream.ts";
import { RESPONSES_SURFACE } from "./surface.ts";
import { searchesWeb } from "./tools.ts";

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
  "safety_identifier",
  "prompt_cache_key",
  "include",
  "store",
  "truncation",
  "stream",
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
    surface: RESPONSES_SURFACE,
    capabilities: context.model.capabilities,
    report: createReport(),
    names: createChatToolNames(),
    json: request.json,
    source: readSource(request),
    body: {},
    checks: new Set(),
    scannedStops: [],
    prefill: null,
  };
  applyParameters(draft);
  const settings: ReplySettings = {
    modelId: context.modelId,
    restoreName: draft.names.restore,
    stops: draft.scannedStops,
    prefill: draft.prefill,
    searches: searchesWeb(draft),
  };
  return {
    body: renderBody(draft.body),
    upstreamStream: true,
    betas: [],
    dropped: draft.report.dropped(),
    adapted: draft.report.adapted(),
    checks: [...draft.checks],
    response: (reply, replyContext) => translateResponse(reply, settings, replyContext),
    stream: (replyContext) => createMessagesStream(settings, replyContext),
    amend: amendResponses,
  };
}
