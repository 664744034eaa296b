/** The files that configuration reads, behind an interface that tests can stand in for. */
import { readFileSync, statSync } from "node:fs";

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

/** The files of this machine. */
export const systemFiles: ConfigFiles = {
  read: (path) => {
    try {
      return { ok: true, text: readFileSync(path, "utf8"), mode: statSync(path).mode & 0o777 };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      return { ok: false, missing: code === "ENOENT" || code === "ENOTDIR", reason: REASONS[code] ?? code };
    }
  },
};
