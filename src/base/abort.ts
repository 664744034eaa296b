/** Abort signals without the leaks of `AbortSignal.any` over long-lived parents (docs/decisions/0003-own-abort-joins.md). */

/** A controller that follows its parent until released. */
export interface ChildAbort {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  /** Lets go of the parent. Call it on every exit path; calling it again does nothing. */
  readonly release: () => void;
}

/** A controller aborted together with each of `parents`, and by itself. */
export function createChildAbort(...parents: readonly AbortSignal[]): ChildAbort {
  const controller = new AbortController();
  const followed: { readonly parent: AbortSignal; readonly follow: () => void }[] = [];
  const release = (): void => {
    for (const { parent, follow } of followed) parent.removeEventListener("abort", follow);
    followed.length = 0;
  };
  const abort = (reason: unknown): void => {
    release();
    controller.abort(reason);
  };
  for (const parent of parents) {
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    const follow = (): void => abort(parent.reason);
    parent.addEventListener("abort", follow, { once: true });
    followed.push({ parent, follow });
  }
  return { signal: controller.signal, abort, release };
}
