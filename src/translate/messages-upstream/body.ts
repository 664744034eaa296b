/** Lays out the body of a Messages request. */
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import type { MessagesBody } from "./body-fields.ts";
import { limitMarkers, type MarkedMessage } from "./cache-markers.ts";
import { renderChoice } from "./choice.ts";
import type { Turns } from "./conversation.ts";
import { field, type Draft } from "./draft.ts";
import { ownText } from "./own-text.ts";
import { outputFormat } from "./thinking.ts";
import { takesPrefill, type Turn } from "./turns.ts";

/** Buffered answers that may grow longer than this are streamed from upstream: idle proxies cut silent connections. */
const MAX_BUFFERED_TOKENS = 16_000;

/** A body ready to be sent. */
export interface RenderedBody {
  readonly body: MessagesBody;
  readonly upstreamStream: boolean;
}

/** Writes the body for `modelId` once every row was applied and the history is translated. */
export function renderBody(draft: Draft, { system, turns }: Turns, modelId: string): RenderedBody {
  const { body } = draft;
  startWithBrace(draft, turns);
  stripCitations(draft, turns);
  renderChoice(draft);
  const parts = limitMarkers(
    {
      tools: draft.tools.map(toolOf),
      system: withSentences(draft, system),
      messages: turns.map(renderTurn),
    },
    body.cache_control !== undefined,
  );
  body.model = modelId;
  if (parts.system.length > 0) body.system = parts.system;
  if (parts.tools.length > 0) body.tools = parts.tools;
  body.messages = parts.messages;
  const upstreamStream = field(draft, "stream") === true || draft.maxTokens > MAX_BUFFERED_TOKENS;
  if (upstreamStream) body.stream = true;
  return { body, upstreamStream };
}

function toolOf({ tool }: Draft["tools"][number]): JsonObject {
  return tool;
}

function renderTurn({ role, results, blocks }: Turn): MarkedMessage {
  return { role, content: results.length === 0 ? blocks : [...results, ...blocks] };
}

/** The caller's system blocks and what the gateway has to add to them. */
function withSentences(draft: Draft, system: readonly JsonObject[]): readonly JsonObject[] {
  if (draft.systemSentences.length === 0 && draft.verbosity === null) return system;
  const added = draft.systemSentences.map((text): JsonObject => ({ type: "text", text }));
  const blocks = [...system, ...added];
  if (draft.verbosity === null) return blocks;
  const last = blocks.at(-1);
  if (last === undefined) return [{ type: "text", text: draft.verbosity }];
  blocks[blocks.length - 1] = { ...last, text: `${ownText(last, "text")}\n\n${draft.verbosity}` };
  return blocks;
}

/** Makes the model begin with `{` where it can be made to. */
function startWithBrace(draft: Draft, turns: Turn[]): void {
  const last = turns.at(-1);
  if (!draft.wantsPrefill || last?.role !== "user" || !takesPrefill(draft)) return;
  turns.push({ role: "assistant", results: [], blocks: [{ type: "text", text: "{" }], index: last.index });
  draft.reply.prefill = "{";
  draft.reply.stripFence = false;
}

/** Documents with citations are refused beside structured outputs. */
function stripCitations(draft: Draft, turns: readonly Turn[]): void {
  if (outputFormat(draft) === null) return;
  for (const { blocks } of turns) {
    for (const [index, block] of blocks.entries()) {
      if (own(block, "type") !== "document" || !isObject(own(block, "citations"))) continue;
      draft.report.adapt("messages[].content[].citations");
      blocks[index] = Object.fromEntries(Object.entries(block).filter(([key]) => key !== "citations"));
    }
  }
}

/** The request again, with the answer that paused as its last turn, so that the model goes on. */
export function renderContinuation(body: JsonObject, content: readonly Json[]): string {
  const messages = own(body, "messages");
  const turn = { role: "assistant", content };
  return JSON.stringify({ ...body, messages: [...(isArray(messages) ? messages : []), turn] });
}
