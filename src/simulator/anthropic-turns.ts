/** What Messages demands of the turns together: tool calls and results, cache markers, thinking, the last turn. */
import { isArray, isObject, own, type Json } from "../base/json.ts";
import { blankText, checkBlock, emptyText } from "./anthropic-blocks.ts";
import { checkExtra, refuse, required } from "./anthropic-checks.ts";
import { hasBeta } from "./anthropic-fields.ts";
import type { MessagesRequest } from "./anthropic-rules.ts";
import { prefixHashes } from "./prompt.ts";
import { arrayOf } from "./read-chat.ts";
import { blocksOf, promptBlocks } from "./read-messages.ts";
import { firstOf, type Refusal } from "./refusal.ts";

/** Keys of a system message that are behind a beta. */
const SYSTEM_BETAS = [
  ["clear_at", "mid-conversation-system-clear-at"],
  ["output_config", "mid-conversation-output-config"],
] as const;

/** Shape of one message and its blocks. */
export function checkMessage(message: Json, index: number, request: MessagesRequest): Refusal | null {
  const path = `messages.${index}`;
  if (!isObject(message)) return refuse(`${path}: Input does not match the expected shape.`);
  const role = own(message, "role");
  if (role === undefined) return required(`${path}.role`);
  if (role !== "user" && role !== "assistant" && role !== "system")
    return refuse(`${path}.role: Input should be 'user' or 'assistant'`);
  if (role === "system" && !request.model.systemRole) {
    return refuse(
      `messages: Unexpected role "system". The Messages API accepts a top-level \`system\` parameter, not "system" as an input message role.`,
    );
  }
  const extra = checkExtra(path, message, [
    "role",
    "content",
    ...SYSTEM_BETAS.filter(([, beta]) => role === "system" && hasBeta(request.betas, beta)).map(([key]) => key),
  ]);
  if (extra !== null) return extra;
  const content = own(message, "content");
  if (content === undefined) return required(`${path}.content`);
  if (typeof content !== "string" && !isArray(content)) return refuse(`${path}.content: Input should be a valid list`);
  const last = index === request.messages.length - 1;
  if (content.length === 0 && !(last && role === "assistant")) {
    return role === "user"
      ? refuse(`${path}: user messages must have non-empty content`)
      : refuse(`${path}: all messages must have non-empty content except for the optional final assistant message`);
  }
  if (typeof content === "string")
    return content.trim() === "" && role === "user"
      ? refuse("messages: text content blocks must contain non-whitespace text")
      : null;
  return firstOf(content, (block, at) => {
    const place = `${path}.content.${at}`;
    // Recorded as accepted: a blank text beside a tool call.
    const mayBeBlank = role === "assistant" && (last || content.length > 1);
    return checkBlock(place, role, block) ?? emptyText(place, block) ?? (mayBeBlank ? null : blankText(block));
  });
}

/** A system turn stands directly behind a user turn, and not directly before another one. */
export function checkSystemTurns(messages: readonly Json[]): Refusal | null {
  return firstOf(messages, (message, index) => {
    if (own(message, "role") !== "system") return null;
    if (index === 0)
      return refuse(
        "messages.0: a `system` message cannot be the first message. Use the top-level `system` parameter.",
      );
    if (own(messages[index - 1], "role") !== "user")
      return refuse(`messages.${index}: a \`system\` message must follow a \`user\` message`);
    const next = own(messages[index + 1], "role");
    if (next === "user")
      return refuse(`messages.${index}: a \`system\` message cannot directly precede a \`user\` message`);
    return null;
  });
}

/** Tool results: in the turn right after their calls, first in it, one for each call and none without a call. */
export function checkToolPairs(messages: readonly Json[]): Refusal | null {
  const turns = mergeTurns(messages);
  for (const [at, turn] of turns.entries()) {
    const calls = turn.role === "assistant" ? idsOf(turn.blocks, "tool_use", "id") : [];
    const next = turns[at + 1];
    const results = next?.role === "user" ? idsOf(next.blocks, "tool_result", "tool_use_id") : [];
    const duplicate = calls.find((id, index) => calls.indexOf(id) !== index);
    if (duplicate !== undefined) return refuse(`messages.${turn.first}.content: \`tool_use\` ids must be unique`);
    const open = calls.filter((id) => !results.includes(id));
    if (open.length > 0) return unanswered(turn.first, open);
    if (turn.role !== "user") continue;
    const problem = checkResults(turn, turns[at - 1]);
    if (problem !== null) return problem;
  }
  return null;
}

function unanswered(index: number, ids: readonly string[]): Refusal {
  return refuse(
    `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}

function checkResults(turn: Turn, before: Turn | undefined): Refusal | null {
  const results = idsOf(turn.blocks, "tool_result", "tool_use_id");
  if (results.length === 0) return null;
  const calls = before?.role === "assistant" ? idsOf(before.blocks, "tool_use", "id") : [];
  const orphan = results.find((id) => !calls.includes(id));
  const position = turn.blocks.findIndex(
    (block) => own(block, "type") === "tool_result" && own(block, "tool_use_id") === orphan,
  );
  if (orphan !== undefined) {
    return refuse(
      `messages.${turn.first}.content.${position}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
  const twice = results.find((id, index) => results.indexOf(id) !== index);
  if (twice !== undefined)
    return refuse(
      `messages.${turn.first}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`,
    );
  const firstOther = turn.blocks.findIndex((block) => own(block, "type") !== "tool_result");
  const lastResult = turn.blocks.findLastIndex((block) => own(block, "type") === "tool_result");
  return firstOther !== -1 && firstOther < lastResult
    ? unanswered(before?.first ?? 0, [String(own(turn.blocks[lastResult], "tool_use_id"))])
    : null;
}

interface Turn {
  readonly role: string;
  readonly first: number;
  readonly blocks: readonly Json[];
}

/** Messages of one role in a row are one turn; system messages do not cut it off from what is before. */
function mergeTurns(messages: readonly Json[]): readonly Turn[] {
  const turns: Turn[] = [];
  messages.forEach((message, index) => {
    const role = String(own(message, "role"));
    if (role === "system") return;
    const blocks = blocksOf(own(message, "content"));
    const before = turns.at(-1);
    if (before?.role === role) turns[turns.length - 1] = { ...before, blocks: [...before.blocks, ...blocks] };
    else turns.push({ role, first: index, blocks });
  });
  return turns;
}

function idsOf(blocks: readonly Json[], type: string, key: string): readonly string[] {
  return blocks.filter((block) => own(block, "type") === type).map((block) => String(own(block, key)));
}

/** At most four cache markers, over tools, system, messages and their tool results. */
export function checkMarkers({ json }: MessagesRequest): Refusal | null {
  const everything = [
    ...arrayOf(own(json, "tools")),
    ...arrayOf(own(json, "system")),
    ...arrayOf(own(json, "messages")).flatMap((message) => arrayOf(own(message, "content"))),
  ];
  const inner = everything.flatMap((block) =>
    own(block, "type") === "tool_result" ? arrayOf(own(block, "content")) : [],
  );
  const count = [json, ...everything, ...inner].filter((block) => isObject(own(block, "cache_control"))).length;
  return count > 4 ? refuse(`A maximum of 4 blocks with cache_control may be provided. Found ${count}.`) : null;
}

/** Signed thinking comes back as it was sent; unsigned or changed blocks are refused. */
export function checkSignatures(request: MessagesRequest): Refusal | null {
  const { json, messages, model, signer } = request;
  if (signer === null) return null;
  const drops = own(own(own(json, "thinking"), "block_binding"), "prefix_mismatch_behavior") === "drop_block";
  return firstOf(messages, (message, index) =>
    own(message, "role") !== "assistant"
      ? null
      : firstOf(blocksOf(own(message, "content")), (block, at) => {
          const type = own(block, "type");
          if (type !== "thinking" && type !== "redacted_thinking") return null;
          const thinking = String(own(block, "thinking") ?? "");
          const prefixes = model.boundThinking ? placesOfTurn(request, index) : null;
          const state = signer.verify(String(own(block, type === "thinking" ? "signature" : "data")), {
            model: model.answersAs,
            thinking,
            prefixes,
          });
          const path = `messages.${index}.content.${at}`;
          if (state === "foreign")
            return refuse(`${path}: Invalid \`${type === "thinking" ? "signature" : "data"}\` in \`${type}\` block`);
          if (state === "modified")
            return refuse(
              `${path}: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.`,
            );
          return state === "moved" && !drops
            ? refuse(
                `${path}: \`${type}\` block is bound to a different prefix. The system prompt, tools and earlier messages must be unchanged.`,
              )
            : null;
        }),
  );
}

/** Prefix hashes at which a block of this assistant turn may have been signed: from the start of the turn on. */
function placesOfTurn({ json, messages }: MessagesRequest, index: number): readonly string[] {
  let first = index;
  while (first > 0 && own(messages[first - 1], "role") === "assistant") first -= 1;
  return prefixHashes(promptBlocks(json, index + 1)).slice(promptBlocks(json, first).length);
}

/** With budget thinking on, the last assistant turn of a tool loop starts with its thinking. */
export function checkThinkingFirst({ json, messages, model }: MessagesRequest): Refusal | null {
  if (own(own(json, "thinking"), "type") !== "enabled" || model.thinking.includes("adaptive")) return null;
  const turns = mergeTurns(messages);
  const last = turns.at(-1);
  if (last?.role !== "user" || idsOf(last.blocks, "tool_result", "tool_use_id").length === 0) return null;
  // The loop starts at the last user turn that is not tool results.
  const start = turns.findLastIndex(
    (turn) => turn.role === "user" && idsOf(turn.blocks, "tool_result", "tool_use_id").length === 0,
  );
  const first = turns[start + 1];
  const type = own(first?.blocks[0], "type");
  if (first?.role !== "assistant" || type === "thinking" || type === "redacted_thinking") return null;
  return refuse(
    `messages.${first.first}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${String(type)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking`,
  );
}

/** The last turn: prefill by model, no blank at its end. */
export function checkLastTurn({ messages, model, json }: MessagesRequest): Refusal | null {
  const last = messages.at(-1);
  if (own(last, "role") !== "assistant") return null;
  const blocks = blocksOf(own(last, "content"));
  const final = blocks.at(-1);
  // A paused turn is sent back as it came and is no prefill.
  if (/^server_tool_use$|_tool_result$/.test(String(own(final, "type")))) return null;
  if (!model.prefill)
    return refuse(
      "This model does not support assistant message prefill. The conversation must end with a user message.",
    );
  if (own(own(json, "thinking"), "type") === "enabled")
    return refuse("When `thinking` is enabled, the conversation must end with a user message.");
  if (own(own(json, "output_config"), "format") !== undefined)
    return refuse("Prefilling assistant messages is not supported with `output_config.format`.");
  const text = own(final, "text");
  return typeof text === "string" && /\s$/.test(text)
    ? refuse("messages: final assistant content cannot end with trailing whitespace")
    : null;
}
