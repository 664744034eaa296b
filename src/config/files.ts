/** The files that configuration reads, behind an interface that tests can stand in for. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A file's text and permission bits, or why there is none. */
export type FileRead =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | { readonly ok: false; readonly missing: boolean; readonly reason: string };

export interface ConfigFiles {
  readonly read: (path: string) => FileRead;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "permission denied",
  EISDIR: "is a folder",
};

/** More than any file of ours or any request body has; a device may never end. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** The bytes of a file, pipe or device; null: too many. */
function readBounded(descriptor: number): Buffer | null {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    bytes += count;
    if (bytes > MAX_FILE_BYTES) return null;
    chunks.push(chunk.subarray(0, count));
  }
}

/** The files of this machine. */
export const systemFiles: ConfigFiles = {
  read: (path) => {
    let descriptor: number | null = null;
    try {
      descriptor = openSync(path, "r");
      const bytes = readBounded(descriptor);
      if (bytes === null) return { ok: false, missing: false, reason: `is larger than ${MAX_FILE_BYTES} bytes` };
      return { ok: true, text: bytes.toString("utf8"), mode: fstatSync(descriptor).mode & 0o777 };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      return { ok: false, missing: code === "ENOENT" || code === "ENOTDIR", reason: REASONS[code] ?? code };
    } finally {
      if (descriptor !== null) closeSync(descriptor);
    }
  },
};
