/** The input of a Responses request as Claude's turns: items become blocks, and blocks find their turns. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { createConversation, type Conversation, type Turns } from "../messages-upstream/conversation.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { isBlank } from "../messages-upstream/turns.ts";
import type { FieldRow } from "../translator.ts";
import { readCallId, renderCallItem, renderOutputItem } from "./calls.ts";
import { renderContent } from "./content.ts";
import { renderHostedCall } from "./hosted-calls.ts";
import { dropThinkingIfLost, NO_THINKING, planThinkingHistory, type ThinkingHistory } from "./thinking-history.ts";

/** What becomes of input items. */
export const INPUT_ROWS: readonly FieldRow[] = [
  { field: "input as a string", outcomes: ["M"], becomes: "one user turn" },
  {
    field: "instructions, and input[] messages with role system or developer, leading",
    outcomes: ["M"],
    becomes: "`system`: one text block for each text or part",
  },
  {
    field: "input[] messages with role system or developer, later",
    outcomes: ["M", "A"],
    becomes:
      "a `system` turn in place (after the user turn it precedes), or a `<system-reminder>` in the neighbouring user turn; never moved to `system`",
  },
  {
    field: "input[] messages with role user",
    outcomes: ["M", "A", "R"],
    becomes:
      "a user turn, neighbours merged; `Continue.` is added where a user turn is missing; one without content is refused",
  },
  {
    field: "input[] messages with role assistant",
    outcomes: ["M", "A"],
    becomes:
      "an assistant turn, neighbours merged, empty ones left out; at the end it is kept as the answer's beginning or followed by `Continue.`; `phase`, `id` and `status` have no effect",
  },
  {
    field: "input[] item_reference, compaction",
    outcomes: ["R"],
    becomes: "refused: what they stand for is at OpenAI, or only OpenAI can read it",
  },
  { field: "input[] of any other type", outcomes: ["D"], becomes: "not sent" },
];

function isSystem(item: Json): boolean {
  const role = own(item, "role");
  return isMessage(item) && (role === "system" || role === "developer");
}

function isMessage(item: Json): boolean {
  const type = own(item, "type");
  return type === undefined || type === null || type === "message";
}

function systemBlocks(draft: Draft, content: Json | undefined, path: string): readonly JsonObject[] {
  const blocks = renderContent(content, path, draft.markerTtl);
  if (blocks.some((block) => own(block, "type") !== "text")) {
    throw unsupported(path, "system messages take text only; put images and files into a user message");
  }
  return blocks;
}

function addInstructions(draft: Draft, conversation: Conversation): void {
  const instructions = own(draft.source, "instructions") ?? null;
  if (isArray(instructions)) {
    instructions.forEach((item, index) => {
      conversation.addLeading(systemBlocks(draft, own(item, "content"), `instructions[${index}].content`));
    });
  } else conversation.addLeading(systemBlocks(draft, instructions, "instructions"));
}

function readItems(draft: Draft): readonly Json[] {
  const input = own(draft.source, "input");
  if (isString(input)) return [{ role: "user", content: input }];
  if (isArray(input) && input.length > 0) return input;
  throw invalidRequest(
    "input must be a text or an array with at least one item",
    "input",
    "missing_required_parameter",
  );
}

/**
 * Translates instructions and input.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the item
 */
export function renderInput(draft: Draft): Turns {
  const items = readItems(draft);
  const history = renderItems(draft, items, planThinkingHistory(draft, items));
  return dropThinkingIfLost(draft, history.turns) ? renderItems(draft, items, NO_THINKING) : history;
}

function renderItems(draft: Draft, items: readonly Json[], thinking: ThinkingHistory): Turns {
  const conversation = createConversation(draft);
  addInstructions(draft, conversation);
  let isLeading = true;
  items.forEach((item, index) => {
    const path = `input[${index}]`;
    if (!isObject(item)) throw invalidRequest("an input item must be an object", path);
    if (isLeading && isSystem(item)) {
      conversation.addLeading(systemBlocks(draft, own(item, "content"), `${path}.content`));
      return;
    }
    // Tools may be told among the first instructions: they do not end them.
    isLeading &&= own(item, "type") === "additional_tools";
    const blocks = thinking.get(index);
    if (blocks !== undefined) conversation.addAssistant(blocks, index);
    addItem(draft, conversation, item, index);
  });
  return conversation.finish(items.length);
}

function addItem(draft: Draft, conversation: Conversation, item: JsonObject, index: number): void {
  const path = `input[${index}]`;
  if (isMessage(item)) {
    addMessage(draft, conversation, item, index);
    return;
  }
  const type = own(item, "type");
  switch (type) {
    case "function_call":
    case "custom_tool_call":
      conversation.addAssistant([renderCallItem(draft, item, path)], index);
      return;
    case "function_call_output":
    case "custom_tool_call_output":
      conversation.addResult(renderOutputItem(draft, item, path), readCallId(item, path), index);
      return;
    case "tool_search_call":
      if (isClientRun(item)) conversation.addAssistant([renderCallItem(draft, item, path)], index);
      return;
    case "tool_search_output":
      if (isClientRun(item)) conversation.addResult(renderOutputItem(draft, item, path), readCallId(item, path), index);
      return;
    case "reasoning":
    case "additional_tools":
    case "mcp_list_tools":
      return;
    case "item_reference":
      throw unsupported(
        path,
        "the item is stored at OpenAI, where this model cannot read it; send the item itself (clients do with store = false)",
      );
    case "compaction":
      throw unsupported(path, "only OpenAI can read what it compacted; send the conversation, or stay with its model");
    default: {
      const text = renderHostedCall(item);
      if (text === null) draft.report.drop(path);
      else {
        draft.report.adapt(path);
        conversation.addAssistant([{ type: "text", text }], index);
      }
    }
  }
}

/** Searches that OpenAI ran bring tools and have no call to be answered. */
function isClientRun(item: JsonObject): boolean {
  return own(item, "execution") !== "server" && ownText(item, "call_id") !== "";
}

function addMessage(draft: Draft, conversation: Conversation, item: JsonObject, index: number): void {
  const path = `input[${index}].content`;
  const content = own(item, "content");
  switch (own(item, "role")) {
    case "system":
    case "developer":
      conversation.addSystem(systemBlocks(draft, content, path), index);
      return;
    case "user":
      conversation.addUser(renderContent(content, path, draft.markerTtl), index);
      return;
    case "assistant":
      conversation.addAssistant(
        renderContent(content, path, draft.markerTtl).filter((block) => !isBlank(block)),
        index,
      );
      return;
    default:
      throw invalidRequest("role must be system, developer, user or assistant", `input[${index}].role`);
  }
}
