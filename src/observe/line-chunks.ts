/** Lines that wait to be written together, in bytes that are used over and over: a batch of them would take new memory each time. */

export const NEWLINE = 0x0a;

/** Lines with their ends, from `start` to `end`. */
export interface LineChunk {
  readonly bytes: Buffer;
  start: number;
  end: number;
}

export interface LineChunks {
  /** Of all that wait. */
  readonly bytes: () => number;
  /** Copies the first `length` of `bytes` and ends the line; true when a chunk is full. */
  readonly add: (bytes: Buffer, length: number) => boolean;
  /** All that wait, in order; nothing waits any more. */
  readonly take: () => readonly LineChunk[];
  /** Takes back what {@link take} gave. */
  readonly giveBack: (chunks: readonly LineChunk[]) => void;
}

const CHUNK_BYTES = 256 * 1024;
/** One is filled while another is written. */
const MAX_FREE = 2;

export function createLineChunks(): LineChunks {
  let waiting: LineChunk[] = [];
  let last: LineChunk | null = null;
  let waitingBytes = 0;
  const free: LineChunk[] = [];

  const open = (room: number): LineChunk => {
    const known = room <= CHUNK_BYTES ? free.pop() : undefined;
    const chunk = known ?? { bytes: Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, room)), start: 0, end: 0 };
    waiting.push(chunk);
    return chunk;
  };

  return {
    bytes: () => waitingBytes,
    add: (bytes, length) => {
      const isFull = last !== null && last.end + length >= last.bytes.length;
      if (last === null || isFull) last = open(length + 1);
      bytes.copy(last.bytes, last.end, 0, length);
      last.end += length;
      last.bytes[last.end++] = NEWLINE;
      waitingBytes += length + 1;
      return isFull;
    },
    take: () => {
      const taken = waiting;
      waiting = [];
      last = null;
      waitingBytes = 0;
      return taken;
    },
    giveBack: (chunks) => {
      for (const chunk of chunks) {
        if (free.length === MAX_FREE || chunk.bytes.length > CHUNK_BYTES) continue;
        chunk.start = 0;
        chunk.end = 0;
        free.push(chunk);
      }
    },
  };
}

/** Of those that are left in `chunk`. */
export function countLines({ bytes, start, end }: LineChunk): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE, start); at >= 0 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
