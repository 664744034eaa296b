/** The messages of a Chat request as Claude's turns. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { createConversation, type Conversation, type Turns } from "../messages-upstream/conversation.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import type { FieldRow } from "../translator.ts";
import { renderAssistant, type AssistantContext } from "./assistant.ts";
import { renderResult } from "./calls.ts";
import { renderMessageContent } from "./content.ts";
import { createLegacyCalls, type LegacyCalls } from "./legacy-calls.ts";
import { planThinkingHistory } from "./thinking-history.ts";

/** What becomes of messages. */
export const MESSAGE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[] with role system or developer, leading",
    outcomes: ["M"],
    becomes: "`system`: one text block for each message or part",
  },
  {
    field: "messages[] with role system or developer, later",
    outcomes: ["M", "A"],
    becomes:
      "a `system` turn in place (after the user turn it precedes), or a `<system-reminder>` in the neighbouring user turn; never moved to `system`",
  },
  {
    field: "messages[] with role user",
    outcomes: ["M", "A", "R"],
    becomes:
      "a user turn, neighbours merged; `Continue.` is added where a user turn is missing; one without content is refused",
  },
  {
    field: "messages[] with role assistant",
    outcomes: ["M", "A"],
    becomes:
      "an assistant turn, neighbours merged, empty ones left out; at the end of the history it is kept as the answer's beginning or followed by `Continue.`",
  },
  { field: "messages[].name", outcomes: ["S"], becomes: "not sent" },
  { field: "messages[].audio", outcomes: ["R"], becomes: "refused" },
];

function isSystem(message: Json): boolean {
  const role = own(message, "role");
  return role === "system" || role === "developer";
}

function isText(block: JsonObject): boolean {
  return own(block, "type") === "text";
}

function systemBlocks(draft: Draft, message: JsonObject, index: number): readonly JsonObject[] {
  const blocks = renderMessageContent(message, index, draft.markerTtl);
  if (blocks.every(isText)) return blocks;
  throw unsupported(
    `messages[${index}].content`,
    "system messages take text only; put images and files into a user message",
  );
}

/**
 * Translates the history.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the message
 */
export function renderHistory(draft: Draft): Turns {
  const messages = own(draft.source, "messages");
  if (!isArray(messages) || messages.length === 0) {
    throw invalidRequest(
      "messages must be an array with at least one message",
      "messages",
      "missing_required_parameter",
    );
  }
  const context: AssistantContext = {
    thinking: planThinkingHistory(draft, messages),
    legacyCalls: createLegacyCalls(),
  };
  const conversation = createConversation(draft, context.legacyCalls);
  let isLeading = true;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index];
    if (!isObject(message)) throw invalidRequest("a message must be an object", `messages[${index}]`);
    isLeading &&= isSystem(message);
    if (isLeading) conversation.addLeading(systemBlocks(draft, message, index));
    else addMessage(draft, conversation, context, message, index);
  }
  return conversation.finish(messages.length);
}

function addMessage(
  draft: Draft,
  conversation: Conversation,
  context: AssistantContext,
  message: JsonObject,
  index: number,
): void {
  const role = own(message, "role");
  switch (role) {
    case "system":
    case "developer":
      return conversation.addSystem(systemBlocks(draft, message, index), index);
    case "user":
      return conversation.addUser(renderMessageContent(message, index, draft.markerTtl), index);
    case "assistant":
      return conversation.addAssistant(renderAssistant(draft, message, index, context), index);
    case "tool":
    case "function": {
      const { id, shownId } = readCallId(message, role, index, context.legacyCalls);
      const result = renderResult(draft, message, id, `messages[${index}].content`);
      return conversation.addResult(result, shownId, index);
    }
    default:
      throw invalidRequest("role must be system, developer, user, assistant or tool", `messages[${index}].role`);
  }
}

/** Id of the call that a `tool` or `function` message answers: for Claude, and as the client spells it. */
function readCallId(
  message: JsonObject,
  role: "tool" | "function",
  index: number,
  legacyCalls: LegacyCalls,
): { readonly id: string; readonly shownId: string } {
  if (role === "function") {
    const name = own(message, "name");
    return { id: legacyCalls.take(), shownId: isString(name) ? name : "" };
  }
  const asked = own(message, "tool_call_id");
  if (isString(asked)) return { id: messagesToolId(asked), shownId: asked };
  throw invalidRequest(
    "a tool message needs a tool_call_id",
    `messages[${index}].tool_call_id`,
    "missing_required_parameter",
  );
}
