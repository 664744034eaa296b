/** Messages request → {@link Prompt}. Runs after the rules: shapes are known to be right. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { ClaudeModel } from "./claude-models.ts";
import type { OutputForm, Prompt, PromptBlock } from "./prompt.ts";
import { arrayOf, numberOrNull, textOf } from "./read-chat.ts";

/** Reads an accepted request. */
export function readMessagesPrompt(request: JsonObject, model: ClaudeModel): Prompt {
  const messages = arrayOf(own(request, "messages"));
  const { text, toolResults } = readLastTurn(messages);
  const tools = arrayOf(own(request, "tools"));
  const choice = own(request, "tool_choice");
  const thinking = own(request, "thinking");
  const kind = own(thinking, "type");
  const display = own(thinking, "display");
  const last = messages.at(-1);
  const lastBlock = arrayOf(own(last, "content")).at(-1);
  return {
    provider: "anthropic",
    format: "messages",
    model: String(own(request, "model")),
    answersAs: model.answersAs,
    stream: own(request, "stream") === true,
    includeUsage: true,
    obfuscated: false,
    text,
    toolResults,
    tools: tools
      .filter((tool) => own(tool, "input_schema") !== undefined)
      .map((tool) => ({ name: String(own(tool, "name")), schema: own(tool, "input_schema") ?? {}, custom: false })),
    toolChoice: readToolChoice(choice),
    parallelTools: own(choice, "disable_parallel_tool_use") !== true,
    legacyFunctions: false,
    output: readOutputForm(request),
    maxTokens: numberOrNull(own(request, "max_tokens")),
    stops: arrayOf(own(request, "stop_sequences")).map(String),
    choices: 1,
    logprobs: false,
    thinks:
      kind === "enabled" ||
      kind === "adaptive" ||
      kind === "between_tools" ||
      (kind === undefined && model.thinksUnasked),
    showsThinking: display === "summarized" || (display === undefined && !model.thinksUnasked),
    encryptedReasoning: false,
    searches: tools.some((tool) => String(own(tool, "type")).startsWith("web_search_")),
    continues: own(last, "role") === "assistant" && String(own(lastBlock, "type")).endsWith("_tool_result"),
    blocks: promptBlocks(request),
    cacheMinTokens: model.cacheMinTokens,
    cacheNeedsMarker: true,
    reportsCacheWrites: true,
    serviceTier: "standard",
    request,
  };
}

/** Blocks of tools, system and messages; `until` stops before that message. */
export function promptBlocks(request: JsonObject, until = Number.POSITIVE_INFINITY): readonly PromptBlock[] {
  const blocks = [
    ...arrayOf(own(request, "tools")).map((tool) => blockOf("tools", tool)),
    ...contentBlocks("system", own(request, "system")),
    ...arrayOf(own(request, "messages"))
      .slice(0, until)
      .flatMap((message) => contentBlocks(String(own(message, "role")), own(message, "content"))),
  ];
  if (isObject(own(request, "cache_control"))) {
    const last = blocks.at(-1);
    if (last !== undefined)
      blocks[blocks.length - 1] = { ...last, marker: own(own(request, "cache_control"), "ttl") === "1h" ? "1h" : "5m" };
  }
  return blocks;
}

function contentBlocks(role: string, content: Json | undefined): PromptBlock[] {
  if (typeof content === "string") return content === "" ? [] : [blockOf(role, { type: "text", text: content })];
  return arrayOf(content).map((block) => blockOf(role, block));
}

function blockOf(role: string, block: Json): PromptBlock {
  if (!isObject(block)) return { role, text: JSON.stringify(block), marker: null };
  const { cache_control: control, ...plain } = block;
  return {
    role,
    text: JSON.stringify(plain),
    marker: isObject(control) ? (own(control, "ttl") === "1h" ? "1h" : "5m") : null,
  };
}

/** Text of the last user turn that has some, and the tool results behind it. */
function readLastTurn(messages: readonly Json[]): { text: string; toolResults: readonly string[] } {
  const results: string[] = [];
  for (const message of messages.toReversed()) {
    if (own(message, "role") !== "user") continue;
    const content = own(message, "content");
    if (typeof content === "string") return { text: content, toolResults: results };
    const blocks = arrayOf(content);
    const found = blocks
      .filter((block) => own(block, "type") === "tool_result")
      .map((block) => textOf(own(block, "content")));
    results.unshift(...found);
    const text = textOf(blocks.filter((block) => own(block, "type") === "text"));
    // Text beside results is a reminder to a running loop, unless it brings control words of its own.
    if (text !== "" && (found.length === 0 || text.includes("[[sim:")))
      return { text, toolResults: found.length > 0 ? [] : results };
  }
  return { text: "", toolResults: results };
}

function readToolChoice(choice: Json | undefined): Prompt["toolChoice"] {
  const type = own(choice, "type");
  if (type === "any" || type === "none") return type;
  const name = own(choice, "name");
  return type === "tool" && typeof name === "string" ? { name } : "auto";
}

function readOutputForm(request: JsonObject): OutputForm {
  const format = own(own(request, "output_config"), "format") ?? own(request, "output_format");
  return isObject(format) ? { kind: "schema", schema: own(format, "schema") ?? {} } : { kind: "text" };
}

/** Messages of a role, used by the rules: content as blocks, a string counting as one text block. */
export function blocksOf(content: Json | undefined): readonly Json[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return isArray(content) ? content : [];
}
