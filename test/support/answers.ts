/** Answers as the providers give them, small, for tests that are not about what is in them. */
import { json, sse, type ScriptedAnswer } from "./scripted-client.ts";

/** A whole Chat answer. */
export function chatAnswer(
  content: string,
  model = "gpt-4.1",
  more: Readonly<Record<string, unknown>> = {},
): ScriptedAnswer {
  return json({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model,
    choices: [
      { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
    ...more,
  });
}

/** A whole Messages answer. */
export function messagesAnswer(text: string, model = "claude-sonnet-4-5"): ScriptedAnswer {
  return json({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 2 },
  });
}

/** A whole Response that says `text`. */
export function responsesAnswer(text: string, model = "gpt-5.4"): ScriptedAnswer {
  return json({
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: "completed",
    model,
    output: [
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", annotations: [], text }],
      },
    ],
    usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 },
  });
}

/** An error answer of OpenAI's shape. */
export function openAiError(
  status: number,
  error: Readonly<Record<string, unknown>> = {},
  headers = {},
): ScriptedAnswer {
  return json({ error: { message: "no", type: "some_error", param: null, code: null, ...error } }, status, headers);
}

/** One Chat chunk as an SSE event. */
export function chatChunk(
  delta: unknown,
  finish: string | null = null,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-4.1", choices, ...more })}\n\n`;
}

/** Events of a whole Chat stream that says `pieces`. */
export function chatEvents(pieces: readonly string[]): readonly string[] {
  return [
    chatChunk({ role: "assistant", content: "" }),
    ...pieces.map((content) => chatChunk({ content })),
    chatChunk({}, "stop"),
    "data: [DONE]\n\n",
  ];
}

/** A whole Chat stream, one chunk per event. */
export function chatStream(pieces: readonly string[], options: Omit<ScriptedAnswer, "body"> = {}): ScriptedAnswer {
  return sse(chatEvents(pieces), options);
}

/** One Messages event. */
export function messagesEvent(data: { readonly type: string } & Readonly<Record<string, unknown>>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Events of a whole Messages stream that says `pieces`. */
export function messagesEvents(pieces: readonly string[]): readonly string[] {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [] };
  return [
    messagesEvent({
      type: "message_start",
      message: { ...message, stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } },
    }),
    messagesEvent({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    ...pieces.map((text) =>
      messagesEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    ),
    messagesEvent({ type: "content_block_stop", index: 0 }),
    messagesEvent({
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 5 },
    }),
    messagesEvent({ type: "message_stop" }),
  ];
}

/** A Chat request that says hi. */
export const chatHi = { model: "gpt-4.1", messages: [{ role: "user", content: "hi" }] };
/** A Messages request that says hi. */
export const messagesHi = { model: "claude-sonnet-4-5", max_tokens: 50, messages: [{ role: "user", content: "hi" }] };
