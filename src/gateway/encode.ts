/** From the client's request to the bytes for one candidate. Always from the original, never from another attempt's. */
import { GatewayError } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { isObject, isString, own } from "../base/json.ts";
import { type Decision, NO_PARAMS, type ParamsBlock } from "../policy/decision.ts";
import type { ThinkingStore, Translated } from "../translate/translator.ts";
import { filterBetas, mergeBetas } from "../upstream/headers.ts";
import { appendToArray, type FieldEdit, spliceFields } from "../wire/splice.ts";
import type { Exchange } from "./exchange.ts";
import { withoutForeignThinking } from "./foreign-thinking.ts";
import { isEmptyParams, paramEdits } from "./params.ts";
import type { SummaryMemory } from "./summary-memory.ts";
import type { GatewaySettings } from "./settings.ts";
import { SURFACE_PATHS, type Target } from "./target.ts";

export interface Encoded {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Whether upstream is asked to stream. */
  readonly stream: boolean;
  /** null: the answer passes through. */
  readonly translated: Translated | null;
  /** The usage chunk was asked for by the gateway and is kept from the client. */
  readonly withholdUsage: boolean;
}

/** JSON paths that a translation did not carry, and what it carried differently. */
export interface Losses {
  readonly dropped: readonly string[];
  readonly adapted: readonly string[];
}

const NO_LOSSES: Losses = { dropped: [], adapted: [] };

/** What the client is told of an attempt that was sent as `encoded`. */
export function lossesOf({ translated }: Encoded): Losses {
  return translated ?? NO_LOSSES;
}

/** A request as it was sent, with what is needed to read its answer. */
export interface Sent {
  readonly target: Target;
  readonly encoded: Encoded;
}

export interface EncodeOptions {
  readonly decision: Decision;
  readonly strict: boolean;
  readonly thinkingStore: ThinkingStore | null;
  readonly summaries: SummaryMemory;
}

/**
 * The request for `target`; `feedback` is told to the model as one more user message.
 * @throws GatewayError `unsupported-translation` for what cannot be carried, under `strict` for whatever would change
 */
export function encode(exchange: Exchange, target: Target, options: EncodeOptions, feedback: string | null): Encoded {
  return target.translator === null
    ? passThrough(exchange, target, options, feedback)
    : translate(exchange, target, options, feedback);
}

function passThrough(exchange: Exchange, target: Target, options: EncodeOptions, feedback: string | null): Encoded {
  const { parsed, facts, snapshot, arrival } = exchange;
  const { settings } = snapshot;
  const edits: FieldEdit[] = [];
  if (target.entry.model !== facts.model) edits.push({ field: "model", value: target.entry.model });
  const params = declaredParams(target, options);
  if (params.length > 0) edits.push(...paramEdits(params, parsed.json, target.surface.name));
  const withholdUsage = settings.streamUsage === "request" && facts.stream && !facts.streamUsage;
  if (withholdUsage) {
    const asked = own(parsed.json, "stream_options");
    edits.push({ field: "stream_options", value: { ...(isObject(asked) ? asked : {}), include_usage: true } });
  }
  const bytes = withoutForeignThinking(parsed);
  let body = edits.length === 0 ? bytes : spliceFields(bytes, edits);
  if (feedback !== null) body = appendFeedback(body, target, feedback);
  const forwarded = filterBetas(target.provider.forwardHeaders(arrival.headers, true), settings.betas);
  const key = arrival.headers.get("idempotency-key");
  const headers = key !== null && body === parsed.bytes ? { ...forwarded, "idempotency-key": key } : forwarded;
  return {
    path: SURFACE_PATHS[target.surface.name],
    headers,
    body,
    stream: facts.stream,
    translated: null,
    withholdUsage,
  };
}

function translate(exchange: Exchange, target: Target, options: EncodeOptions, feedback: string | null): Encoded {
  const { parsed, snapshot, arrival } = exchange;
  const { settings } = snapshot;
  const translated = (target.translator as NonNullable<Target["translator"]>).request(parsed, {
    model: target.model,
    modelId: target.entry.model,
    options: options.summaries.refused ? { ...settings.translation, reasoningSummary: false } : settings.translation,
    thinkingStore: options.thinkingStore,
  });
  if (options.strict) refuseLosses(translated);
  let body: Uint8Array | string = translated.body;
  const params = declaredParams(target, options);
  if (params.length > 0) {
    const json = JSON.parse(translated.body) as Record<string, Json>;
    body = spliceFields(Buffer.from(translated.body), paramEdits(params, json, target.surface.name));
  }
  if (feedback !== null) body = appendFeedback(body, target, feedback);
  const forwarded = target.provider.forwardHeaders(arrival.headers, false);
  const betas = target.provider.name === "anthropic" ? betasOf(translated, settings) : null;
  const headers = betas === null ? forwarded : { ...forwarded, "anthropic-beta": betas };
  return {
    path: SURFACE_PATHS[target.surface.name],
    headers,
    body,
    stream: translated.upstreamStream,
    translated,
    withholdUsage: false,
  };
}

function betasOf({ betas }: Translated, { betas: { allow, deny } }: GatewaySettings): string | null {
  return betas.length === 0 ? null : mergeBetas(betas, allow, deny);
}

function refuseLosses({ dropped, adapted }: Translated): void {
  const first = dropped[0] ?? adapted[0];
  if (first === undefined) return;
  const lists = [
    dropped.length > 0 ? `dropped: ${dropped.join(", ")}` : "",
    adapted.length > 0 ? `adapted: ${adapted.join(", ")}` : "",
  ].filter((list) => list !== "");
  throw new GatewayError(
    "unsupported-translation",
    `the translation would not carry everything (${lists.join("; ")}) and strict translation is on`,
    { param: first.replace(/=.*$/, "") },
  );
}

const NO_BLOCKS: readonly ParamsBlock[] = [];

/** What the rule declares, then what the chain's entry does. */
function declaredParams({ entry }: Target, { decision }: EncodeOptions): readonly ParamsBlock[] {
  const ofEntry = entry.params ?? NO_PARAMS;
  if (isEmptyParams(decision.params)) return isEmptyParams(ofEntry) ? NO_BLOCKS : [ofEntry];
  return isEmptyParams(ofEntry) ? [decision.params] : [decision.params, ofEntry];
}

function appendFeedback(body: Uint8Array | string, target: Target, feedback: string): Uint8Array {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const message = { role: "user", content: feedback };
  if (target.surface.name !== "responses") return appendToArray(bytes, "messages", message) ?? bytes;
  return appendToArray(bytes, "input", message) ?? appendToText(bytes, message) ?? bytes;
}

/** An `input` that is a string takes no further message: it becomes one itself. Null where it is none. */
function appendToText(bytes: Uint8Array, message: JsonObject): Uint8Array | null {
  const input = own(JSON.parse(Buffer.from(bytes).toString()) as Json, "input");
  if (!isString(input)) return null;
  return spliceFields(bytes, [{ field: "input", value: [{ role: "user", content: input }, message] }]);
}
