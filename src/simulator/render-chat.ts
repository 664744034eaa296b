/** Answers as Chat Completions sends them. @see https://platform.openai.com/docs/api-reference/chat (read 2026-11-22) */
import type { Json, JsonObject } from "../base/json.ts";
import { cutText, SEARCH_RESULT, type Answer, type Part } from "./answer.ts";
import { paddingLength, type RenderContext, type Renderer } from "./render.ts";

/** Renders Chat Completions. */
export const chatRenderer: Renderer = { body: renderBody, stream: renderStream };

type ToolPart = Extract<Part, { kind: "tool" }>;

function renderBody(context: RenderContext): string {
  const { prompt } = context;
  return JSON.stringify({
    ...envelope(context, "chat.completion"),
    choices: Array.from({ length: prompt.choices }, (_, index) => ({
      index,
      message: message(context),
      ...(prompt.thinks || prompt.searches
        ? {}
        : { logprobs: prompt.logprobs ? logprobsOf(textOf(context.answer)) : null }),
      finish_reason: finishReason(context),
    })),
    usage: usage(context),
    service_tier: prompt.serviceTier,
    system_fingerprint: prompt.thinks ? null : "fp_5151515151",
  });
}

function message(context: RenderContext): JsonObject {
  const { answer, prompt } = context;
  const text = textOf(answer);
  const calls = toolsOf(answer).map((part) => callOf(context, part));
  const refusal = refusalOf(answer);
  const content = text === "" && (calls.length > 0 || refusal !== null) ? null : text;
  const callFields =
    calls.length === 0
      ? {}
      : prompt.legacyFunctions
        ? { function_call: functionOf(toolsOf(answer)[0]) }
        : { tool_calls: calls };
  return { role: "assistant", content, ...callFields, refusal, annotations: annotations(answer, text) };
}

function callOf(context: RenderContext, part: ToolPart): JsonObject {
  const id = context.identity.next("call_");
  return part.custom
    ? { id, type: "custom", custom: { name: part.name, input: part.arguments } }
    : { id, type: "function", function: functionOf(part) };
}

function functionOf(part: ToolPart | undefined): JsonObject {
  return { name: part?.name ?? "", arguments: part?.arguments ?? "" };
}

function annotations(answer: Answer, text: string): readonly Json[] {
  if (!answer.parts.some((part) => part.kind === "text" && part.cited)) return [];
  const { url, title } = SEARCH_RESULT;
  return [{ type: "url_citation", url_citation: { end_index: text.length, start_index: 0, title, url } }];
}

function renderStream(context: RenderContext): readonly string[] {
  const { prompt, answer } = context;
  const frames: string[] = [];
  const head = envelope(context, "chat.completion.chunk");
  const tail = { service_tier: prompt.serviceTier, system_fingerprint: prompt.thinks ? null : "fp_5151515151" };
  const send = (choices: readonly Json[], usageValue: Json): void => {
    const chunk = JSON.stringify({
      ...head,
      ...tail,
      choices,
      ...(prompt.includeUsage ? { usage: usageValue } : {}),
      ...(prompt.obfuscated ? { obfuscation: "x".repeat(paddingLength(JSON.stringify(choices), 14)) } : {}),
    });
    frames.push(`data: ${chunk}\n\n`);
  };
  const logprobs = prompt.thinks || prompt.searches ? {} : { logprobs: null };
  const sendDelta = (index: number, delta: JsonObject, finish: string | null = null): void =>
    send([{ index, delta, ...logprobs, finish_reason: finish }], null);
  for (const deltas of interleave(Array.from({ length: prompt.choices }, () => deltasOf(context))))
    sendDelta(deltas.index, deltas.delta);
  for (let index = 0; index < prompt.choices; index += 1) {
    const notes = annotations(answer, textOf(answer));
    if (notes.length > 0) sendDelta(index, { annotations: notes });
    sendDelta(index, {}, finishReason(context));
  }
  if (prompt.includeUsage) send([], usage(context));
  frames.push("data: [DONE]\n\n");
  return frames;
}

function deltasOf(context: RenderContext): readonly JsonObject[] {
  const { answer, prompt } = context;
  const tools = toolsOf(answer);
  const text = textOf(answer);
  const refusal = refusalOf(answer);
  const deltas: JsonObject[] = [];
  const alone = tools.length === 1 && text === "";
  if (!alone)
    deltas.push(
      tools.length > 0 && text === ""
        ? { role: "assistant", content: null }
        : { role: "assistant", content: "", refusal: null },
    );
  for (const piece of cutText(text, answer.chunkSize)) deltas.push({ content: piece });
  if (refusal !== null) for (const piece of cutText(refusal, answer.chunkSize)) deltas.push({ refusal: piece });
  tools.forEach((part, index) => {
    const role = alone ? { role: "assistant", content: null } : {};
    const pieces = part.arguments === "{}" ? ["{}"] : cutText(part.arguments, answer.chunkSize ?? 6);
    if (prompt.legacyFunctions) {
      deltas.push({ ...role, function_call: { name: part.name, arguments: "" }, ...(alone ? { refusal: null } : {}) });
      for (const piece of pieces) deltas.push({ function_call: { arguments: piece } });
      return;
    }
    const field = part.custom ? "custom" : "function";
    const input = part.custom ? "input" : "arguments";
    const start = { index, id: context.identity.next("call_"), type: field, [field]: { name: part.name, [input]: "" } };
    deltas.push({ ...role, tool_calls: [start], ...(alone ? { refusal: null } : {}) });
    for (const piece of pieces) deltas.push({ tool_calls: [{ index, [field]: { [input]: piece } }] });
  });
  return deltas;
}

/** With n > 1 the choices' chunks alternate. */
function interleave(choices: readonly (readonly JsonObject[])[]): readonly { index: number; delta: JsonObject }[] {
  const rows: { index: number; delta: JsonObject }[] = [];
  const longest = Math.max(0, ...choices.map((deltas) => deltas.length));
  for (let at = 0; at < longest; at += 1) {
    choices.forEach((deltas, index) => {
      const delta = deltas[at];
      if (delta !== undefined) rows.push({ index, delta });
    });
  }
  return rows;
}

function envelope(context: RenderContext, object: string): JsonObject {
  return {
    id: context.identity.next("chatcmpl-", 29),
    object,
    created: context.createdSeconds,
    model: context.prompt.answersAs,
  };
}

function finishReason({ answer, prompt }: RenderContext): string {
  switch (answer.stop) {
    case "length":
      return "length";
    case "filter":
      return "content_filter";
    case "tool":
      // A named choice ends in `stop`, as recorded: 48 of 50 such answers.
      if (prompt.legacyFunctions) return "function_call";
      return typeof prompt.toolChoice === "object" ? "stop" : "tool_calls";
    case "end":
    case "pause":
    case "refusal":
    case "stop-sequence":
      return "stop";
    default:
      return answer.stop satisfies never;
  }
}

function usage({ answer, prompt }: RenderContext): JsonObject {
  const { inputTokens, readTokens, writeTokens, writeLongTokens, outputTokens, reasoningTokens } = answer.usage;
  const written = writeTokens + writeLongTokens;
  const promptTokens = inputTokens + readTokens + written;
  const completion = outputTokens * prompt.choices;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    prompt_tokens_details: {
      cached_tokens: readTokens,
      ...(prompt.reportsCacheWrites ? { cache_write_tokens: written } : {}),
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function logprobsOf(text: string): JsonObject {
  return {
    content: cutText(text, null).map((token) => ({
      token,
      logprob: -0.01,
      bytes: [...Buffer.from(token)],
      top_logprobs: [],
    })),
    refusal: null,
  };
}

function textOf(answer: Answer): string {
  return answer.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

function refusalOf(answer: Answer): string | null {
  return answer.parts.find((part) => part.kind === "refusal")?.text ?? null;
}

function toolsOf(answer: Answer): readonly ToolPart[] {
  return answer.parts.filter((part) => part.kind === "tool");
}
