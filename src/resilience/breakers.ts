/** The breakers of all upstreams: one for each provider, one for each model of it. An attempt has to pass both. */
import type { Clock } from "../base/clock.ts";
import {
  type Admit,
  admitToBreaker,
  type BreakerOutcome,
  type BreakerSettings,
  type BreakerState,
  type BreakerView,
  CLOSED,
  CLOSED_VIEW,
  stepBreaker,
  viewBreaker,
} from "./breaker.ts";
import type { Classification, Classified } from "./dispatch.ts";
import type { Pass } from "./guard.ts";

export interface BreakerTransition {
  readonly provider: string;
  /** "" for the provider's own breaker. */
  readonly model: string;
  readonly to: BreakerState["kind"];
  /** Class of the outcome that caused it, or `open-time-passed`. */
  readonly reason: string;
}

/** What an admitted attempt owes the breakers; as a pass, it settles by its result, and by a failure at the end of its body. */
export interface BreakerTicket extends Pass<Classified> {
  readonly ok: true;
  /**
   * Reports the outcome. It counts once; after a success one failure may still follow (a stream that stalled). Any
   * classification that says nothing gives a probe's slot back.
   */
  settle(classification: Classification): void;
  /** Gives the slots back when there is no outcome; after `settle` it does nothing. */
  release(): void;
}

export type BreakerAdmission =
  BreakerTicket | { readonly ok: false; readonly scope: "provider" | "model"; readonly waitMs: number };

/** The two breakers of one upstream as one: admits only if both do. */
export interface UpstreamView {
  readonly provider: BreakerView;
  readonly model: BreakerView;
  readonly admits: boolean;
  readonly isClosed: boolean;
  /** Milliseconds until both may be half-open. */
  readonly waitMs: number;
}

export interface Breakers {
  readonly admit: (provider: string, model: string) => BreakerAdmission;
  readonly view: (provider: string, model: string) => UpstreamView;
  readonly viewProvider: (provider: string) => BreakerView;
  /** Every breaker there is; `model` is "" for a provider's. */
  readonly list: () => readonly { readonly provider: string; readonly model: string; readonly view: BreakerView }[];
}

export interface BreakersOptions {
  /** Read at each use, so that a reload may change it. */
  readonly settings: (provider: string) => BreakerSettings;
  readonly clock: Clock;
  readonly onTransition: (transition: BreakerTransition) => void;
  /** Most model breakers kept. */
  readonly maxModels?: number;
}

interface Cell {
  readonly provider: string;
  readonly model: string;
  state: BreakerState;
  /** What attempts of it carry while it is closed; they share it. */
  closedAdmit: Admit;
}

const MAX_MODELS = 256;
const FIRST_ADMIT: Admit = { generation: CLOSED.generation, probe: null };

function createCell(provider: string, model: string): Cell {
  return { provider, model, state: CLOSED, closedAdmit: FIRST_ADMIT };
}

/** Creates the registry, all breakers closed. */
export function createBreakers(options: BreakersOptions): Breakers {
  const { settings, clock, onTransition } = options;
  const maxModels = options.maxModels ?? MAX_MODELS;
  const providers = new Map<string, Cell>();
  // Insertion-ordered: the first is the one used longest ago.
  const models = new Map<string, Cell>();
  /** The last one used: most requests ask for the model of the one before. */
  let newest: Cell | null = null;

  const keyOf = (provider: string, model: string): string => `${provider}\n${model}`;

  const providerCell = (provider: string): Cell => {
    let cell = providers.get(provider);
    if (cell === undefined) {
      cell = createCell(provider, "");
      providers.set(provider, cell);
    }
    return cell;
  };

  const findModel = (provider: string, model: string): Cell | undefined =>
    newest !== null && newest.model === model && newest.provider === provider
      ? newest
      : models.get(keyOf(provider, model));

  const modelCell = (provider: string, model: string): Cell => {
    const known = findModel(provider, model);
    if (known !== undefined && known === newest) return known;
    if (known === undefined && models.size >= maxModels && !evictClosed()) return createCell(provider, model);
    const key = keyOf(provider, model);
    const cell: Cell = known ?? createCell(provider, model);
    if (known !== undefined) models.delete(key);
    models.set(key, cell);
    newest = cell;
    return cell;
  };

  /** Only a closed breaker may be forgotten. With none, a new model goes without: model names come from clients. */
  const evictClosed = (): boolean => {
    for (const [key, cell] of models) {
      if (cell.state.kind !== "closed") continue;
      models.delete(key);
      if (cell === newest) newest = null;
      return true;
    }
    return false;
  };

  const move = (cell: Cell, state: BreakerState, reason: string): void => {
    const hasMoved = cell.state.kind !== state.kind;
    cell.state = state;
    if (hasMoved) onTransition({ provider: cell.provider, model: cell.model, to: state.kind, reason });
  };

  const admitTo = (cell: Cell): Admit | null => {
    const { kind, generation } = cell.state;
    if (kind === "closed") {
      if (cell.closedAdmit.generation !== generation) cell.closedAdmit = { generation, probe: null };
      return cell.closedAdmit;
    }
    const step = admitToBreaker(cell.state, clock.nowMs(), settings(cell.provider));
    move(cell, step.state, "open-time-passed");
    return step.admit;
  };

  const settleAt = (cell: Cell, admit: Admit, outcome: BreakerOutcome, reason: string): void => {
    const nowMs = clock.nowMs();
    move(cell, stepBreaker(cell.state, admit, outcome, nowMs, settings(cell.provider), clock.random), reason);
  };

  const viewOf = (cell: Cell | undefined, provider: string): BreakerView =>
    viewBreaker(cell?.state ?? CLOSED, clock.nowMs(), settings(provider));

  return {
    admit: (provider, model) => {
      const inner = modelCell(provider, model);
      const outer = providerCell(provider);
      const innerAdmit = admitTo(inner);
      if (innerAdmit === null) return { ok: false, scope: "model", waitMs: viewOf(inner, provider).waitMs };
      const outerAdmit = admitTo(outer);
      if (outerAdmit === null) {
        settleAt(inner, innerAdmit, NEUTRAL, "released");
        return { ok: false, scope: "provider", waitMs: viewOf(outer, provider).waitMs };
      }
      return new Ticket(settleAt, inner, innerAdmit, outer, outerAdmit);
    },
    view: (provider, model) => {
      const outer = viewOf(providers.get(provider), provider);
      const inner = viewOf(findModel(provider, model), provider);
      if (outer === CLOSED_VIEW && inner === CLOSED_VIEW) return CLOSED_UPSTREAM;
      return {
        provider: outer,
        model: inner,
        admits: outer.admits && inner.admits,
        isClosed: outer.kind === "closed" && inner.kind === "closed",
        waitMs: Math.max(outer.waitMs, inner.waitMs),
      };
    },
    viewProvider: (provider) => viewOf(providers.get(provider), provider),
    list: () =>
      [...providers.values(), ...models.values()].map((cell) => ({
        provider: cell.provider,
        model: cell.model,
        view: viewOf(cell, cell.provider),
      })),
  };
}

const CLOSED_UPSTREAM: UpstreamView = {
  provider: CLOSED_VIEW,
  model: CLOSED_VIEW,
  admits: true,
  isClosed: true,
  waitMs: 0,
};

type SettleAt = (cell: Cell, admit: Admit, outcome: BreakerOutcome, reason: string) => void;

/** Lets an outcome through once, and after a success one failure more. */
class Ticket implements BreakerTicket {
  readonly ok = true;
  readonly #settleAt: SettleAt;
  readonly #model: Cell;
  readonly #modelAdmit: Admit;
  readonly #provider: Cell;
  readonly #providerAdmit: Admit;
  #phase: "open" | "succeeded" | "done" = "open";

  constructor(settleAt: SettleAt, model: Cell, modelAdmit: Admit, provider: Cell, providerAdmit: Admit) {
    this.#settleAt = settleAt;
    this.#model = model;
    this.#modelAdmit = modelAdmit;
    this.#provider = provider;
    this.#providerAdmit = providerAdmit;
  }

  settle(classification: Classification): void {
    if (this.#phase === "done") return;
    if (this.#phase === "succeeded" && classification.breaker !== "failure") return;
    this.#phase = this.#phase === "open" && classification.breaker === "success" ? "succeeded" : "done";
    this.#record(classification);
  }

  release(): void {
    if (this.#phase !== "open") return;
    this.#phase = "done";
    this.#record(null);
  }

  onResult(result: Classified): void {
    this.settle(result.classification);
    if (result.onEnd !== undefined) this.#followBody(result);
  }

  onThrow(): void {
    this.release();
  }

  #followBody(result: Classified): void {
    result.onEnd?.((later) => {
      if (later !== null) this.settle(later);
    });
  }

  #record(classification: Classification | null): void {
    const reason = classification?.class ?? "released";
    const { model } = this.#model;
    this.#settleAt(this.#model, this.#modelAdmit, modelOutcome(classification), reason);
    this.#settleAt(this.#provider, this.#providerAdmit, providerOutcome(classification, model), reason);
  }
}

const NEUTRAL: BreakerOutcome = { kind: "neutral" };
/** Outcomes that say no more than their kind. */
const PLAIN = {
  success: { kind: "success" },
  neutral: NEUTRAL,
  answered: { kind: "answered" },
  throttled: { kind: "throttled" },
} as const satisfies Readonly<Record<Exclude<Classification["breaker"], "failure">, BreakerOutcome>>;

function modelOutcome(classification: Classification | null): BreakerOutcome {
  if (classification === null) return NEUTRAL;
  if (classification.breaker !== "failure") return PLAIN[classification.breaker];
  return { kind: "failure", retryAfterMs: openWish(classification), source: null };
}

/** One model's failures are not the provider's; failures to reach it at all are. */
function providerOutcome(classification: Classification | null, model: string): BreakerOutcome {
  const outcome = modelOutcome(classification);
  if (outcome.kind !== "failure" || classification?.providerWide === true) return outcome;
  return { ...outcome, source: model };
}

/** Only an answer that asks for less load (503, 529) may lengthen the open time. */
function openWish({ lessLoad, retryAfterMs }: Classification): number | null {
  return lessLoad ? retryAfterMs : null;
}
