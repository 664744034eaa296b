/** The conversation: turns in order, every call followed by its results, as OpenAI insists. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import { CONTINUE_HINT } from "./assistant.ts";
import { foldPath, NO_MARKER, readBlocks, type Draft, type Located } from "./draft.ts";
import { renderSystem } from "./system.ts";
import { renderUnknownResult, toolUseId } from "./tool-results.ts";
import { renderParts } from "./user.ts";

export const MESSAGE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].clear_at, output_config",
    outcomes: ["D"],
    becomes: "Not sent, like every other field of a message but role and content.",
  },
];

interface Message {
  readonly role: "user" | "assistant" | "system";
  readonly content: Json | undefined;
  readonly index: number;
}

/** Messages of one role in a row: Anthropic reads them as one turn. */
interface Turn {
  readonly role: Message["role"];
  readonly messages: Message[];
}

const MESSAGE_KEYS: ReadonlySet<string> = new Set(["role", "content"]);

function contentPath({ index }: Message): string {
  return `messages[${index}].content`;
}

function readMessage(value: Json | undefined, index: number, draft: Draft): Message {
  if (!isObject(value)) throw invalidRequest(`messages[${index}] is not a message`, `messages[${index}]`);
  const role = own(value, "role");
  if (role !== "user" && role !== "assistant" && role !== "system") {
    const path = `messages[${index}].role`;
    throw invalidRequest(`${path} is not known; use user, assistant or system`, path);
  }
  for (const key of Object.keys(value)) {
    if (!MESSAGE_KEYS.has(key) && value[key] !== null) draft.report.drop(foldPath(`messages[${index}].${key}`));
  }
  return { role, content: own(value, "content"), index };
}

function readTurns(messages: readonly Json[], draft: Draft): readonly Turn[] {
  const turns: Turn[] = [];
  for (let index = 0; index < messages.length; index++) {
    const message = readMessage(messages[index], index, draft);
    const last = turns.at(-1);
    if (last?.role === message.role) last.messages.push(message);
    else turns.push({ role: message.role, messages: [message] });
  }
  return turns;
}

const NO_CALLS: readonly string[] = [];

/** The conversation while it is written, turn by turn. */
class Conversation {
  readonly #draft: Draft;
  readonly #out: JsonObject[] = [];
  /** Calls of the last assistant turn that have no result yet. */
  #awaited: readonly string[] = NO_CALLS;
  /** Instructions that came between a call and its result. */
  #held: JsonObject[] = [];
  /** Text of the last turn, if it is the assistant's and may be gone on with; null otherwise. */
  #prefill: string | null = null;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  addInstructions(message: JsonObject | null): void {
    if (message !== null) (this.#awaited.length > 0 ? this.#held : this.#out).push(message);
  }

  addTurn(turn: Turn): void {
    this.#prefill = null;
    switch (turn.role) {
      case "system":
        for (const message of turn.messages) this.#addSystem(message);
        break;
      case "assistant":
        this.#addAssistant(turn);
        break;
      case "user":
        this.#addUser(turn);
        break;
      default:
        turn.role satisfies never;
    }
  }

  finish(): JsonObject[] {
    this.#settle();
    if (this.#prefill !== null) {
      this.#draft.prefill = this.#prefill;
      this.#draft.report.adapt("messages");
      this.#out.push(this.#draft.surface.system(CONTINUE_HINT, this.#draft));
    }
    return this.#out;
  }

  #addSystem(message: Message): void {
    const path = contentPath(message);
    if (message.content === undefined) {
      throw invalidRequest(`${path} is missing`, path, "missing_required_parameter");
    }
    this.addInstructions(renderSystem(message.content, path, this.#draft));
  }

  #addAssistant({ messages }: Turn): void {
    this.#settle();
    const blocks = messages.flatMap((message) => readBlocks(message.content, contentPath(message)));
    const { items, callIds, text } = this.#draft.surface.assistant(blocks, this.#draft);
    this.#out.push(...items);
    this.#awaited = callIds;
    this.#prefill = items.length === 0 || callIds.length > 0 ? null : text;
  }

  #addUser(turn: Turn): void {
    const user = renderUserTurn(turn, this.#awaited, this.#draft);
    for (const result of user.results) this.#out.push(result);
    this.#awaited = user.awaited;
    this.#settle();
    for (const message of user.rest) this.#out.push(message);
  }

  /** Ends the run of results: calls that got none are told so, and what waited for its end follows. */
  #settle(): void {
    for (const id of this.#awaited) {
      this.#draft.report.adapt("messages[].content[].tool_use");
      this.#out.push(this.#draft.surface.missingResult(id));
    }
    this.#awaited = NO_CALLS;
    if (this.#held.length === 0) return;
    this.#out.push(...this.#held);
    this.#held = [];
  }
}

/**
 * The conversation, instructions first, spelled by `draft.surface`. Sets `draft.prefill` when the last turn is the assistant's.
 * @throws GatewayError `invalid-request` for a wrong shape, `unsupported-translation` for content that cannot be sent
 */
export function renderMessages(source: JsonObject, draft: Draft): JsonObject[] {
  const messages = own(source, "messages");
  if (!isArray(messages)) {
    throw invalidRequest("messages is not an array of messages", "messages", "missing_required_parameter");
  }
  if (messages.length === 0) throw invalidRequest("messages is empty; send at least one message", "messages");
  const conversation = new Conversation(draft);
  conversation.addInstructions(renderSystem(own(source, "system"), "system", draft));
  for (const turn of readTurns(messages, draft)) conversation.addTurn(turn);
  return conversation.finish();
}

interface UserTurn {
  /** Results, in order. */
  readonly results: readonly JsonObject[];
  /** Calls that got no result. */
  readonly awaited: readonly string[];
  /** What follows: media of the results, then the turn's own messages. */
  readonly rest: readonly JsonObject[];
}

function isToolResult({ block }: Located): boolean {
  return own(block, "type") === "tool_result";
}

function renderUserTurn(turn: Turn, awaited: readonly string[], draft: Draft): UserTurn {
  const open = awaited.length === 0 ? null : new Set(awaited);
  const results: JsonObject[] = [];
  const media: JsonObject[] = [];
  const rest: JsonObject[] = [];
  for (const message of turn.messages) {
    if (isString(message.content)) {
      rest.push(draft.surface.user([draft.surface.textPart(message.content, NO_MARKER)]));
      continue;
    }
    const blocks = readBlocks(message.content, contentPath(message));
    const parts: JsonObject[] = [];
    for (const located of blocks) {
      if (isToolResult(located) && open?.delete(toolUseId(located.block)) === true) {
        const result = draft.surface.toolResult(located, draft);
        results.push(...result.items);
        media.push(...result.media);
      } else parts.push(...renderUserBlock(located, draft));
    }
    const onlyResults = blocks.length > 0 && blocks.every(isToolResult);
    if (parts.length > 0 || !onlyResults) rest.push(draft.surface.user(parts));
  }
  if (media.length > 0) rest.unshift(draft.surface.user(media));
  return { results, awaited: open === null ? NO_CALLS : [...open], rest };
}

/** Parts of a block that answers no call of the turn before. */
function renderUserBlock(located: Located, draft: Draft): readonly JsonObject[] {
  if (!isToolResult(located)) return renderParts(located, draft);
  draft.report.adapt("messages[].content[].tool_result");
  return renderUnknownResult(located, draft);
}
