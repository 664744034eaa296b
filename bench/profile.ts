/**
 * `bun bench/profile.ts WORKLOAD [SECONDS] [CONNECTIONS]`: where the gateway's time goes under that load, by function, from
 * Bun's sampling profiler. By part of the gateway first, what the runtime does for it apart; then self time, then with everything
 * called. The load comes twice; what is shown is the second time, when the code is compiled.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { writeGatewayFiles } from "./gateway-files.ts";
import type { LoadResult } from "./load.ts";
import { openLoad } from "./load-driver.ts";
import { freePort, launch, launchGateway } from "./processes.ts";
import { workloadById } from "./workloads.ts";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [id = "W1", seconds = "4", connections = "64"] = process.argv.slice(2);
const SHOWN = 45;
const root = resolve(import.meta.dir, "..");
const workload = workloadById(id);
const folder = mkdtempSync(join(tmpdir(), "arouter-profile-"));
const load = openLoad(1);
const upstream = await launch([join(import.meta.dir, "upstream.ts")], { core: 1 });
try {
  const config = writeGatewayFiles(folder, upstream.port);
  const port = freePort();
  const profiler = ["--cpu-prof", "--cpu-prof-interval", "250", "--cpu-prof-dir", folder];
  const command = [process.execPath, ...profiler, join(root, "src/main.ts"), "serve", "--config", config];
  const gateway = await launchGateway([...command, "--listen", `127.0.0.1:${port}`], port, {
    core: 0,
    cwd: folder,
    logFile: join(folder, "access.log"),
  });
  const drive = (): Promise<LoadResult> =>
    load.run({
      port,
      workload: workload.id,
      translated: true,
      connections: Number(connections),
      durationMs: Number(seconds) * 1000,
    });
  await drive();
  const result = await drive();
  await gateway.stop();
  if (result.failure !== null) throw new Error(result.failure);
  process.stdout.write(`${result.requests} requests in ${result.elapsedMs.toFixed(0)} ms\n`);
  const file = readdirSync(folder).find((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error("the gateway left no profile");
  print(JSON.parse(readFileSync(join(folder, file), "utf8")) as Profile, result);
} finally {
  load.close();
  await upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?=src\/|node_modules\/)/, "").replace(/^file:\/\//, "");
  return `${functionName === "" ? "(anonymous)" : functionName} ${file}:${lineNumber + 1}`;
}

/** The part of the gateway that a function is of; null: one of the runtime's own. */
function partOf({ callFrame: { url } }: ProfileNode): string | null {
  return /\/(src\/[\w-]+|node_modules\/(?:@[\w-]+\/)?[\w.-]+)\//.exec(url)?.[1] ?? null;
}

interface PartTimes {
  ownUs: number;
  /** In functions of the runtime that it called. */
  runtimeUs: number;
}

function add(times: Map<string, number>, name: string, spentUs: number): void {
  times.set(name, (times.get(name) ?? 0) + spentUs);
}

function addToPart(parts: Map<string, PartTimes>, stack: readonly ProfileNode[], spentUs: number): void {
  const depth = stack.findIndex((node) => partOf(node) !== null);
  const caller = stack[depth];
  const name = caller === undefined ? "no function of ours (sockets, event loop, promises)" : (partOf(caller) ?? "");
  const times = parts.get(name) ?? { ownUs: 0, runtimeUs: 0 };
  parts.set(name, times);
  if (depth === 0) times.ownUs += spentUs;
  else times.runtimeUs += spentUs;
}

function print({ nodes, samples, timeDeltas }: Profile, { requests, elapsedMs }: LoadResult): void {
  const endUs = timeDeltas.reduce((sum, deltaUs) => sum + deltaUs, 0);
  const fromUs = endUs - elapsedMs * 1000;
  let nowUs = 0;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map<number, number>();
  for (const { id: from, children = [] } of nodes) for (const child of children) parent.set(child, from);
  const stackOf = (sample: number): readonly ProfileNode[] => {
    const stack: ProfileNode[] = [];
    for (let at: number | undefined = sample; at !== undefined; at = parent.get(at)) {
      const node = byId.get(at);
      if (node !== undefined) stack.push(node);
    }
    return stack;
  };
  const parts = new Map<string, PartTimes>();
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  samples.forEach((sample, at) => {
    const spentUs = timeDeltas[at] ?? 0;
    nowUs += spentUs;
    if (nowUs < fromUs) return;
    const stack = stackOf(sample);
    addToPart(parts, stack, spentUs);
    const names = stack.map(nameOf);
    if (names[0] !== undefined) add(self, names[0], spentUs);
    for (const name of new Set(names)) add(total, name, spentUs);
  });
  const perRequest = (us: number): string => (us / requests).toFixed(1).padStart(8);
  process.stdout.write("\nby part, µs a request: its own code, what the runtime does for it\n");
  const byCost = [...parts].toSorted(([, a], [, b]) => b.ownUs + b.runtimeUs - a.ownUs - a.runtimeUs);
  for (const [name, { ownUs, runtimeUs }] of byCost) {
    process.stdout.write(`${perRequest(ownUs)}${perRequest(runtimeUs)}  ${name}\n`);
  }
  for (const [title, times] of [["self", self] as const, ["total", total] as const]) {
    process.stdout.write(`\n${title}, µs a request\n`);
    const top = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, SHOWN);
    for (const [name, spentUs] of top) process.stdout.write(`${perRequest(spentUs)}  ${name}\n`);
  }
}
