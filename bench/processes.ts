/** The processes of a run: each on its core, what they cost read from /proc. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const MS_PER_TICK = 10;

export interface Launched {
  readonly port: number;
  readonly pid: number;
  /** Stops it and waits for its end. */
  readonly stop: () => Promise<void>;
}

export interface LaunchOptions {
  readonly core: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard output after the line that tells the port goes here; unset: to nobody. */
  readonly logFile?: string;
}

/** Pins `command` to a core where there is more than one and the system can. */
export function pinned(core: number, command: readonly string[]): string[] {
  const canPin = navigator.hardwareConcurrency > 1 && Bun.which("taskset") !== null;
  return canPin ? ["taskset", "-c", String(core), ...command] : [...command];
}

/** Plain: nothing of the caller's that could change what is measured. */
export function plainEnv(): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    OPENAI_API_KEY: "sk-bench-openai",
    ANTHROPIC_API_KEY: "sk-bench-anthropic",
    BUN_CONFIG_MAX_HTTP_REQUESTS: "8192",
  };
}

/** Starts a program that prints `listening PORT`. */
export async function launch(script: readonly string[], options: LaunchOptions): Promise<Launched> {
  const child = Bun.spawn(pinned(options.core, [process.execPath, ...script]), {
    env: { ...plainEnv(), ...options.env },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(/listening (\d+)/.exec(Buffer.from(value ?? []).toString())?.[1]);
  if (!(port > 0)) throw new Error(`${script.join(" ")} did not start`);
  return { port, pid: child.pid, stop: () => stopChild(child) };
}

/** Starts `command` and waits until its port answers; its output goes to a file. */
export async function launchGateway(
  command: readonly string[],
  port: number,
  options: LaunchOptions,
): Promise<Launched> {
  const child = Bun.spawn(pinned(options.core, command), {
    env: { ...plainEnv(), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdout: options.logFile === undefined ? "ignore" : Bun.file(options.logFile),
    stderr: "inherit",
  });
  const deadlineMs = performance.now() + 10_000;
  while (!(await isAnswering(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs)
      throw new Error(`${command.join(" ")} did not start`);
    await Bun.sleep(5);
  }
  return { port, pid: child.pid, stop: () => stopChild(child) };
}

async function isAnswering(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/livez`);
    return answer.ok;
  } catch {
    return false;
  }
}

async function stopChild(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGINT");
  const forced = setTimeout(() => child.kill("SIGKILL"), 3000);
  await child.exited;
  clearTimeout(forced);
}

/** A free port below the range of ephemeral ones would be a guess: the system's own choice, given back at once. */
export function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(null) });
  const { port } = server;
  void server.stop(true);
  return port as number;
}

/** CPU time that a process and its threads have used so far, in ms; steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name is in parentheses and may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Time on a core of a thread, ns; null: it has ended. */
function threadNs(pid: number, thread: string): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}

/**
 * Reads the CPU time that a process and all its threads have used so far, in µs and finer than {@link cpuMs}. What a
 * thread used after the last call before its end is not seen.
 */
export function createCpuMeter(pid: number): () => number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return () => cpuMs(pid) * 1000;
  const lastNs = new Map<string, number>();
  let totalUs = 0;
  return () => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const ns = threadNs(pid, thread);
      if (ns === null) continue;
      totalUs += Math.max(0, ns - (lastNs.get(thread) ?? 0)) / 1000;
      lastNs.set(thread, ns);
    }
    return totalUs;
  };
}

/** A process and all that descend from it, as they are now. */
export function family(pid: number): readonly number[] {
  const parents = readdirSync("/proc").flatMap((name) => {
    const found = Number(name) > 0 ? /^PPid:\s+(\d+)/m.exec(statusOf(Number(name))) : null;
    return found === null ? [] : [[Number(name), Number(found[1])] as const];
  });
  const found = [pid];
  for (const member of found) for (const [child, parent] of parents) if (parent === member) found.push(child);
  return found;
}

/** Empty: there is no such process any more. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

export interface Memory {
  /** Resident now, MB. */
  readonly residentMb: number;
  /** Most that was resident since {@link resetPeak}, MB. */
  readonly peakMb: number;
}

export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
  return { residentMb: read("VmRSS"), peakMb: read("VmHWM") };
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Open file descriptors of a process. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The machine, in a line. */
export function machine(): string {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown processor";
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  return `${navigator.hardwareConcurrency} × ${model}, Linux ${kernel.replace(/-.*$/, "")}, Bun ${Bun.version}`;
}
