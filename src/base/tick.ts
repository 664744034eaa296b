/**
 * The end of a tick of the event loop: when all that had come in by its beginning has been worked on. What wakes other processes is
 * done there together: by each write in between, the other side would be woken anew, which on a busy gateway cost more than what was
 * written (docs/decisions/0012-writes-at-the-end-of-a-tick.md).
 */

export interface TickTask {
  /** Must not throw. */
  readonly onTickEnd: () => void;
}

/** So many are not kept waiting for a tick's end: what they write is then work for others, while the tick goes on. */
const MAX_WAITING = 32;

let waiting: TickTask[] = [];

function runWaiting(): void {
  const tasks = waiting;
  waiting = [];
  for (const task of tasks) task.onTickEnd();
}

/** Calls `task` once at the end of this tick, or sooner when many wait: before anything else comes in, in order. */
export function atTickEnd(task: TickTask): void {
  const count = waiting.push(task);
  if (count === 1) setImmediate(runWaiting);
  else if (count === MAX_WAITING) runWaiting();
}

/** Shared by all who wait for the same tick's end. */
class TickEnd implements TickTask {
  readonly promise: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onTickEnd(): void {
    if (next === this) next = null;
    this.#resolve();
  }
}

let next: TickEnd | null = null;

/** Resolves at the end of this tick, as {@link atTickEnd} calls. */
export function tickEnd(): Promise<void> {
  if (next !== null) return next.promise;
  const end = new TickEnd();
  next = end;
  atTickEnd(end);
  return end.promise;
}
