/**
 * What a wire format offers the rest of the gateway. Bytes go in and come out; in between only neutral, read-only views
 * ({@link Facts}, {@link ReplyFacts}) leave this folder, and they are never turned back into bytes.
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { Effort, FormatName } from "../base/names.ts";
import type { Usage } from "../base/usage.ts";
import type { LongTexts } from "./long-text.ts";

/** Limits on a request body, checked before and while it is parsed. */
export interface ParseLimits {
  readonly jsonDepth: number;
  readonly jsonNodes: number;
}

/** A client's request: the original bytes, and the JSON read from them. Unknown fields are legal and kept. */
export interface ParsedRequest {
  readonly format: FormatName;
  /** As the client sent them, decoded from any content-encoding. Never changed. */
  readonly bytes: Uint8Array;
  /** Its long strings may be read from `bytes` when they are asked for. */
  readonly json: JsonObject;
  /** These strings, unread; null when there are none. */
  readonly longTexts: LongTexts | null;
  /** The same JSON with every number spelled as in `bytes` (see base/json.ts parseLossless); parsed on first call. */
  readonly lossless: () => JsonObject;
}

/** What policy reads of a request. Getters may compute on first use and then keep the value. */
export interface Facts {
  readonly format: FormatName;
  readonly model: string;
  readonly stream: boolean;
  /** Estimated; system, messages, tools, images and documents. */
  readonly tokensInput: number;
  /** The caller's output cap as sent, under any of its names. */
  readonly maxTokens: number | null;
  readonly messages: number;
  readonly toolNames: readonly string[];
  readonly toolChoice: "auto" | "none" | "required" | "named" | null;
  /** The last message is a tool result. */
  readonly inToolLoop: boolean;
  readonly hasImage: boolean;
  readonly hasDocument: boolean;
  readonly hasAudio: boolean;
  readonly responseFormatType: "text" | "json_object" | "json_schema";
  /** The schema that `json_schema` validates; null when the request has none. */
  readonly jsonSchema: JsonObject | null;
  /** Arguments schema by tool name; null for a tool without one. */
  readonly toolSchemas: ReadonlyMap<string, JsonObject | null>;
  readonly reasoning: boolean;
  readonly reasoningEffort: Effort | null;
  readonly hasCacheControl: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly systemText: string;
  /** Text of the last user message. */
  readonly promptText: string;
  /** Answers asked for (`n`). */
  readonly choices: number;
  /** False when the call leaves something behind at the provider (`store`, `background`): not replayed once sent. */
  readonly replayable: boolean;
  /** Whether a Chat stream was asked to report usage; true for formats that always do. */
  readonly streamUsage: boolean;
}

/** Why a choice ended, in one vocabulary. `null`: it has not, or did not say. */
export type StopClass = "stop" | "length" | "tool" | "refusal" | "pause" | "other" | null;

export interface ReplyToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text of the arguments (`""` counts as `{}`); free text for a custom tool. */
  readonly arguments: string;
  readonly kind: "function" | "custom";
}

export interface ReplyChoice {
  readonly text: string;
  readonly toolCalls: readonly ReplyToolCall[];
  /** Text of a refusal; null when there is none. */
  readonly refusal: string | null;
  readonly stop: StopClass;
}

/** What is read of an answer, whole or gathered from a stream. */
export interface ReplyFacts {
  readonly id: string | null;
  readonly model: string | null;
  readonly choices: readonly ReplyChoice[];
  readonly usage: Usage | null;
  readonly serviceTier: string | null;
}

/** An error object found in a 200: in a buffered body or as an event of a stream. */
export interface InBandError {
  readonly type: string | null;
  readonly code: string | null;
  readonly message: string;
}

/**
 * Reads a stream's events as they pass and never changes them. The properties are live: read them after each `read`.
 */
export interface StreamTally {
  /** Takes the parsed data of one event; `event` is its SSE event name, "" without one. */
  readonly read: (json: JsonObject, event: string) => void;
  /** Takes OpenAI's `[DONE]`. */
  readonly readDone: () => void;
  /** First content event seen (docs/resilience.md, streams): the point of flush without validators. */
  readonly started: boolean;
  /** UTF-8 bytes of text, tool arguments and thinking so far. */
  readonly contentBytes: number;
  /** The terminal was seen: `message_stop`, or a finish reason for every choice. */
  readonly complete: boolean;
  /** `[DONE]` was seen (Chat); always equal to `complete` in formats without it. */
  readonly done: boolean;
  /** The first error object seen. */
  readonly error: InBandError | null;
  /** Estimated output tokens of what passed, for streams that report no usage. */
  readonly outputEstimate: number;
  /** The reply so far. Texts are empty unless the tally was opened with `collect`. */
  readonly facts: () => ReplyFacts;
}

export interface TallyOptions {
  /** Keep the texts, for validators. */
  readonly collect: boolean;
  /** Answers asked for (`n`). */
  readonly choices: number;
  /** Told each piece of answer text as it passes (no tool arguments, thinking or refusals), by choice index. */
  readonly onText?: (choice: number, text: string) => void;
}

/** Puts a stream's events together to the answer that the same request would have got unstreamed. */
export interface ReplyGatherer {
  /** Takes the parsed data of one event that is no error; `event` is its SSE event name, "" without one. */
  readonly read: (json: JsonObject, event: string) => void;
  /** The answer so far; call it once, after the stream's terminal. */
  readonly reply: () => JsonObject;
}

/** One wire format, assembled in its folder's `index.ts`. */
export interface WireFormat {
  readonly name: FormatName;
  /** Content type of its stream is always SSE; whether events carry an `event:` line. */
  readonly namedEvents: boolean;
  /**
   * Parses and checks what the gateway reads.
   * @throws GatewayError `invalid-request` naming the field
   */
  readonly parseRequest: (bytes: Uint8Array, limits: ParseLimits) => ParsedRequest;
  readonly facts: (request: ParsedRequest) => Facts;
  /** Whether `json` has the shape of this format's (buffered) answer. */
  readonly isReply: (json: Json) => boolean;
  readonly readReply: (json: JsonObject) => ReplyFacts;
  /** The error object of a body, whatever its HTTP status; null when there is none. */
  readonly readError: (json: Json) => InBandError | null;
  readonly openTally: (options: TallyOptions) => StreamTally;
  readonly openGatherer: () => ReplyGatherer;
  /** The error envelope, compact JSON. */
  readonly renderError: (error: RenderableError, requestId: string) => string;
  /** The same as one complete SSE event, after which the stream ends; `eventsBefore` is how many events it had till then. */
  readonly renderStreamError: (error: RenderableError, requestId: string, eventsBefore: number) => string;
  /** One SSE frame that keeps a quiet stream alive. */
  readonly keepalive: string;
  /** Written at the end of a whole stream that lacks it: `data: [DONE]`; "" where the format has none. */
  readonly streamEnd: string;
}

/** What an error envelope is rendered from; every GatewayError is one. */
export interface RenderableError {
  readonly message: string;
  readonly status: number;
  /** OpenAI `error.type`. */
  readonly type: string;
  /** OpenAI `error.code`. */
  readonly code: string | null;
  readonly param: string | null;
  /** Anthropic `error.type`, where it does not follow from the status. */
  readonly anthropicType?: string;
  readonly detailsCode?: string | null;
}
