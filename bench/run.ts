/**
 * `bun bench/run.ts`: what ARouter costs beside the least that a proxy can, and beside no proxy at all. One run measures
 * all of them in turns on one core; upstream and load generator have the other. Loopback only; ends by itself.
 *
 *   --quick       short rounds and fewer of them, under a minute; writes nothing
 *   --gate        exit 1 when a ratio is past its bound by half again
 *   --only W1,W2  these workloads
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildBinary } from "../scripts/build.ts";
import { measureColdStart, type ColdStart } from "./cold-start.ts";
import { writeGatewayFiles } from "./gateway-files.ts";
import { openLoad } from "./load-driver.ts";
import { cpuMs, freePort, type Launched, launch, launchGateway, machine, memory, resetPeak } from "./processes.ts";
import { overBound, renderMarkdown, renderText, type Row, summarize, type Sample, type WaveRow } from "./report.ts";
import { SLOW, type Workload, WORKLOADS } from "./workloads.ts";

const GATEWAY_CORE = 0;
const OTHER_CORE = 1;
const WAVE_CONNECTIONS = 1000;
const root = resolve(import.meta.dir, "..");

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, gate: { type: "boolean" }, only: { type: "string" } },
});
const isQuick = values.quick === true;
const plan = isQuick
  ? { rounds: 3, roundMs: 300, firstWarmUpMs: 3000, warmUpMs: 500, connections: [64], coldStarts: 3 }
  : { rounds: 5, roundMs: 1000, firstWarmUpMs: 15_000, warmUpMs: 1500, connections: [1, 64], coldStarts: 15 };
const only = values.only?.split(",") ?? null;
const isChosen = ({ id }: Workload): boolean => only === null || only.includes(id);

/** One of the things that are compared. */
interface Target {
  readonly name: string;
  readonly port: number;
  /** null: no process between client and upstream. */
  readonly pid: number | null;
  /** Speaks the client's format. */
  readonly translated: boolean;
}

const folder = mkdtempSync(join(tmpdir(), "arouter-bench-"));
const running: Launched[] = [];
async function keep(launched: Promise<Launched>): Promise<Launched> {
  const process = await launched;
  running.push(process);
  return process;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const { pid } of running) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function startGateway(name: string, command: readonly string[], upstreamPort: number): Promise<Launched> {
  const config = writeGatewayFiles(join(folder, name), upstreamPort);
  const port = freePort();
  return keep(
    launchGateway([...command, "serve", "--config", config, "--listen", `127.0.0.1:${port}`], port, {
      core: GATEWAY_CORE,
      cwd: join(folder, name),
      logFile: join(folder, name, "access.log"),
    }),
  );
}

/** Rounds of all targets in turns, each turn beginning with another one. */
async function measure(workload: Workload, connections: number, targets: readonly Target[]): Promise<Row[]> {
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]));
  for (let round = -1; round < plan.rounds; round += 1) {
    for (let turn = 0; turn < targets.length; turn += 1) {
      const target = targets[(turn + Math.max(0, round)) % targets.length] as Target;
      const before = target.pid === null ? 0 : cpuMs(target.pid);
      const result = await load.run({
        port: target.port,
        workload: workload.id,
        translated: target.translated,
        connections,
        durationMs: round < 0 ? plan.warmUpMs : plan.roundMs,
      });
      if (result.failure !== null) throw new Error(`${workload.id} through ${target.name}: ${result.failure}`);
      if (round < 0) continue;
      const usedMs = target.pid === null ? null : cpuMs(target.pid) - before;
      samples.get(target.name)?.push({ ...result, cpuUs: usedMs === null ? null : (usedMs * 1000) / result.requests });
    }
  }
  return targets.map(({ name }) => summarize(workload, connections, name, samples.get(name) ?? []));
}

async function measureWave(targets: readonly Target[]): Promise<WaveRow[]> {
  const rows: WaveRow[] = [];
  for (const { name, port, pid, translated } of targets) {
    if (pid !== null) resetPeak(pid);
    const result = await load.run({
      port,
      workload: SLOW.id,
      translated,
      connections: WAVE_CONNECTIONS,
      durationMs: 0,
    });
    const peakMb = pid === null ? null : memory(pid).peakMb;
    rows.push({
      name,
      whole: result.failure === null ? result.requests : 0,
      failure: result.failure,
      elapsedMs: result.elapsedMs,
      peakMb,
    });
  }
  return rows;
}

const loadBefore = loadavg()[0] ?? 0;
const load = openLoad(OTHER_CORE);
try {
  const binary = join(folder, "arouter");
  note("building the binary");
  await buildBinary({ outfile: binary });
  const upstream = await keep(launch([join(import.meta.dir, "upstream.ts")], { core: OTHER_CORE }));
  const proxy = (mode: string): Promise<Launched> =>
    keep(launch([join(import.meta.dir, "proxy.ts"), String(upstream.port), mode], { core: GATEWAY_CORE }));
  const pass = await proxy("pass");
  const events = await proxy("events");
  const source = await startGateway("source", [process.execPath, join(root, "src/main.ts")], upstream.port);
  const compiled = await startGateway("compiled", [binary], upstream.port);
  await Bun.sleep(1000);
  const idleMb = {
    bare: memory(pass.pid).residentMb,
    source: memory(source.pid).residentMb,
    compiled: memory(compiled.pid).residentMb,
  };

  const direct: Target = { name: "direct", port: upstream.port, pid: null, translated: false };
  const bare: Target = { name: "bare proxy", port: pass.port, pid: pass.pid, translated: false };
  const bareEvents: Target = {
    name: "bare proxy, events rewritten",
    port: events.port,
    pid: events.pid,
    translated: false,
  };
  const fromSource: Target = { name: "ARouter, source", port: source.port, pid: source.pid, translated: true };
  const built: Target = { name: "ARouter, compiled", port: compiled.port, pid: compiled.pid, translated: true };
  const gateways = isQuick ? [built] : [fromSource, built];
  // Code is compiled as it is used: a gateway that has just started costs several times what it does a minute later.
  for (const { port, translated } of [bare, bareEvents, ...gateways]) {
    const result = await load.run({
      port,
      workload: "W1",
      translated,
      connections: 64,
      durationMs: plan.firstWarmUpMs,
    });
    if (result.failure !== null) throw new Error(`warming up: ${result.failure}`);
  }
  const rows: Row[] = [];
  for (const workload of WORKLOADS.filter(isChosen)) {
    const isTranslatedStream = workload.pace !== null && workload.client !== workload.upstream;
    const targets = [direct, bare, ...(isTranslatedStream ? [bareEvents] : []), ...gateways];
    for (const connections of plan.connections) {
      note(`${workload.id} at ${connections}`);
      rows.push(...(await measure(workload, connections, targets)));
    }
  }
  const wave = isChosen(SLOW) ? await measureWave([direct, bare, ...gateways]) : [];
  const afterMb = {
    bare: memory(pass.pid).residentMb,
    source: memory(source.pid).residentMb,
    compiled: memory(compiled.pid).residentMb,
  };

  let coldStart: readonly ColdStart[] = [];
  if (only === null) {
    note("cold starts");
    const config = writeGatewayFiles(join(folder, "cold"), upstream.port);
    coldStart = await measureColdStart({
      binary,
      config,
      cwd: join(folder, "cold"),
      core: GATEWAY_CORE,
      times: plan.coldStarts,
    });
  }
  const report = {
    machine: machine(),
    load: { before: loadBefore, after: loadavg()[0] ?? 0 },
    date: new Date().toISOString().slice(0, 10),
    plan,
    rows,
    wave,
    coldStart,
    idleMb,
    afterMb,
  };
  process.stdout.write(renderText(report));
  if (!isQuick && only === null) {
    writeFileSync(join(root, "docs/benchmarks.md"), renderMarkdown(report));
    note("written: docs/benchmarks.md");
  }
  const fallen = overBound(report);
  if (values.gate === true && fallen.length > 0) {
    note(`too slow: ${fallen.join("; ")}`);
    process.exitCode = 1;
  }
} finally {
  load.close();
  await Promise.all(running.map((launched) => launched.stop()));
  rmSync(folder, { recursive: true, force: true });
}
