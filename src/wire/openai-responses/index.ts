import type { WireFormat } from "../format.ts";
import { parseBody } from "../parse.ts";
import type { ParseRules } from "../parse.ts";
import { renderError, renderStreamError } from "./errors.ts";
import { readFacts } from "./facts.ts";
import { openGatherer } from "./gather.ts";
import { isReply, readError, readReply } from "./reply.ts";
import { checkRequest, FACT_FIELDS } from "./schema.ts";
import { openTally } from "./tally.ts";

const RULES: ParseRules = { format: "responses", factFields: FACT_FIELDS, check: checkRequest };

/** OpenAI Responses. */
export const openAiResponses: WireFormat = {
  name: "responses",
  namedEvents: true,
  parseRequest: (bytes, limits) => parseBody(bytes, limits, RULES),
  facts: readFacts,
  isReply,
  readReply,
  readError,
  openTally,
  openGatherer,
  renderError,
  renderStreamError,
  keepalive: ": ping\n\n",
  streamEnd: "",
};
