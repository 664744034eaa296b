/**
 * `bun bench/workers.ts`: one process beside two workers. CPU time per request of all their processes, in interleaved rounds;
 * on four cores or more the throughput too, with a core for each worker and two for who asks and who answers. On fewer the
 * system spreads all of them over what there is. A minute.
 *
 *   --binary FILE   compiled already
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { usableCores } from "../src/supervisor/cores.ts";
import { type Load, openLoad } from "./load-driver.ts";
import { createCpuMeter, family, machine, memory } from "./processes.ts";
import { type GatewayOptions, openRig } from "./rig.ts";
import { measureOnce, measureRounds, orderOf, type Target } from "./rounds.ts";
import { workloadById } from "./workloads.ts";

const WORKLOAD = workloadById("W1");
/** So many that no process runs out of work, and not so many that the load generator takes their cores. */
const CONNECTIONS = 16;
const WORKERS = 2;
const THROUGHPUT_CORES = 4;
const hasCores = usableCores() >= THROUGHPUT_CORES;

export interface WorkersPlan {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** And until each process has had so many: a busy machine takes longer to get warm. */
  readonly warmUpRequests: number;
  /** Runs the gateway from source. */
  readonly fromSource: boolean;
  readonly binary: string | null;
}

export interface WorkersFigures {
  /** CPU time per request, µs, medians of the rounds. */
  readonly oneCpuUs: number;
  readonly twoCpuUs: number;
  /** Median of the rounds' own ratios, two to one. */
  readonly cpuRatio: number;
  /** Requests per second, two to one; null: too few cores to tell. */
  readonly throughputRatio: number | null;
  /** Resident memory of the supervisor, MB. */
  readonly supervisorMb: number;
}

/** One process and two workers in turns. */
export async function measureWorkers(plan: WorkersPlan): Promise<WorkersFigures> {
  const rig = await openRig({ name: "workers", binary: plan.binary });
  const second = hasCores ? openLoad(2) : null;
  try {
    const options: GatewayOptions = plan.fromSource ? { source: { bunArguments: [], env: {} } } : {};
    const one = await rig.startGateway("one process", options);
    const started = await rig.startGateway("two workers", { ...options, sections: `[server]\nworkers = ${WORKERS}\n` });
    const pids = await processesOf(started);
    const meters = pids.map(createCpuMeter);
    const two: Target = { ...started, cpuUs: () => meters.reduce((sum, meter) => sum + meter(), 0) };
    spread([one.pid ?? 0, ...pids]);
    // Each of two gets half the requests, and compiles its code as late.
    for (const [target, factor] of [
      [one, 1],
      [two, WORKERS],
    ] as const) {
      const order = orderOf(target, WORKLOAD, CONNECTIONS, plan.warmUpMs * factor);
      await measureOnce(rig.load, target, WORKLOAD, { ...order, leastRequests: plan.warmUpRequests * factor });
    }
    const samples = await measureRounds(rig.load, WORKLOAD, CONNECTIONS, [one, two], {
      rounds: plan.rounds,
      roundMs: plan.roundMs,
      warmUpMs: 0,
    });
    const [ofOne = [], ofTwo = []] = samples.map((rounds) => rounds.map(({ cpuUs }) => cpuUs ?? Number.NaN));
    return {
      oneCpuUs: median(ofOne),
      twoCpuUs: median(ofTwo),
      cpuRatio: median(ofTwo.map((cpuUs, round) => cpuUs / (ofOne[round] ?? Number.NaN))),
      throughputRatio: second === null ? null : await measureThroughput([rig.load, second], one, two, plan),
      supervisorMb: memory(started.pid ?? 0).residentMb,
    };
  } finally {
    second?.close();
    await rig.close();
  }
}

/** Takes back the pins of the rig, which has a single core for the gateways. */
function spread(gateways: readonly number[]): void {
  const last = navigator.hardwareConcurrency - 1;
  for (const pid of family(process.pid).slice(1)) {
    if (!hasCores) pin(pid, `0-${last}`);
    else if (gateways.includes(pid)) pin(pid, "0,1");
    else pin(pid, commandOf(pid).includes("upstream.ts") ? "3" : "2");
  }
}

async function measureThroughput(
  loads: readonly Load[],
  one: Target,
  two: Target,
  { rounds, roundMs }: WorkersPlan,
): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const perSecond: number[] = [];
    for (const target of [one, two]) {
      const order = orderOf(target, WORKLOAD, CONNECTIONS, roundMs);
      const results = await Promise.all(loads.map((load) => measureOnce(load, target, WORKLOAD, order)));
      perSecond.push(results.reduce((sum, { requests, elapsedMs }) => sum + (requests / elapsedMs) * 1000, 0));
    }
    ratios.push((perSecond[1] ?? Number.NaN) / (perSecond[0] ?? Number.NaN));
  }
  return median(ratios);
}

/** Supervisor and workers. The port answers once the first of them is there: waits for the others. */
async function processesOf({ pid }: Target): Promise<readonly number[]> {
  const deadlineMs = performance.now() + 10_000;
  for (;;) {
    const pids = family(pid ?? 0);
    if (pids.length === 1 + WORKERS) return pids;
    if (performance.now() > deadlineMs) throw new Error("the workers did not start");
    await Bun.sleep(20);
  }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

function pin(pid: number, cores: string): void {
  Bun.spawnSync(["taskset", "-a", "-c", "-p", cores, String(pid)]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { binary: { type: "string" } } });
  const plan = {
    rounds: 15,
    roundMs: 500,
    warmUpMs: 10_000,
    warmUpRequests: 10_000,
    fromSource: false,
    binary: values.binary ?? null,
  };
  const { oneCpuUs, twoCpuUs, cpuRatio, throughputRatio, supervisorMb } = await measureWorkers(plan);
  process.stdout.write(
    `${machine()}; ${WORKLOAD.id} at ${CONNECTIONS} connections
one process  ${oneCpuUs.toFixed(1)} µs CPU a request
two workers  ${twoCpuUs.toFixed(1)} µs, ${cpuRatio.toFixed(2)} of one (bound 1.1); supervisor ${supervisorMb.toFixed(0)} MB
throughput   ${throughputRatio === null ? `not measured: needs ${THROUGHPUT_CORES} cores` : `${throughputRatio.toFixed(2)} of one (bound 1.7)`}
`,
  );
}
