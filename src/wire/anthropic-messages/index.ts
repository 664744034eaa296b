import { readErrorEnvelope } from "../errors.ts";
import type { ParsedRequest, ParseLimits, WireFormat } from "../format.ts";
import { parseBody } from "../parse.ts";
import type { ParseRules } from "../parse.ts";
import { encodeSse } from "../sse/encode.ts";
import { renderError, renderStreamError } from "./errors.ts";
import { readFacts } from "./facts.ts";
import { openGatherer } from "./gather.ts";
import { isReply, readReply } from "./reply.ts";
import { checkCountRequest, checkRequest, FACT_FIELDS } from "./schema.ts";
import { openTally } from "./tally.ts";

const RULES: ParseRules = { format: "messages", factFields: FACT_FIELDS, check: checkRequest };
const COUNT_RULES: ParseRules = { ...RULES, check: checkCountRequest };

/** Anthropic Messages. */
export const anthropicMessages: WireFormat = {
  name: "messages",
  namedEvents: true,
  parseRequest: (bytes, limits) => parseBody(bytes, limits, RULES),
  facts: readFacts,
  isReply,
  readReply,
  readError: readErrorEnvelope,
  openTally,
  openGatherer,
  renderError,
  renderStreamError,
  keepalive: encodeSse("ping", '{"type":"ping"}'),
  streamEnd: "",
};

/**
 * Parses the body of `POST /v1/messages/count_tokens`: a Messages request that needs no `max_tokens`.
 * @throws GatewayError `invalid-request` naming the field
 */
export function parseCountTokensRequest(bytes: Uint8Array, limits: ParseLimits): ParsedRequest {
  return parseBody(bytes, limits, COUNT_RULES);
}
