/** Lines written together: a write for each costs more than all else that is done for a line. */
import type { Clock } from "../base/clock.ts";

export interface LineBatch {
  /** Takes whole lines, their ends included. */
  readonly write: (lines: string) => void;
  /** Takes whole lines of UTF-8, the first `length` of `bytes`; they are copied. */
  readonly writeBytes: (bytes: Buffer, length: number) => void;
  /** Writes what has come so far. */
  readonly flush: () => void;
}

/** How long a line may wait for others. */
const BATCH_MS = 10;
const BATCH_BYTES = 65_536;

export function createLineBatch(
  after: Clock["after"],
  write: (lines: string) => void,
  /** How long a line may wait for others, where a write costs more than a system call. */
  batchMs = BATCH_MS,
): LineBatch {
  const waiting = Buffer.allocUnsafeSlow(BATCH_BYTES);
  let waitingBytes = 0;
  let cancelTimer: (() => void) | null = null;
  const flush = (): void => {
    cancelTimer?.();
    cancelTimer = null;
    const length = waitingBytes;
    waitingBytes = 0;
    if (length > 0) write(waiting.toString("utf8", 0, length));
  };
  const writeBytes: LineBatch["writeBytes"] = (bytes, length) => {
    if (waitingBytes + length > BATCH_BYTES) flush();
    if (length > BATCH_BYTES) {
      write(bytes.toString("utf8", 0, length));
      return;
    }
    bytes.copy(waiting, waitingBytes, 0, length);
    waitingBytes += length;
    cancelTimer ??= after(batchMs, flush);
  };
  return {
    write: (lines) => {
      const bytes = Buffer.from(lines);
      writeBytes(bytes, bytes.length);
    },
    writeBytes,
    flush,
  };
}
