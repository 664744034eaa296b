/** Abort signals without the leaks of `AbortSignal.any` over long-lived parents (docs/decisions/0003-own-abort-joins.md). */

/** A controller that follows its parent until released. */
export interface ChildAbort {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  /** Lets go of the parent. Call it on every exit path; calling it again does nothing. */
  readonly release: () => void;
}

/**
 * Who follows the signals made here. A request has a chain of them, and listeners of `EventTarget` would cost it more than all
 * the rest of its bookkeeping.
 */
const followers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `run` once when `signal` aborts, behind the listeners that the signal has; the returned function lets go of it, and may be
 * called again. Whoever depends on the order of two must join both in this way.
 */
export function followAbort(signal: AbortSignal, run: () => void): () => void {
  const own = followers.get(signal);
  if (own !== undefined) {
    own.add(run);
    return () => void own.delete(run);
  }
  signal.addEventListener("abort", run, { once: true });
  return () => signal.removeEventListener("abort", run);
}

/** A controller aborted together with each of `parents`, and by itself. */
export function createChildAbort(...parents: readonly AbortSignal[]): ChildAbort {
  const controller = new AbortController();
  const { signal } = controller;
  const own = new Set<() => void>();
  followers.set(signal, own);
  let leave: (() => void)[] = [];
  const release = (): void => {
    for (const letGo of leave) letGo();
    leave = [];
  };
  const abort = (reason: unknown): void => {
    release();
    if (signal.aborted) return;
    controller.abort(reason);
    // As listeners are called: in the order in which they came, and not those that one of them let go.
    for (const run of own) run();
    own.clear();
  };
  for (const parent of parents) {
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    leave.push(followAbort(parent, () => abort(parent.reason)));
  }
  return { signal, abort, release };
}
