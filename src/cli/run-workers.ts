/** Runs a gateway of several processes: this one only supervises. */
import { readlinkSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import type { Config } from "../config/config.ts";
import type { Report, StopSignal } from "../supervisor/messages.ts";
import { relayLines } from "../supervisor/relay.ts";
import { startSupervisor, type Child } from "../supervisor/supervisor.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { openOutput } from "./output.ts";
import { IS_COMPILED } from "./version.ts";

export interface WorkersOptions {
  readonly io: CliIo;
  /** Of `serve`; each worker reads them again. */
  readonly args: readonly string[];
  readonly config: Config;
  /** 2 or more. */
  readonly workers: number;
  /** Another gateway may listen on the same port. */
  readonly reusePort: boolean;
}

/** Exit 0, 1 when a request was cut, 2 when an address cannot be used. */
export async function runWorkers({ io, args, config, workers, reusePort }: WorkersOptions): Promise<number> {
  const { listenAddr, metrics } = config;
  const addresses = [listenAddr, ...(metrics.enabled && metrics.listenAddr !== null ? [metrics.listenAddr] : [])];
  // Workers share the port with whoever would let them: without this a second gateway would take half of the first one's calls.
  for (const address of reusePort ? [] : addresses) {
    const why = whyTaken(address);
    if (why === null) continue;
    io.stderr(`arouter: cannot listen on ${address}: ${why}\n`);
    return EXIT.usage;
  }
  const relays = new Set<Promise<void>>();
  const supervisor = startSupervisor({
    clock: systemClock,
    workers,
    isTerminal: io.isTerminal,
    spawn: (onReport) => spawnWorker(args, io, onReport, relays),
    onListening: ({ address, providers }) =>
      io.stdout(`arouter listening · ${address} · ${providers} · ${workers} workers\n`),
    warn: (text) => io.stderr(`arouter: warning: ${text}\n`),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const satisfies readonly StopSignal[]) {
    process.on(signal, () => supervisor.stop(signal));
  }
  process.on("SIGHUP", supervisor.reload);
  const exitCode = await supervisor.done;
  await Promise.all(relays);
  return exitCode;
}

function spawnWorker(
  args: readonly string[],
  io: CliIo,
  onReport: (report: Report) => void,
  relays: Set<Promise<void>>,
): Child {
  const program = IS_COMPILED ? [ownProgram()] : [ownProgram(), Bun.main];
  const child = Bun.spawn([...program, "worker", ...args], {
    argv0: process.execPath,
    cwd: io.cwd,
    env: { ...io.env },
    stdio: ["ignore", "pipe", "inherit"],
    ipc: onReport,
  });
  const relay = relayLines(child.stdout, writeOut).catch(() => undefined);
  relays.add(relay);
  void relay.then(() => relays.delete(relay));
  return {
    pid: child.pid,
    send: (order) => {
      try {
        child.send(order);
      } catch {
        // It has ended; `exited` tells.
      }
    },
    kill: () => child.kill("SIGKILL"),
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
  };
}

/**
 * The program that this process runs, also when another version has been put in its place since: workers of two versions would
 * not understand each other. By its own path while that holds, which is what lists of processes show.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_exe.5.html (read 2026-11-24)
 */
function ownProgram(): string {
  const link = "/proc/self/exe";
  try {
    return readlinkSync(link) === process.execPath ? process.execPath : link;
  } catch {
    return process.execPath;
  }
}

function writeOut(lines: Uint8Array): Promise<void> {
  return new Promise((resolve) => void openOutput("stdout").write(lines, () => resolve()));
}

/** Why nobody can listen on `address` now; null when somebody can. */
function whyTaken(address: string): string | null {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  try {
    Bun.listen({ hostname, port: Number(address.slice(colon + 1)), socket: { data: () => undefined } }).stop(true);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
