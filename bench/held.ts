/**
 * What an open stream holds in the gateway's heap between two of its chunks: `bun bench/held.ts`. Many slow streams at once, looked
 * at after a collection. Counts are the same on a busy machine, bytes nearly.
 */
import { join } from "node:path";
import { freePort } from "./processes.ts";
import { openRig, type Rig } from "./rig.ts";
import { orderOf } from "./rounds.ts";
import { SLOW, SLOW_CHUNK_MS } from "./workloads.ts";

/** Of one stream. */
export interface HeldByStream {
  readonly objects: number;
  /** In the heap, and outside of it on behalf of what is in it. */
  readonly bytes: number;
  /** By kind, as JavaScriptCore names them; less than half of one is left out. */
  readonly kinds: ReadonlyMap<string, number>;
}

interface Look {
  readonly objectCount: number;
  readonly heapSize: number;
  readonly extraMemorySize: number;
  readonly objectTypeCounts: Readonly<Record<string, number>>;
}

const STREAMS = 300;
/** By then all of them have begun, and none is near its end. */
const OPEN_MS = 8 * SLOW_CHUNK_MS;

/** Looks at a gateway of the source tree, with everything on. @throws Error when a stream fails */
export async function measureHeld(rig: Rig): Promise<HeldByStream> {
  const probePort = freePort();
  const gateway = await rig.startGateway("held", {
    source: {
      bunArguments: ["--preload", join(import.meta.dir, "heap-probe.ts")],
      env: { AROUTER_BENCH_PROBE: String(probePort) },
    },
  });
  const look = async (): Promise<Look> => (await fetch(`http://127.0.0.1:${probePort}/`)).json() as Promise<Look>;
  const run = async (streams: number): Promise<void> => {
    const { failure } = await rig.load.run(orderOf(gateway, SLOW, streams, 0));
    if (failure !== null) throw new Error(failure);
  };
  // What is made once, code above all, is made by then; and as many requests are remembered as will be.
  await run(STREAMS);
  await look();
  const before = await look();
  const running = run(STREAMS);
  await Bun.sleep(OPEN_MS);
  const open = await look();
  await running;
  const kinds = Object.entries(open.objectTypeCounts)
    .map(([kind, count]): [string, number] => [kind, (count - (before.objectTypeCounts[kind] ?? 0)) / STREAMS])
    .filter(([, count]) => count >= 0.5)
    .toSorted(([, a], [, b]) => b - a);
  const bytes = open.heapSize + open.extraMemorySize - before.heapSize - before.extraMemorySize;
  return {
    objects: (open.objectCount - before.objectCount) / STREAMS,
    bytes: bytes / STREAMS,
    kinds: new Map(kinds),
  };
}

if (import.meta.main) {
  const rig = await openRig({ name: "held", binary: null });
  try {
    const { objects, bytes, kinds } = await measureHeld(rig);
    const list = [...kinds].map(([kind, count]) => `${kind} ${count.toFixed(1)}`).join(", ");
    process.stdout.write(`an open stream: ${objects.toFixed(0)} objects, ${(bytes / 1024).toFixed(1)} KiB: ${list}\n`);
  } finally {
    await rig.close();
  }
}
