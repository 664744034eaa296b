/** What the operating system says of this process. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  /** User and system time, seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** null where the system does not tell. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
}

const MICROSECONDS = 1e6;

export function readProcessFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / MICROSECONDS,
    residentBytes: rss,
    heapBytes: heapTotal,
    openFiles: countOpenFiles(),
    maxFiles: readFileLimit(),
  };
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html (read 2026-11-24) */
function countOpenFiles(): number | null {
  try {
    // The listing itself has one open.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return null;
  }
}

function readFileLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
