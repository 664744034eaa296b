/**
 * What the benchmark asks, and what has to come back. Every process of a run builds the same bytes from this file, so that
 * only names travel between them.
 */

/** The wire format in which a client or the upstream speaks. */
export type Dialect = "chat" | "messages";
/** How the upstream's stream comes: each chunk by itself, all in one piece, or one every {@link SLOW_CHUNK_MS}. */
export type Pace = "apart" | "burst" | "slow";

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** What ARouter is asked in. */
  readonly client: Dialect;
  /** What the upstream is asked in; by ARouter, the bare proxy and the direct call alike. */
  readonly upstream: Dialect;
  readonly pace: Pace | null;
  /** Size of the client's request, in bytes, about. */
  readonly requestBytes: number;
  /** Bound of ARouter's CPU time as a multiple of the bare proxy's, at 64 connections; null: none is set. */
  readonly target: number | null;
}

export const CHUNKS = 100;
export const SLOW_CHUNKS = 20;
export const SLOW_CHUNK_MS = 100;

function workload(
  id: string,
  title: string,
  [client, upstream]: readonly [Dialect, Dialect],
  rest: { readonly pace?: Pace; readonly requestBytes?: number; readonly target?: number },
): Workload {
  const { pace = null, requestBytes = 1024, target = null } = rest;
  return { id, title, client, upstream, pace, requestBytes, target };
}

export const WORKLOADS: readonly Workload[] = [
  workload("W1", "buffered, 1 KB, same format", ["chat", "chat"], { target: 1.5 }),
  workload("W2", "stream of 100 chunks, same format", ["chat", "chat"], { pace: "apart", target: 1.4 }),
  workload("W2b", "the same stream in one burst", ["chat", "chat"], { pace: "burst" }),
  workload("W3", "buffered, OpenAI to Anthropic", ["chat", "messages"], { target: 1.6 }),
  workload("W4", "stream, OpenAI to Anthropic", ["chat", "messages"], { pace: "apart", target: 1.1 }),
  workload("W4b", "the same stream in one burst", ["chat", "messages"], { pace: "burst" }),
  workload("W5", "buffered, Anthropic to OpenAI", ["messages", "chat"], { target: 1.6 }),
  workload("W5s", "stream, Anthropic to OpenAI", ["messages", "chat"], { pace: "apart", target: 1.1 }),
  workload("W6", "buffered, 200 KB, same format", ["chat", "chat"], { requestBytes: 200 * 1024, target: 1.3 }),
];

/** Many slow streams at once: measured as one wave, not in rounds. */
export const SLOW: Workload = workload("W7", "1,000 slow streams at once", ["chat", "chat"], { pace: "slow" });

const ALL: readonly Workload[] = [...WORKLOADS, SLOW];

/** @throws Error when there is none of that name */
export function workloadById(id: string): Workload {
  const found = ALL.find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`no workload is named ${id}`);
  return found;
}

export const MODELS: Readonly<Record<Dialect, string>> = { chat: "gpt-5.4-mini", messages: "claude-sonnet-5-5" };
export const PATHS: Readonly<Record<Dialect, string>> = { chat: "/v1/chat/completions", messages: "/v1/messages" };

const WORDS =
  "the quick gateway forwards every byte as it came, números and 文字 included, and nobody notices it ".split(" ");

/** Text of `length` characters, about. */
function prose(length: number): string {
  let text = "";
  for (let at = 0; text.length < length; at += 1) text += `${WORDS[at % WORDS.length]} `;
  return text;
}

/** Pieces that a streamed answer is made of; joined they are the whole text. */
export function answerPieces(pace: Pace | null): readonly string[] {
  // Three events of a stream carry no text of their own.
  const count = pace === "slow" ? SLOW_CHUNKS : CHUNKS - 3;
  return Array.from({ length: count }, (_, at) => `${WORDS[at % WORDS.length]} `);
}

const OVERHEAD_BYTES = 300;
const TURN_BYTES = 10 * 1024;

/** The request body in `dialect`, the last message marked with the workload so that the upstream knows what is asked. */
export function requestBody({ id, pace, requestBytes }: Workload, dialect: Dialect, upstream: Dialect): string {
  const room = requestBytes - OVERHEAD_BYTES;
  const turns = room > TURN_BYTES ? Math.floor(room / TURN_BYTES / 2) * 2 : 0;
  const history = Array.from({ length: turns }, (_, at) => ({
    role: at % 2 === 0 ? "user" : "assistant",
    content: prose(TURN_BYTES * 0.95),
  }));
  const last = { role: "user", content: `${marker(id)} ${prose(turns > 0 ? 512 : room / 2)}` };
  const system = prose(turns > 0 ? 512 : room / 2);
  const model = MODELS[upstream];
  const stream = pace === null ? {} : { stream: true };
  const body =
    dialect === "chat"
      ? {
          model,
          messages: [{ role: "system", content: system }, ...history, last],
          max_completion_tokens: 512,
          ...stream,
          ...(pace === null ? {} : { stream_options: { include_usage: true } }),
        }
      : { model, max_tokens: 512, system, messages: [...history, last], ...stream };
  return JSON.stringify(body);
}

/** The text by which the upstream recognises a workload. */
export function marker(id: string): string {
  return `[${id}]`;
}

const CHAT_ID = "chatcmpl-0123456789abcdefghijklmn";
const MESSAGE_ID = "msg_0123456789abcdefghijklmn";
const CREATED = 1_790_000_000;
export const USAGE = { input: 240, output: 97 };

/** The upstream's answer when it is not streamed: 1 KB, about. */
export function wholeAnswer(dialect: Dialect): string {
  const content = wholeText();
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

export function wholeText(): string {
  return answerPieces(null).join("");
}

/** The upstream's answer as SSE events. */
export function streamedAnswer(dialect: Dialect, pace: Pace): readonly string[] {
  return dialect === "chat" ? chatEvents(answerPieces(pace)) : messagesEvents(answerPieces(pace));
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
