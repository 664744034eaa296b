/**
 * What the benchmark asks. Every process of a run builds the same bytes from this file and upstream-answers.ts, so that only
 * names travel between them.
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
  /** null: not streamed. */
  readonly pace: Pace | null;
  /** Pieces that the answer's stream comes in. */
  readonly chunks: number;
  /** Size of the client's request, in bytes, about. */
  readonly requestBytes: number;
  /** The first model's answer does not fit the request's schema, the second one's does. */
  readonly healed: boolean;
  /** Bound of ARouter's CPU time as a multiple of the bare proxy's, at 64 connections; null: none is set. */
  readonly target: number | null;
}

export const CHUNKS = 100;
export const SLOW_CHUNKS = 20;
export const SLOW_CHUNK_MS = 100;

type Rest = Partial<Pick<Workload, "pace" | "chunks" | "requestBytes" | "healed" | "target">>;

function workload(id: string, title: string, [client, upstream]: readonly [Dialect, Dialect], rest: Rest): Workload {
  const { pace = null, chunks = CHUNKS, requestBytes = 1024, healed = false, target = null } = rest;
  return { id, title, client, upstream, pace, chunks, requestBytes, healed, target };
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
  workload("W8", "healed by a second model, OpenAI", ["chat", "chat"], { healed: true }),
  workload("W8a", "healed by a second model, Anthropic", ["messages", "messages"], { healed: true }),
];

/** Many slow streams at once: measured as one wave, not in rounds. */
export const SLOW: Workload = workload("W7", "1,000 slow streams at once", ["chat", "chat"], {
  pace: "slow",
  chunks: SLOW_CHUNKS,
});

const ALL: readonly Workload[] = [...WORKLOADS, SLOW];

/** Buffered, same format, with a request of `bytes`. */
export function sizedWorkload(bytes: number): Workload {
  return workload(`B${bytes}`, `request of ${bytes} bytes`, ["chat", "chat"], { requestBytes: bytes });
}

/** A stream of `chunks` chunks; `upstream` messages: translated. */
export function streamWorkload(chunks: number, upstream: Dialect): Workload {
  const id = `${upstream === "chat" ? "C" : "T"}${chunks}`;
  return workload(id, `stream of ${chunks} chunks`, ["chat", upstream], { pace: "apart", chunks });
}

/** Also those of {@link sizedWorkload} and {@link streamWorkload}. @throws Error when there is none of that name */
export function workloadById(id: string): Workload {
  const found = ALL.find((entry) => entry.id === id);
  if (found !== undefined) return found;
  const [, kind, amount] = /^([BCT])(\d{1,8})$/.exec(id) ?? [];
  if (kind === "B") return sizedWorkload(Number(amount));
  if (kind !== undefined) return streamWorkload(Number(amount), kind === "C" ? "chat" : "messages");
  throw new Error(`no workload is named ${id}`);
}

export const MODELS: Readonly<Record<Dialect, string>> = { chat: "gpt-5.4-mini", messages: "claude-sonnet-5-5" };
/** The second model of a workload that is healed. */
export const SECOND_MODELS: Readonly<Record<Dialect, string>> = { chat: "gpt-5.4", messages: "claude-opus-5-5" };
export const PATHS: Readonly<Record<Dialect, string>> = { chat: "/v1/chat/completions", messages: "/v1/messages" };

const WORDS =
  "the quick gateway forwards every byte as it came, números and 文字 included, and nobody notices it ".split(" ");

/** The word at `at`, over and over from the beginning. */
export function wordAt(at: number): string {
  return WORDS[at % WORDS.length] ?? "";
}

/** Text of `length` characters, about. */
function prose(length: number): string {
  let text = "";
  for (let at = 0; text.length < length; at += 1) text += `${wordAt(at)} `;
  return text;
}

const OVERHEAD_BYTES = 300;
const TURN_BYTES = 10 * 1024;
/** A turn's text of this many characters has {@link TURN_BYTES} bytes, with what stands around it. */
const TURN_CHARS = TURN_BYTES * 0.95;

/** What a workload that is healed asks for. */
const SCHEMA = {
  type: "object",
  properties: {
    title: { type: "string" },
    tags: { type: "array", items: { type: "string", enum: ["fast", "safe", "small"] } },
    score: { type: "integer", minimum: 0 },
    summary: { type: "string" },
  },
  required: ["title", "tags", "score", "summary"],
  additionalProperties: false,
};

/**
 * The request body in `dialect` for `model`, the upstream's own unless given; the last message is marked with the workload
 * so that the upstream knows what is asked.
 */
export function requestBody(workload: Workload, dialect: Dialect, upstream: Dialect, model = MODELS[upstream]): string {
  const { id, pace, requestBytes, healed } = workload;
  const room = requestBytes - OVERHEAD_BYTES;
  const turns = room > TURN_BYTES ? Math.floor(room / TURN_BYTES / 2) * 2 : 0;
  const text = turns > 0 ? prose(TURN_CHARS) : "";
  const history = Array.from({ length: turns }, (_, at) => ({
    role: at % 2 === 0 ? "user" : "assistant",
    content: text,
  }));
  const last = { role: "user", content: `${marker(id)} ${prose(turns > 0 ? 512 : room / 2)}` };
  const system = prose(turns > 0 ? 512 : room / 2);
  const stream = pace === null ? {} : { stream: true };
  const body =
    dialect === "chat"
      ? {
          model,
          messages: [{ role: "system", content: system }, ...history, last],
          max_completion_tokens: 512,
          ...stream,
          ...(pace === null ? {} : { stream_options: { include_usage: true } }),
          ...(healed
            ? { response_format: { type: "json_schema", json_schema: { name: "note", strict: true, schema: SCHEMA } } }
            : {}),
        }
      : {
          model,
          max_tokens: 512,
          system,
          messages: [...history, last],
          ...stream,
          ...(healed ? { output_config: { format: { type: "json_schema", schema: SCHEMA } } } : {}),
        };
  return JSON.stringify(body);
}

/** The text by which the upstream recognises a workload. */
export function marker(id: string): string {
  return `[${id}]`;
}

/** The workload whose marker `body` holds last; null without one. */
export function markedWorkload(body: Buffer): string | null {
  // A string that begins so is the marked message: no other text of a request has a bracket.
  const start = body.lastIndexOf('"[');
  if (start < 0) return null;
  return /^"\[(\w+)\]/.exec(body.toString("latin1", start, start + 16))?.[1] ?? null;
}
