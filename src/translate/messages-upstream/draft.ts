/** A Messages request in the making, and what its answer will have to be read with. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Model } from "../../catalog/model.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { createMessagesToolNames, type ToolNames } from "../maps/tool-names.ts";
import type { ToolChoice } from "../maps/tool-choice.ts";
import { hasNumberAtRisk } from "../numbers.ts";
import type { Step } from "../parameter-table.ts";
import { createReport, type Report } from "../report.ts";
import { NO_ITEMS } from "../small-sets.ts";
import type { FieldRow, OwnCheck, ThinkingStore, TranslationContext, TranslationOptions } from "../translator.ts";
import { emptyBody, type MessagesBody } from "./body-fields.ts";

/** How the answer is to be turned back; what the request side found out about it. */
export interface ReplyPlan {
  readonly names: ToolNames;
  /** Names as sent of tools whose input is the free text of an OpenAI custom tool. */
  readonly customTools: ReadonlySet<string>;
  /** Names as sent of tools whose arguments travel in a property `value`. */
  readonly wrappedTools: ReadonlySet<string>;
  /** Name of the tool whose input is the answer's text; null without one. */
  readonly jsonTool: string | null;
  /** Markdown fences around the text are removed. */
  readonly stripFence: boolean;
  /** Put before the answer's text again: the model was made to start with it. */
  readonly prefill: string;
  /** Stop sequences that the gateway looks for itself. */
  readonly scannedStops: readonly string[];
  /** Tools that run at the provider were sent: an answer may pause. */
  readonly serverTools: boolean;
  readonly thinkingStore: ThinkingStore | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The reply plan while the request is being written. */
export type ReplyDraft = Mutable<ReplyPlan>;

/** Names of the client's fields that shared code reports. */
export interface ClientFields {
  /** Holds the history. */
  readonly history: "messages" | "input";
  /** Says how much to reason. */
  readonly effort: "reasoning_effort" | "reasoning.effort";
}

/** State of one translation; the rows of the table write to it in their order. */
export interface Draft {
  /** The client's request. */
  readonly request: JsonObject;
  /** The same with every number spelled as the client did: schemas and arguments are copied from here. */
  readonly source: JsonObject;
  readonly fields: ClientFields;
  readonly model: Model;
  readonly options: TranslationOptions;
  readonly thinkingStore: ThinkingStore | null;
  readonly report: Report;
  readonly reply: ReplyDraft;
  checks: ReadonlySet<OwnCheck>;
  betas: ReadonlySet<string>;
  readonly body: MessagesBody;
  /** Output cap, set by the first row. */
  maxTokens: number;
  /** Tools to send; `wireName` is the name as sent, null for native server tools without one. */
  readonly tools: { readonly tool: JsonObject; readonly wireName: string | null }[];
  /** Names as sent of all of them. */
  toolNames: ReadonlySet<string>;
  /** The caller's choice by names as sent; null without one. */
  choice: ToolChoice | null;
  /** At most one call. */
  singleCall: boolean;
  /** Upstream is made to call a tool (`any` or `tool`). */
  forced: boolean;
  /** Sentence for the last system block; null without one. */
  verbosity: string | null;
  /** System blocks after the caller's own. */
  systemSentences: readonly string[];
  /** Instructions after the last user turn. */
  hints: readonly string[];
  /** The answer should be started with `{`, if the model allows. */
  wantsPrefill: boolean;
  /** Lifetime of cache markers that name none. */
  markerTtl: "1h" | null;
}

/** A row of the documentation with the code that does what it says. */
export interface ParameterRow extends FieldRow, Step<Draft> {}

const NO_TEXTS: readonly string[] = [];

/** Starts a translation. */
export function createDraft(request: ParsedRequest, context: TranslationContext, fields: ClientFields): Draft {
  const body = emptyBody();
  if (context.options.autoCache) body.cache_control = { type: "ephemeral" };
  return {
    request: request.json,
    // Parsing again is only worth it for the numbers that the first time did not keep.
    source: hasNumberAtRisk(request.json) ? request.lossless() : request.json,
    fields,
    model: context.model,
    options: context.options,
    thinkingStore: context.thinkingStore,
    report: createReport(),
    reply: {
      names: createMessagesToolNames(),
      customTools: NO_ITEMS,
      wrappedTools: NO_ITEMS,
      jsonTool: null,
      stripFence: false,
      prefill: "",
      scannedStops: NO_TEXTS,
      serverTools: false,
      thinkingStore: context.thinkingStore,
    },
    checks: NO_ITEMS,
    betas: NO_ITEMS,
    body,
    maxTokens: 0,
    tools: [],
    toolNames: NO_ITEMS,
    choice: null,
    singleCall: false,
    forced: false,
    verbosity: null,
    systemSentences: NO_TEXTS,
    hints: NO_TEXTS,
    wantsPrefill: false,
    markerTtl: null,
  };
}

/** A top-level field of the request; null when absent. */
export function field(draft: Draft, name: string): Json {
  return own(draft.request, name) ?? null;
}

/**
 * A top-level number; null when absent.
 * @throws GatewayError `invalid-request` when it is of another type
 */
export function numberField(draft: Draft, name: string): number | null {
  const value = field(draft, name);
  if (value === null || typeof value === "number") return value;
  throw invalidRequest(`${name} must be a number`, name);
}

/** Adds `part` to the `output_config` to be sent; what it names wins over what was there. */
export function addOutputConfig(draft: Draft, part: JsonObject): void {
  const before = draft.body.output_config;
  draft.body.output_config = { ...(isObject(before) ? before : {}), ...part };
}

/** Adds a sentence behind the caller's own system blocks. */
export function addSentence(draft: Draft, text: string): void {
  draft.systemSentences = [...draft.systemSentences, text];
}

/** Adds an instruction behind the last user turn. */
export function addHint(draft: Draft, text: string): void {
  draft.hints = [...draft.hints, text];
}

/** Type of the `thinking` to be sent; null when none is. */
export function thinkingType(draft: Draft): string | null {
  const type = own(draft.body.thinking, "type");
  return typeof type === "string" ? type : null;
}
