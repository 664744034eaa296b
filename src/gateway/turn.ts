/** One candidate's turn: its request through the layers, its answer decoded and judged, once for each leg. */
import { GatewayError } from "../base/errors.ts";
import type { Attempts } from "../resilience/attempts.ts";
import type { Call } from "../resilience/dispatch.ts";
import { judgeByClass, type LegVerdict } from "../resilience/hedge.ts";
import type { Entry } from "../resilience/retry.ts";
import type { UpstreamAnswer, UpstreamRequest } from "../upstream/upstream.ts";
import { parseObject } from "../base/stream.ts";
import { spliceFields } from "../wire/splice.ts";
import { decodeAnswer, toUpstreamRequest } from "./attempt.ts";
import { callPolicy, phaseTimeouts, planHedge } from "./call-policy.ts";
import type { Prepared } from "./candidates.ts";
import { encode, type Sent } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { judgeCandidate, type Judged } from "./judge.ts";
import { resolveTarget } from "./target.ts";
import { estimateUsage } from "./usage.ts";
import type { WalkOptions } from "./walk.ts";

/** Takes a prepared candidate, the answer that was left for it, and the call. */
export type Turn = (prepared: Prepared, before: Judged | null, call: Call) => Promise<Judged>;

/** Outcomes after which asking the same provider once more is extra load. */
const CHARGED = new Set(["server", "connect", "timeout", "broken"]);

function entryOf({ target }: Prepared, before: Judged | null): Entry {
  const isSame = before !== null && before.candidate.target.provider.name === target.provider.name;
  return isSame && CHARGED.has(before.candidate.classification.class) ? "charged" : "offered";
}

export function createTurn(exchange: Exchange, options: WalkOptions, attempts: Attempts): Turn {
  const { decision } = options;
  const { snapshot } = exchange;

  return async (prepared, before, call) => {
    const sentOf = new Map<UpstreamRequest, Sent>();
    const judgedOf = new Map<UpstreamAnswer, Promise<Judged>>();

    const find = (request: UpstreamRequest): Sent => sentOf.get(request) ?? prepared;

    const judge = (answer: UpstreamAnswer): Promise<Judged> => {
      let judged = judgedOf.get(answer);
      if (judged === undefined) {
        judged = decodeAnswer(exchange, answer, find, call).then((candidate) =>
          judgeCandidate(exchange, candidate, options.judge),
        );
        judgedOf.set(answer, judged);
      }
      return judged;
    };

    /** With validators the first valid leg wins, so a leg is judged while the other still runs. */
    const judgeLeg = async (answer: UpstreamAnswer): Promise<LegVerdict> => {
      const byClass = judgeByClass(answer);
      if (byClass !== "wins" || options.judge.validators.length === 0) return byClass;
      return judgeByClass((await judge(answer)).candidate);
    };

    /** A held stream that came to nothing is given as the failure that it is, and remembered as it was judged. */
    const holdBack = async (answer: UpstreamAnswer): Promise<UpstreamAnswer> => {
      if (answer.kind !== "stream") return answer;
      const judged = await judge(answer);
      const { candidate } = judged;
      if (candidate.kind === "stream" || candidate.kind === "whole") return answer;
      const error =
        candidate.kind === "failed" ? candidate.error : new GatewayError("upstream-invalid", candidate.error.message);
      const { request, attempt } = answer;
      const lost: UpstreamAnswer = {
        kind: "failed",
        request,
        attempt,
        classification: candidate.classification,
        error,
      };
      judgedOf.set(lost, Promise.resolve(judged));
      return lost;
    };
    const hold = options.judge.gate.hold === "off" ? null : holdBack;

    const build = (sent: Sent, entry: Entry, isLeg: boolean): UpstreamRequest => {
      const { target } = sent;
      const hedge = isLeg ? null : planHedge(exchange, target, decision, attempts, encodeLeg);
      const policy = callPolicy(exchange, target, decision, { attempts, entry, hedge, judge: judgeLeg, hold });
      const defaults = snapshot.settings.providers[target.provider.name].timeout;
      const request = toUpstreamRequest(
        exchange,
        sent,
        policy,
        phaseTimeouts(defaults, decision, target.entry.timeout),
      );
      sentOf.set(request, sent);
      return request;
    };

    const encodeLeg = (model: string): UpstreamRequest | null => {
      if (model === prepared.target.entry.model) return build(prepared, "offered", true);
      try {
        const target = resolveTarget(exchange, { model });
        const encoded = encode(exchange, target, { ...options, feedback: null });
        return build({ target, encoded }, "offered", true);
      } catch (error) {
        if (error instanceof GatewayError) return null;
        throw error;
      }
    };

    /** The request once more without what the translator had asked for on its own, when just that was refused. */
    const amend = (answer: UpstreamAnswer): UpstreamRequest | null => {
      if (answer.kind !== "error") return null;
      const { target, encoded } = find(answer.request);
      const { status, headers, json } = answer;
      const amendment = encoded.translated?.amend;
      const bytes = typeof encoded.body === "string" ? Buffer.from(encoded.body) : encoded.body;
      const body = amendment === undefined || status !== 400 ? null : parseObject(bytes);
      const edit = body === null ? null : (amendment?.({ status, headers, json, text: "" }, body) ?? null);
      if (edit === null) return null;
      if (edit.field === "reasoning") options.summaries.refused = true;
      return build({ target, encoded: { ...encoded, body: spliceFields(bytes, [edit]) } }, "offered", true);
    };

    const request = build(prepared, entryOf(prepared, before), false);
    const answer = await snapshot.dispatch(request, call);
    bookLosers(exchange, call);
    const amended = amend(answer);
    return judge(amended === null ? answer : await snapshot.dispatch(amended, call));
  };
}

/** A leg that lost its race was paid for all the same, as far as is known: what it was sent. */
function bookLosers({ record, facts }: Exchange, call: Call): void {
  if (call.signal.aborted) return;
  for (const attempt of record.attempts) {
    if (attempt.class === "aborted") attempt.usage ??= estimateUsage(facts, 0);
  }
}
