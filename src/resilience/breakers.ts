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
  stepBreaker,
  viewBreaker,
} from "./breaker.ts";
import type { Classification } from "./dispatch.ts";

export interface BreakerTransition {
  readonly provider: string;
  /** "" for the provider's own breaker. */
  readonly model: string;
  readonly to: BreakerState["kind"];
  /** Class of the outcome that caused it, or `open-time-passed`. */
  readonly reason: string;
}

/** What an admitted attempt owes the breakers. */
export interface BreakerTicket {
  /**
   * Reports the outcome. It counts once; after a success one failure may still follow (a stream that stalled). Any
   * classification that says nothing gives a probe's slot back.
   */
  readonly settle: (classification: Classification) => void;
  /** Gives the slots back when there is no outcome; after `settle` it does nothing. */
  readonly release: () => void;
}

export type BreakerAdmission =
  | { readonly ok: true; readonly ticket: BreakerTicket }
  | { readonly ok: false; readonly scope: "provider" | "model"; readonly waitMs: number };

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
}

const MAX_MODELS = 256;

/** Creates the registry, all breakers closed. */
export function createBreakers(options: BreakersOptions): Breakers {
  const { settings, clock, onTransition } = options;
  const maxModels = options.maxModels ?? MAX_MODELS;
  const providers = new Map<string, Cell>();
  // Insertion-ordered: the first is the one used longest ago.
  const models = new Map<string, Cell>();

  const keyOf = (provider: string, model: string): string => `${provider}\n${model}`;

  const providerCell = (provider: string): Cell => {
    let cell = providers.get(provider);
    if (cell === undefined) {
      cell = { provider, model: "", state: CLOSED };
      providers.set(provider, cell);
    }
    return cell;
  };

  const modelCell = (provider: string, model: string): Cell => {
    const key = keyOf(provider, model);
    const known = models.get(key);
    if (known !== undefined) {
      models.delete(key);
      models.set(key, known);
      return known;
    }
    const cell: Cell = { provider, model, state: CLOSED };
    if (models.size >= maxModels && !evictClosed()) return cell;
    models.set(key, cell);
    return cell;
  };

  /** Only a closed breaker may be forgotten. With none, a new model goes without: model names come from clients. */
  const evictClosed = (): boolean => {
    for (const [key, cell] of models) {
      if (cell.state.kind !== "closed") continue;
      models.delete(key);
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
      return {
        ok: true,
        ticket: createTicket((classification) => {
          settleAt(inner, innerAdmit, modelOutcome(classification), classification?.class ?? "released");
          settleAt(outer, outerAdmit, providerOutcome(classification, model), classification?.class ?? "released");
        }),
      };
    },
    view: (provider, model) => {
      const outer = viewOf(providers.get(provider), provider);
      const inner = viewOf(models.get(keyOf(provider, model)), provider);
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

/** Lets an outcome through once, and after a success one failure more. */
function createTicket(record: (classification: Classification | null) => void): BreakerTicket {
  let phase: "open" | "succeeded" | "done" = "open";
  return {
    settle: (classification) => {
      if (phase === "done") return;
      if (phase === "succeeded" && classification.breaker !== "failure") return;
      phase = phase === "open" && classification.breaker === "success" ? "succeeded" : "done";
      record(classification);
    },
    release: () => {
      if (phase !== "open") return;
      phase = "done";
      record(null);
    },
  };
}

const NEUTRAL: BreakerOutcome = { kind: "neutral" };

function modelOutcome(classification: Classification | null): BreakerOutcome {
  if (classification === null) return NEUTRAL;
  if (classification.breaker !== "failure") return { kind: classification.breaker };
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
