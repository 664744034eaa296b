/** The messages of a Chat request as Claude's turns. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { createConversation, type Turns } from "../messages-upstream/conversation.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import type { FieldRow } from "../translator.ts";
import { renderAssistant } from "./assistant.ts";
import { renderResult } from "./calls.ts";
import { renderContent } from "./content.ts";
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

function systemBlocks(draft: Draft, message: JsonObject, index: number): readonly JsonObject[] {
  const path = `messages[${index}].content`;
  const blocks = renderContent(message, { path, markerTtl: draft.markerTtl });
  if (blocks.some((block) => own(block, "type") !== "text")) {
    throw unsupported(path, "system messages take text only; put images and files into a user message");
  }
  return blocks;
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
  const thinking = planThinkingHistory(draft, messages);
  /** Calls of the legacy shape that wait for a `function` message, in order. */
  const legacyCalls = new Set<string>();
  let legacyCount = 0;
  const conversation = createConversation(draft, (id) => legacyCalls.delete(id));

  const nextLegacyId = (): string => {
    const id = `call_fn_${legacyCount++}`;
    legacyCalls.add(id);
    return id;
  };

  const takeLegacyCall = (): string => {
    const [id = ""] = legacyCalls;
    legacyCalls.delete(id);
    return id;
  };

  const addToolMessage = (message: JsonObject, index: number, role: Json | undefined): void => {
    const path = `messages[${index}]`;
    const asked = role === "tool" ? own(message, "tool_call_id") : undefined;
    if (role === "tool" && !isString(asked)) {
      throw invalidRequest("a tool message needs a tool_call_id", `${path}.tool_call_id`, "missing_required_parameter");
    }
    const name = own(message, "name");
    const shownId = isString(asked) ? asked : isString(name) ? name : "";
    const id = isString(asked) ? messagesToolId(asked) : takeLegacyCall();
    conversation.addResult(renderResult(draft, message, id, `${path}.content`), shownId, index);
  };

  let isLeading = true;
  messages.forEach((message, index) => {
    if (!isObject(message)) throw invalidRequest("a message must be an object", `messages[${index}]`);
    if (isLeading && isSystem(message)) return conversation.addLeading(systemBlocks(draft, message, index));
    isLeading = false;
    const role = own(message, "role");
    switch (role) {
      case "system":
      case "developer":
        return conversation.addSystem(systemBlocks(draft, message, index), index);
      case "user": {
        const context = { path: `messages[${index}].content`, markerTtl: draft.markerTtl };
        return conversation.addUser(renderContent(message, context), index);
      }
      case "assistant":
        return conversation.addAssistant(renderAssistant(draft, message, index, { thinking, nextLegacyId }), index);
      case "tool":
      case "function":
        return addToolMessage(message, index, role);
      default:
        throw invalidRequest("role must be system, developer, user, assistant or tool", `messages[${index}].role`);
    }
  });
  return conversation.finish(messages.length);
}
