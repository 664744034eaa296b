/**
 * A file that only grows, line by line: written in batches, rotated by size, torn lines repaired. A line is never written in
 * part and never waited for: what cannot be written is counted.
 */
import { constants } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { countLines, createLineChunks, type LineChunk, NEWLINE } from "./line-chunks.ts";

export interface AppendFileOptions {
  readonly after: Clock["after"];
  /** null: nothing is written. Read at each batch, as are the next two, so that a reload may change them. */
  readonly path: () => string | null;
  /** A file that would grow past this is rotated first; null: never. */
  readonly maxBytes: () => number | null;
  /** Rotated files kept, `PATH.1` the newest. */
  readonly keep: () => number;
  /** Lines lost, and why; also a line found torn when the file is opened. */
  readonly onDropped: (count: number, reason: string) => void;
  /** Where several processes write the file: runs each of this one's batches while no other writes. */
  readonly exclusively?: Exclusively;
}

/** Runs `work` alone; `isHeld` false: that others write too cannot be excluded. */
export type Exclusively = <Result>(work: (isHeld: boolean) => Promise<Result>) => Promise<Result>;

export interface AppendFile {
  /** Takes a whole line without its end. */
  readonly write: (line: string) => void;
  /** Takes a whole line of UTF-8 without its end, the first `length` of `bytes`; they are copied. */
  readonly writeBytes: (bytes: Buffer, length: number) => void;
  /** Opens and repairs the file before the first line comes. */
  readonly start: () => Promise<void>;
  /** Resolves once everything taken so far is with the system, or counted as lost. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** How long a line may wait for others. */
const BATCH_MS = 100;
/** Of lines that wait for a disk that hangs; more are dropped. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const REPAIR_CHUNK_BYTES = 64 * 1024;

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly inode: number;
  /** A pipe or a device is written to, and nothing else. */
  readonly isRegular: boolean;
  bytes: number;
}

const alone: Exclusively = (work) => work(true);

export function createAppendFile(options: AppendFileOptions): AppendFile {
  const { onDropped, exclusively = alone } = options;
  const waiting = createLineChunks();
  let cancelTimer: (() => void) | null = null;
  let file: OpenFile | null = null;
  let work: Promise<void> = Promise.resolve();

  const release = async (): Promise<void> => {
    const closing = file;
    file = null;
    await closing?.handle.close().catch(() => undefined);
  };

  /** The file at `path`, as it is there now: it may have been moved away by someone else's rotation. */
  const openAt = async (path: string, isHeld: boolean): Promise<OpenFile> => {
    if (file !== null && (file.path !== path || (await inodeOf(path)) !== file.inode)) await release();
    if (file !== null) return options.exclusively === undefined ? file : catchUp(file, isHeld);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600);
    try {
      const { size, ino, isFile } = await describe(handle);
      const bytes = !isFile ? 0 : isHeld ? await repair(handle, size) : size;
      if (bytes < size && isFile) onDropped(1, "a torn line was removed");
      file = { path, handle, inode: ino, isRegular: isFile, bytes };
      return file;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  };

  /** Counts what others have written since, and removes what one of them tore. */
  const catchUp = async (opened: OpenFile, isHeld: boolean): Promise<OpenFile> => {
    const { size, isFile } = await describe(opened.handle);
    if (!isFile || size === opened.bytes) return opened;
    opened.bytes = isHeld ? await repair(opened.handle, size) : size;
    if (opened.bytes < size) onDropped(1, "a torn line was removed");
    return opened;
  };

  const rotate = async ({ path }: OpenFile): Promise<OpenFile> => {
    await release();
    const keep = options.keep();
    if (keep === 0) await rm(path, { force: true });
    for (let number = keep; number > 0; number--) {
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(ignoreMissing);
    }
    return openAt(path, true);
  };

  /** Writes `lines` as one piece; on failure nothing of them stays, unless others may have written behind them. */
  const append = async (target: OpenFile, lines: Uint8Array, isHeld: boolean): Promise<void> => {
    let written = 0;
    try {
      while (written < lines.length) {
        const { bytesWritten } = await target.handle.write(lines, written, lines.length - written);
        written += bytesWritten;
      }
      target.bytes += written;
    } catch (error) {
      if (isHeld) await target.handle.truncate(target.bytes).catch(() => undefined);
      throw error;
    }
  };

  /** Writes the lines of `chunk`, which are gone from its start as they are written. */
  const writeChunk = async (chunk: LineChunk, target: OpenFile, isHeld: boolean): Promise<OpenFile> => {
    let current = target;
    while (chunk.start < chunk.end) {
      const maxBytes = isHeld && current.isRegular ? options.maxBytes() : null;
      const end = fitting(chunk, (maxBytes ?? Number.POSITIVE_INFINITY) - current.bytes);
      if (end === chunk.start && current.bytes > 0) {
        current = await rotate(current);
        continue;
      }
      // A line that is larger than a file gets one of its own.
      const taken = end > chunk.start ? end : chunk.bytes.indexOf(NEWLINE, chunk.start) + 1;
      await append(current, chunk.bytes.subarray(chunk.start, taken), isHeld);
      chunk.start = taken;
    }
    return current;
  };

  const writeBatch = async (isHeld: boolean): Promise<void> => {
    const chunks = waiting.take();
    const path = options.path();
    try {
      if (path === null) return;
      let target = await openAt(path, isHeld);
      for (const chunk of chunks) target = await writeChunk(chunk, target, isHeld);
    } catch (error) {
      await release();
      onDropped(
        chunks.reduce((count, chunk) => count + countLines(chunk), 0),
        reasonOf(error),
      );
    } finally {
      waiting.giveBack(chunks);
    }
  };

  const flush = (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = null;
    work = work.then(() => (waiting.bytes() === 0 ? undefined : exclusively(writeBatch)));
    return work;
  };

  const prepare = async (isHeld: boolean): Promise<void> => {
    const path = options.path();
    if (path === null) return;
    try {
      await openAt(path, isHeld);
    } catch (error) {
      onDropped(0, reasonOf(error));
    }
  };

  const writeBytes: AppendFile["writeBytes"] = (bytes, length) => {
    if (options.path() === null) return;
    if (waiting.bytes() + length > MAX_WAITING_BYTES) {
      onDropped(1, "the disk does not keep up");
      return;
    }
    if (waiting.add(bytes, length)) void flush();
    cancelTimer ??= options.after(BATCH_MS, () => void flush());
  };

  return {
    write: (line) => {
      const bytes = Buffer.from(line);
      writeBytes(bytes, bytes.length);
    },
    writeBytes,
    start: () => {
      work = work.then(() => exclusively(prepare));
      return work;
    },
    flush,
    close: async () => {
      await flush();
      await release();
    },
  };
}

/** One past the last line that fits into `room` bytes with all before it. */
function fitting({ bytes, start, end }: LineChunk, room: number): number {
  if (end - start <= room) return end;
  return room <= 0 ? start : Math.max(start, bytes.lastIndexOf(NEWLINE, start + room - 1) + 1);
}

async function describe(handle: FileHandle): Promise<{ size: number; ino: number; isFile: boolean }> {
  const status = await handle.stat();
  return { size: status.size, ino: status.ino, isFile: status.isFile() };
}

async function inodeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).ino;
  } catch {
    return null;
  }
}

/** Cuts what stands behind the last line end: a line that a crash tore. Gives the bytes left. */
async function repair(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(REPAIR_CHUNK_BYTES);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - REPAIR_CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, end - start, start);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) {
      end = start + at + 1;
      break;
    }
    end = start;
  }
  if (end < size) await handle.truncate(end);
  return end;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EACCES: "the file may not be written",
  EPERM: "the file may not be written",
  EROFS: "the file system is read-only",
  ENOENT: "the folder does not exist",
  ENOTDIR: "the folder does not exist",
  EISDIR: "a folder has its name",
  EDQUOT: "the disk quota is used up",
};

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code] ?? (code === "" ? "it cannot be written" : `it cannot be written (${code})`);
}
