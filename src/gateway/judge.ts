/** Judges what a candidate's client would see: a whole answer at once, a stream held behind the pre-flush gate. */
import type { FallbackReason, ValidatorName } from "../base/names.ts";
import type { ValidationResult } from "../base/events.ts";
import type { GateSettings } from "../heal/gate.ts";
import type { SchemaStore } from "../heal/json-schema.ts";
import { judgeReply as judgeByValidators, type Verdict } from "../heal/validators.ts";
import type { OwnCheck } from "../translate/translator.ts";
import { classified } from "../upstream/classify.ts";
import type { Facts, ReplyFacts } from "../wire/format.ts";
import type { Candidate, StreamCandidate, WholeCandidate } from "./candidate.ts";
import type { ClientFrame } from "./client-stream.ts";
import type { Exchange } from "./exchange.ts";
import { holdStream, type OpenEarlyCheck } from "./hold.ts";

export interface JudgeSettings {
  readonly validators: readonly ValidatorName[];
  readonly gate: GateSettings;
  /** `fallback_on` of the decision: a refusal is told from an answer only when somebody asked. */
  readonly fallbackOn: readonly FallbackReason[];
  readonly schemas: SchemaStore;
  readonly openEarly: OpenEarlyCheck | null;
}

/** A candidate after judgement; its classification says what became of it. */
export interface Judged {
  readonly candidate: Candidate;
  /** Of a stream: read so far and not handed on, in order. */
  readonly held: readonly ClientFrame[];
  /** null: not judged (no validators, overflow, no answer). */
  readonly result: ValidationResult | null;
  /** Why it failed; null otherwise. No part of the answer. */
  readonly reason: string | null;
  readonly overflowed: boolean;
  /** Of a stream: it was rejected before its end. Once let go it cannot be delivered any more. */
  readonly isPartial: boolean;
}

const NONE_HELD: readonly ClientFrame[] = [];

/** A candidate that is not judged. */
export function unjudged(candidate: Candidate, held: readonly ClientFrame[] = NONE_HELD, overflowed = false): Judged {
  return { candidate, held, result: null, reason: null, overflowed, isPartial: false };
}

/** Judges `candidate`; an answer that fails comes back with the class `invalid` (or `policy`, `broken`, …). */
export function judgeCandidate(
  exchange: Exchange,
  candidate: Candidate,
  settings: JudgeSettings,
): Promise<Judged> | Judged {
  if (candidate.kind === "whole") return judgeWhole(exchange, candidate, settings);
  if (candidate.kind !== "stream" || settings.gate.hold === "off") return unjudged(candidate);
  return judgeStream(exchange, candidate, settings);
}

function judgeWhole(exchange: Exchange, candidate: WholeCandidate, settings: JudgeSettings): Judged {
  const isAsked =
    settings.validators.length > 0 || candidate.checks.length > 0 || settings.fallbackOn.includes("refusal");
  if (!isAsked) return unjudged(candidate);
  const reply = candidate.facts ?? exchange.format.readReply(candidate.json);
  return judgeReply(exchange, candidate, reply, settings, NONE_HELD);
}

async function judgeStream(exchange: Exchange, candidate: StreamCandidate, settings: JudgeSettings): Promise<Judged> {
  const held = await holdStream(exchange, candidate, settings);
  switch (held.kind) {
    case "complete":
      return judgeReply(exchange, candidate, held.reply, settings, held.frames);
    case "overflow":
      return unjudged(held.candidate, held.frames, true);
    case "doomed":
      return { ...reject(candidate, held.frames, held.reason), isPartial: true };
    case "lost":
      return unjudged(held.candidate);
  }
}

function judgeReply(
  exchange: Exchange,
  candidate: WholeCandidate | StreamCandidate,
  reply: ReplyFacts,
  settings: JudgeSettings,
  held: readonly ClientFrame[],
): Judged {
  if (settings.fallbackOn.includes("refusal") && reply.choices.some(isRefusal)) {
    return { ...unjudged(withClass(candidate, "policy"), held), reason: "the model refused" };
  }
  const verdict = judgeAll(exchange, candidate, reply, settings);
  if (verdict === null) return unjudged(candidate, held);
  if (verdict.result === "fail") return reject(candidate, held, verdict.reason ?? "the answer failed its validation");
  return { ...unjudged(candidate, held), result: verdict.result };
}

function isRefusal({ stop, refusal }: ReplyFacts["choices"][number]): boolean {
  return stop === "refusal" || refusal !== null;
}

/** The rule's validators, then the translation's own checks; null when there are neither. */
function judgeAll(
  exchange: Exchange,
  candidate: WholeCandidate | StreamCandidate,
  reply: ReplyFacts,
  settings: JudgeSettings,
): Verdict | null {
  if (settings.validators.length === 0 && candidate.checks.length === 0) return null;
  return judgeSome(exchange, candidate, reply, settings);
}

function judgeSome(
  exchange: Exchange,
  candidate: WholeCandidate | StreamCandidate,
  reply: ReplyFacts,
  { validators, schemas }: JudgeSettings,
): Verdict {
  const { facts, record } = exchange;
  const judgement = judgeByValidators(validators, reply, facts, schemas);
  for (const { validator, result, reason } of judgement.verdicts) {
    record.validations.push({ validator, result, reason, attempt: candidate.attempt.number });
  }
  if (judgement.result === "fail") return judgement;
  const own = candidate.checks.map((check) => judgeOwn(check, reply, facts, schemas));
  return (
    own.find(({ result }) => result === "fail") ?? (judgement.result === "pass" ? judgement : (own[0] ?? judgement))
  );
}

/** What the translation could only ask the model for. */
function judgeOwn(check: OwnCheck, reply: ReplyFacts, facts: Facts, schemas: SchemaStore): Verdict {
  if (check !== "tool_call") return judgeByValidators([check], reply, facts, schemas);
  const called = reply.choices.every(({ toolCalls }) => toolCalls.length > 0);
  return called
    ? { result: "pass", reason: null }
    : { result: "fail", reason: "the answer calls no tool although one was demanded" };
}

function reject(candidate: WholeCandidate | StreamCandidate, held: readonly ClientFrame[], reason: string): Judged {
  candidate.attempt.failure = reason.slice(0, 256);
  return { ...unjudged(withClass(candidate, "invalid"), held), result: "fail", reason };
}

/** The candidate, and its attempt, under the class that judging found. */
function withClass<T extends WholeCandidate | StreamCandidate>(candidate: T, name: "invalid" | "policy"): T {
  candidate.attempt.class = name;
  return { ...candidate, classification: classified(name) };
}
