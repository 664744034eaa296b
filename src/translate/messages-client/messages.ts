/** The conversation: turns in order, every call followed by its results, as OpenAI insists. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import { CONTINUE_HINT } from "./assistant.ts";
import { foldPath, readBlocks, type Draft, type Located } from "./draft.ts";
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
  readonly path: string;
}

/** Messages of one role in a row: Anthropic reads them as one turn. */
interface Turn {
  readonly role: Message["role"];
  readonly messages: readonly Message[];
}

const MESSAGE_KEYS: ReadonlySet<string> = new Set(["role", "content"]);

function readMessage(value: Json, index: number, draft: Draft): Message {
  const path = `messages[${index}]`;
  if (!isObject(value)) throw invalidRequest(`${path} is not a message`, path);
  const role = own(value, "role");
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw invalidRequest(`${path}.role is not known; use user, assistant or system`, `${path}.role`);
  }
  for (const key of Object.keys(value)) {
    if (!MESSAGE_KEYS.has(key) && value[key] !== null) draft.report.drop(foldPath(`${path}.${key}`));
  }
  return { role, content: own(value, "content"), path: `${path}.content` };
}

function readTurns(messages: readonly Json[], draft: Draft): readonly Turn[] {
  const turns: { role: Message["role"]; messages: Message[] }[] = [];
  messages.forEach((value, index) => {
    const message = readMessage(value, index, draft);
    const last = turns.at(-1);
    if (last?.role === message.role) last.messages.push(message);
    else turns.push({ role: message.role, messages: [message] });
  });
  return turns;
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

  const out: JsonObject[] = [];
  const system = renderSystem(own(source, "system"), "system", draft);
  if (system !== null) out.push(system);
  let awaited: readonly string[] = [];
  let heldSystem: JsonObject[] = [];
  let prefill: string | null = null;

  const settle = (): void => {
    for (const id of awaited) {
      draft.report.adapt("messages[].content[].tool_use");
      out.push(draft.surface.missingResult(id));
    }
    awaited = [];
    out.push(...heldSystem);
    heldSystem = [];
  };

  for (const turn of readTurns(messages, draft)) {
    prefill = null;
    switch (turn.role) {
      case "system":
        for (const { content, path } of turn.messages) {
          if (content === undefined) throw invalidRequest(`${path} is missing`, path, "missing_required_parameter");
          const message = renderSystem(content, path, draft);
          if (message !== null) (awaited.length > 0 ? heldSystem : out).push(message);
        }
        break;
      case "assistant": {
        settle();
        const blocks = turn.messages.flatMap(({ content, path }) => readBlocks(content, path));
        const rendered = draft.surface.assistant(blocks, draft);
        out.push(...rendered.items);
        awaited = rendered.callIds;
        prefill = rendered.items.length === 0 || awaited.length > 0 ? null : rendered.text;
        break;
      }
      case "user": {
        const user = renderUserTurn(turn, awaited, draft);
        out.push(...user.results);
        awaited = user.awaited;
        settle();
        out.push(...user.rest);
        break;
      }
      default:
        turn.role satisfies never;
    }
  }
  settle();
  if (prefill !== null) {
    draft.prefill = prefill;
    draft.report.adapt("messages");
    out.push(draft.surface.system(CONTINUE_HINT, draft));
  }
  return out;
}

interface UserTurn {
  /** Results, in order. */
  readonly results: readonly JsonObject[];
  /** Calls that got no result. */
  readonly awaited: readonly string[];
  /** What follows: media of the results, then the turn's own messages. */
  readonly rest: readonly JsonObject[];
}

function renderUserTurn(turn: Turn, awaited: readonly string[], draft: Draft): UserTurn {
  const open = new Set(awaited);
  const results: JsonObject[] = [];
  const media: JsonObject[] = [];
  const rest: JsonObject[] = [];

  const renderResult = (located: Located): readonly JsonObject[] => {
    if (!open.delete(toolUseId(located.block))) {
      draft.report.adapt("messages[].content[].tool_result");
      return renderUnknownResult(located, draft);
    }
    const result = draft.surface.toolResult(located, draft);
    results.push(...result.items);
    media.push(...result.media);
    return [];
  };

  for (const { content, path } of turn.messages) {
    const blocks = readBlocks(content, path);
    const parts = blocks.flatMap((located) =>
      own(located.block, "type") === "tool_result" ? renderResult(located) : renderParts(located, draft),
    );
    const onlyResults = blocks.length > 0 && blocks.every(({ block }) => own(block, "type") === "tool_result");
    if (parts.length > 0 || !onlyResults) rest.push(draft.surface.user(parts));
  }
  if (media.length > 0) rest.unshift(draft.surface.user(media));
  return { results, awaited: [...open], rest };
}
