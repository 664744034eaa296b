/**
 * What a request makes in the gateway's heap, by kind: `bun bench/objects.ts W1 W3`. Unlike times, counts are the same on a busy
 * machine, and most of what a small request costs is the memory that it writes to (docs/speed.md).
 */
import { join } from "node:path";
import { freePort } from "./processes.ts";
import { openRig, type Rig } from "./rig.ts";
import { PATHS, requestBody, type Workload, workloadById } from "./workloads.ts";

/** Objects a request by kind, as JavaScriptCore names them; less than a tenth of one is left out. */
export type MadeObjects = ReadonlyMap<string, number>;

/** Enough that what happens once in a while does not show, and too few for a collection in between. */
const REQUESTS = 64;
const WARM_UP_REQUESTS = 300;
const ROUNDS = 5;
/** What counting itself makes, and what is made for what is compiled. */
const LEFT_OUT = /Structure|PropertyTable|Executable|CodeBlock|SymbolTable|Callee|GetterSetter/;

type Counts = Readonly<Record<string, number>>;

/** Counts what `workload` makes in a gateway of the source tree, with everything on. @throws Error when a request fails */
export async function countObjects(rig: Rig, workload: Workload): Promise<MadeObjects> {
  const probePort = freePort();
  const gateway = await rig.startGateway("counted", {
    source: {
      bunArguments: ["--preload", join(import.meta.dir, "heap-probe.ts")],
      env: { AROUTER_BENCH_PROBE: String(probePort) },
    },
  });
  const look = async (path: string): Promise<Counts> => {
    const answer = await fetch(`http://127.0.0.1:${probePort}${path}`);
    return ((await answer.json()) as { readonly objectTypeCounts: Counts }).objectTypeCounts;
  };
  const body = requestBody(workload, workload.client, workload.upstream);
  const ask = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) {
      const answer = await fetch(`http://127.0.0.1:${gateway.port}${PATHS[workload.client]}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await answer.bytes();
      if (!answer.ok) throw new Error(`${workload.id} was answered with status ${answer.status}`);
    }
  };
  await ask(WARM_UP_REQUESTS);
  const rounds: MadeObjects[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await look("/");
    const [first, before] = [await look("/made"), await look("/made")];
    await ask(REQUESTS);
    rounds.push(madeBetween(before, await look("/made"), madeByLooking(first, before)));
  }
  // A collection in between makes a round too small, a timer that went off too large.
  return rounds.toSorted((a, b) => total(a) - total(b))[ROUNDS >> 1] ?? new Map();
}

export function total(made: MadeObjects): number {
  return made.values().reduce((sum, count) => sum + count, 0);
}

function madeByLooking(first: Counts, second: Counts): Counts {
  return Object.fromEntries(Object.entries(second).map(([kind, count]) => [kind, count - (first[kind] ?? 0)]));
}

function madeBetween(before: Counts, after: Counts, own: Counts): MadeObjects {
  const made = Object.entries(after).map(([kind, count]): [string, number] => {
    return [kind, (count - (before[kind] ?? 0) - (own[kind] ?? 0)) / REQUESTS];
  });
  const counted = made.filter(([kind, count]) => Math.abs(count) >= 0.1 && !LEFT_OUT.test(kind));
  return new Map(counted.toSorted(([, a], [, b]) => b - a));
}

if (import.meta.main) {
  const ids = process.argv.slice(2);
  const rig = await openRig({ name: "objects", binary: null });
  try {
    for (const id of ids.length === 0 ? ["W1", "W3", "W5", "W6"] : ids) {
      const made = await countObjects(rig, workloadById(id));
      const kinds = [...made].map(([kind, count]) => `${kind} ${count.toFixed(1)}`);
      process.stdout.write(`${id}: ${total(made).toFixed(0)} objects a request: ${kinds.join(", ")}\n`);
    }
  } finally {
    await rig.close();
  }
}
