/** How much memory this process may use. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Reads a file of the system as text; null when there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = "/sys/fs/cgroup";

/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files (read 2026-11-24) */
export function readCgroupLimit(readText: ReadText = readSystemFile): number | null {
  const own = /^0::(\/.*)$/m.exec(readText("/proc/self/cgroup") ?? "")?.[1];
  if (own === undefined) return null;
  // The limit may stand on any folder above the process's own; a container sees its own as the root.
  let lowest: number | null = null;
  for (let path = own; ; path = dirname(path)) {
    const limit = Number((readText(join(ROOT, path, "memory.max")) ?? "").trim() || Number.NaN);
    if (Number.isFinite(limit) && (lowest === null || limit < lowest)) lowest = limit;
    if (path === "/") return lowest;
  }
}

/** Share of the cgroup's limit at which requests are turned away when `limits.rss_bytes` is unset. */
const CGROUP_SHARE = 0.8;

/** Resident bytes above which requests are turned away; null: no limit is known. */
export function memoryLimit(configured: number | null, cgroupLimit: number | null): number | null {
  if (configured !== null) return configured;
  return cgroupLimit === null ? null : Math.floor(cgroupLimit * CGROUP_SHARE);
}

function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
