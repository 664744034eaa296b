import { readdirSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CHAOS_CONFIG, runChaos } from "./chaos.ts";
import { startSimulatorProcess, type SimulatorProcess } from "./simulator-process.ts";
import { AT_REST, openStage, type Stage } from "./stage.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const maxRequests = isLong ? 50_000 : 20_000;
const maxMs = isLong ? 30 * 60_000 : 30_000;
const seed = Number(process.env["AROUTER_SEED"] ?? Date.now() % 1_000_000);

let providers: SimulatorProcess;
let stage: Stage;
let socketsBefore = 0;
let isClosed = false;

/** Sockets that this process has: the gateway's, both ways, and its clients'. 0 where the system does not tell. */
function countSockets(): number {
  try {
    return readdirSync("/proc/self/fd").filter((fd) => isSocket(`/proc/self/fd/${fd}`)).length;
  } catch {
    return 0;
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false;
  }
}
beforeAll(async () => {
  providers = await startSimulatorProcess(false);
  socketsBefore = countSockets();
  stage = await openStage({ providers, config: CHAOS_CONFIG });
});
afterAll(async () => {
  if (!isClosed) await stage.close();
  await providers.stop();
});

test(
  "whatever breaks, each request ends once, whole or told so, and nothing is left behind",
  async () => {
    const { requests, endings, classes, violations, memory } = await runChaos({
      stage,
      maxRequests,
      maxMs,
      clients: 40,
      seed,
    });
    const megabytes = memory.map((bytes) => Math.round(bytes / 1_048_576));
    console.log(`chaos: seed ${seed}, ${requests} requests ${JSON.stringify(endings)}`);
    console.log(`chaos: attempts ${JSON.stringify(classes)}; resident MiB ${megabytes.join(" ")}`);
    expect(violations.slice(0, 10)).toEqual([]);
    expect(stage.residue()).toEqual(AT_REST);
    expect(endings.complete).toBeGreaterThan(requests / 10);
    expect(endings.error).toBeGreaterThan(0);
    expect(endings["in-band-error"]).toBeGreaterThan(0);
    expect(endings.left).toBeGreaterThan(0);
    // The heap grows to its working size in the first half; from there on it stays.
    const middle = Math.max(...megabytes.slice(3, 6));
    expect(megabytes.at(-1)).toBeLessThan(middle * 1.25 + 32);
    // Connections that wait to be used again go with the gateway; nothing else may be open.
    await stage.close();
    isClosed = true;
    for (let look = 0; look < 100 && countSockets() > socketsBefore; look += 1) await Bun.sleep(20);
    expect(countSockets()).toBeLessThanOrEqual(socketsBefore);
  },
  maxMs + 120_000,
);
