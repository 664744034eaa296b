/**
 * A circuit breaker as a pure machine: states are plain data, each step takes one and gives the next. Time and chance are
 * arguments.
 */
import { addToWindow, type BreakerWindow, readWindow, type WindowEntry } from "./breaker-window.ts";

export interface BreakerSettings {
  /** Failures in a row that trip it at once, whatever the rate. */
  readonly consecutiveFailures: number;
  readonly windowMs: number;
  readonly buckets: number;
  /** Share of failures in the window that trips it, from `minRequests` outcomes on. */
  readonly failureRate: number;
  readonly minRequests: number;
  /** First open time; it doubles with each opening that follows without a close between, up to `openMaxMs`. */
  readonly openBaseMs: number;
  readonly openMaxMs: number;
  /** Probes in flight while half-open. */
  readonly halfOpenProbes: number;
  /** A probe that has not ended by then gives its slot back. */
  readonly probeLeaseMs: number;
}

/** Generations number the states: an outcome counts only in the generation it was admitted in. */
export type BreakerState =
  | {
      readonly kind: "closed";
      readonly generation: number;
      readonly failuresInRow: number;
      readonly window: BreakerWindow;
    }
  | { readonly kind: "open"; readonly generation: number; readonly openings: number; readonly untilMs: number }
  | {
      readonly kind: "half_open";
      readonly generation: number;
      readonly openings: number;
      readonly probes: readonly Probe[];
      readonly nextProbe: number;
    };

interface Probe {
  readonly id: number;
  readonly leaseUntilMs: number;
}

/** What an attempt carries from its admission to its outcome. */
export interface Admit {
  readonly generation: number;
  /** Number of the probe; null for an attempt of a closed breaker. */
  readonly probe: number | null;
}

/** How an attempt counts. */
export type BreakerOutcome =
  /** 2xx with its first content. */
  | { readonly kind: "success" }
  | {
      readonly kind: "failure";
      /** The upstream's own wish for the open time; null without one. */
      readonly retryAfterMs: number | null;
      /** Set: counts in the window only, and only together with failures of another source. */
      readonly source: string | null;
    }
  /** The request was wrong, the upstream is well: closes a half-open breaker. */
  | { readonly kind: "answered" }
  /** Alive but overloaded (429): opens a half-open breaker, is neutral to a closed one. */
  | { readonly kind: "throttled" }
  /** Says nothing; gives a probe's slot back. */
  | { readonly kind: "neutral" };

/** A fresh breaker, closed. */
export const CLOSED: BreakerState = { kind: "closed", generation: 0, failuresInRow: 0, window: [] };

/** Asks for admission: the state after it, and what the attempt has to carry; null when refused. */
export function admitToBreaker(
  state: BreakerState,
  nowMs: number,
  settings: BreakerSettings,
): { readonly state: BreakerState; readonly admit: Admit | null } {
  switch (state.kind) {
    case "closed":
      return { state, admit: { generation: state.generation, probe: null } };
    case "open": {
      if (nowMs < state.untilMs) return { state, admit: null };
      const { openings } = state;
      return admitToBreaker(
        { kind: "half_open", generation: state.generation + 1, openings, probes: [], nextProbe: 0 },
        nowMs,
        settings,
      );
    }
    case "half_open": {
      const probes = probesInFlight(state, nowMs);
      if (probes.length >= settings.halfOpenProbes) return { state, admit: null };
      const id = state.nextProbe;
      return {
        state: {
          ...state,
          probes: [...probes, { id, leaseUntilMs: nowMs + settings.probeLeaseMs }],
          nextProbe: id + 1,
        },
        admit: { generation: state.generation, probe: id },
      };
    }
  }
}

/** Those that have not ended and whose lease holds. */
function probesInFlight({ probes }: BreakerState & { kind: "half_open" }, nowMs: number): readonly Probe[] {
  return probes.filter(({ leaseUntilMs }) => leaseUntilMs > nowMs);
}

/** The state after the outcome of an admitted attempt. Returns `state` itself when nothing changes. */
export function stepBreaker(
  state: BreakerState,
  admit: Admit,
  outcome: BreakerOutcome,
  nowMs: number,
  settings: BreakerSettings,
  random: () => number,
): BreakerState {
  if (admit.generation !== state.generation) return state;
  switch (state.kind) {
    case "closed":
      return stepClosed(state, outcome, nowMs, settings, random);
    case "open":
      return state;
    case "half_open":
      return stepHalfOpen(state, admit, outcome, nowMs, settings, random);
  }
}

function stepClosed(
  state: BreakerState & { kind: "closed" },
  outcome: BreakerOutcome,
  nowMs: number,
  settings: BreakerSettings,
  random: () => number,
): BreakerState {
  if (outcome.kind !== "success" && outcome.kind !== "failure") return state;
  const isPartial = outcome.kind === "failure" && outcome.source !== null;
  const window = addToWindow(state.window, windowEntry(outcome), nowMs, settings);
  const failuresInRow = outcome.kind === "success" ? 0 : isPartial ? state.failuresInRow : state.failuresInRow + 1;
  if (outcome.kind === "failure") {
    const { total, failures } = readWindow(window);
    const isRateTripped = total >= settings.minRequests && failures / total >= settings.failureRate;
    if (failuresInRow >= settings.consecutiveFailures || isRateTripped) {
      return openBreaker(state.generation, 0, outcome.retryAfterMs, nowMs, settings, random);
    }
  }
  return { kind: "closed", generation: state.generation, failuresInRow, window };
}

const SUCCESS: WindowEntry = { kind: "success" };
const FAILURE: WindowEntry = { kind: "failure" };

function windowEntry(outcome: BreakerOutcome & { kind: "success" | "failure" }): WindowEntry {
  if (outcome.kind === "success") return SUCCESS;
  if (outcome.source === null) return FAILURE;
  return { kind: "partial", source: outcome.source };
}

function stepHalfOpen(
  state: BreakerState & { kind: "half_open" },
  admit: Admit,
  outcome: BreakerOutcome,
  nowMs: number,
  settings: BreakerSettings,
  random: () => number,
): BreakerState {
  switch (outcome.kind) {
    case "success":
    case "answered":
      return { kind: "closed", generation: state.generation + 1, failuresInRow: 0, window: [] };
    case "failure":
      return openBreaker(state.generation, state.openings, outcome.retryAfterMs, nowMs, settings, random);
    case "throttled":
      return openBreaker(state.generation, state.openings, null, nowMs, settings, random);
    case "neutral":
      return { ...state, probes: state.probes.filter(({ id }) => id !== admit.probe) };
  }
}

/** Opens for base × 2^openings ± 20 %, longer if the upstream said so, never beyond the maximum. */
function openBreaker(
  generation: number,
  openings: number,
  retryAfterMs: number | null,
  nowMs: number,
  settings: BreakerSettings,
  random: () => number,
): BreakerState {
  const jitter = 0.8 + 0.4 * random();
  const openMs = settings.openBaseMs * 2 ** openings * jitter;
  const untilMs = nowMs + Math.min(settings.openMaxMs, Math.max(openMs, retryAfterMs ?? 0));
  return { kind: "open", generation: generation + 1, openings: openings + 1, untilMs };
}

/** The state as seen from outside at `nowMs`; nothing is changed. */
export interface BreakerView {
  /** An open breaker whose time has passed shows as half-open. */
  readonly kind: BreakerState["kind"];
  /** Whether an attempt would be admitted now. */
  readonly admits: boolean;
  /** Milliseconds until it may be half-open; 0 when it is, or is closed. */
  readonly waitMs: number;
}

export const CLOSED_VIEW: BreakerView = { kind: "closed", admits: true, waitMs: 0 };

export function viewBreaker(state: BreakerState, nowMs: number, settings: BreakerSettings): BreakerView {
  switch (state.kind) {
    case "closed":
      return CLOSED_VIEW;
    case "open":
      return nowMs >= state.untilMs
        ? { kind: "half_open", admits: true, waitMs: 0 }
        : { kind: "open", admits: false, waitMs: state.untilMs - nowMs };
    case "half_open":
      return { kind: "half_open", admits: probesInFlight(state, nowMs).length < settings.halfOpenProbes, waitMs: 0 };
  }
}
