/** Names and ids of tools, made to fit the other side's limits by rule and hash: the same input gives the same output. */
import { sha256Hex } from "../../base/ids.ts";

/** Names to send, and the caller's own back in answers. One per request. */
export interface ToolNames {
  /** The name to send for the caller's `name`. */
  readonly send: (name: string) => string;
  /** The caller's name for one in an answer; a name never sent is returned as it is. */
  readonly restore: (name: string) => string;
  /** `restore` by itself: one function for all requests whose names were sent as they are. */
  readonly restorer: () => (name: string) => string;
}

const keepName = (name: string): string => name;

const ILLEGAL = /[^A-Za-z0-9_-]/g;
const HAS_ILLEGAL = /[^A-Za-z0-9_-]/;
/** 55 characters, `_` and 8 hex digits: 64, the lower of both limits. */
const KEPT_CHARS = 55;

class RequestToolNames implements ToolNames {
  readonly #maxChars: number;
  /** The caller's names by those sent instead; null while all are sent as they are. */
  #originals: Map<string, string> | null = null;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  send(name: string): string {
    if (name.length <= this.#maxChars && !HAS_ILLEGAL.test(name)) return name;
    const sent = `${name.replace(ILLEGAL, "_").slice(0, KEPT_CHARS)}_${sha256Hex(name, 8)}`;
    this.#originals ??= new Map();
    this.#originals.set(sent, name);
    return sent;
  }

  restore(name: string): string {
    return this.#originals?.get(name) ?? name;
  }

  restorer(): (name: string) => string {
    return this.#originals === null ? keepName : (name) => this.restore(name);
  }
}

/**
 * Tool names for Anthropic: at most 128 of `A-Z a-z 0-9 _ -`.
 * @see https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use (read 2026-11-24)
 */
export function createMessagesToolNames(): ToolNames {
  return new RequestToolNames(128);
}

/**
 * Tool names for OpenAI: at most 64 of the same characters.
 * @see https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools (read 2026-11-24)
 */
export function createChatToolNames(): ToolNames {
  return new RequestToolNames(64);
}

/** A tool-call id that Anthropic takes (`[A-Za-z0-9_-]+`): other characters become `_` and 8 hex digits are added. */
export function messagesToolId(id: string): string {
  return id !== "" && !HAS_ILLEGAL.test(id) ? id : `${id.replace(ILLEGAL, "_")}_${sha256Hex(id, 8)}`;
}

/** A tool-call id of at most 40 characters, the strictest limit seen at OpenAI. */
export function chatToolId(id: string): string {
  return id.length <= 40 ? id : `call_${sha256Hex(id, 32)}`;
}

/** An id for a call that came without one, from the answer's id and the call's place in it. */
export function mintToolId(replyId: string, index: number): string {
  return `toolu_${sha256Hex(`${replyId}:${index}`, 24)}`;
}
