/** Small results and requests for the layers' tests. */
import type { OutcomeClass } from "../../src/base/names.ts";
import type { Call, Classification, Classified, EndListener } from "../../src/resilience/dispatch.ts";

/** A classification as the classifier would give it, refined by `parts`. */
export function classification(name: OutcomeClass, parts: Partial<Classification> = {}): Classification {
  const rows: Partial<Record<OutcomeClass, Partial<Classification>>> = {
    ok: { breaker: "success" },
    stale_conn: { retry: "at-once" },
    connect: { breaker: "failure", providerWide: true, retry: "backoff" },
    timeout: { breaker: "failure", providerWide: true },
    server: { breaker: "failure", retry: "backoff" },
    broken: { breaker: "failure", retry: "backoff" },
    stalled: { breaker: "failure" },
    rate: { breaker: "throttled", retry: "backoff", lessLoad: true },
    client: { breaker: "answered" },
    policy: { breaker: "answered" },
  };
  return {
    class: name,
    breaker: "neutral",
    providerWide: false,
    retry: "no",
    lessLoad: false,
    retryAfterMs: null,
    unsent: false,
    ...rows[name],
    ...parts,
  };
}

export interface TestResult extends Classified {
  readonly label: string;
}

export function result(name: OutcomeClass, parts: Partial<Classification> = {}, label: string = name): TestResult {
  return { classification: classification(name, parts), label };
}

/** A result with an open body, and the means to end it. */
export function streaming(label = "stream"): { readonly result: TestResult; readonly end: EndListener } {
  const listeners: EndListener[] = [];
  let isEnded = false;
  return {
    result: { classification: classification("ok"), label, onEnd: (listener) => listeners.push(listener) },
    end: (later) => {
      if (isEnded) return;
      isEnded = true;
      for (const listener of listeners) listener(later);
    },
  };
}

export function call(parts: Partial<Call> = {}): Call {
  return {
    signal: new AbortController().signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    retry: 0,
    leg: "primary",
    ...parts,
  };
}

/** A controller whose signal counts its listeners. */
export function createCountingController() {
  const controller = new AbortController();
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const live = new Map<EventListenerOrEventListenerObject, EventListener>();
  Object.defineProperty(signal, "addEventListener", {
    value: (type: string, listener: EventListenerOrEventListenerObject, options?: AddEventListenerOptions) => {
      const wrapped = (event: Event): void => {
        if (options?.once === true) live.delete(listener);
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      live.set(listener, wrapped);
      add(type, wrapped, options);
    },
  });
  Object.defineProperty(signal, "removeEventListener", {
    value: (type: string, listener: EventListenerOrEventListenerObject) => {
      const wrapped = live.get(listener);
      live.delete(listener);
      if (wrapped !== undefined) remove(type, wrapped);
    },
  });
  return { controller, listeners: () => live.size };
}

/** The message that `promise` rejects with; null when it does not. */
export async function messageOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
