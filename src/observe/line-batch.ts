/** Lines written together: a write for each costs more than all else that is done for a line. */
import type { Clock } from "../base/clock.ts";

export interface LineBatch {
  /** Takes whole lines, their ends included. */
  readonly write: (lines: string) => void;
  /** Writes what has come so far. */
  readonly flush: () => void;
}

/** How long a line may wait for others. */
const BATCH_MS = 10;
const BATCH_CHARS = 65_536;

export function createLineBatch(
  after: Clock["after"],
  write: (lines: string) => void,
  /** How long a line may wait for others, where a write costs more than a system call. */
  batchMs = BATCH_MS,
): LineBatch {
  let waiting = "";
  let cancelTimer: (() => void) | null = null;
  const flush = (): void => {
    cancelTimer?.();
    cancelTimer = null;
    const lines = waiting;
    waiting = "";
    if (lines !== "") write(lines);
  };
  return {
    write: (lines) => {
      waiting += lines;
      if (waiting.length >= BATCH_CHARS) flush();
      else cancelTimer ??= after(batchMs, flush);
    },
    flush,
  };
}
