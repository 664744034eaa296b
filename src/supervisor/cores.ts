/** How many cores this process may use. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** Reads a file of the system as text; null when there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = "/sys/fs/cgroup";

/**
 * Cores by affinity and by the CPU quota of the cgroup, whole ones, at least 1.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files (read 2026-11-24)
 */
export function usableCores(readText: ReadText = readSystemFile): number {
  const quota = cgroupQuota(readText) ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(allowedCores(readText), Math.floor(quota)));
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (read 2026-11-24) */
function allowedCores(readText: ReadText): number {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText("/proc/self/status") ?? "")?.[1];
  if (list === undefined) return availableParallelism();
  return list.split(",").reduce((count, range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return count + last - first + 1;
  }, 0);
}

/** The lowest quota on the way up from the process's own cgroup; null: there is none. */
function cgroupQuota(readText: ReadText): number | null {
  const own = /^0::(\/.*)$/m.exec(readText("/proc/self/cgroup") ?? "")?.[1];
  if (own === undefined) return null;
  let lowest: number | null = null;
  for (let path = own; ; path = dirname(path)) {
    const [quota = "max", period = ""] = (readText(join(ROOT, path, "cpu.max")) ?? "").trim().split(" ");
    const cores = quota === "" || quota === "max" ? Number.NaN : Number(quota) / Number(period);
    if (Number.isFinite(cores) && (lowest === null || cores < lowest)) lowest = cores;
    if (path === "/") return lowest;
  }
}

function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
