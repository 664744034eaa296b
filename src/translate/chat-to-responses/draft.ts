/** A Responses request in the making, and what its answer will have to be read with. */
import { own, type Json, type JsonObject, type MutableJsonObject } from "../../base/json.ts";
import type { Capabilities } from "../../catalog/model.ts";
import type { Step } from "../parameter-table.ts";
import type { Report } from "../report.ts";
import type { FieldRow, ThinkingStore, TranslationContext } from "../translator.ts";

/** State of one translation; the rows of the table write to it in their order. */
export interface Draft {
  readonly context: TranslationContext;
  readonly capabilities: Capabilities;
  readonly report: Report;
  /** The client's JSON, for scalars. */
  readonly json: JsonObject;
  /** The same with every number spelled as sent, for what is copied whole: schemas, tools. */
  readonly source: JsonObject;
  /** Fields of the body to send, in any order. */
  readonly body: MutableJsonObject;
  readonly reply: ReplyDraft;
}

/** How the answer is to be turned back. */
export interface ReplyPlan {
  /** Model that was asked. */
  readonly modelId: string;
  /** Stop sequences that the gateway matches itself. */
  readonly stops: readonly string[];
  /** The caller asked for usage in its stream. */
  readonly includeUsage: boolean;
  /** The caller sent `functions`: it takes one call, as `function_call`. */
  readonly legacyFunctions: boolean;
  readonly thinkingStore: ThinkingStore | null;
}

/** The plan while the request is being written. */
export type ReplyDraft = { -readonly [Key in keyof ReplyPlan]: ReplyPlan[Key] };

/** A row of the documentation with the code that does what it says. */
export interface ParameterRow extends FieldRow, Step<Draft> {}

/** A top-level field; null when absent. */
export function field(draft: Draft, name: string): Json {
  return own(draft.json, name) ?? null;
}
