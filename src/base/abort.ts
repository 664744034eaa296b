/** Aborts that follow one another without the leaks of `AbortSignal.any` (docs/decisions/0003-own-abort-joins.md). */

/**
 * What tells a party that its work is no longer wanted. An `AbortSignal` is one; those made here are plain objects, because a
 * request needs four, and with their listeners the runtime's cost it more than all the rest of its bookkeeping.
 */
export interface Signal {
  readonly aborted: boolean;
  /** Why; undefined until it is aborted. */
  readonly reason: unknown;
}

/** A signal of ours, and its own switch: a child that follows its parents until released. */
export interface ChildAbort {
  readonly signal: Signal;
  readonly abort: (reason: unknown) => void;
  /** Lets go of the parents. Call it on every exit path; calling it again does nothing. */
  readonly release: () => void;
}

/** A link of a child to a parent. */
type LetGo = () => void;

class OwnSignal implements Signal {
  aborted = false;
  reason: unknown = undefined;
  readonly #followers = new Set<() => void>();

  follow(run: () => void): LetGo {
    this.#followers.add(run);
    return () => void this.#followers.delete(run);
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    // As listeners are called: in the order in which they came, and not those that one of them let go.
    for (const run of this.#followers) runFollower(run);
    this.#followers.clear();
  }
}

/**
 * What it throws is a defect of its own, and no matter of the others. It is reported as a rejection that nobody handles, which the
 * gateway logs: as an error that nobody catches, which listeners' are, it would end the process with all its requests.
 */
function runFollower(run: () => void): void {
  try {
    run();
  } catch (error) {
    void Promise.reject(error);
  }
}

/** Calls `run` once when `signal` aborts; the returned function lets go of it, and may be called again. */
export function followAbort(signal: Signal, run: () => void): () => void {
  if (signal instanceof OwnSignal) return signal.follow(run);
  const native = signal as AbortSignal;
  native.addEventListener("abort", run, { once: true });
  return () => native.removeEventListener("abort", run);
}

/** A child that is aborted together with each of `parents`, and by itself. */
export function createChildAbort(...parents: readonly Signal[]): ChildAbort {
  const signal = new OwnSignal();
  const links: LetGo[] = [];
  const release = (): void => {
    for (let letGo = links.pop(); letGo !== undefined; letGo = links.pop()) letGo();
  };
  const abort = (reason: unknown): void => {
    release();
    signal.abort(reason);
  };
  for (const parent of parents) {
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    links.push(followAbort(parent, () => abort(parent.reason)));
  }
  return { signal, abort, release };
}

/** `signal` as the runtime's own functions take it; `release` lets go of it. */
export function toAbortSignal(signal: Signal): { readonly signal: AbortSignal; readonly release: () => void } {
  if (signal instanceof AbortSignal) return { signal, release: () => undefined };
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  return { signal: controller.signal, release: followAbort(signal, abort) };
}
