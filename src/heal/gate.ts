/**
 * The pre-flush gate: what of a stream is held back until the answer is known to be good. Pure; the bytes themselves stay
 * with the caller, who asks for each event what to do.
 */

export interface GateSettings {
  /**
   * `off`: until the first content. `preflush`: until the answer is complete, or more was held than the limits below.
   * `full`: until it is complete, whatever its size up to `fullBytes`.
   */
  readonly hold: "off" | "preflush" | "full";
  /** Content held at most (text, tool arguments, thinking; UTF-8 bytes). */
  readonly preflushBytes: number;
  /** Events held at most, raw bytes. */
  readonly rawBytes: number;
  /** Time held at most, from the first event on; 0 = no limit. */
  readonly holdTimeMs: number;
  /** Raw bytes of an answer held whole. */
  readonly fullBytes: number;
}

/** Where the gate stands. Only `holding` goes on to another. */
export type GateState =
  | { readonly kind: "holding"; readonly rawBytes: number; readonly sinceMs: number | null }
  | { readonly kind: "flushed" }
  | { readonly kind: "overflowed" }
  /** Complete while held: the caller judges, then flushes or drops. */
  | { readonly kind: "complete" }
  /** Held whole, and too large for it: the answer counts as broken. */
  | { readonly kind: "too-large" };

/** One event as the gate sees it. */
export interface GateEvent {
  readonly rawBytes: number;
  /** Of the whole stream, this event included. */
  readonly contentBytes: number;
  /** Content has begun, in this event or before. */
  readonly isStarted: boolean;
  /** The terminal was seen. */
  readonly isComplete: boolean;
}

/** A gate that has seen nothing. */
export const HOLDING: GateState = { kind: "holding", rawBytes: 0, sinceMs: null };

/**
 * The state after one more event. A limit is exceeded by more than the limit, event by event and before completion is
 * looked at: how the bytes were cut into reads makes no difference.
 */
export function stepGate(state: GateState, event: GateEvent, nowMs: number, settings: GateSettings): GateState {
  if (state.kind !== "holding") return state;
  const rawBytes = state.rawBytes + event.rawBytes;
  const sinceMs = state.sinceMs ?? nowMs;
  switch (settings.hold) {
    case "off":
      return event.isStarted || event.isComplete ? { kind: "flushed" } : { kind: "holding", rawBytes, sinceMs };
    case "preflush":
      if (event.contentBytes > settings.preflushBytes || rawBytes > settings.rawBytes) return { kind: "overflowed" };
      break;
    case "full":
      if (rawBytes > settings.fullBytes) return { kind: "too-large" };
  }
  return event.isComplete ? { kind: "complete" } : tickGate({ kind: "holding", rawBytes, sinceMs }, nowMs, settings);
}

/** The state as time passes without an event: it may have been held too long. */
export function tickGate(state: GateState, nowMs: number, settings: GateSettings): GateState {
  if (settings.hold !== "preflush" || settings.holdTimeMs <= 0) return state;
  if (state.kind !== "holding" || state.sinceMs === null) return state;
  return nowMs - state.sinceMs > settings.holdTimeMs ? { kind: "overflowed" } : state;
}
