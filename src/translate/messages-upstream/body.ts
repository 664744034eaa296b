/** Lays out the body of a Messages request. */
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import { limitMarkers } from "./cache-markers.ts";
import { renderChoice } from "./choice.ts";
import type { Turns } from "./conversation.ts";
import { field, type Draft } from "./draft.ts";
import { ownText } from "./own-text.ts";
import { outputFormat } from "./thinking.ts";
import { takesPrefill, type Turn } from "./turns.ts";

/** Buffered answers that may grow longer than this are streamed from upstream: idle proxies cut silent connections. */
const MAX_BUFFERED_TOKENS = 16_000;

/** Fields of the body in the order in which they are written. */
const BODY_FIELDS = [
  "model",
  "max_tokens",
  "system",
  "messages",
  "tools",
  "tool_choice",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "thinking",
  "output_config",
  "metadata",
  "service_tier",
  "speed",
  "cache_control",
  "context_management",
  "mcp_servers",
  "container",
  "inference_geo",
  "stream",
] as const;

/** A body ready to be sent. */
export interface RenderedBody {
  readonly body: JsonObject;
  readonly upstreamStream: boolean;
}

/** Writes the body for `modelId` once every row was applied and the history is translated. */
export function renderBody(draft: Draft, { system, turns }: Turns, modelId: string): RenderedBody {
  startWithBrace(draft, turns);
  stripCitations(draft, turns);
  renderChoice(draft);
  const parts = limitMarkers(
    {
      tools: draft.tools.map(({ tool }) => tool),
      system: withSentences(draft, system),
      messages: turns.map((turn) => [...turn.results, ...turn.blocks]),
    },
    draft.body.has("cache_control"),
  );
  draft.body.set("model", modelId);
  if (parts.system.length > 0) draft.body.set("system", parts.system);
  if (parts.tools.length > 0) draft.body.set("tools", parts.tools);
  const messages = parts.messages.map((content, index) => ({ role: turns[index]?.role ?? "user", content }));
  draft.body.set("messages", messages);
  const upstreamStream = field(draft, "stream") === true || draft.maxTokens > MAX_BUFFERED_TOKENS;
  if (upstreamStream) draft.body.set("stream", true);
  return { body: layOut(draft.body), upstreamStream };
}

/** Reports the fields that no row answers for. */
export function dropUnknown(draft: Draft, known: ReadonlySet<string>): void {
  for (const name of Object.keys(draft.request)) {
    if (!known.has(name) && field(draft, name) !== null) draft.report.drop(name);
  }
}

function layOut(fields: ReadonlyMap<string, Json>): JsonObject {
  const entries: [string, Json][] = [];
  for (const name of BODY_FIELDS) {
    const value = fields.get(name);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** The caller's system blocks and what the gateway has to add to them. */
function withSentences(draft: Draft, system: readonly JsonObject[]): readonly JsonObject[] {
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
  for (const turn of turns) {
    turn.blocks.forEach((block, index) => {
      if (own(block, "type") !== "document" || !isObject(own(block, "citations"))) return;
      draft.report.adapt("messages[].content[].citations");
      turn.blocks[index] = Object.fromEntries(Object.entries(block).filter(([key]) => key !== "citations"));
    });
  }
}

/** The request again, with the answer that paused as its last turn, so that the model goes on. */
export function renderContinuation(body: JsonObject, content: readonly Json[]): string {
  const messages = own(body, "messages");
  const turn = { role: "assistant", content };
  return JSON.stringify({ ...body, messages: [...(isArray(messages) ? messages : []), turn] });
}
