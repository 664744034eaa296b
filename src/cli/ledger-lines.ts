/** Reads ledgers line by line in constant memory, telling how far it is. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { readLedgerLine, type LedgerEntry } from "../observe/ledger-read.ts";
import type { CliIo } from "./io.ts";

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const PROGRESS_MS = 2000;

/**
 * Every line of the files at `paths`, in order; null for a line that is none of a ledger. A line may be as long as memory
 * allows: it is the only thing kept. Progress goes to standard error once it takes longer than two seconds.
 * @throws Error naming the file that cannot be read
 */
export function* readLedgers(command: string, paths: readonly string[], io: CliIo): Generator<LedgerEntry | null> {
  const files = paths.map((path) => openLedger(path, io.cwd));
  try {
    const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let readBytes = 0;
    let lines = 0;
    let tellAtMs = io.now() + PROGRESS_MS;
    const progress = (bytes: number): void => {
      readBytes += bytes;
      const nowMs = io.now();
      if (nowMs < tellAtMs) return;
      tellAtMs = nowMs + PROGRESS_MS;
      const share = totalBytes === 0 ? 100 : Math.min(100, Math.floor((readBytes / totalBytes) * 100));
      io.stderr(`arouter ${command}: ${lines} lines, ${share} %\n`);
    };
    for (const { descriptor } of files) {
      for (const line of readLines(descriptor, progress)) {
        lines += 1;
        yield readLedgerLine(line);
      }
    }
  } finally {
    for (const { descriptor } of files) closeSync(descriptor);
  }
}

function openLedger(path: string, cwd: string): { readonly descriptor: number; readonly bytes: number } {
  try {
    const descriptor = openSync(resolve(cwd, path), "r");
    const status = fstatSync(descriptor);
    if (!status.isDirectory()) return { descriptor, bytes: status.size };
    closeSync(descriptor);
  } catch {
    throw new Error(`cannot read ${path}`);
  }
  throw new Error(`${path} is a folder; name the ledger's files`);
}

/** Lines without their ends; a last line without one counts too. */
function* readLines(descriptor: number, onRead: (bytes: number) => void): Generator<string> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let pending: Buffer[] = [];
  for (;;) {
    const bytes = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
    if (bytes === 0) break;
    onRead(bytes);
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      // What lies behind `bytes` is left from an earlier read.
      if (end < 0 || end >= bytes) break;
      if (pending.length === 0) yield chunk.toString("utf8", start, end);
      else {
        yield Buffer.concat([...pending, chunk.subarray(start, end)]).toString("utf8");
        pending = [];
      }
      start = end + 1;
    }
    if (start < bytes) pending.push(Buffer.from(chunk.subarray(start, bytes)));
  }
  if (pending.length > 0) yield Buffer.concat(pending).toString("utf8");
}
