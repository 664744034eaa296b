/**
 * From starting the binary to its first 200 for a real request, and what it holds while idle. Alone:
 * `bun bench/cold-start.ts [--times 20] [--binary FILE]…` compares binaries with the bare proxy compiled the same way, all of
 * them in turns on one core; without `--binary` it builds this tree's.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildBinary } from "../scripts/build.ts";
import { run } from "../scripts/release/run.ts";
import { createCheck } from "./answers.ts";
import { writeGatewayFiles } from "./gateway-files.ts";
import { openClient, renderRequest } from "./http-client.ts";
import { cpuMs, freePort, launch, machine, memory, pinned, plainEnv } from "./processes.ts";
import { median } from "./report.ts";
import { PATHS, requestBody, workloadById } from "./workloads.ts";

export interface ColdStart {
  readonly name: string;
  /** Median. */
  readonly ms: number;
}

export interface ColdStartOptions {
  readonly binary: string;
  readonly config: string;
  readonly cwd: string;
  readonly core: number;
  readonly times: number;
}

/** A program that is started, given the port on which it has to answer. */
interface Program {
  readonly name: string;
  readonly command: (port: number) => readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Start {
  readonly ms: number;
  /** CPU time from the start to the first 200, ms in steps of 10. */
  readonly cpuMs: number;
}

/** With the variable that saves the second start (docs/benchmarks.md), and without it. */
export async function measureColdStart(options: ColdStartOptions): Promise<readonly ColdStart[]> {
  const { binary, config, cwd } = options;
  const command = (port: number): readonly string[] => serveCommand(binary, config, port);
  const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...without } = plainEnv();
  const programs: readonly Program[] = [
    { name: "compiled, BUN_CONFIG_MAX_HTTP_REQUESTS set", command, cwd, env: plainEnv() },
    { name: "compiled, without it (starts itself again)", command, cwd, env: without },
  ];
  const starts = await startInTurns(programs, options.core, options.times);
  return programs.map(({ name }, at) => ({ name, ms: median((starts[at] ?? []).map(({ ms }) => ms)) }));
}

function serveCommand(binary: string, config: string, port: number): readonly string[] {
  return [binary, "serve", "--config", config, "--listen", `127.0.0.1:${port}`];
}

/** The starts of each program, each round beginning with another one. */
async function startInTurns(programs: readonly Program[], core: number, times: number): Promise<readonly Start[][]> {
  const starts: Start[][] = programs.map(() => []);
  for (let time = 0; time < times; time += 1) {
    for (let turn = 0; turn < programs.length; turn += 1) {
      const at = (time + turn) % programs.length;
      starts[at]?.push(await startOnce(programs[at] as Program, core));
    }
  }
  return starts;
}

async function startOnce(program: Program, core: number): Promise<Start> {
  const workload = workloadById("W1");
  const headers = { "content-type": "application/json", authorization: "Bearer sk-bench" };
  const request = renderRequest(PATHS.chat, headers, requestBody(workload, "chat", "chat"));
  const check = createCheck(workload, true);
  const port = freePort();
  const startMs = performance.now();
  const child = spawn(program, port, core);
  try {
    for (;;) {
      const client = await openClient(port).catch(() => null);
      if (client !== null) {
        const { status, body } = await client.send(request);
        const ms = performance.now() - startMs;
        const used = cpuMs(child.pid);
        client.close();
        const failure = check(status, body);
        if (failure !== null) throw new Error(`first request after a start: ${failure}`);
        return { ms, cpuMs: used };
      }
      if (child.exitCode !== null || performance.now() - startMs > 10_000) throw new Error("the binary did not start");
      await Bun.sleep(1);
    }
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

function spawn({ command, cwd, env }: Program, port: number, core: number): Bun.Subprocess {
  return Bun.spawn(pinned(core, command(port)), { env, cwd, stdio: ["ignore", "ignore", "inherit"] });
}

/** Memory of a program that has answered nothing, after `settleMs`, MB; `own`: what it does not share with its file. */
async function idleMemory(program: Program, core: number, settleMs: number): Promise<{ all: number; own: number }> {
  const child = spawn(program, freePort(), core);
  try {
    await Bun.sleep(settleMs);
    const own = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    return { all: memory(child.pid).residentMb, own: Number(own) / 1024 };
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** The bare proxy as a binary. */
async function buildBare(outfile: string): Promise<void> {
  const flags = ["--compile", "--minify", "--bytecode", "--format=esm"];
  const source = join(import.meta.dir, "proxy.ts");
  await run([process.execPath, "build", ...flags, source, "--outfile", outfile], { cwd: import.meta.dir });
}

async function compare(binaries: readonly string[], times: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-cold-start-"));
  const core = 0;
  const upstream = await launch([join(import.meta.dir, "upstream.ts")], { core: 1 });
  try {
    const bare = join(folder, "bare");
    await buildBare(bare);
    if (binaries.length === 0) await buildBinary({ outfile: join(folder, "arouter") });
    const gateways = binaries.length === 0 ? [join(folder, "arouter")] : binaries.map((binary) => resolve(binary));
    const config = writeGatewayFiles(folder, upstream.port);
    const env = plainEnv();
    const programs: readonly Program[] = [
      {
        name: "bare proxy",
        command: (port) => [bare, String(upstream.port), "pass", String(port)],
        cwd: folder,
        env,
      },
      ...gateways.map((binary) => ({
        name: basename(binary),
        command: (port: number) => serveCommand(binary, config, port),
        cwd: folder,
        env,
      })),
    ];
    // The first start of a file reads it from the disk.
    await startInTurns(programs, core, 1);
    const starts = await startInTurns(programs, core, times);
    process.stdout.write(`${machine()}\nto the first 200, ${times} starts each, in turns\n`);
    const floor = median((starts[0] ?? []).map(({ ms }) => ms));
    for (const [at, program] of programs.entries()) {
      const all = (starts[at] ?? []).map(({ ms }) => ms);
      const used = (starts[at] ?? []).map((start) => start.cpuMs);
      const idle = await idleMemory(program, core, 1500);
      process.stdout.write(
        `${program.name.padEnd(20)} median ${median(all).toFixed(1)} ms (× ${(median(all) / floor).toFixed(2)})  least ${Math.min(...all).toFixed(1)} ms` +
          `  CPU ${(used.reduce((sum, value) => sum + value, 0) / times).toFixed(0)} ms` +
          `  idle ${idle.all.toFixed(1)} MB, own ${idle.own.toFixed(1)} MB\n`,
      );
    }
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { times: { type: "string" }, binary: { type: "string", multiple: true } },
  });
  await compare(values.binary ?? [], Number(values.times ?? 20));
}
