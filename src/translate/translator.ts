/**
 * A pair translator: one client format to one upstream format. Pure: no clock, no random id, nothing shared.
 * The same request gives the same bytes, so that prompt caches and signed thinking survive.
 */
import type { Model } from "../catalog/model.ts";
import type { HeaderView } from "../base/headers.ts";
import type { JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";
import type { Usage } from "../base/usage.ts";
import type { ParsedRequest, RenderableError } from "../wire/format.ts";
import type { FieldEdit } from "../wire/splice.ts";

/** `[translation]` of arouter.toml, and what a provider's section says of translated requests. */
export interface TranslationOptions {
  readonly defaultMaxTokens: number | null;
  readonly autoCache: boolean;
  readonly longCache: boolean;
  readonly allowFast: boolean;
  readonly webSearch: boolean;
  readonly serverTools: "drop" | "reject";
  readonly reasoningHeadroom: number;
  /** Whether OpenAI may be asked for summaries of its reasoning. */
  readonly reasoningSummary: boolean;
}

/** Remembers Claude's thinking blocks by tool-call id, for clients that drop them. */
export interface ThinkingStore {
  readonly get: (toolCallId: string) => readonly JsonObject[] | null;
  readonly put: (toolCallId: string, blocks: readonly JsonObject[]) => void;
}

export interface TranslationContext {
  /** The target as the catalog knows it; `model.id` may be an alias of what is sent. */
  readonly model: Model;
  /** The model name to send. */
  readonly modelId: string;
  readonly options: TranslationOptions;
  readonly thinkingStore: ThinkingStore | null;
}

/** What the reply side needs to know beyond the request. */
export interface ReplyContext {
  /** Seconds since the epoch, for `created`. */
  readonly createdSeconds: number;
  /** Name to show as `model` instead of the upstream's; null: the upstream's. */
  readonly modelShown: string | null;
}

/** A check of the translator's own on its answer, where it could only ask for what the caller was promised. */
export type OwnCheck = "tool_call" | "json_schema" | "json";

/** One frame towards the client: complete SSE text, and the JSON in it (null: a comment or `[DONE]`). */
export interface StreamFrame {
  readonly text: string;
  readonly json: JsonObject | null;
}

export interface StreamTranslator {
  /** Takes one upstream event that is not an error; returns the frames it gives, possibly none. */
  readonly push: (json: JsonObject, event: string) => readonly StreamFrame[];
  /**
   * Called once when the upstream ended after its terminal (or this translator said `done`): the closing frames.
   * Never called for a cut stream.
   */
  readonly end: () => readonly StreamFrame[];
  /** True once the answer is over although upstream still sends (a stop sequence matched): abort upstream, call `end`. */
  readonly done: boolean;
  /** After the upstream's terminal: the body to send next so that the same answer goes on (`pause_turn`), else null. */
  readonly continuation: () => string | null;
  /** Usage to show when upstream reported none; read at `end`. */
  readonly setFallbackUsage: (usage: Usage) => void;
}

export type TranslatedReply =
  | { readonly kind: "answer"; readonly body: JsonObject; readonly adapted: readonly string[] }
  | { readonly kind: "continue"; readonly body: string };

/** One translated request with the reply side that belongs to it (name maps, scanners and the like are closed over). */
export interface Translated {
  /** JSON text to send. */
  readonly body: string;
  /** Whether upstream is asked to stream: may be true for a buffered client (it is then gathered). */
  readonly upstreamStream: boolean;
  /** Values for `anthropic-beta`. */
  readonly betas: readonly string[];
  /** JSON paths not carried. */
  readonly dropped: readonly string[];
  /** `path=value` or paths carried differently. */
  readonly adapted: readonly string[];
  readonly checks: readonly OwnCheck[];
  /** Translates a buffered answer. `earlier` holds answers that paused before it, to be joined. */
  readonly response: (reply: JsonObject, context: ReplyContext, earlier: readonly JsonObject[]) => TranslatedReply;
  readonly stream: (context: ReplyContext) => StreamTranslator;
  /**
   * When `error` refuses only something that the translator had asked for on its own: the change of the body with which it
   * is worth sending once more; else null. `sent` is the body as it went out.
   */
  readonly amend?: ((error: UpstreamError, sent: JsonObject) => FieldEdit | null) | undefined;
}

/** An upstream's error answer as the other format's clients are to see it. */
export interface TranslatedError {
  readonly status: number;
  readonly error: RenderableError;
  /** Headers to add, such as `x-should-retry`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface UpstreamError {
  readonly status: number;
  readonly headers: HeaderView;
  /** Parsed body; null when it is not JSON. */
  readonly json: JsonObject | null;
  /** The body's text, at most its first 64 KiB. */
  readonly text: string;
}

/** One row of docs/wire.md: what becomes of a field. The code that does it and its documentation stand together. */
export interface FieldRow {
  /** JSON path in the client's format, e.g. `messages[].name`. */
  readonly field: string;
  /** M mapped · A adapted · D dropped · S ignored without effect · R refused. */
  readonly outcomes: readonly ("M" | "A" | "D" | "S" | "R")[];
  /** One sentence for users. */
  readonly becomes: string;
}

export interface Translator {
  readonly client: FormatName;
  readonly upstream: FormatName;
  /**
   * @throws GatewayError `unsupported-translation` for a field that would change the meaning,
   * `invalid-request` for one that is wrong
   */
  readonly request: (request: ParsedRequest, context: TranslationContext) => Translated;
  /** `authStatus` is `router.upstream_auth_status`. */
  readonly error: (error: UpstreamError, authStatus: 401 | 502) => TranslatedError;
  /** Rate-limit headers in the client's names; `nowMs` since the epoch. */
  readonly headers: (upstream: HeaderView, nowMs: number) => Readonly<Record<string, string>>;
  /** Rows for docs/wire.md, requests first. */
  readonly rows: readonly FieldRow[];
}
