/** A Chat request as a Messages request: runs the table of parameters, then lays out the body. */
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import type { FieldRow, TranslationContext } from "../translator.ts";
import { ANSWER_ROWS } from "./answer-parameters.ts";
import { CACHE_ROWS, limitMarkers } from "./cache-markers.ts";
import { CALL_ROWS } from "./calls.ts";
import { CHOICE_ROWS, renderChoice } from "./choice.ts";
import { CONTENT_ROWS } from "./content.ts";
import { createDraft, field, type Draft, type ParameterRow, type ReplyPlan } from "./draft.ts";
import { EXTENSION_ROWS } from "./extensions.ts";
import { MESSAGE_ROWS, renderHistory } from "./history.ts";
import { ownText } from "./own-text.ts";
import { SAMPLING_ROWS } from "./sampling.ts";
import { SERVICE_ROWS } from "./service-parameters.ts";
import { RESPONSE_FORMAT_ROWS } from "./structured-output.ts";
import { THINKING_HISTORY_ROWS } from "./thinking-history.ts";
import { outputFormat, THINKING_ROWS } from "./thinking.ts";
import { TOOL_PART_ROWS, TOOL_ROWS } from "./tools.ts";
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

const IDENTITY_ROWS: readonly ParameterRow[] = [
  {
    field: "model, messages",
    reads: ["model", "messages"],
    outcomes: ["M", "R"],
    becomes: "`model` as routed; `messages` by the rules below; an empty array is refused",
    apply: () => undefined,
  },
];

/** The table that runs, in this order: later rows read what earlier ones decided. */
const PARAMETERS: readonly ParameterRow[] = [
  ...IDENTITY_ROWS,
  ...ANSWER_ROWS,
  ...SERVICE_ROWS,
  ...TOOL_ROWS,
  ...CHOICE_ROWS,
  ...RESPONSE_FORMAT_ROWS,
  ...THINKING_ROWS,
  ...SAMPLING_ROWS,
  ...EXTENSION_ROWS,
];

const KNOWN_FIELDS: ReadonlySet<string> = new Set(PARAMETERS.flatMap((row) => row.reads));

const UNKNOWN_ROW: FieldRow = { field: "any other field", outcomes: ["D"], becomes: "not sent" };

/** Rows for docs: parameters, then what stands inside messages and tools. */
export const REQUEST_ROWS: readonly FieldRow[] = [
  ...PARAMETERS,
  UNKNOWN_ROW,
  ...MESSAGE_ROWS,
  ...CONTENT_ROWS,
  ...CALL_ROWS,
  ...THINKING_HISTORY_ROWS,
  ...CACHE_ROWS,
  ...TOOL_PART_ROWS,
].map(({ field: path, outcomes, becomes }) => ({ field: path, outcomes, becomes }));

/** A request ready to be sent. */
export interface RenderedRequest {
  readonly body: JsonObject;
  readonly upstreamStream: boolean;
  readonly draft: Pick<Draft, "report" | "checks" | "betas">;
  readonly reply: ReplyPlan;
}

/**
 * Translates a request.
 * @throws GatewayError `unsupported-translation` or `invalid-request` naming the field
 */
export function renderRequest(request: ParsedRequest, context: TranslationContext): RenderedRequest {
  const draft = createDraft(request, context);
  for (const row of PARAMETERS) row.apply(draft);
  dropUnknown(draft);
  const { system, turns } = renderHistory(draft);
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
  draft.body.set("model", context.modelId);
  if (parts.system.length > 0) draft.body.set("system", parts.system);
  if (parts.tools.length > 0) draft.body.set("tools", parts.tools);
  const messages = parts.messages.map((content, index) => ({ role: turns[index]?.role ?? "user", content }));
  draft.body.set("messages", messages);
  const upstreamStream = field(draft, "stream") === true || draft.maxTokens > MAX_BUFFERED_TOKENS;
  if (upstreamStream) draft.body.set("stream", true);
  return { body: layOut(draft.body), upstreamStream, draft, reply: draft.reply };
}

function layOut(fields: ReadonlyMap<string, Json>): JsonObject {
  const entries: [string, Json][] = [];
  for (const name of BODY_FIELDS) {
    const value = fields.get(name);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function dropUnknown(draft: Draft): void {
  for (const name of Object.keys(draft.request)) {
    if (!KNOWN_FIELDS.has(name) && field(draft, name) !== null) draft.report.drop(name);
  }
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
