/** One candidate's turn: its request through the layers, its answer decoded and judged, once for each leg. */
import { GatewayError } from "../base/errors.ts";
import type { Attempts } from "../resilience/attempts.ts";
import type { Call } from "../resilience/dispatch.ts";
import { judgeByClass, type LegVerdict } from "../resilience/hedge.ts";
import type { Entry } from "../resilience/retry.ts";
import type { CallPolicy, UpstreamAnswer, UpstreamRequest } from "../upstream/upstream.ts";
import { parseObject } from "../base/stream.ts";
import { spliceFields } from "../wire/splice.ts";
import { decodeAnswer, toUpstreamRequest } from "./attempt.ts";
import { type LegEncoder, planHedge } from "./call-policy.ts";
import type { Prepared } from "./candidates.ts";
import { encode, type Sent } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { judgeCandidate, type Judged } from "./judge.ts";
import { callTerms } from "./plan.ts";
import { resolveTarget } from "./target.ts";
import { estimateUsage } from "./usage.ts";
import type { WalkOptions } from "./walk.ts";

/** Outcomes after which asking the same provider once more is extra load. */
const CHARGED = new Set(["server", "connect", "timeout", "broken"]);

function entryOf({ target }: Prepared, before: Judged | null): Entry {
  const isSame = before !== null && before.candidate.target.provider.name === target.provider.name;
  return isSame && CHARGED.has(before.candidate.classification.class) ? "charged" : "offered";
}

/** The turn of one candidate: what was sent for each leg, and what each leg's answer is worth. */
class CandidateTurn implements Turn, LegEncoder {
  readonly #exchange: Exchange;
  readonly #options: WalkOptions;
  readonly #attempts: Attempts;
  readonly #prepared: Prepared;
  readonly #call: Call;
  /** Of legs and amended requests; all others were sent as prepared. */
  #sentOf: Map<UpstreamRequest, Sent> | null = null;
  /** Of answers that were judged while they were held back, or while the other leg still ran. */
  #judgedOf: Map<UpstreamAnswer, Promise<Judged>> | null = null;

  constructor(exchange: Exchange, options: WalkOptions, attempts: Attempts, prepared: Prepared, call: Call) {
    this.#exchange = exchange;
    this.#options = options;
    this.#attempts = attempts;
    this.#prepared = prepared;
    this.#call = call;
  }

  ask(before: Judged | null): Promise<UpstreamAnswer> {
    const request = this.#build(this.#prepared, entryOf(this.#prepared, before), false);
    return this.#exchange.snapshot.dispatch(request, this.#call);
  }

  judge(answer: UpstreamAnswer): Promise<Judged> | Judged {
    bookLosers(this.#exchange, this.#call);
    const amended = this.#amend(answer);
    return amended === null ? this.#judgeLast(answer) : this.#askAmended(amended);
  }

  async #askAmended(amended: UpstreamRequest): Promise<Judged> {
    return this.#judgeLast(await this.#exchange.snapshot.dispatch(amended, this.#call));
  }

  #judgeLast(answer: UpstreamAnswer): Promise<Judged> | Judged {
    return this.#judgedOf?.get(answer) ?? this.#decodeAndJudge(answer);
  }

  #sent(request: UpstreamRequest): Sent {
    return this.#sentOf?.get(request) ?? this.#prepared;
  }

  #judge(answer: UpstreamAnswer): Promise<Judged> {
    const judgedOf = (this.#judgedOf ??= new Map());
    let judged = judgedOf.get(answer);
    if (judged === undefined) {
      judged = Promise.resolve(this.#decodeAndJudge(answer));
      judgedOf.set(answer, judged);
    }
    return judged;
  }

  #decodeAndJudge(answer: UpstreamAnswer): Promise<Judged> | Judged {
    const { judge } = this.#options;
    const decoded = decodeAnswer(this.#exchange, answer, this.#sent(answer.request), this.#call);
    return decoded instanceof Promise
      ? decoded.then((candidate) => judgeCandidate(this.#exchange, candidate, judge))
      : judgeCandidate(this.#exchange, decoded, judge);
  }

  /** With validators the first valid leg wins, so a leg is judged while the other still runs. */
  async #judgeLeg(answer: UpstreamAnswer): Promise<LegVerdict> {
    const byClass = judgeByClass(answer);
    if (byClass !== "wins" || this.#options.judge.validators.length === 0) return byClass;
    return judgeByClass((await this.#judge(answer)).candidate);
  }

  /** A held stream that came to nothing is given as the failure that it is, and remembered as it was judged. */
  async #holdBack(answer: UpstreamAnswer): Promise<UpstreamAnswer> {
    if (answer.kind !== "stream") return answer;
    const judged = await this.#judge(answer);
    const { candidate } = judged;
    if (candidate.kind === "stream" || candidate.kind === "whole") return answer;
    const error =
      candidate.kind === "failed" ? candidate.error : new GatewayError("upstream-invalid", candidate.error.message);
    const { request, attempt } = answer;
    const lost: UpstreamAnswer = { kind: "failed", request, attempt, classification: candidate.classification, error };
    this.#judgedOf?.set(lost, Promise.resolve(judged));
    return lost;
  }

  #build(sent: Sent, entry: Entry, isLeg: boolean): UpstreamRequest {
    const { decision, plan, judge } = this.#options;
    const { target } = sent;
    const { settings } = this.#exchange.snapshot;
    const terms = callTerms(plan, settings, decision, target.provider.name, target.entry);
    const hedge = isLeg ? null : planHedge(this.#exchange, target, decision, this.#attempts, this);
    const policy: CallPolicy = {
      retry: terms.retry,
      attempts: this.#attempts,
      entry,
      hedge,
      // Asked for only by a race.
      judge: hedge === null && !isLeg ? null : (answer) => this.#judgeLeg(answer),
      hold: judge.gate.hold === "off" ? null : (answer) => this.#holdBack(answer),
    };
    const request = toUpstreamRequest(this.#exchange, sent, policy, terms.timeouts);
    if (sent !== this.#prepared) (this.#sentOf ??= new Map()).set(request, sent);
    return request;
  }

  encodeLeg(model: string): UpstreamRequest | null {
    if (model === this.#prepared.target.entry.model) return this.#build(this.#prepared, "offered", true);
    try {
      const target = resolveTarget(this.#exchange, { model });
      const encoded = encode(this.#exchange, target, this.#options, null);
      return this.#build({ target, encoded }, "offered", true);
    } catch (error) {
      if (error instanceof GatewayError) return null;
      throw error;
    }
  }

  /** The request once more without what the translator had asked for on its own, when just that was refused. */
  #amend(answer: UpstreamAnswer): UpstreamRequest | null {
    if (answer.kind !== "error" || answer.status !== 400) return null;
    const { target, encoded } = this.#sent(answer.request);
    const { status, headers, json } = answer;
    const amendment = encoded.translated?.amend;
    if (amendment === undefined) return null;
    const bytes = typeof encoded.body === "string" ? Buffer.from(encoded.body) : encoded.body;
    const body = parseObject(bytes);
    const edit = body === null ? null : amendment({ status, headers, json, text: "" }, body);
    if (edit === null) return null;
    if (edit.field === "reasoning") this.#options.summaries.refused = true;
    return this.#build({ target, encoded: { ...encoded, body: spliceFields(bytes, [edit]) } }, "offered", true);
  }
}

/** In two steps, as what is known at once needs no promise. */
export interface Turn {
  /** Sends its request through the layers; `before` is the answer that was left for it. */
  ask(before: Judged | null): Promise<UpstreamAnswer>;
  /** What its answer is worth. */
  judge(answer: UpstreamAnswer): Promise<Judged> | Judged;
}

export function openTurn(
  exchange: Exchange,
  options: WalkOptions,
  attempts: Attempts,
  prepared: Prepared,
  call: Call,
): Turn {
  return new CandidateTurn(exchange, options, attempts, prepared, call);
}

/** A leg that lost its race was paid for all the same, as far as is known: what it was sent. */
function bookLosers({ record, facts }: Exchange, call: Call): void {
  if (call.signal.aborted) return;
  for (const attempt of record.attempts) {
    if (attempt.class === "aborted") attempt.usage ??= estimateUsage(facts, 0);
  }
}
