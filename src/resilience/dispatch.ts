/**
 * The shape that every resilience layer shares. Knows neither HTTP nor LLMs: a layer sees a request, a call and a result
 * that says of itself how it is to be counted.
 */
import type { Signal } from "../base/abort.ts";
import type { OutcomeClass } from "../base/names.ts";

/** How a result counts, decided once per attempt (docs/resilience.md, outcome classes) and read by every layer. */
export interface Classification {
  readonly class: OutcomeClass;
  /** For the breakers. `client-side` answers (client, context, policy, no_model) end a probe but are no success. */
  readonly breaker: "success" | "failure" | "neutral" | "answered" | "throttled";
  /** Failures that also count against the whole provider at once (connect, timeout). */
  readonly providerWide: boolean;
  readonly retry: "no" | "backoff" | "at-once";
  /** The upstream asked for less load (429, 503, 529): equal jitter and the longer base. */
  readonly lessLoad: boolean;
  /** The upstream's own Retry-After in ms; null without a usable one, Infinity beyond every cap. */
  readonly retryAfterMs: number | null;
  /** Nothing can have reached the upstream (refused, DNS, TLS): safe to send again whatever the request. */
  readonly unsent: boolean;
}

/** A result that carries its classification. Results are values: a dispatch does not throw for what an upstream does. */
export interface Classified {
  readonly classification: Classification;
  /**
   * Present while the result still has an open body. Calls each listener once, when the body has ended, was cancelled or
   * broke, with the classification of a failure after first content (`stalled`), else null. Permits, abort links and
   * breakers outlive the dispatch through it: a body MUST reach its end on every path, or they leak.
   */
  readonly onEnd?: (listener: EndListener) => void;
}

export type EndListener = (later: Classification | null) => void;

/** Runs `listener` when the body of `result` has ended: at once for a result without an open body. */
export function whenEnded(result: Classified, listener: EndListener): void {
  if (result.onEnd === undefined) listener(null);
  else result.onEnd(listener);
}

/** What travels with one dispatch. */
export interface Call {
  /** Aborts when the client leaves, the deadline passes, or the leg loses. */
  readonly signal: Signal;
  /** Absolute, on `clock.nowMs()`. */
  readonly deadlineMs: number;
  /** Try of this candidate from 0. */
  readonly retry: number;
  readonly leg: "primary" | "hedge";
  /** The try before this one ended as `stale_conn`: a second one in a row is a `connect` failure. */
  readonly afterStale?: boolean;
}

export type Dispatch<Request, Result extends Classified> = (request: Request, call: Call) => Promise<Result>;

export type Combinator<Request, Result extends Classified> = (
  next: Dispatch<Request, Result>,
) => Dispatch<Request, Result>;

/** Composes layers, outermost first: `compose(retry, breaker)(send)` is `retry(breaker(send))`. */
export function compose<Request, Result extends Classified>(
  ...layers: readonly Combinator<Request, Result>[]
): Combinator<Request, Result> {
  return (send) => layers.reduceRight((next, layer) => layer(next), send);
}
