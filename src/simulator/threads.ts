/**
 * Message threads: conversations that Anthropic holds between turns (beta `message-threads-2026-08-12`). `create` holds a
 * conversation under the answer's id; `continue` brings only the new messages.
 * @see https://docs.claude.com/en/api/messages (types of @anthropic-ai/sdk 1.12.0, read 2026-11-24)
 */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { arrayOf } from "./read-chat.ts";
import type { Refusal } from "./refusal.ts";

/** Conversations held, by the id of their last answer. */
export interface ThreadStore {
  /** The request with the held messages before its own; a refusal when nothing is held under that id. */
  readonly resume: (request: JsonObject) => { readonly request: JsonObject } | { readonly refusal: Refusal };
  /** Holds a whole request and its answer, when the request asks for it. */
  readonly hold: (request: JsonObject, id: string, content: readonly Json[]) => void;
}

const MAX_THREADS = 1000;
/** Fields that a continuation inherits when it does not send them. */
const INHERITED = ["system", "tools"] as const;

/** A store without threads; the oldest make room. */
export function createThreadStore(): ThreadStore {
  const held = new Map<string, JsonObject>();
  return {
    resume: (request) => {
      const thread = own(request, "thread");
      if (own(thread, "type") !== "continue") return { request };
      const id = String(own(thread, "previous_message_id"));
      const before = held.get(id);
      if (before === undefined) return { refusal: notFound(id) };
      const messages = [...arrayOf(own(before, "messages")), ...arrayOf(own(request, "messages"))];
      return { request: { ...before, ...request, messages } };
    },
    hold: (request, id, content) => {
      if (!isObject(own(request, "thread"))) return;
      const inherited = INHERITED.flatMap((name): [string, Json][] => {
        const value = own(request, name);
        return value === undefined ? [] : [[name, value]];
      });
      const messages = [...arrayOf(own(request, "messages")), { role: "assistant", content }];
      held.set(id, { ...Object.fromEntries(inherited), messages });
      const [oldest] = held.keys();
      if (held.size > MAX_THREADS && oldest !== undefined) held.delete(oldest);
    },
  };
}

function notFound(id: string): Refusal {
  const message = `thread.previous_message_id: no thread found for message ${id}`;
  return { status: 404, type: "not_found_error", message, param: null, code: null, detail: "thread_not_found" };
}
