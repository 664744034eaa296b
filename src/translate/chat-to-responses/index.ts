/** The pair from Chat clients to Responses upstreams: a bridge within one provider. */
import type { HeaderView } from "../../base/headers.ts";
import type { FieldRow, Translator } from "../translator.ts";
import { CONTENT_ROWS } from "./content.ts";
import { ERROR_ROWS, translateError } from "./errors.ts";
import { MESSAGE_ROWS } from "./input.ts";
import { PARAMETER_ROWS } from "./parameters.ts";
import { REASONING_HISTORY_ROWS } from "./reasoning.ts";
import { REPLY_ROWS } from "./reply-parts.ts";
import { translateRequest } from "./request.ts";

const ROWS: readonly FieldRow[] = [
  ...PARAMETER_ROWS.map(({ field, outcomes, becomes }) => ({ field, outcomes, becomes })),
  { field: "any other field", outcomes: ["D"], becomes: "not sent" },
  ...MESSAGE_ROWS,
  ...CONTENT_ROWS,
  ...REASONING_HISTORY_ROWS,
  ...REPLY_ROWS,
  ...ERROR_ROWS,
];

const RATE_LIMIT = /^x-ratelimit-/;

/** Rate limits keep their names: both APIs are the same provider's. */
function keepRateLimits(headers: HeaderView): Record<string, string> {
  const kept: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (RATE_LIMIT.test(name)) kept[name] = value;
  });
  return kept;
}

/** Translates Chat requests for Responses, and the answers back. */
export const chatToResponses: Translator = {
  client: "chat",
  upstream: "responses",
  request: translateRequest,
  error: translateError,
  headers: keepRateLimits,
  rows: ROWS,
};
