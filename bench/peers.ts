/** Other gateways that run on the machine, measured as they are: `--peer NAME=URL[,PID[,MODEL]]`. */
import { createCpuMeter, family } from "./processes.ts";
import type { Target } from "./rounds.ts";

/**
 * Reads NAME=URL[,PID[,MODEL]]. URL is of loopback, without `/v1`; with PID the CPU time of that process and its children
 * is counted; MODEL is what the peer calls the upstream's model.
 * @throws Error when it cannot be read
 */
export function readPeer(text: string): Target {
  const [, name = "", address = "", pidText, model] = /^([^=,]+)=([^,]+)(?:,(\d*))?(?:,(.+))?$/.exec(text) ?? [];
  if (!URL.canParse(address)) throw new Error(`--peer ${text}: expected NAME=URL[,PID[,MODEL]]`);
  const url = new URL(address);
  const isLoopback = url.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname);
  if (!isLoopback) throw new Error(`--peer ${text}: expected an http address of this machine`);
  const pid = pidText === undefined || pidText === "" ? null : Number(pidText);
  return {
    name,
    port: Number(url.port === "" ? 80 : url.port),
    pid,
    cpuUs: pid === null ? null : familyMeter(pid),
    translated: true,
    peer: { path: url.pathname.replace(/\/$/, ""), model: model ?? null },
  };
}

/** CPU time of a process and of those that it has started so far. */
function familyMeter(pid: number): () => number {
  const meters = family(pid).map(createCpuMeter);
  return () => meters.reduce((sum, read) => sum + read(), 0);
}
