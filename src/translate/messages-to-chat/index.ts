/** The pair from Messages clients to Chat Completions upstreams. */
import { messagesRateLimits } from "../maps/rate-limits.ts";
import type { FieldRow, Translator } from "../translator.ts";
import { ASSISTANT_ROWS } from "../messages-client/assistant.ts";
import { CHAT_ASSISTANT_ROWS } from "./assistant.ts";
import { ERROR_ROWS, translateError } from "../messages-client/errors.ts";
import { MESSAGE_ROWS } from "../messages-client/messages.ts";
import { PARAMETER_ROWS } from "./parameters.ts";
import { REPLY_ROWS } from "../messages-client/reply.ts";
import { translateRequest } from "./request.ts";
import { SYSTEM_ROWS } from "../messages-client/system.ts";
import { CHAT_REPLY_ROWS, CHAT_SURFACE_ROWS } from "./surface.ts";
import { CHAT_TOOL_ROWS } from "./tools.ts";
import { TOOL_ROWS } from "../messages-client/tools.ts";
import { USER_ROWS } from "../messages-client/user.ts";

const ROWS: readonly FieldRow[] = [
  ...PARAMETER_ROWS.map(({ field, outcomes, becomes }) => ({ field, outcomes, becomes })),
  ...SYSTEM_ROWS,
  ...MESSAGE_ROWS,
  ...USER_ROWS,
  ...CHAT_SURFACE_ROWS,
  ...CHAT_ASSISTANT_ROWS,
  ...ASSISTANT_ROWS,
  ...TOOL_ROWS,
  ...CHAT_TOOL_ROWS,
  ...REPLY_ROWS,
  ...CHAT_REPLY_ROWS,
  ...ERROR_ROWS,
];

/** Translates Messages requests for Chat Completions, and the answers back. */
export const messagesToChat: Translator = {
  client: "messages",
  upstream: "chat",
  request: translateRequest,
  error: translateError,
  headers: messagesRateLimits,
  rows: ROWS,
};
