/**
 * Many requests of all kinds through one gateway, some of whose clients leave in the middle: what it holds before and after.
 * It runs from source, as only there one can look into its heap.
 */
import { join } from "node:path";
import { freePort, memory, openFiles } from "./processes.ts";
import { median } from "./report.ts";
import type { Rig } from "./rig.ts";
import { measureOnce, orderOf, type Target } from "./rounds.ts";
import { SLOW, workloadById } from "./workloads.ts";

/** What a gateway holds while nobody asks it. */
export interface Holdings {
  readonly residentMb: number;
  /** Files and sockets. */
  readonly openFiles: number;
  /** After a collection. */
  readonly objects: number;
  /** By type, of those that could leak: signals with listeners, timers, promises and what belongs to requests. */
  readonly types: Readonly<Record<string, number>>;
}

export interface SoakResult {
  readonly requests: number;
  /** Requests whose clients left. */
  readonly abandoned: number;
  /** Requests before the first look. */
  readonly warmUpRequests: number;
  readonly before: Holdings;
  readonly after: Holdings;
  /** Resident under load, after each tenth of the requests. */
  readonly underLoadMb: readonly number[];
}

/** A round of the mix, ms on each; what a client leaves comes last. */
const MIX: readonly (readonly [string, number])[] = [
  ["W1", 600],
  ["W3", 200],
  ["W5", 200],
  ["W8", 100],
  ["C10", 150],
  ["T10", 150],
];
const CONNECTIONS = 64;
const ABANDON = { connections: 16, durationMs: 100, abandonMs: 5 };
/** After load, until connections have closed; and after a collection, until memory has been given back. */
const SETTLE_MS = 4000;
const LOOKS = 9;
const LOOK_EVERY_MS = 250;

/** Types whose number has to stay; others are strings, shapes and code. */
const WATCHED = [
  "AbortController",
  "AbortSignal",
  "EventListener",
  "FetchTasklet",
  "Function",
  "Headers",
  "Map",
  "Object",
  "Promise",
  "ReadableStream",
  "Request",
  "Response",
  "Set",
  "TCPSocket",
  "TLSSocket",
  "Timeout",
  "Uint8Array",
];

interface Heap {
  readonly objectCount: number;
  readonly objectTypeCounts: Readonly<Record<string, number>>;
}

async function look(pid: number, probePort: number): Promise<Holdings> {
  await Bun.sleep(SETTLE_MS);
  const files = openFiles(pid);
  const answer = await fetch(`http://127.0.0.1:${probePort}/`, { headers: { connection: "close" } });
  const { objectCount, objectTypeCounts } = (await answer.json()) as Heap;
  // After the collection: what is resident before it tells where between two of them the process happens to be, 40 MB up or down.
  await Bun.sleep(SETTLE_MS);
  const resident: number[] = [];
  for (let at = 0; at < LOOKS; at += 1) {
    resident.push(memory(pid).residentMb);
    await Bun.sleep(LOOK_EVERY_MS);
  }
  const types = Object.fromEntries(WATCHED.map((name) => [name, objectTypeCounts[name] ?? 0]));
  return { residentMb: median(resident), openFiles: files, objects: objectCount, types };
}

/** Sends `requests` requests at least after `warmUpRequests`. @throws Error when an answer is wrong */
export async function soak(
  rig: Rig,
  plan: { readonly requests: number; readonly warmUpRequests: number },
  note: (text: string) => void,
): Promise<SoakResult> {
  const probePort = freePort();
  const gateway = await rig.startGateway("soaked", {
    source: {
      bunArguments: ["--preload", join(import.meta.dir, "heap-probe.ts")],
      env: { AROUTER_BENCH_PROBE: String(probePort) },
    },
    // Sooner than the first look: idle connections are no leak.
    sections: `[upstream]\nidle_timeout = "2s"\n`,
  });
  const pid = gateway.pid ?? 0;
  let abandoned = 0;
  let underLoadMb: number[] = [];
  const drive = async (target: Target, least: number): Promise<number> => {
    let sent = 0;
    for (let nextNote = least / 10; sent < least;) {
      for (const [id, durationMs] of MIX) {
        const workload = workloadById(id);
        const order = orderOf(target, workload, CONNECTIONS, durationMs);
        sent += (await measureOnce(rig.load, target, workload, order)).requests;
      }
      const order = { ...orderOf(target, SLOW, ABANDON.connections, ABANDON.durationMs), abandonMs: ABANDON.abandonMs };
      const { requests } = await measureOnce(rig.load, target, SLOW, order);
      sent += requests;
      abandoned += requests;
      if (sent >= nextNote) {
        const { residentMb } = memory(pid);
        underLoadMb.push(Math.round(residentMb));
        note(`${sent} requests, ${residentMb.toFixed(0)} MB`);
        nextNote += least / 10;
      }
    }
    return sent;
  };
  const warmUpRequests = await drive(gateway, plan.warmUpRequests);
  const before = await look(pid, probePort);
  abandoned = 0;
  underLoadMb = [];
  const requests = await drive(gateway, plan.requests);
  const after = await look(pid, probePort);
  return { requests, abandoned, warmUpRequests, before, after, underLoadMb };
}
