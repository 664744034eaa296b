/** How many cores this process may use. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** Reads a file of the system as text; null when there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = "/sys/fs/cgroup";

/**
 * Cores by affinity and by the CPU quota of the cgroup, of version 2 or 1, whole ones, at least 1.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files (read 2026-11-24)
 * @see https://docs.kernel.org/scheduler/sched-bwc.html#management (read 2026-11-24)
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

/** The lowest quota on the way up from the process's own cgroup, in cores; null: there is none. */
function cgroupQuota(readText: ReadText): number | null {
  const groups = readText("/proc/self/cgroup") ?? "";
  const quotas = [
    ...quotasUp(/^0::(\/.*)$/m.exec(groups)?.[1], (path) => (readText(join(ROOT, path, "cpu.max")) ?? "").split(" ")),
    ...quotasUp(/^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1], (path) =>
      ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map((name) => readText(join(ROOT, "cpu", path, name)) ?? ""),
    ),
  ];
  return quotas.length === 0 ? null : Math.min(...quotas);
}

/** `read` gives quota and period of a cgroup; neither `max` nor -1 is a quota. */
function quotasUp(own: string | undefined, read: (path: string) => readonly string[]): readonly number[] {
  if (own === undefined) return [];
  const [quota = "", period = ""] = read(own);
  const cores = Number.parseInt(quota, 10) / Number.parseInt(period, 10);
  const above = own === "/" ? [] : quotasUp(dirname(own), read);
  return cores > 0 ? [cores, ...above] : above;
}

function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
