/** Calls of the shape that Chat had first: without ids, answered by the next `function` message. */

export interface LegacyCalls {
  /** A fresh id for a call, which then waits. */
  readonly open: () => string;
  /** The id that has waited longest; "" when none does. */
  readonly take: () => string;
  /** The wait of `id` is over. */
  readonly onClosed: (id: string) => void;
}

class WaitingCalls implements LegacyCalls {
  /** In order; null while the history has had none. */
  #waiting: Set<string> | null = null;
  #count = 0;

  open(): string {
    const id = `call_fn_${this.#count++}`;
    this.#waiting ??= new Set();
    this.#waiting.add(id);
    return id;
  }

  take(): string {
    const [id = ""] = this.#waiting ?? [];
    this.#waiting?.delete(id);
    return id;
  }

  onClosed(id: string): void {
    this.#waiting?.delete(id);
  }
}

/** Those of one history. */
export function createLegacyCalls(): LegacyCalls {
  return new WaitingCalls();
}
