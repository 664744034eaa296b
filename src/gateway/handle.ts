/** A request from its bytes to its answer: parse → facts → decide → walk the chain → deliver. */
import { type ChildAbort, createChildAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { Emit } from "../base/events.ts";
import { type JsonObject, own } from "../base/json.ts";
import { createWaitMeter } from "../base/wait-meter.ts";
import type { SchemaStore } from "../heal/json-schema.ts";
import { readClient } from "../policy/client.ts";
import { decide } from "../policy/decide.ts";
import type { Decision } from "../policy/decision.ts";
import { factsForLedger } from "../policy/ledger-facts.ts";
import { type Overrides, readOverrides } from "../policy/overrides.ts";
import { describeDecision, summarizeDecision } from "../policy/summary.ts";
import type { PolicyInput, ProviderStates } from "../policy/context.ts";
import type { Breakers } from "../resilience/breakers.ts";
import { createDeadline, type Deadline } from "../resilience/deadline.ts";
import type { ThinkingStore } from "../translate/translator.ts";
import { deadlineSpent } from "../upstream/stack.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import { type Delivery, type DeliveryListener, openDelivery } from "./delivery.ts";
import { toGatewayError } from "./error-reply.ts";
import { type Arrival, type Exchange, openRecord } from "./exchange.ts";
import { judgeSettings } from "./judge-settings.ts";
import type { Judged } from "./judge.ts";
import { type Plan, planFor } from "./plan.ts";
import type { Reply } from "./reply.ts";
import type { Snapshot } from "./settings.ts";
import { createSummaryMemory, type SummaryMemory } from "./summary-memory.ts";
import { unservedModel } from "./target.ts";
import { NO_TERMS, type PriceTerms } from "./usage.ts";
import { walk, type WalkOptions } from "./walk.ts";

export interface GatewayOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** The snapshot in force; read once per request. */
  readonly snapshot: () => Snapshot;
  readonly schemas: SchemaStore;
  readonly thinkingStore: ThinkingStore;
  /** Whether to sample a trace that the client did not start. */
  readonly sampleNew: () => boolean;
}

/** What every answer needs besides its request. */
interface Shared extends GatewayOptions {
  readonly summaries: SummaryMemory;
}

export interface Gateway {
  /**
   * Answers a chat, messages or responses request; never rejects. `body` gives what the client sent, decoded; one that cannot be read
   * is refused as `refuse` does.
   */
  readonly handle: (arrival: Arrival, format: WireFormat, body: Promise<Uint8Array> | Uint8Array) => Promise<Reply>;
  /** Answers a request that is turned away before it is read. */
  readonly refuse: (arrival: Arrival, format: WireFormat, error: GatewayError) => Reply;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, emit } = options;
  const shared: Shared = { ...options, summaries: createSummaryMemory() };
  const refuse: Gateway["refuse"] = (arrival, format, error) => {
    const record = openRecord(arrival, format.name, clock, options.sampleNew);
    emit({ type: "exchange-started", record });
    return openDelivery({ clock, emit, arrival, format, record, snapshot: options.snapshot() }).error(error);
  };
  return {
    refuse,
    handle: async (arrival, format, reading) => {
      let body: Uint8Array;
      try {
        body = await reading;
      } catch (thrown) {
        return refuse(arrival, format, toGatewayError(thrown));
      }
      const snapshot = options.snapshot();
      const record = openRecord(arrival, format.name, clock, options.sampleNew);
      record.bytesIn = body.byteLength;
      emit({ type: "exchange-started", record });
      const delivery = openDelivery({ clock, emit, arrival, format, record, snapshot });
      try {
        if (snapshot.settings.keepBodies) record.requestBytes = body;
        const overrides = readOverrides(arrival.headers, snapshot.settings.overrides);
        record.overrides = overrides.names;
        record.callerTags = overrides.tags;
        const parsed = format.parseRequest(body, snapshot.settings.limits);
        const facts = format.facts(parsed);
        const waits = createWaitMeter(clock);
        const exchange: Exchange = { arrival, format, parsed, facts, record, snapshot, clock, emit, waits };
        delivery.setExchange(exchange);
        const decision = decideFor(exchange, overrides);
        if (overrides.explain) delivery.setTrace(JSON.stringify(describeDecision(decision)));
        if (overrides.dryRun) return delivery.dryRun(describeDecision(decision));
        if (decision.block !== null) {
          const { status, message } = decision.block;
          throw new GatewayError("blocked", message, { status });
        }
        const plan = planFor(snapshot.settings, decision);
        const answering = openAnswering(exchange, decision, plan, delivery);
        const walking = walk(exchange, walkOptions(shared, exchange, decision, plan, overrides, answering));
        if (answering.isCommittedEarly) return await answering.deliverInTime(walking);
        return answering.deliver(await walking);
      } catch (thrown) {
        const error = toGatewayError(thrown);
        if (error.kind === "internal") emit({ type: "defect", where: "handle", error: thrown });
        return delivery.error(error);
      }
    },
  };
}

const ALL_CLOSED: ProviderStates = { openai: "closed", anthropic: "closed" };

function providerStates(breakers: Breakers): ProviderStates {
  const openai = breakers.viewProvider("openai").kind;
  const anthropic = breakers.viewProvider("anthropic").kind;
  return openai === "closed" && anthropic === "closed" ? ALL_CLOSED : { openai, anthropic };
}

/** Makes the decision and notes it. */
function decideFor(exchange: Exchange, overrides: Overrides): Decision {
  const { arrival, facts, record, snapshot, emit } = exchange;
  const { registry, state, policy } = snapshot;
  record.stream = facts.stream;
  record.modelRequested = facts.model;
  record.tokensInputEstimate = facts.tokensInput;
  const input: PolicyInput = {
    facts,
    headers: arrival.headers,
    client: arrival.client ?? readClient(record.userAgent),
    key: arrival.key,
    providerOf: registry.serving,
    providerState: providerStates(state.breakers),
    requestId: arrival.id,
    wallMs: record.wallMs,
    overrides,
  };
  const { decision, context } = decide(policy, input);
  record.client = input.client;
  record.rule = decision.rule;
  record.policy = decision.policy;
  record.modelAsked = decision.modelAsked;
  record.tags = decision.tags;
  record.decision = summarizeDecision(decision);
  record.facts = factsForLedger(policy, context);
  emit({ type: "decision-made", record });
  if (decision.block === null && input.providerOf(decision.model) === null && decision.fallbackChain.length === 0) {
    throw unservedModel(decision.model, registry.resolve(decision.model));
  }
  return decision;
}

function openAnswering(exchange: Exchange, decision: Decision, plan: Plan, delivery: Delivery): Answering {
  const { arrival, facts, snapshot, parsed, clock } = exchange;
  const { settings } = snapshot;
  const provider = snapshot.registry.resolve(decision.model) ?? "openai";
  const answering = new Answering(clock, arrival, delivery, plan.totalMs[provider], {
    isValidated: decision.validate.length > 0,
    commitAfterMs: facts.stream ? settings.stream.commitAfterMs : 0,
  });
  delivery.setListener(answering);
  delivery.setPriceTerms(priceTerms(parsed.json));
  return answering;
}

/** How the chain is walked. */
function walkOptions(
  { schemas, thinkingStore, summaries }: Shared,
  { facts, snapshot: { settings } }: Exchange,
  decision: Decision,
  plan: Plan,
  overrides: Overrides,
  { signal, deadlineMs }: Answering,
): WalkOptions {
  return {
    decision,
    plan,
    strict: settings.strictTranslation || overrides.strict,
    thinkingStore: settings.thinkingStore ? thinkingStore : null,
    summaries,
    judge: judgeSettings(plan.judgement, decision, facts, schemas),
    signal,
    deadlineMs,
  };
}

interface AnsweringOptions {
  /** Somebody asked for validation. */
  readonly isValidated: boolean;
  /** A stream that is silent for so long has its status committed; 0 = never. */
  readonly commitAfterMs: number;
}

/** An answer on its way: within the request's deadline, and while its client is there. */
class Answering implements DeliveryListener {
  /** On `clock.nowMs()`; Infinity without a limit. */
  readonly deadlineMs: number;
  readonly #clock: Clock;
  readonly #delivery: Delivery;
  readonly #options: AnsweringOptions;
  readonly #abort: ChildAbort;
  readonly #deadline: Deadline;

  constructor(
    clock: Clock,
    { signal, startedMs }: Arrival,
    delivery: Delivery,
    totalMs: number,
    options: AnsweringOptions,
  ) {
    const elapsedMs = clock.nowMs() - startedMs;
    this.#clock = clock;
    this.#delivery = delivery;
    this.#options = options;
    this.#abort = createChildAbort(signal);
    this.#deadline = createDeadline(clock, totalMs > 0 ? Math.max(1, totalMs - elapsedMs) : 0, () =>
      this.#abort.abort(deadlineSpent()),
    );
    this.deadlineMs = this.#deadline.atMs;
  }

  get signal(): Signal {
    return this.#abort.signal;
  }

  get isCommittedEarly(): boolean {
    return this.#options.commitAfterMs > 0;
  }

  deliver(judged: Judged): Reply {
    return this.#delivery.judged(this.#withReason(judged), this.#options.isValidated);
  }

  /** Delivers what comes in time; else commits the status, and delivers what comes later. */
  async deliverInTime(walking: Promise<Judged>): Promise<Reply> {
    const { commitAfterMs, isValidated } = this.#options;
    const reasoned = walking.then((judged) => this.#withReason(judged));
    const first = await raceTimer(reasoned, commitAfterMs, this.#clock);
    if (first === null) return this.#delivery.committed(reasoned, isValidated);
    return this.#delivery.judged(first, isValidated);
  }

  onFlush(): void {
    this.#deadline.clear();
  }

  onOver(): void {
    this.#deadline.clear();
    // Attempts that ended have let go. One that a defect, or a client given up halfway, left behind ends here with its permit.
    this.#abort.abort(clientClosed());
  }

  /** A failure that is only the request's own abort tells why that was: the deadline, a drain, or the client's leaving. */
  #withReason(judged: Judged): Judged {
    const { candidate } = judged;
    if (candidate.kind !== "failed" || !this.signal.aborted) return judged;
    const { reason } = this.signal;
    return { ...judged, candidate: { ...candidate, error: reason instanceof GatewayError ? reason : clientClosed() } };
  }
}

function priceTerms(body: JsonObject): PriceTerms {
  const speed = own(body, "speed");
  const inferenceGeo = own(body, "inference_geo");
  if (speed === undefined && inferenceGeo === undefined) return NO_TERMS;
  return { speed: stringOf(speed), inferenceGeo: stringOf(inferenceGeo) };
}

function stringOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** `work`, or null when it takes longer than `limitMs`; it goes on. */
function raceTimer<T>(work: Promise<T>, limitMs: number, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => resolve(null));
    work.then(resolve, reject).finally(cancel);
  });
}
