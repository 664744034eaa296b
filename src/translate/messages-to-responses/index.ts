/** The pair from Messages clients to Responses upstreams. */
import { messagesRateLimits } from "../maps/rate-limits.ts";
import { ASSISTANT_ROWS } from "../messages-client/assistant.ts";
import { ERROR_ROWS, translateError } from "../messages-client/errors.ts";
import { MESSAGE_ROWS } from "../messages-client/messages.ts";
import { REPLY_ROWS } from "../messages-client/reply.ts";
import { SYSTEM_ROWS } from "../messages-client/system.ts";
import { TOOL_ROWS } from "../messages-client/tools.ts";
import { USER_ROWS } from "../messages-client/user.ts";
import type { FieldRow, Translator } from "../translator.ts";
import { RESPONSES_ASSISTANT_ROWS } from "./assistant.ts";
import { PARAMETER_ROWS } from "./parameters.ts";
import { RESPONSES_REPLY_ROWS } from "./reply.ts";
import { translateRequest } from "./request.ts";
import { RESPONSES_SURFACE_ROWS } from "./surface.ts";
import { RESPONSES_TOOL_ROWS } from "./tools.ts";

const ROWS: readonly FieldRow[] = [
  ...PARAMETER_ROWS.map(({ field, outcomes, becomes }) => ({ field, outcomes, becomes })),
  ...SYSTEM_ROWS,
  ...MESSAGE_ROWS,
  ...USER_ROWS,
  ...RESPONSES_SURFACE_ROWS,
  ...RESPONSES_ASSISTANT_ROWS,
  ...ASSISTANT_ROWS,
  ...TOOL_ROWS,
  ...RESPONSES_TOOL_ROWS,
  ...REPLY_ROWS,
  ...RESPONSES_REPLY_ROWS,
  ...ERROR_ROWS,
];

/** Translates Messages requests for Responses, and the answers back. */
export const messagesToResponses: Translator = {
  client: "messages",
  upstream: "responses",
  request: translateRequest,
  error: translateError,
  headers: messagesRateLimits,
  rows: ROWS,
};
