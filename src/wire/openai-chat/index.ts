import { readErrorEnvelope } from "../errors.ts";
import type { WireFormat } from "../format.ts";
import { parseBody } from "../parse.ts";
import type { ParseRules } from "../parse.ts";
import { renderError, renderStreamError } from "./errors.ts";
import { readFacts } from "./facts.ts";
import { openGatherer } from "./gather.ts";
import { isReply, readReply } from "./reply.ts";
import { checkRequest, FACT_FIELDS } from "./schema.ts";
import { openTally } from "./tally.ts";

const RULES: ParseRules = { format: "chat", factFields: FACT_FIELDS, check: checkRequest };

/** OpenAI Chat Completions. */
export const openAiChat: WireFormat = {
  name: "chat",
  namedEvents: false,
  parseRequest: (bytes, limits) => parseBody(bytes, limits, RULES),
  facts: readFacts,
  isReply,
  readReply,
  readError: readErrorEnvelope,
  openTally,
  openGatherer,
  renderError,
  renderStreamError,
  keepalive: ": ping\n\n",
  streamEnd: "data: [DONE]\n\n",
};
