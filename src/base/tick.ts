/**
 * The end of a tick of the event loop: when all that had come in by its beginning has been worked on. What wakes other processes is
 * done there together: by each write in between, the other side would be woken anew, which on a busy gateway cost more than what was
 * written (docs/decisions/0012-writes-at-the-end-of-a-tick.md).
 */

export interface TickTask {
  readonly onTickEnd: () => void;
}

/** So many are not kept waiting for a tick's end: what they write is then work for others, while the tick goes on. */
const MAX_WAITING = 32;

let waiting: TickTask[] = [];
/** How many wait, each caller of {@link tickEnd} counted. */
let count = 0;

function runWaiting(): void {
  const tasks = waiting;
  waiting = [];
  count = 0;
  for (const task of tasks) {
    try {
      task.onTickEnd();
    } catch (error) {
      // A defect of this task's, which the others need not suffer from.
      void Promise.reject(error);
    }
  }
}

function countOne(): void {
  count += 1;
  if (count === 1) setImmediate(runWaiting);
  else if (count === MAX_WAITING) runWaiting();
}

/** Calls `task` once at the end of this tick, or sooner when many wait: in order, and before sockets are looked at again. */
export function atTickEnd(task: TickTask): void {
  waiting.push(task);
  countOne();
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
  let end = next;
  if (end === null) {
    end = new TickEnd();
    next = end;
    waiting.push(end);
  }
  countOne();
  return end.promise;
}
