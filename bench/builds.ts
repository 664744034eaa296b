/**
 * `bun bench/builds.ts --binary OLD --binary NEW [--workload W1] [--connections 64]`: CPU time per request of several builds, three
 * processes of each in turns on one core, as a multiple of the first. Two minutes; writes nothing. Builds of another commit come from
 * `bun scripts/build.ts` in a checkout of it.
 */
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compareKinds, type Kind, startCopies } from "./kinds.ts";
import { machine } from "./processes.ts";
import { openRig } from "./rig.ts";
import { workloadById } from "./workloads.ts";

const { values } = parseArgs({
  options: {
    binary: { type: "string", multiple: true },
    workload: { type: "string", default: "W1" },
    connections: { type: "string", default: "64" },
  },
});
const COPIES = 3;
const PLAN = { rounds: 20, roundMs: 300, warmUpMs: 1000, warmUpRequests: 40_000 };
const binaries = (values.binary ?? []).map((binary) => resolve(binary));
if (binaries.length < 2) throw new Error("name two builds or more: --binary OLD --binary NEW");
const connections = Number(values.connections);
const workload = workloadById(values.workload);

const rig = await openRig({ name: "builds", binary: null });
try {
  const kinds: Kind[] = [];
  for (const [at, binary] of binaries.entries()) {
    kinds.push(await startCopies(rig, `${at + 1} ${basename(binary)}`, COPIES, { binary }));
  }
  process.stdout.write(`${machine()}; ${workload.title}, ${connections} connections\n`);
  for (const { name, cpuUs, ratio } of await compareKinds(rig, workload, connections, kinds, PLAN)) {
    process.stdout.write(`${name.padEnd(24)} ${cpuUs.toFixed(0).padStart(6)} µs  × ${ratio.toFixed(2)}\n`);
  }
} finally {
  await rig.close();
}
