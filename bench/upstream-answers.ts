/** What the benchmark's upstream answers to a workload. */
import { CHUNKS, type Dialect, MODELS, wordAt, type Workload } from "./workloads.ts";

const CHAT_ID = "chatcmpl-0123456789abcdefghijklmn";
const MESSAGE_ID = "msg_0123456789abcdefghijklmn";
const CREATED = 1_790_000_000;
export const USAGE = { input: 240, output: 97 };
/** Events of a stream that carry no text of their own. */
const EMPTY_EVENTS = 3;

/** The upstream's answer when it is not streamed: 1 KB, about. */
export function wholeAnswer({ upstream, healed }: Workload): string {
  return renderWhole(upstream, healed ? note(41) : proseText());
}

/** What the first model answers where the second one has to heal: a number where the schema wants an integer. */
export function invalidAnswer({ upstream }: Workload): string {
  return renderWhole(upstream, note(41.5));
}

function note(score: number): string {
  return JSON.stringify({ title: "A note", tags: ["fast", "small"], score, summary: proseText() });
}

function renderWhole(dialect: Dialect, content: string): string {
  if (dialect === "messages") {
    return JSON.stringify({
      id: MESSAGE_ID,
      type: "message",
      role: "assistant",
      model: MODELS.messages,
      content: [{ type: "text", text: content }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: USAGE.input, output_tokens: USAGE.output },
    });
  }
  return JSON.stringify({
    id: CHAT_ID,
    object: "chat.completion",
    created: CREATED,
    model: MODELS.chat,
    choices: [
      { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage: {
      prompt_tokens: USAGE.input,
      completion_tokens: USAGE.output,
      total_tokens: USAGE.input + USAGE.output,
    },
    system_fingerprint: "fp_0123456789",
  });
}

/** The text of the answer that `workload` ends in. */
export function answerText(workload: Workload): string {
  if (workload.pace !== null) return answerPieces(workload).join("");
  return workload.healed ? note(41) : proseText();
}

function proseText(): string {
  return Array.from({ length: CHUNKS - EMPTY_EVENTS }, (_, at) => `${wordAt(at)} `).join("");
}

/** Pieces of text that a streamed answer is made of. */
function answerPieces({ pace, chunks }: Workload): readonly string[] {
  const count = pace === "slow" ? chunks : chunks - EMPTY_EVENTS;
  return Array.from({ length: count }, (_, at) => `${wordAt(at)} `);
}

/** What the first event of a streamed answer that carries text has in it, in either format, and none before it. */
export function firstTextOf(workload: Workload): string {
  return JSON.stringify(answerPieces(workload)[0]);
}

/** The upstream's answer as SSE events. */
export function streamedAnswer(workload: Workload): readonly string[] {
  const pieces = answerPieces(workload);
  return workload.upstream === "chat" ? chatEvents(pieces) : messagesEvents(pieces);
}

function chatEvents(pieces: readonly string[]): readonly string[] {
  const frame = (choices: readonly object[], usage: object | null): string =>
    `data: ${JSON.stringify({ id: CHAT_ID, object: "chat.completion.chunk", created: CREATED, model: MODELS.chat, service_tier: "default", system_fingerprint: "fp_0123456789", choices, usage })}\n\n`;
  const chunk = (delta: object, finish: string | null): string =>
    frame([{ index: 0, delta, logprobs: null, finish_reason: finish }], null);
  return [
    chunk({ role: "assistant", content: "", refusal: null }, null),
    ...pieces.map((content) => chunk({ content }, null)),
    chunk({}, "stop"),
    frame([], {
      prompt_tokens: USAGE.input,
      completion_tokens: USAGE.output,
      total_tokens: USAGE.input + USAGE.output,
    }),
    "data: [DONE]\n\n",
  ];
}

function messagesEvents(pieces: readonly string[]): readonly string[] {
  const event = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const message = {
    id: MESSAGE_ID,
    type: "message",
    role: "assistant",
    model: MODELS.messages,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: USAGE.input, output_tokens: 1 },
  };
  const start = { type: "message_start", message };
  const open = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const end = {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: USAGE.output },
  };
  return [
    event(start) + event(open),
    ...pieces.map((text) =>
      event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } } as never),
    ),
    event({ type: "content_block_stop", index: 0 } as never),
    event(end) + event({ type: "message_stop" }),
  ];
}
