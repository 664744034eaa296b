/**
 * `bun bench/watching.ts`: what it costs to be watched. CPU time per request with everything off, and with what may be on, in
 * interleaved rounds with all gateways on one core; each is warm by requests before. Three minutes. The table is
 * that of docs/observability.md.
 *
 *   --binary FILE   compiled already
 *   --rounds N      24 unless said
 *   --warm N        requests for each before its rounds, 60000 unless said: what is done for one request of ten is compiled after ten times as many
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { policyYaml } from "./gateway-files.ts";
import { createCpuMeter, freePort, type Launched, launchGateway, machine } from "./processes.ts";
import { GATEWAY_CORE, openRig, type Rig } from "./rig.ts";
import { measureRounds, type Target } from "./rounds.ts";
import { workloadById } from "./workloads.ts";

const { values } = parseArgs({
  options: {
    binary: { type: "string" },
    rounds: { type: "string", default: "24" },
    warm: { type: "string", default: "60000" },
  },
});
const WORKLOAD = workloadById("W1");
const CONNECTIONS = 64;
const PLAN = { rounds: Number(values.rounds), roundMs: 300, warmUpMs: 0, warmUpRequests: Number(values.warm) };

interface Stage {
  readonly name: string;
  /** On the ratio to the stage named; null: none is set. */
  readonly bound: { readonly of: string; readonly ratio: number } | null;
  /** Tables of the configuration, from where traces go. */
  readonly tables: (collector: string) => Readonly<Record<string, string>>;
}

const NOTHING = { metrics: "enabled = false", dashboard: "enabled = false", log: "access = false" };
const METRICS = { dashboard: "enabled = false", log: "access = false" };
const TRACES = (collector: string, ratio: string): Readonly<Record<string, string>> => ({
  ...METRICS,
  telemetry: `otlp_endpoint = "${collector}"\nsample_ratio = ${ratio}`,
});

const STAGES: readonly Stage[] = [
  { name: "nothing", bound: null, tables: () => NOTHING },
  { name: "metrics", bound: { of: "nothing", ratio: 1.1 }, tables: () => METRICS },
  { name: "metrics, dashboard", bound: null, tables: () => ({ log: "access = false" }) },
  {
    name: "metrics, dashboard, access log, ledger",
    bound: null,
    tables: () => ({ log: 'file = "access.log"', ledger: 'file = "ledger.jsonl"' }),
  },
  {
    name: "metrics, traces of 10 %",
    bound: { of: "metrics", ratio: 1.1 },
    tables: (collector) => TRACES(collector, "0.1"),
  },
  { name: "metrics, traces of all", bound: null, tables: (collector) => TRACES(collector, "1.0") },
];

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function startStage(rig: Rig, { name, tables }: Stage, index: number, collector: string): Promise<Launched> {
  const cwd = join(rig.folder, `stage-${index}`);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "policy.yaml"), policyYaml());
  const sections = Object.entries(tables(collector)).map(([table, keys]) => `[${table}]\n${keys}\n`);
  writeFileSync(
    join(cwd, "arouter.toml"),
    `[router]
policy_file = "policy.yaml"
[providers.openai]
base_url = "http://127.0.0.1:${rig.upstreamPort}/v1"
surface = "chat"
[drain]
delay = "0s"
timeout = "2s"
${sections.join("")}`,
  );
  const port = freePort();
  const command = [await rig.binary(), "serve", "--config", "arouter.toml", "--listen", `127.0.0.1:${port}`];
  const launched = await launchGateway(command, port, { core: GATEWAY_CORE, cwd });
  process.stderr.write(`${name}: port ${port}\n`);
  return launched;
}

const loadBefore = loadavg()[0] ?? Number.NaN;
let received = 0;
const collector = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    received += (await request.arrayBuffer()).byteLength;
    return new Response("");
  },
});
const rig = await openRig({ name: "watching", binary: values.binary ?? null });
const running: Launched[] = [];
try {
  const targets: Target[] = [];
  for (const [index, stage] of STAGES.entries()) {
    const launched = await startStage(rig, stage, index, `http://127.0.0.1:${collector.port}`);
    running.push(launched);
    const { pid } = launched;
    targets.push({ name: stage.name, port: launched.port, pid, cpuUs: createCpuMeter(pid), translated: true });
  }
  const samples = (await measureRounds(rig.load, WORKLOAD, CONNECTIONS, targets, PLAN)).map((rounds) =>
    rounds.map(({ cpuUs }) => cpuUs ?? Number.NaN),
  );
  const of = (name: string): readonly number[] => samples[STAGES.findIndex((stage) => stage.name === name)] ?? [];
  /** Median of the rounds' own ratios: what disturbs the machine for a while disturbs both sides of one. */
  const ratio = (name: string, other: string): number =>
    median(of(name).map((cpuUs, round) => cpuUs / (of(other)[round] ?? Number.NaN)));

  const rows = STAGES.map(({ name, bound }) => {
    const goal = bound === null ? "" : `${bound.ratio.toFixed(2)} of ${bound.of}: ${ratio(name, bound.of).toFixed(2)}`;
    return `| ${name} | ${median(of(name)).toFixed(0)} | ${ratio(name, "nothing").toFixed(2)} | ${goal} |`;
  });
  process.stdout.write(
    `${machine()}, load ${loadBefore.toFixed(1)} before; ${WORKLOAD.title}, ${CONNECTIONS} connections, ` +
      `${PLAN.rounds} interleaved rounds after ${PLAN.warmUpRequests} requests each\n\n` +
      `| on | µs CPU a request | of nothing | goal |\n| --- | ---: | ---: | --- |\n${rows.join("\n")}\n\n` +
      `${(received / 1024 / 1024).toFixed(1)} MB of spans taken in\n`,
  );
} finally {
  await Promise.all(running.map((launched) => launched.stop()));
  await rig.close();
  await collector.stop(true);
}
