/** A Messages request as a Responses request, with the reply side that belongs to it. */
import type { MutableJsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { createChatToolNames } from "../maps/tool-names.ts";
import type { Draft } from "../messages-client/draft.ts";
import { readSource } from "../messages-client/source.ts";
import type { ReplySettings } from "../messages-client/reply.ts";
import { createReport } from "../report.ts";
import { createSentRequest, type ReplySide } from "../sent-request.ts";
import { NO_ITEMS } from "../small-sets.ts";
import { amendResponses } from "../amend-responses.ts";
import type { Translated, TranslationContext } from "../translator.ts";
import { applyParameters } from "./parameters.ts";
import { translateResponse } from "./response.ts";
import { createMessagesStream } from "./stream.ts";
import { RESPONSES_SURFACE } from "./surface.ts";
import { searchesWeb } from "./tools.ts";

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
    safety_identifier: undefined,
    prompt_cache_key: undefined,
    include: undefined,
    store: undefined,
    truncation: undefined,
    stream: undefined,
  };
}

const REPLY_SIDE: ReplySide<ReplySettings> = {
  readsBody: false,
  whole: (settings, reply, context) => translateResponse(reply, settings, context),
  stream: createMessagesStream,
  amend: amendResponses,
};

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
    body: emptyBody(),
    checks: NO_ITEMS,
    scannedStops: [],
    prefill: null,
  };
  applyParameters(draft);
  const settings: ReplySettings = {
    modelId: context.modelId,
    restoreName: draft.names.restorer(),
    stops: draft.scannedStops,
    prefill: draft.prefill,
    searches: searchesWeb(draft),
  };
  const { body, report, checks } = draft;
  return createSentRequest({ body, upstreamStream: true, betas: NO_ITEMS, report, checks, plan: settings }, REPLY_SIDE);
}
