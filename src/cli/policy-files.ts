/** The files of this machine, as the policy loader reads them. */
import { readdirSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { systemFiles } from "../config/files.ts";
import type { PolicyFiles } from "../policy/load.ts";

export const systemPolicyFiles: PolicyFiles = {
  read: (path) => systemFiles.read(path),
  list: (path) => {
    try {
      return readdirSync(path);
    } catch {
      return null;
    }
  },
};

/** `path` as people in `cwd` would name it. */
export function displayPath(path: string, cwd: string): string {
  const short = isAbsolute(path) ? relative(cwd, path) : path;
  return short === "" || short.startsWith("..") ? path : short;
}
