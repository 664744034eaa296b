/**
 * `bun bench/growth.ts`: how the gateway's cost grows with the bytes of a request, the rules of the policy, the models of the
 * catalog, the series of its metrics, the length of a stream, and with time. Loopback only; ends by itself. Writes
 * docs/benchmarks-growth.md and its figures.
 *
 *   --quick              fewer and smaller steps, two minutes; writes nothing
 *   --gate               exit 1 when something grows more than it should
 *   --only bytes,soak    these parts of bytes, rules, catalog, streams, soak; writes nothing
 *   --update             puts what --only measured in the place of what the page had
 *   --soak N             requests of the soak
 *   --binary FILE        compiled already
 *   --render             write the page anew from the figures of the last run
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { modelNames, modelSections, policyYaml } from "./gateway-files.ts";
import { type Curve, GATEWAY, growthGoals, type GrowthReport, type StreamRow, type Variant } from "./growth-report.ts";
import { compareKinds, type Kind, startCopies } from "./kinds.ts";
import { machine, memory, resetPeak } from "./processes.ts";
import { renderGrowthPage, renderGrowthText } from "./render-growth.ts";
import { median, NAMES } from "./report.ts";
import { type GatewayOptions, openRig, type Rig } from "./rig.ts";
import { measureOnce, measureRounds, orderOf, type Sample, type Target } from "./rounds.ts";
import { soak } from "./soak.ts";
import { type Dialect, sizedWorkload, streamWorkload, workloadById } from "./workloads.ts";

const KB = 1024;
const MB = 1024 * 1024;
const MANY = 64;
/** Of large requests: more would measure memory. */
const FEW = 4;
const MODELS = 1000;
/** Of the gate's bounds in a quick run; of shares, which are small differences: on a busy machine they wander by a tenth of a request. */
const QUICK_SLACK = 1.3;
const QUICK_SHARE_SLACK = 2.5;
const docs = resolve(import.meta.dir, "../docs");

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    gate: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    only: { type: "string", default: "bytes,rules,catalog,streams,soak" },
    soak: { type: "string" },
    binary: { type: "string" },
  },
});
const parts = values.only.split(",");
const isWhole = parts.length === 5;
const plan = values.quick
  ? {
      rounds: { rounds: 5, roundMs: 250, warmUpMs: 400 },
      // Many short turns: what else runs on the machine meets both alike.
      pairs: { rounds: 25, roundMs: 120, warmUpMs: 400, warmUpRequests: 4000 },
      copies: 1,
      warmUpMs: 3000,
      bytes: [KB, 64 * KB, MB, 10 * MB],
      rules: [20, 1000],
      chunks: [1000, 30_000],
      soak: { requests: 20_000, warmUpRequests: 10_000 },
    }
  : {
      rounds: { rounds: 9, roundMs: 700, warmUpMs: 1000 },
      pairs: { rounds: 20, roundMs: 300, warmUpMs: 6000, warmUpRequests: 60_000 },
      // How the runtime compiles a process differs from one to the next by a tenth of a request: more than what is asked here.
      copies: 3,
      warmUpMs: 15_000,
      bytes: [KB, 4 * KB, 16 * KB, 64 * KB, 256 * KB, MB, 4 * MB, 10 * MB],
      rules: [20, 100, 1000],
      chunks: [100, 1000, 10_000, 100_000],
      soak: { requests: 1_000_000, warmUpRequests: 100_000 },
    };

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function cpuOf(samples: readonly Sample[]): number {
  return median(samples.map(({ cpuUs }) => cpuUs ?? Number.NaN));
}

async function warmUp({ load }: Rig, targets: readonly Target[]): Promise<void> {
  const workload = workloadById("W1");
  for (const target of targets) {
    await measureOnce(load, target, workload, orderOf(target, workload, MANY, plan.warmUpMs));
  }
}

async function measureBytes(rig: Rig, targets: readonly Target[]): Promise<readonly Curve[]> {
  const curves = targets.map(({ name }) => ({ name, points: [] as { x: number; y: number }[] }));
  for (const bytes of plan.bytes) {
    note(`${bytes} bytes`);
    const samples = await measureRounds(rig.load, sizedWorkload(bytes), FEW, targets, plan.rounds);
    for (const [at, curve] of curves.entries()) curve.points.push({ x: bytes, y: cpuOf(samples[at] ?? []) });
  }
  return curves;
}

function startKind(rig: Rig, name: string, options: GatewayOptions): Promise<Kind> {
  return startCopies(rig, name, plan.copies, options);
}

/** W1 through each of `kinds`. */
function compare(rig: Rig, kinds: readonly Kind[]): Promise<readonly Variant[]> {
  return compareKinds(rig, workloadById("W1"), MANY, kinds, plan.pairs);
}

async function measureRules(rig: Rig): Promise<readonly Variant[]> {
  note("rules");
  const kinds: Kind[] = [];
  for (const rules of plan.rules) {
    kinds.push(await startKind(rig, `${rules.toLocaleString("en")} rules`, { policy: policyYaml(rules) }));
  }
  return compare(rig, kinds);
}

/** Lines of samples on the gateway's `/metrics`. */
async function countSeries({ port }: Target): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}

/** A gateway with many models beside one with the usual ones; then the same again when each of them has its series. */
async function measureCatalog(rig: Rig): Promise<{ models: readonly Variant[]; series: readonly Variant[] }> {
  note("models and series");
  const names = modelNames(MODELS);
  const few = await startKind(rig, "the built-in models", {});
  const more = { sections: modelSections(names), upstreamPath: "/peer" };
  const many = await startKind(rig, `${MODELS.toLocaleString("en")} models more`, more);
  const models = await compare(rig, [few, many]);
  const series = async (): Promise<string> => {
    const [target] = many.targets;
    return `${(target === undefined ? 0 : await countSeries(target)).toLocaleString("en")} series`;
  };
  const before = await series();
  const workload = workloadById("W1");
  for (const target of many.targets) {
    for (const model of names) {
      const asking = { ...target, peer: { path: "", model } };
      await measureOnce(rig.load, asking, workload, orderOf(asking, workload, 1, 0));
    }
  }
  const after = await series();
  return {
    models,
    series: await compare(rig, [
      { ...few, name: before },
      { ...many, name: after },
    ]),
  };
}

async function measureStreams(rig: Rig, targets: readonly Target[]): Promise<readonly StreamRow[]> {
  const rows: StreamRow[] = [];
  const kinds: readonly (readonly [string, Dialect])[] = [
    ["", "chat"],
    [", translated", "messages"],
  ];
  for (const [suffix, upstream] of kinds) {
    for (const target of targets.filter(({ translated }) => translated || upstream === "chat")) {
      for (const chunks of plan.chunks) {
        note(`${target.name}${suffix}: ${chunks} chunks`);
        const workload = streamWorkload(chunks, upstream);
        const order = orderOf(target, workload, 1, plan.rounds.roundMs);
        await measureOnce(rig.load, target, workload, { ...order, durationMs: plan.rounds.warmUpMs });
        if (target.pid !== null) resetPeak(target.pid);
        const { cpuUs } = await measureOnce(rig.load, target, workload, order);
        const peakMb = target.pid === null ? Number.NaN : memory(target.pid).peakMb;
        rows.push({ name: `${target.name}${suffix}`, chunks, cpuUsPerChunk: (cpuUs ?? Number.NaN) / chunks, peakMb });
      }
    }
  }
  return rows;
}

function write(report: GrowthReport): void {
  writeFileSync(join(docs, "benchmarks-growth.json"), `${JSON.stringify(report)}\n`);
  writeFileSync(join(docs, "benchmarks-growth.md"), renderGrowthPage(report));
  note("written: docs/benchmarks-growth.md, docs/benchmarks-growth.json");
}

async function main(): Promise<void> {
  const before = loadavg()[0] ?? 0;
  const rig = await openRig({ name: "growth", binary: values.binary ?? null });
  try {
    const needsPair = parts.includes("bytes") || parts.includes("streams");
    const pair: readonly Target[] = needsPair
      ? [await rig.startProxy(NAMES.bare, "pass"), { ...(await rig.startGateway("gateway")), name: GATEWAY }]
      : [];
    await warmUp(rig, pair);
    // Before large requests, which leave the heap large for a while.
    const streams = parts.includes("streams") ? await measureStreams(rig, pair) : [];
    const bytes = parts.includes("bytes") ? await measureBytes(rig, pair) : [];
    const rules = parts.includes("rules") ? await measureRules(rig) : [];
    const { models, series } = parts.includes("catalog") ? await measureCatalog(rig) : { models: [], series: [] };
    const requests = Number(values.soak ?? plan.soak.requests);
    const held = parts.includes("soak") ? await soak(rig, { ...plan.soak, requests }, note) : null;
    const report: GrowthReport = {
      machine: machine(),
      date: new Date().toISOString().slice(0, 10),
      load: { before, after: loadavg()[0] ?? 0 },
      bytes,
      rules,
      models,
      series,
      streams,
      soak: held,
    };
    process.stdout.write(renderGrowthText(report));
    if (!values.quick && isWhole) write(report);
    if (!values.quick && values.update) write(updated(report));
    const missed = (values.quick ? growthGoals(report, QUICK_SLACK, QUICK_SHARE_SLACK) : growthGoals(report)).filter(
      ({ verdict }) => verdict === "missed",
    );
    if (values.gate && missed.length > 0) {
      note(`grows too much: ${missed.map(({ what, is, goal }) => `${what} ${is}, ${goal}`).join("; ")}`);
      process.exitCode = 1;
    }
  } finally {
    await rig.close();
  }
}

/** The report there is, with the parts that `report` measured anew. */
function updated(report: GrowthReport): GrowthReport {
  const before = JSON.parse(readFileSync(join(docs, "benchmarks-growth.json"), "utf8")) as GrowthReport;
  const measured = Object.entries(report).filter(
    ([, part]) => part !== null && !(Array.isArray(part) && part.length === 0),
  );
  return { ...before, ...(Object.fromEntries(measured) as Partial<GrowthReport>) };
}

if (values.render) write(JSON.parse(readFileSync(join(docs, "benchmarks-growth.json"), "utf8")) as GrowthReport);
else await main();
