/** Answers as Responses sends them. @see https://platform.openai.com/docs/api-reference/responses-streaming (read 2026-11-22) */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { cutText, SEARCH_RESULT, type Part } from "./answer.ts";
import { prefixHashes } from "./prompt.ts";
import { paddingLength, type RenderContext, type Renderer } from "./render.ts";

/** Renders Responses. */
export const responsesRenderer: Renderer = {
  body: (context) => {
    const id = context.identity.next("resp_", 50);
    const items = context.answer.parts.map((part) => itemOf(context, part));
    return JSON.stringify(response(context, id, items, status(context)));
  },
  stream: renderStream,
};

function renderStream(context: RenderContext): readonly string[] {
  const frames: string[] = [];
  const id = context.identity.next("resp_", 50);
  let sequence = 0;
  const send = (event: JsonObject): void => {
    frames.push(
      `event: ${String(event["type"])}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`,
    );
    sequence += 1;
  };
  const sendDeltas = (type: string, place: JsonObject, pieces: readonly string[]): void => {
    for (const delta of pieces) {
      const obfuscation = context.prompt.obfuscated ? { obfuscation: "x".repeat(paddingLength(delta, 14)) } : {};
      send({ type: `${type}.delta`, delta, ...place, ...obfuscation });
    }
  };
  send({ type: "response.created", response: response(context, id, [], "in_progress") });
  send({ type: "response.in_progress", response: response(context, id, [], "in_progress") });
  const items = context.answer.parts.map((part) => itemOf(context, part));
  context.answer.parts.forEach((part, index) => {
    const item = items[index];
    if (item === undefined) return;
    const place = { item_id: own(item, "id") ?? "", output_index: index };
    send({ type: "response.output_item.added", item: opened(part, item), output_index: index });
    sendInner(part, item, place, send, sendDeltas, context.answer.chunkSize);
    send({ type: "response.output_item.done", item, output_index: index });
  });
  const end = status(context);
  send({ type: `response.${end}`, response: response(context, id, items, end) });
  return frames;
}

type Send = (event: JsonObject) => void;
type SendDeltas = (type: string, place: JsonObject, pieces: readonly string[]) => void;

function sendInner(
  part: Part,
  item: JsonObject,
  place: JsonObject,
  send: Send,
  sendDeltas: SendDeltas,
  chunkSize: number | null,
): void {
  switch (part.kind) {
    case "thinking": {
      if (JSON.stringify(own(item, "summary")) === "[]") return;
      const summary = { ...place, summary_index: 0 };
      send({ type: "response.reasoning_summary_part.added", ...summary, part: { type: "summary_text", text: "" } });
      sendDeltas("response.reasoning_summary_text", summary, cutText(part.text, chunkSize));
      send({ type: "response.reasoning_summary_text.done", ...summary, text: part.text });
      send({
        type: "response.reasoning_summary_part.done",
        ...summary,
        part: { type: "summary_text", text: part.text },
      });
      return;
    }
    case "text":
    case "refusal": {
      const content = { ...place, content_index: 0 };
      const refused = part.kind === "refusal";
      const empty = refused
        ? { type: "refusal", refusal: "" }
        : { type: "output_text", annotations: [], logprobs: [], text: "" };
      send({ type: "response.content_part.added", ...content, part: empty });
      sendDeltas(
        refused ? "response.refusal" : "response.output_text",
        { ...content, ...(refused ? {} : { logprobs: [] }) },
        cutText(part.text, chunkSize),
      );
      if (refused) send({ type: "response.refusal.done", ...content, refusal: part.text });
      else send({ type: "response.output_text.done", ...content, logprobs: [], text: part.text });
      send({ type: "response.content_part.done", ...content, part: textPart(part) });
      return;
    }
    case "tool": {
      const type = part.custom ? "response.custom_tool_call_input" : "response.function_call_arguments";
      sendDeltas(type, place, cutText(part.arguments, chunkSize ?? 6));
      send({ type: `${type}.done`, ...place, [part.custom ? "input" : "arguments"]: part.arguments });
      return;
    }
    case "search":
      for (const step of ["in_progress", "searching", "completed"])
        send({ type: `response.web_search_call.${step}`, ...place });
      return;
    default:
      part satisfies never;
  }
}

/** An item as it looks when it is added: without its content. */
function opened(part: Part, item: JsonObject): JsonObject {
  switch (part.kind) {
    case "thinking":
      return { ...item, summary: [] };
    case "text":
    case "refusal":
      return { ...item, status: "in_progress", content: [] };
    case "tool":
      return { ...item, status: "in_progress", [part.custom ? "input" : "arguments"]: "" };
    case "search":
      return { ...item, status: "in_progress" };
    default:
      return part satisfies never;
  }
}

function itemOf({ identity, prompt, signer, answer }: RenderContext, part: Part): JsonObject {
  switch (part.kind) {
    case "thinking": {
      const prefix = prefixHashes(prompt.blocks).at(-1) ?? "";
      const sealed = prompt.encryptedReasoning
        ? { encrypted_content: signer.sign({ model: prompt.answersAs, thinking: "", prefix }) }
        : {};
      return {
        id: identity.next("rs_", 50),
        type: "reasoning",
        ...sealed,
        summary: prompt.showsThinking ? [{ type: "summary_text", text: part.text }] : [],
      };
    }
    case "text":
    case "refusal": {
      const state = answer.stop === "length" ? "incomplete" : "completed";
      return {
        id: identity.next("msg_", 50),
        type: "message",
        status: state,
        content: [textPart(part)],
        role: "assistant",
      };
    }
    case "tool":
      return part.custom
        ? {
            id: identity.next("ctc_", 50),
            type: "custom_tool_call",
            status: "completed",
            call_id: identity.next("call_"),
            input: part.arguments,
            name: part.name,
            ...namespaceOf(part),
          }
        : {
            id: identity.next("fc_", 50),
            type: "function_call",
            status: "completed",
            arguments: part.arguments,
            call_id: identity.next("call_"),
            name: part.name,
            ...namespaceOf(part),
          };
    case "search":
      return {
        id: identity.next("ws_", 50),
        type: "web_search_call",
        status: "completed",
        action: { type: "search", query: part.query },
      };
    default:
      return part satisfies never;
  }
}

function namespaceOf(part: Extract<Part, { kind: "tool" }>): JsonObject {
  return part.namespace === undefined ? {} : { namespace: part.namespace };
}

function textPart(part: Extract<Part, { kind: "text" | "refusal" }>): JsonObject {
  if (part.kind === "refusal") return { type: "refusal", refusal: part.text };
  const { url, title } = SEARCH_RESULT;
  const note = { type: "url_citation", end_index: part.text.length, start_index: 0, title, url };
  return { type: "output_text", annotations: part.cited ? [note] : [], logprobs: [], text: part.text };
}

type Status = "in_progress" | "completed" | "incomplete";

function status({ answer }: RenderContext): Status {
  return answer.stop === "length" || answer.stop === "filter" ? "incomplete" : "completed";
}

function response(context: RenderContext, id: string, output: readonly Json[], state: Status): JsonObject {
  const { prompt, answer, createdSeconds } = context;
  const echo = (name: string, fallback: Json): Json => own(prompt.request, name) ?? fallback;
  const reasoning = own(prompt.request, "reasoning");
  const text = own(prompt.request, "text");
  return {
    id,
    object: "response",
    created_at: createdSeconds,
    status: state,
    background: false,
    completed_at: state === "completed" ? createdSeconds : null,
    error: null,
    incomplete_details:
      state === "incomplete" ? { reason: answer.stop === "filter" ? "content_filter" : "max_output_tokens" } : null,
    instructions: echo("instructions", null),
    max_output_tokens: echo("max_output_tokens", null),
    max_tool_calls: null,
    model: prompt.answersAs,
    output,
    parallel_tool_calls: echo("parallel_tool_calls", true),
    previous_response_id: echo("previous_response_id", null),
    reasoning: { effort: own(reasoning, "effort") ?? null, summary: own(reasoning, "summary") ?? null },
    service_tier: state === "in_progress" ? "auto" : prompt.serviceTier,
    store: echo("store", true),
    temperature: echo("temperature", 1),
    text: { format: { type: "text" }, verbosity: "medium", ...(isObject(text) ? text : {}) },
    tool_choice: echo("tool_choice", "auto"),
    tools: echo("tools", []),
    top_p: echo("top_p", 1),
    truncation: echo("truncation", "disabled"),
    usage: state === "in_progress" ? null : usage(context),
    user: null,
    metadata: echo("metadata", {}),
  };
}

function usage({ answer, prompt }: RenderContext): JsonObject {
  const { inputTokens, readTokens, writeTokens, writeLongTokens, outputTokens, reasoningTokens } = answer.usage;
  const written = writeTokens + writeLongTokens;
  const input = inputTokens + readTokens + written;
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: readTokens,
      ...(prompt.reportsCacheWrites ? { cache_write_tokens: written } : {}),
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: input + outputTokens,
  };
}
