/**
 * `bun bench/run.ts`: what ARouter costs beside the least that a proxy can, and beside no proxy at all. One run measures
 * all of them in turns on one core; upstream and load generator have the other. Loopback only; ends by itself. Writes
 * docs/benchmarks.md, its chart and its figures.
 *
 *   --quick                          short rounds and fewer of them, a minute; writes nothing
 *   --gate                           exit 1 when a workload is far slower than it usually is (gate.ts); with --quick
 *   --only W1,W2                     these workloads; writes nothing
 *   --binary FILE                    compiled already
 *   --peer NAME=URL[,PID[,MODEL]]    another gateway, for W1 and W2; as often as there are some
 *   --upstream-port N                where the upstream listens, for peers
 *   --render                         write the page anew from the figures of the last run
 *   --starts                         measure the starts anew, and write the page with them
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { renderChart } from "./chart.ts";
import { type ColdStart, measureColdStart } from "./cold-start.ts";
import { boundOf, fallen } from "./gate.ts";
import { tracedSections, writeGatewayFiles } from "./gateway-files.ts";
import { readPeer } from "./peers.ts";
import { machine, memory, resetPeak } from "./processes.ts";
import { renderPage } from "./render-page.ts";
import { renderText } from "./render-text.ts";
import { baseOf, NAMES, type Report, type Row, summarize, type WaveRow } from "./report.ts";
import { GATEWAY_CORE, openRig, type Rig } from "./rig.ts";
import { measureOnce, measureRounds, orderOf, type Target } from "./rounds.ts";
import { SLOW, type Workload, WORKLOADS, workloadById } from "./workloads.ts";

const WAVE_CONNECTIONS = 1000;
const MANY = 64;
/** Traces and peers are measured with these. */
const COMMON: readonly string[] = ["W1", "W2"];
const docs = resolve(import.meta.dir, "../docs");

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    gate: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
    starts: { type: "boolean", default: false },
    only: { type: "string" },
    binary: { type: "string" },
    peer: { type: "string", multiple: true, default: [] },
    "upstream-port": { type: "string", default: "0" },
  },
});
const isQuick = values.quick;
const plan = isQuick
  ? {
      rounds: 5,
      roundMs: 250,
      firstWarmUpMs: 1000,
      firstRequests: 12_000,
      warmUpMs: 300,
      warmUpRequests: 5000,
      connections: [MANY],
      coldStarts: 0,
    }
  : {
      rounds: 5,
      roundMs: 1000,
      firstWarmUpMs: 15_000,
      firstRequests: 0,
      warmUpMs: 1500,
      // What a workload alone uses is compiled by its own requests: after a second and a half the compiler was a third of its cost.
      warmUpRequests: 20_000,
      connections: [MANY, 1],
      coldStarts: 15,
    };
const ids = values.only?.split(",") ?? [...WORKLOADS, SLOW].map(({ id }) => id);

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Targets {
  readonly direct: Target;
  /** By the name that `baseOf` gives. */
  readonly proxies: ReadonlyMap<string, Target>;
  readonly gateways: readonly Target[];
  /** null: not in this run. */
  readonly traced: Target | null;
  readonly peers: readonly Target[];
}

async function startTargets(rig: Rig): Promise<Targets> {
  const proxies = [
    await rig.startProxy(NAMES.bare, "pass"),
    await rig.startProxy(NAMES.events, "events"),
    await rig.startProxy(NAMES.twice, "twice"),
  ];
  const source = isQuick ? [] : [await rig.startGateway(NAMES.source, { source: { bunArguments: [], env: {} } })];
  const compiled = await rig.startGateway(NAMES.compiled);
  const traced = isQuick ? null : await rig.startGateway(NAMES.traced, { sections: tracedSections(rig.upstreamPort) });
  return {
    direct: rig.direct,
    proxies: new Map(proxies.map((proxy) => [proxy.name, proxy])),
    gateways: [...source, compiled],
    traced,
    peers: values.peer.map(readPeer),
  };
}

/** What `workload` goes through: a quick run compares with the one proxy only that counts. */
function targetsOf(workload: Workload, connections: number, all: Targets): readonly Target[] {
  const { direct, proxies, gateways, traced, peers } = all;
  const isCommon = COMMON.includes(workload.id);
  const base = proxies.get(baseOf(workload)) as Target;
  const bare = proxies.get(NAMES.bare) as Target;
  return [
    ...(isQuick ? [] : [direct]),
    // Where an answer is healed, one call alone brings the wrong one.
    ...(isQuick || base === bare || workload.healed ? [] : [bare]),
    base,
    ...gateways,
    ...(traced !== null && isCommon && connections === MANY ? [traced] : []),
    ...(isCommon ? peers : []),
  ];
}

/** Workload to warm up with, where W1 would not do. */
const WARM_UP: Readonly<Record<string, string>> = { [NAMES.events]: "W4", [NAMES.twice]: "W8" };

function firstRequests({ pace }: Workload): number {
  return pace === null ? plan.firstRequests : plan.firstRequests / 10;
}

/** Code is compiled as it is used: a gateway that has just started costs several times what it does a minute later. */
async function warmUp({ load }: Rig, { proxies, gateways, traced, peers }: Targets): Promise<void> {
  for (const target of [...proxies.values(), ...gateways, ...(traced === null ? [] : [traced]), ...peers]) {
    const asked = workloadById(WARM_UP[target.name] ?? "W1");
    const order = { ...orderOf(target, asked, MANY, plan.firstWarmUpMs), leastRequests: firstRequests(asked) };
    await measureOnce(load, target, asked, order);
  }
}

async function measure({ load }: Rig, all: Targets, wanted: readonly string[], rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workload of WORKLOADS.filter(({ id }) => wanted.includes(id))) {
    for (const connections of plan.connections) {
      note(`${workload.id} at ${connections}`);
      const targets = targetsOf(workload, connections, all);
      const warmUpRequests = connections === MANY ? plan.warmUpRequests : 0;
      const samples = await measureRounds(load, workload, connections, targets, { ...plan, rounds, warmUpRequests });
      rows.push(...targets.map(({ name }, at) => summarize(workload, connections, name, samples[at] ?? [])));
    }
  }
  return rows;
}

async function measureWave({ load }: Rig, { direct, proxies, gateways }: Targets): Promise<WaveRow[]> {
  const rows: WaveRow[] = [];
  for (const target of [...(isQuick ? [] : [direct]), proxies.get(NAMES.bare) as Target, ...gateways]) {
    const { name, pid } = target;
    if (pid !== null) resetPeak(pid);
    const { failure, requests, elapsedMs } = await load.run(orderOf(target, SLOW, WAVE_CONNECTIONS, 0));
    const peakMb = pid === null ? null : memory(pid).peakMb;
    rows.push({ name, whole: failure === null ? requests : 0, failure, elapsedMs, peakMb });
  }
  return rows;
}

function residentMb({ proxies, gateways }: Targets): ReadonlyMap<string, number> {
  const held = [proxies.get(NAMES.bare) as Target, ...gateways];
  return new Map(held.map(({ name, pid }) => [name, pid === null ? 0 : memory(pid).residentMb]));
}

async function measureStarts(rig: Rig): Promise<readonly ColdStart[]> {
  note("cold starts");
  const cwd = join(rig.folder, "cold");
  const config = writeGatewayFiles(cwd, rig.upstreamPort);
  return measureColdStart({
    binary: await rig.binary(),
    config,
    cwd,
    core: GATEWAY_CORE,
    times: plan.coldStarts,
  });
}

/** What fell, after another try with more rounds for what seemed to. */
async function judge(rig: Rig, all: Targets, { rows, wave }: Report): Promise<readonly string[]> {
  note(`bounds: ${ids.map((id) => `${id} ${boundOf(id).toFixed(2)}`).join(", ")}`);
  const first = fallen(rows, wave, ids);
  if (first.length === 0) return [];
  for (const { text } of first) note(`again: ${text}`);
  const again = first.map(({ id }) => id);
  const rowsAgain = await measure(rig, all, again, plan.rounds * 2);
  const waveAgain = again.includes(SLOW.id) ? await measureWave(rig, all) : [];
  return fallen(rowsAgain, waveAgain, again).map(({ text }) => text);
}

function write(report: Report): void {
  mkdirSync(join(docs, "img"), { recursive: true });
  writeFileSync(join(docs, "benchmarks.json"), `${JSON.stringify(report)}\n`);
  writeFileSync(join(docs, "benchmarks.md"), renderPage(report));
  writeFileSync(join(docs, "img/benchmarks.svg"), renderChart(report));
  note("written: docs/benchmarks.md, docs/benchmarks.json, docs/img/benchmarks.svg");
}

async function main(): Promise<void> {
  const before = loadavg()[0] ?? 0;
  const rig = await openRig({
    name: "bench",
    binary: values.binary ?? null,
    upstreamPort: Number(values["upstream-port"]),
  });
  try {
    note("starting");
    const all = await startTargets(rig);
    await Bun.sleep(1000);
    const idle = residentMb(all);
    await warmUp(rig, all);
    const rows = await measure(rig, all, ids, plan.rounds);
    const wave = ids.includes(SLOW.id) ? await measureWave(rig, all) : [];
    const after = residentMb(all);
    const coldStart = plan.coldStarts > 0 && values.only === undefined ? await measureStarts(rig) : [];
    const { rounds, roundMs, warmUpMs, warmUpRequests, firstWarmUpMs } = plan;
    const report: Report = {
      machine: machine(),
      date: new Date().toISOString().slice(0, 10),
      plan: { rounds, roundMs, warmUpMs, warmUpRequests, firstWarmUpMs },
      load: { before, after: loadavg()[0] ?? 0 },
      rows,
      wave,
      coldStart,
      resident: [...idle].map(([name, idleMb]) => ({ name, idleMb, afterMb: after.get(name) ?? 0 })),
      peers: all.peers.map(({ name }) => name),
    };
    process.stdout.write(renderText(report));
    if (!isQuick && values.only === undefined) write(report);
    const slower = values.gate ? await judge(rig, all, report) : [];
    if (slower.length > 0) {
      note(`slower than it was: ${slower.join("; ")}`);
      process.exitCode = 1;
    }
  } finally {
    await rig.close();
  }
}

/** Measures the starts anew and puts them in the place of those that the page has. */
async function updateStarts(): Promise<void> {
  const rig = await openRig({ name: "starts", binary: values.binary ?? null });
  try {
    const before = JSON.parse(readFileSync(join(docs, "benchmarks.json"), "utf8")) as Report;
    write({ ...before, coldStart: await measureStarts(rig) });
  } finally {
    await rig.close();
  }
}

if (values.starts) await updateStarts();
else if (values.render) write(JSON.parse(readFileSync(join(docs, "benchmarks.json"), "utf8")) as Report);
else await main();
