/**
 * The layers around a call to a provider, in the one order that is right, and the state they share. The state outlives a
 * reload: what was learned of a provider stays true when a rule changes.
 */
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { Emit } from "../base/events.ts";
import { PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import type { BreakerSettings } from "../resilience/breaker.ts";
import { type Breakers, createBreakers } from "../resilience/breakers.ts";
import { createBreakerGuard } from "../resilience/breaker-guard.ts";
import { type Budget, type BudgetSettings, createBudget } from "../resilience/budget.ts";
import { type Bulkhead, type BulkheadSettings, createBulkhead, createBulkheadGuard } from "../resilience/bulkhead.ts";
import { type Combinator, compose, type Dispatch } from "../resilience/dispatch.ts";
import { createGuardLayer, type Guard, PASS, refuseWith } from "../resilience/guard.ts";
import { createHedge, judgeByClass } from "../resilience/hedge.ts";
import { createLatencyWindow, HEDGE_WINDOW, type LatencyWindow } from "../resilience/latency-window.ts";
import { createRetry } from "../resilience/retry.ts";
import { createThrottleGates, type ThrottleGates } from "../resilience/throttle.ts";
import { createTimeout } from "../resilience/timeout.ts";
import { refusedAnswer } from "./attempt-scope.ts";
import { classified } from "./classify.ts";
import { clientClosed } from "./stream.ts";
import type { UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

/** Settings of one provider's layers; read at each use, so that a reload takes effect. */
export interface ProviderLayers {
  readonly breaker: BreakerSettings;
  readonly budget: BudgetSettings;
  readonly bulkhead: BulkheadSettings;
  /** `hedge.max_extra`: extra legs per first try. */
  readonly hedgeMaxExtra: number;
}

type UpstreamDispatch = Dispatch<UpstreamRequest, UpstreamAnswer>;
type UpstreamLayer = Combinator<UpstreamRequest, UpstreamAnswer>;
type UpstreamGuard = Guard<UpstreamRequest, UpstreamAnswer>;

/** What the layers know of the providers. */
export interface UpstreamState {
  readonly breakers: Breakers;
  readonly gates: ThrottleGates;
  readonly bulkhead: (provider: ProviderName) => Bulkhead;
  readonly retryBudget: (provider: ProviderName) => Budget;
  readonly hedgeBudget: (provider: ProviderName) => Budget;
  /** Time to first content by provider and model. */
  readonly latency: (provider: ProviderName, model: string) => LatencyWindow;
}

const HEDGE_BUDGET_TTL_MS = 60_000;
const MAX_LATENCY_WINDOWS = 256;

/** Creates the shared state; `layers` is asked anew at each use. */
export function createUpstreamState(
  clock: Clock,
  layers: (provider: ProviderName) => ProviderLayers,
  emit: Emit,
): UpstreamState {
  const perProvider = <T>(create: (provider: ProviderName) => T): ((provider: ProviderName) => T) => {
    const all = Object.fromEntries(PROVIDER_NAMES.map((name) => [name, create(name)])) as Record<ProviderName, T>;
    return (provider) => all[provider];
  };
  const windows = new Map<string, LatencyWindow>();
  return {
    breakers: createBreakers({
      clock,
      settings: (provider) => layers(provider as ProviderName).breaker,
      onTransition: ({ provider, model, to, reason }) =>
        emit({ type: "breaker-changed", provider: provider as ProviderName, model, to, reason }),
    }),
    gates: createThrottleGates(clock),
    bulkhead: perProvider((provider) => createBulkhead(() => layers(provider).bulkhead, clock)),
    retryBudget: perProvider((provider) => createReloadingBudget(() => layers(provider).budget, clock)),
    hedgeBudget: perProvider((provider) =>
      createReloadingBudget(
        createHedgeSettings(() => layers(provider).hedgeMaxExtra),
        clock,
      ),
    ),
    latency: (provider, model) => {
      const key = gateKey(provider, model);
      let window = windows.get(key);
      if (window === undefined) {
        // Model names come from clients: the oldest window goes.
        if (windows.size >= MAX_LATENCY_WINDOWS) windows.delete(windows.keys().next().value ?? "");
        window = createLatencyWindow(HEDGE_WINDOW, clock);
        windows.set(key, window);
      }
      return window;
    },
  };
}

/** Settings of the hedges' budget; the same object as long as nothing changes. */
function createHedgeSettings(maxExtra: () => number): () => BudgetSettings {
  let settings: BudgetSettings | null = null;
  return () => {
    const ratio = maxExtra();
    if (settings?.ratio !== ratio) {
      const reservePerSecond = 1000 / HEDGE_BUDGET_TTL_MS;
      settings = { ratio, ttlMs: HEDGE_BUDGET_TTL_MS, reservePerSecond, reserveMax: 1 };
    }
    return settings;
  };
}

/** A budget that starts afresh when its settings change. */
function createReloadingBudget(settings: () => BudgetSettings, clock: Clock): Budget {
  let current = settings();
  let budget = createBudget(current, clock);
  const get = (): Budget => {
    const next = settings();
    if (next !== current && JSON.stringify(next) !== JSON.stringify(current)) budget = createBudget(next, clock);
    current = next;
    return budget;
  };
  return {
    deposit: () => get().deposit(),
    withdraw: () => get().withdraw(),
    available: () => get().available(),
  };
}

/** Key of the throttle gates and latency windows. */
export function gateKey(provider: ProviderName, model: string): string {
  return `${provider}\n${model}`;
}

export interface StackOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly state: UpstreamState;
  /** The innermost dispatch of each provider. */
  readonly send: (request: UpstreamRequest) => UpstreamDispatch;
}

/** The dispatch that the gateway calls. */
export function createStack(options: StackOptions): UpstreamDispatch {
  const { clock, emit, state } = options;
  const send: UpstreamDispatch = (request, call) => options.send(request)(request, call);

  const retry: UpstreamLayer = createRetry({
    clock,
    settings: (request) => request.policy.retry,
    budget: (request) => state.retryBudget(request.provider),
    attempts: (request) => request.policy.attempts,
    entry: (request) => request.policy.entry,
    isReplayable: (request) => request.replayable,
    onRetry: ({ record, provider, waits }, { classification, waitMs }) => {
      waits.add(waitMs);
      emit({ type: "retry-scheduled", record, provider, class: classification.class, waitMs });
    },
    onBudgetEmpty: ({ record }) => {
      record.retryRefused = true;
    },
    discard: discardAnswer,
  });

  const hold: UpstreamLayer = (next) => (request, call) => {
    const answering = next(request, call);
    return request.policy.hold === null ? answering : answering.then(request.policy.hold);
  };

  const hedge: UpstreamLayer = createHedge({
    clock,
    delayMs: (request, call) => (call.retry > 0 ? null : (request.policy.hedge?.delayMs() ?? null)),
    second: (request, call, next) => {
      const second = request.policy.hedge?.second() ?? null;
      return second === null || call.signal.aborted ? null : { request: second, dispatch: next };
    },
    judge: (answer) => answer.request.policy.judge?.(answer) ?? judgeByClass(answer),
    discard: discardAnswer,
    onLaunch: ({ record, provider }, afterMs) => emit({ type: "hedge-launched", record, provider, afterMs }),
    onFinish: ({ record, provider }, result) => {
      record.hedge = result === "failed" ? null : result;
      emit({ type: "hedge-finished", record, provider, result });
    },
  });

  /** The gates see every answer; the hedge's cap and its delay are learnt from first tries. */
  const learn = (isFirstTry: boolean, answer: UpstreamAnswer): void => {
    const { provider, model } = answer.request;
    const { classification } = answer;
    if (classification.class === "rate") state.gates.observe(gateKey(provider, model), classification);
    // What a layer of ours refused was not offered to the upstream, and earns no extra load.
    if (isFirstTry && classification.class !== "local") state.hedgeBudget(provider).deposit();
    if (answer.kind === "stream" && answer.attempt.ttftMs !== null) {
      state.latency(provider, model).record(answer.attempt.ttftMs);
    }
  };
  const ofFirstTry = { ...PASS, onResult: (answer: UpstreamAnswer) => learn(true, answer) };
  const ofLaterTry = { ...PASS, onResult: (answer: UpstreamAnswer) => learn(false, answer) };
  const observe: UpstreamGuard = {
    enter: (_request, { retry, leg }) => (retry === 0 && leg === "primary" ? ofFirstTry : ofLaterTry),
  };

  const breaker: UpstreamGuard = createBreakerGuard({
    breakers: state.breakers,
    upstreamOf: (request) => request,
    refuse: (request, { waitMs }) =>
      refusedAnswer(
        request,
        classified("local"),
        new GatewayError("circuit-open", "the provider is failing and is given a rest; try again later", {
          retryAfterMs: Math.min(60_000, Math.max(1000, waitMs)),
        }),
      ),
  });

  const bulkhead: UpstreamGuard = createBulkheadGuard({
    bulkheadOf: (request) => state.bulkhead(request.provider),
    mayQueue: (request) => request.policy.attempts.candidatesLeft() === 0,
    refuse: (request, reason) =>
      reason === "aborted"
        ? refusedAnswer(request, classified("aborted"), clientClosed())
        : refusedAnswer(
            request,
            classified("local"),
            new GatewayError("overloaded", "too many requests are in flight to the provider; try again shortly"),
          ),
  });

  const count: UpstreamGuard = {
    enter: (request) => {
      if (request.policy.attempts.start() !== null) return PASS;
      const message = "the request has used up its attempts (limits.max_attempts)";
      const error = new GatewayError("upstream-unreachable", message);
      return refuseWith(refusedAnswer(request, classified("local"), error));
    },
  };

  const phase: UpstreamLayer = createTimeout({
    clock,
    limitMs: (request) => (isHandedOn(request) ? request.timeouts.ttftMs : request.timeouts.responseMs),
    stopped: (request, reason, afterMs) => stoppedAnswer(request, reason, afterMs),
    discard: discardAnswer,
  });

  return compose<UpstreamRequest, UpstreamAnswer>(
    retry, // one loop, outermost: each try asks the breaker again, so an opening breaker ends it
    hold, // what breaks while it is held back has not reached the client, and is tried again
    hedge, // one try may have two legs; a leg is an attempt like any other
    createGuardLayer(
      observe, // sees every answer: a 429 shuts the gate that the chain goes round, first contents set the hedge's delay
      breaker, // counts real attempts, never an aggregate, never what was not sent
      bulkhead, // a provider that hangs cannot use up the other's permits
      count, // limits.max_attempts counts what is really sent
    ),
    phase, // time to first content, or to the whole answer; clipped to the deadline
  )(send);
}

/** Whether the result is an open stream: a gathered one comes whole. */
function isHandedOn({ stream, gather }: UpstreamRequest): boolean {
  return stream && !gather;
}

function stoppedAnswer(
  request: UpstreamRequest,
  reason: "limit" | "deadline" | "aborted",
  afterMs: number,
): UpstreamAnswer {
  switch (reason) {
    case "limit": {
      const what = isHandedOn(request) ? "no first content" : "no whole answer";
      const message = `upstream gave ${what} within ${Math.round(afterMs)} ms`;
      return refusedAnswer(request, classified("timeout"), new GatewayError("upstream-timeout", message));
    }
    case "deadline":
      return refusedAnswer(request, classified("local"), deadlineSpent());
    case "aborted":
      return refusedAnswer(request, classified("aborted"), clientClosed());
  }
}

/** The error of a request whose time is up. */
export function deadlineSpent(): GatewayError {
  return new GatewayError("deadline", "the request's time limit (timeout.total) has passed");
}

/** Lets go of an answer that will not be delivered: its stream is cancelled, its connection closed. It is paid for. */
export function discardAnswer(answer: UpstreamAnswer): void {
  if (answer.kind === "buffered") answer.attempt.usage ??= answer.request.format.readReply(answer.json).usage;
  if (answer.kind === "stream") answer.stream.cancel(classified("aborted"));
}
