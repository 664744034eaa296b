/** Answers as Messages sends them. @see https://docs.anthropic.com/en/api/messages-streaming (read 2026-11-22) */
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { cutText, SEARCH_RESULT, type Part } from "./answer.ts";
import { prefixHashes } from "./prompt.ts";
import { paddingLength, type RenderContext, type Renderer } from "./render.ts";

/** Renders Messages. */
export const messagesRenderer: Renderer = { body: renderBody, stream: renderStream };

/** A block: whole as a buffered answer has it, and as start and deltas. */
interface Block {
  readonly whole: JsonObject;
  readonly start: JsonObject;
  readonly deltas: readonly JsonObject[];
}

function renderBody(context: RenderContext): string {
  const id = context.identity.next("msg_01", 22);
  const content = context.answer.parts.flatMap((part) => blocksOf(context, part)).map((block) => block.whole);
  context.remember(id, content);
  return JSON.stringify({ ...head(context, id), content, ...ending(context), usage: usage(context) });
}

function head(context: RenderContext, id: string): JsonObject {
  return { model: context.prompt.answersAs, id, type: "message", role: "assistant" };
}

function renderStream(context: RenderContext): readonly string[] {
  const frames: string[] = [];
  const send = (event: JsonObject): void => {
    const json = JSON.stringify(event);
    // The vendor pads most data lines with blanks before the last brace.
    frames.push(
      `event: ${String(event["type"])}\ndata: ${json.slice(0, -1)}${" ".repeat(paddingLength(json, 15))}}\n\n`,
    );
  };
  const id = context.identity.next("msg_01", 22);
  send({
    type: "message_start",
    message: {
      ...head(context, id),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: {
        ...inputUsage(context.answer.usage),
        output_tokens: 1,
        service_tier: "standard",
        inference_geo: "global",
      },
    },
  });
  const blocks = context.answer.parts.flatMap((part) => blocksOf(context, part));
  context.remember(
    id,
    blocks.map((block) => block.whole),
  );
  blocks.forEach((block, index) => {
    send({ type: "content_block_start", index, content_block: block.start });
    if (index === 0) frames.push('event: ping\ndata: {"type": "ping"}\n\n');
    for (const delta of block.deltas) send({ type: "content_block_delta", index, delta });
    send({ type: "content_block_stop", index });
  });
  send({ type: "message_delta", delta: ending(context), usage: usage(context) });
  send({ type: "message_stop" });
  return frames;
}

function blocksOf(context: RenderContext, part: Part): readonly Block[] {
  switch (part.kind) {
    case "thinking":
      return [thinkingBlock(context, part)];
    case "text":
      return part.cited ? citedBlocks(context, part.text) : [textBlock(context, part.text)];
    case "refusal":
      return [];
    case "tool":
      return [toolBlock(context, part)];
    case "search":
      return searchBlocks(context, part.query);
    default:
      return part satisfies never;
  }
}

function textBlock(context: RenderContext, text: string): Block {
  return {
    whole: { type: "text", text },
    start: { type: "text", text: "" },
    deltas: cutText(text, context.answer.chunkSize).map((piece) => ({ type: "text_delta", text: piece })),
  };
}

/** One cited block and a short one without citations behind it, as searches give them. */
function citedBlocks(context: RenderContext, text: string): readonly Block[] {
  const plain = /[.!?]$/.test(text) && text.length > 1 ? text.slice(-1) : "";
  const cited = textBlock(context, text.slice(0, text.length - plain.length));
  const { url, title, cited: citedText } = SEARCH_RESULT;
  const citation = {
    type: "web_search_result_location",
    cited_text: citedText,
    url,
    title,
    encrypted_index: "c2ltdWxhdGVkIGluZGV4",
  };
  const block = {
    whole: { citations: [citation], ...cited.whole },
    start: { citations: [], ...cited.start },
    deltas: [{ type: "citations_delta", citation }, ...cited.deltas],
  };
  return plain === "" ? [block] : [block, textBlock(context, plain)];
}

function thinkingBlock(context: RenderContext, part: Extract<Part, { kind: "thinking" }>): Block {
  const { prompt, signer } = context;
  const thinking = prompt.showsThinking && !part.redacted ? part.text : "";
  const signature = signer.sign({
    model: prompt.answersAs,
    thinking,
    prefix: prefixHashes(prompt.blocks).at(-1) ?? "",
  });
  if (part.redacted) {
    const block = { type: "redacted_thinking", data: signature };
    return { whole: block, start: block, deltas: [] };
  }
  return {
    whole: { type: "thinking", thinking, signature },
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      ...cutText(thinking, context.answer.chunkSize ?? 24).map((piece) => ({
        type: "thinking_delta",
        thinking: piece,
      })),
      { type: "signature_delta", signature },
    ],
  };
}

function toolBlock(context: RenderContext, part: Extract<Part, { kind: "tool" }>): Block {
  const base = { type: "tool_use", id: context.identity.next("toolu_01", 22), name: part.name };
  const caller = { caller: { type: "direct" } };
  const pieces = part.arguments === "{}" ? [] : cutText(part.arguments, context.answer.chunkSize ?? 8);
  return {
    whole: { ...base, input: parseInput(part.arguments), ...caller },
    start: { ...base, input: {}, ...caller },
    deltas: ["", ...pieces].map((piece) => ({ type: "input_json_delta", partial_json: piece })),
  };
}

/** Input of a buffered answer; arguments that do not parse leave an empty object, as a cut call does. */
function parseInput(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function searchBlocks(context: RenderContext, query: string): readonly Block[] {
  const id = context.identity.next("srvtoolu_01", 22);
  const call = { type: "server_tool_use", id, name: "web_search" };
  const { url, title } = SEARCH_RESULT;
  const found = { type: "web_search_result", title, url, encrypted_content: "c2ltdWxhdGVkIHBhZ2U=", page_age: null };
  const result = { type: "web_search_tool_result", tool_use_id: id, content: [found], caller: { type: "direct" } };
  return [
    {
      whole: { ...call, input: { query } },
      start: { ...call, input: {} },
      deltas: ["", ...cutText(JSON.stringify({ query }), 12)].map((piece) => ({
        type: "input_json_delta",
        partial_json: piece,
      })),
    },
    { whole: result, start: result, deltas: [] },
  ];
}

function ending({ answer }: RenderContext): JsonObject {
  const reasons = {
    end: "end_turn",
    tool: "tool_use",
    length: "max_tokens",
    "stop-sequence": "stop_sequence",
    refusal: "refusal",
    filter: "refusal",
    pause: "pause_turn",
  } as const;
  const refusal = answer.parts.find((part) => part.kind === "refusal")?.text ?? null;
  const refused = reasons[answer.stop] === "refusal";
  return {
    stop_reason: reasons[answer.stop],
    stop_sequence: answer.stopSequence,
    stop_details: refused ? { type: "refusal", category: null, explanation: refusal } : null,
  };
}

interface InputUsage {
  readonly inputTokens: number;
  readonly readTokens: number;
  readonly writeTokens: number;
  readonly writeLongTokens: number;
}

function inputUsage({ inputTokens, readTokens, writeTokens, writeLongTokens }: InputUsage): JsonObject {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: writeTokens + writeLongTokens,
    cache_read_input_tokens: readTokens,
    cache_creation: { ephemeral_5m_input_tokens: writeTokens, ephemeral_1h_input_tokens: writeLongTokens },
  };
}

function usage({ answer, prompt }: RenderContext): JsonObject {
  const searches = answer.parts.filter((part) => part.kind === "search").length;
  return {
    ...inputUsage(answer.usage),
    output_tokens: answer.usage.outputTokens,
    ...(prompt.thinks ? { output_tokens_details: { thinking_tokens: answer.usage.reasoningTokens } } : {}),
    ...(searches > 0 ? { server_tool_use: { web_search_requests: searches } } : {}),
    ...(prompt.stream ? {} : { service_tier: prompt.serviceTier, inference_geo: "global" }),
  };
}
