/**
 * `bun bench/watching.ts`: what it costs to be watched. CPU time per request with everything off, with metrics, with the
 * dashboard's figures, and with traces of a tenth and of all requests, in interleaved rounds on one core. A minute.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../scripts/build.ts";
import { policyYaml } from "./gateway-files.ts";
import { openLoad } from "./load-driver.ts";
import { cpuMs, freePort, type Launched, launch, launchGateway, machine } from "./processes.ts";

const GATEWAY_CORE = 0;
const OTHER_CORE = 1;
const CONNECTIONS = 64;
const ROUNDS = 15;
const ROUND_MS = 500;
const WARM_UP_MS = 3000;
const WORKLOAD = "W1";

/** What is added from one line to the next; `bound` is on the ratio to the line named. */
const STAGES = [
  { name: "all off", bound: null, config: () => "[metrics]\nenabled = false\n[dashboard]\nenabled = false\n" },
  { name: "metrics", bound: { of: "all off", ratio: 1.1 }, config: () => "[dashboard]\nenabled = false\n" },
  { name: "metrics, dashboard", bound: null, config: () => "" },
  {
    name: "metrics, traces of 10 %",
    bound: { of: "metrics", ratio: 1.1 },
    config: (sink: string) =>
      `[dashboard]\nenabled = false\n[telemetry]\notlp_endpoint = "${sink}"\nsample_ratio = 0.1\n`,
  },
  {
    name: "metrics, traces of all",
    bound: null,
    config: (sink: string) => `[dashboard]\nenabled = false\n[telemetry]\notlp_endpoint = "${sink}"\n`,
  },
] as const;

const loadBefore = loadavg()[0] ?? Number.NaN;
const folder = mkdtempSync(join(tmpdir(), "arouter-watching-"));
const running: Launched[] = [];
let received = 0;
const collector = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    received += (await request.arrayBuffer()).byteLength;
    return new Response("");
  },
});

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function startStage(binary: string, upstreamPort: number, index: number): Promise<Launched> {
  const stage = STAGES[index];
  const cwd = join(folder, String(index));
  mkdirSync(cwd);
  writeFileSync(join(cwd, "policy.yaml"), policyYaml());
  writeFileSync(
    join(cwd, "arouter.toml"),
    `[router]
policy_file = "policy.yaml"
[providers.openai]
base_url = "http://127.0.0.1:${upstreamPort}/v1"
surface = "chat"
[drain]
delay = "0s"
timeout = "2s"
[log]
access = false
${stage?.config(`http://127.0.0.1:${collector.port}`) ?? ""}`,
  );
  const port = freePort();
  const command = [binary, "serve", "--config", join(cwd, "arouter.toml"), "--listen", `127.0.0.1:${port}`];
  const gateway = await launchGateway(command, port, { core: GATEWAY_CORE, cwd });
  running.push(gateway);
  return gateway;
}

const load = openLoad(OTHER_CORE);
try {
  const binary = join(folder, "arouter");
  await buildBinary({ outfile: binary });
  const upstream = await launch([join(import.meta.dir, "upstream.ts")], { core: OTHER_CORE });
  running.push(upstream);
  const gateways: Launched[] = [];
  for (const index of STAGES.keys()) gateways.push(await startStage(binary, upstream.port, index));

  const run = async (gateway: Launched, durationMs: number): Promise<number> => {
    const before = cpuMs(gateway.pid);
    const result = await load.run({
      port: gateway.port,
      workload: WORKLOAD,
      translated: true,
      connections: CONNECTIONS,
      durationMs,
    });
    if (result.failure !== null) throw new Error(result.failure);
    return ((cpuMs(gateway.pid) - before) * 1000) / result.requests;
  };
  for (const gateway of gateways) await run(gateway, WARM_UP_MS);
  const samples = gateways.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const turn of gateways.keys()) {
      const index = (turn + round) % gateways.length;
      const gateway = gateways[index];
      if (gateway !== undefined) samples[index]?.push(await run(gateway, ROUND_MS));
    }
  }

  const medians = new Map(STAGES.map(({ name }, index) => [name as string, median(samples[index] ?? [])]));
  /** Median of the rounds' own ratios: what disturbs the machine for a while disturbs both sides of one. */
  const ratio = (name: string, of: string): string => {
    const [ours, theirs] = [name, of].map((stage) => samples[STAGES.findIndex((row) => row.name === stage)] ?? []);
    return median((ours ?? []).map((cpuUs, round) => cpuUs / (theirs?.[round] ?? Number.NaN))).toFixed(2);
  };
  process.stdout.write(
    `${machine()}, load ${loadBefore.toFixed(1)} before; ${WORKLOAD} at ${CONNECTIONS} connections, medians of ${ROUNDS} interleaved rounds\n`,
  );
  for (const { name, bound } of STAGES) {
    const cpuUs = medians.get(name) ?? Number.NaN;
    const held = bound === null ? "" : `, ${ratio(name, bound.of)} of ${bound.of} (bound ${bound.ratio})`;
    process.stdout.write(
      `${name.padEnd(26)}${cpuUs.toFixed(1).padStart(8)} µs CPU a request, ${ratio(name, "all off")} of all off${held}\n`,
    );
  }
  process.stdout.write(`${(received / 1024 / 1024).toFixed(1)} MB of spans taken in\n`);
} finally {
  load.close();
  await Promise.all(running.map((launched) => launched.stop()));
  await collector.stop(true);
  rmSync(folder, { recursive: true, force: true });
}
