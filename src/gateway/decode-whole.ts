/** A whole answer in the client's format; paused ones are continued until they are whole. */
import { GatewayError } from "../base/errors.ts";
import { type JsonObject, mayLoseNumbers, parseLossless } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { addUsage } from "../base/usage.ts";
import type { Call } from "../resilience/dispatch.ts";
import type { Translated } from "../translate/translator.ts";
import type { BufferedAnswer, UpstreamAnswer } from "../upstream/upstream.ts";
import { classified } from "../upstream/classify.ts";
import { noteAnswer } from "../upstream/note-answer.ts";
import type { ReplyFacts } from "../wire/format.ts";
import { spliceModelInReply } from "../wire/splice.ts";
import { estimateTokens } from "../wire/text-sample.ts";
import { answerHeaders, replyContext, shownModel } from "./answer-headers.ts";
import { decodeError } from "./decode-error.ts";
import { lossesOf, type Sent } from "./encode.ts";
import type { Candidate } from "./candidate.ts";
import { MAX_CONTINUATIONS } from "./client-stream.ts";
import { continuationOf } from "./continuation.ts";
import type { Exchange } from "./exchange.ts";
import type { Target } from "./target.ts";
import { estimateUsage } from "./usage.ts";

/** Decodes a whole 2xx answer. */
export function decodeWhole(
  exchange: Exchange,
  answer: BufferedAnswer,
  sent: Sent,
  call: Call,
): Candidate | Promise<Candidate> {
  const { target, encoded } = sent;
  const facts = noteReply(exchange, answer, answer.json, target);
  if (encoded.translated !== null) return translateWhole(exchange, answer, sent, encoded.translated, call);
  const modelShown = shownModel(exchange);
  const { bytes, attempt, status, classification } = answer;
  return {
    kind: "whole",
    target,
    attempt,
    status,
    classification,
    losses: lossesOf(encoded),
    headers: answerHeaders(exchange, answer, target),
    body: modelShown === null ? bytes : spliceModelInReply(bytes, modelShown),
    reply: () => facts,
    checks: [],
  };
}

async function translateWhole(
  exchange: Exchange,
  answer: BufferedAnswer,
  { target, encoded }: Sent,
  translated: Translated,
  call: Call,
): Promise<Candidate> {
  const joined = await joinContinuations(exchange, withNumbersKept(answer), translated, call);
  if (joined.kind === "failed") return decodeFailure(exchange, joined.failed, { target, encoded });
  const { body } = joined;
  return {
    kind: "whole",
    target,
    attempt: answer.attempt,
    status: answer.status,
    classification: answer.classification,
    losses: { dropped: translated.dropped, adapted: [...translated.adapted, ...joined.adapted] },
    headers: answerHeaders(exchange, answer, target),
    body: JSON.stringify(body),
    reply: () => exchange.format.readReply(body),
    checks: translated.checks,
  };
}

const decoder = new TextDecoder();

/** A translated answer is written anew: numbers in tool inputs keep their spelling, 20-digit ids too. */
function withNumbersKept(answer: BufferedAnswer): BufferedAnswer {
  const text = decoder.decode(answer.bytes);
  return mayLoseNumbers(text) ? { ...answer, json: parseLossless(text) as JsonObject } : answer;
}

/** A continuation that gave no whole answer: the answer that it was to continue is lost with it. */
function decodeFailure(exchange: Exchange, answer: UpstreamAnswer, sent: Sent): Candidate {
  const { target } = sent;
  const losses = lossesOf(sent.encoded);
  if (answer.kind === "error") return decodeError(exchange, answer, sent);
  if (answer.kind === "failed") {
    return { kind: "failed", target, classification: answer.classification, losses, error: answer.error };
  }
  const error = new GatewayError("upstream-invalid", "upstream continued its answer in another form");
  return { kind: "failed", target, classification: classified("broken"), losses, error };
}

/** Sends paused answers on until they are whole (Anthropic's `pause_turn`). */
async function joinContinuations(
  exchange: Exchange,
  first: BufferedAnswer,
  translated: Translated,
  call: Call,
): Promise<
  | { readonly kind: "answer"; readonly body: JsonObject; readonly adapted: readonly string[] }
  | { readonly kind: "failed"; readonly failed: UpstreamAnswer }
> {
  const earlier: JsonObject[] = [];
  let current = first;
  for (;;) {
    const reply = translated.response(current.json, replyContext(exchange), earlier);
    if (reply.kind === "answer") return reply;
    earlier.push(current.json);
    const next = await exchange.snapshot.dispatch(continuationOf(first.request, reply.body), call);
    if (next.kind !== "buffered") return { kind: "failed", failed: next };
    addUsageOf(next, first);
    current = withNumbersKept(next);
    if (earlier.length >= MAX_CONTINUATIONS) {
      const last = translated.response({ ...current.json, stop_reason: "end_turn" }, replyContext(exchange), earlier);
      if (last.kind === "answer") return last;
    }
  }
}

/** Adds the usage of a continuation to the attempt that it continues; the continuation's own record then has none. */
function addUsageOf(next: BufferedAnswer, first: BufferedAnswer): void {
  const { usage } = next.request.format.readReply(next.json);
  if (usage !== null && first.attempt.usage !== null) first.attempt.usage = addUsage(first.attempt.usage, usage);
}

/** Keeps what a whole answer tells of its usage; gives all that it tells. */
function noteReply(exchange: Exchange, answer: BufferedAnswer, json: JsonObject, target: Target): ReplyFacts {
  const reply = target.surface.readReply(json);
  answer.attempt.usage = reply.usage ?? estimateUsage(exchange.facts, estimateOutput(reply, target.provider.name));
  noteAnswer(answer.attempt, reply);
  return reply;
}

/** Output tokens of an answer that does not tell them. */
function estimateOutput({ choices }: ReplyFacts, provider: ProviderName): number {
  const texts = choices.flatMap(({ text, refusal, toolCalls }) => [
    text,
    refusal ?? "",
    ...toolCalls.map((call) => call.name + call.arguments),
  ]);
  return texts.reduce((sum, text) => sum + estimateTokens(text, provider), 0);
}
