/** A Messages request as a Chat Completions request, with the reply side that belongs to it. */
import type { MutableJsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { createChatToolNames } from "../maps/tool-names.ts";
import { createReport } from "../report.ts";
import { createSentRequest, type ReplySide } from "../sent-request.ts";
import { NO_ITEMS } from "../small-sets.ts";
import type { Translated, TranslationContext } from "../translator.ts";
import type { Draft } from "../messages-client/draft.ts";
import { readSource } from "../messages-client/source.ts";
import { applyParameters } from "./parameters.ts";
import { CHAT_SURFACE } from "./surface.ts";
import type { ReplySettings } from "../messages-client/reply.ts";
import { translateResponse } from "./response.ts";
import { createMessagesStream } from "./stream.ts";

/** All fields, in the order in which they are written: the same request gives the same bytes. */
function emptyBody(): MutableJsonObject {
  return {
    model: undefined,
    messages: undefined,
    max_completion_tokens: undefined,
    max_tokens: undefined,
    temperature: undefined,
    top_p: undefined,
    stop: undefined,
    reasoning_effort: undefined,
    response_format: undefined,
    web_search_options: undefined,
    tools: undefined,
    tool_choice: undefined,
    parallel_tool_calls: undefined,
    service_tier: undefined,
    safety_identifier: undefined,
    prompt_cache_key: undefined,
    stream: undefined,
    stream_options: undefined,
  };
}

const REPLY_SIDE: ReplySide<ReplySettings> = {
  readsBody: false,
  whole: (settings, reply, context) => translateResponse(reply, settings, context),
  stream: createMessagesStream,
};

/**
 * Translates a request.
 * @throws GatewayError `unsupported-translation` for what would change the meaning, `invalid-request` for what is wrong
 */
export function translateRequest(request: ParsedRequest, context: TranslationContext): Translated {
  const draft: Draft = {
    context,
    surface: CHAT_SURFACE,
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
    searches: draft.body["web_search_options"] !== undefined,
  };
  const { body, report, checks } = draft;
  const upstreamStream = body["stream"] === true;
  return createSentRequest({ body, upstreamStream, betas: NO_ITEMS, report, checks, plan: settings }, REPLY_SIDE);
}
