/** A whole answer in the client's format; paused ones are continued until they are whole. */
import { GatewayError } from "../base/errors.ts";
import { type JsonObject, mayLoseNumbers, parseLossless } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { addUsage } from "../base/usage.ts";
import type { Call } from "../resilience/dispatch.ts";
import type { OwnCheck, Translated, TranslatedReply } from "../translate/translator.ts";
import type { BufferedAnswer, UpstreamAnswer } from "../upstream/upstream.ts";
import { classified } from "../upstream/classify.ts";
import { noteAnswer } from "../upstream/note-answer.ts";
import type { ReplyChoice, ReplyFacts } from "../wire/format.ts";
import { spliceModelInReply } from "../wire/splice.ts";
import { estimateTokens } from "../wire/text-sample.ts";
import { answerHeaders, replyContext, shownModel } from "./answer-headers.ts";
import { decodeError } from "./decode-error.ts";
import { lossesOf, type Sent } from "./encode.ts";
import type { Candidate, WholeCandidate } from "./candidate.ts";
import { MAX_CONTINUATIONS } from "./client-stream.ts";
import { continuationOf } from "./continuation.ts";
import type { Exchange } from "./exchange.ts";
import type { Target } from "./target.ts";
import { estimateUsage } from "./usage.ts";

type WholeReply = Extract<TranslatedReply, { readonly kind: "answer" }>;

/** Decodes a whole 2xx answer. */
export function decodeWhole(
  exchange: Exchange,
  answer: BufferedAnswer,
  sent: Sent,
  call: Call,
): Candidate | Promise<Candidate> {
  const facts = noteReply(exchange, answer, sent.target);
  const { translated } = sent.encoded;
  return translated === null
    ? passWhole(exchange, answer, sent, facts)
    : translateWhole(exchange, withNumbersKept(answer, facts), sent, translated, call);
}

function passWhole(exchange: Exchange, answer: BufferedAnswer, sent: Sent, facts: ReplyFacts): WholeCandidate {
  const modelShown = shownModel(exchange);
  const { bytes, json, attempt, status, classification } = answer;
  return {
    kind: "whole",
    target: sent.target,
    attempt,
    status,
    classification,
    losses: lossesOf(sent.encoded),
    headers: answerHeaders(exchange, answer, sent.target),
    body: modelShown === null ? bytes : spliceModelInReply(bytes, modelShown),
    json,
    facts,
    checks: NO_CHECKS,
  };
}

const NO_CHECKS: readonly OwnCheck[] = [];
const NONE_EARLIER: readonly JsonObject[] = [];

function translateWhole(
  exchange: Exchange,
  answer: BufferedAnswer,
  sent: Sent,
  translated: Translated,
  call: Call,
): Candidate | Promise<Candidate> {
  const reply = translated.response(answer.json, replyContext(exchange), NONE_EARLIER);
  return reply.kind === "answer"
    ? renderWhole(exchange, answer, sent, translated, reply)
    : continueWhole(exchange, answer, sent, translated, reply.body, call);
}

function renderWhole(
  exchange: Exchange,
  answer: BufferedAnswer,
  { target }: Sent,
  translated: Translated,
  { body, adapted }: WholeReply,
): WholeCandidate {
  return {
    kind: "whole",
    target,
    attempt: answer.attempt,
    status: answer.status,
    classification: answer.classification,
    losses:
      adapted.length === 0 ? translated : { dropped: translated.dropped, adapted: [...translated.adapted, ...adapted] },
    headers: answerHeaders(exchange, answer, target),
    body: JSON.stringify(body),
    json: body,
    facts: null,
    checks: translated.checks,
  };
}

/**
 * A translated answer is written anew: numbers in tool inputs keep their spelling, 20-digit ids too. What paused goes back
 * as it came.
 */
function withNumbersKept(answer: BufferedAnswer, { choices }: ReplyFacts): BufferedAnswer {
  if (!choices.some(holdsJson)) return answer;
  const text = decoder.decode(answer.bytes);
  return mayLoseNumbers(text) ? { ...answer, json: parseLossless(text) as JsonObject } : answer;
}

const decoder = new TextDecoder();

function holdsJson({ toolCalls, stop }: ReplyChoice): boolean {
  return toolCalls.length > 0 || stop === "pause";
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

/** Sends a paused answer on until it is whole (Anthropic's `pause_turn`); `body` is what is sent first. */
async function continueWhole(
  exchange: Exchange,
  first: BufferedAnswer,
  sent: Sent,
  translated: Translated,
  body: string,
  call: Call,
): Promise<Candidate> {
  const earlier: JsonObject[] = [first.json];
  for (let request = body; ;) {
    const answer = await exchange.snapshot.dispatch(continuationOf(first.request, request), call);
    if (answer.kind !== "buffered") return decodeFailure(exchange, answer, sent);
    const facts = answer.request.format.readReply(answer.json);
    addUsageOf(facts, first);
    const { json } = withNumbersKept(answer, facts);
    const isLast = earlier.length >= MAX_CONTINUATIONS;
    const ended = isLast ? { ...json, stop_reason: "end_turn" } : json;
    const reply = translated.response(ended, replyContext(exchange), earlier);
    if (reply.kind === "answer") return renderWhole(exchange, first, sent, translated, reply);
    earlier.push(json);
    request = reply.body;
  }
}

/** Adds the usage of a continuation to the attempt that it continues; the continuation's own record then has none. */
function addUsageOf({ usage }: ReplyFacts, first: BufferedAnswer): void {
  if (usage !== null && first.attempt.usage !== null) first.attempt.usage = addUsage(first.attempt.usage, usage);
}

/** Keeps what a whole answer tells of its usage; gives all that it tells. */
function noteReply({ facts }: Exchange, { attempt, json }: BufferedAnswer, { surface, provider }: Target): ReplyFacts {
  const reply = surface.readReply(json);
  attempt.usage = reply.usage ?? estimateUsage(facts, estimateOutput(reply, provider.name));
  noteAnswer(attempt, reply);
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
