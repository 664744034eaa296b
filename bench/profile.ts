/**
 * `bun bench/profile.ts WORKLOAD [SECONDS] [CONNECTIONS]`: where the gateway's time goes under that load, by function, from
 * Bun's sampling profiler. Self time first, then with everything called. The load comes twice; what is shown is the second time,
 * when the code is compiled.
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

function print({ nodes, samples, timeDeltas }: Profile, { requests, elapsedMs }: LoadResult): void {
  const endUs = timeDeltas.reduce((sum, deltaUs) => sum + deltaUs, 0);
  const fromUs = endUs - elapsedMs * 1000;
  let nowUs = 0;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map<number, number>();
  for (const { id: from, children = [] } of nodes) for (const child of children) parent.set(child, from);
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  samples.forEach((sample, at) => {
    const spentUs = timeDeltas[at] ?? 0;
    nowUs += spentUs;
    if (nowUs < fromUs) return;
    const seen = new Set<string>();
    for (let at: number | undefined = sample; at !== undefined; at = parent.get(at)) {
      const node = byId.get(at);
      if (node === undefined) break;
      const name = nameOf(node);
      if (seen.size === 0) self.set(name, (self.get(name) ?? 0) + spentUs);
      if (!seen.has(name)) total.set(name, (total.get(name) ?? 0) + spentUs);
      seen.add(name);
    }
  });
  for (const [title, times] of [["self", self] as const, ["total", total] as const]) {
    process.stdout.write(`\n${title}, µs a request\n`);
    const top = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, SHOWN);
    for (const [name, spentUs] of top)
      process.stdout.write(`${(spentUs / requests).toFixed(1).padStart(8)}  ${name}\n`);
  }
}
