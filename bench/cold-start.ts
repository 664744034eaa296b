/** From starting the binary to its first 200 for a real request. */
import { createCheck } from "./answers.ts";
import { openClient, renderRequest } from "./http-client.ts";
import { freePort, pinned, plainEnv } from "./processes.ts";
import { median } from "./report.ts";
import { PATHS, requestBody, workloadById } from "./workloads.ts";

export interface ColdStart {
  readonly name: string;
  readonly ms: number;
}

export interface ColdStartOptions {
  readonly binary: string;
  readonly config: string;
  readonly cwd: string;
  readonly core: number;
  readonly times: number;
}

/** With the variable that saves the second start (docs/benchmarks.md), and without it. */
export async function measureColdStart(options: ColdStartOptions): Promise<readonly ColdStart[]> {
  const withVariable: number[] = [];
  const without: number[] = [];
  for (let time = 0; time < options.times; time += 1) {
    withVariable.push(await startOnce(options, plainEnv()));
    const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...env } = plainEnv();
    without.push(await startOnce(options, env));
  }
  return [
    { name: "compiled, BUN_CONFIG_MAX_HTTP_REQUESTS set", ms: median(withVariable) },
    { name: "compiled, without it (starts itself again)", ms: median(without) },
  ];
}

async function startOnce(options: ColdStartOptions, env: Record<string, string>): Promise<number> {
  const { binary, config, cwd, core } = options;
  const workload = workloadById("W1");
  const headers = { "content-type": "application/json", authorization: "Bearer sk-bench" };
  const request = renderRequest(PATHS.chat, headers, requestBody(workload, "chat", "chat"));
  const check = createCheck(workload, true);
  const port = freePort();
  const startMs = performance.now();
  const child = Bun.spawn(pinned(core, [binary, "serve", "--config", config, "--listen", `127.0.0.1:${port}`]), {
    env,
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    for (;;) {
      const client = await openClient(port).catch(() => null);
      if (client !== null) {
        const { status, body } = await client.send(request);
        const elapsedMs = performance.now() - startMs;
        client.close();
        const failure = check(status, body);
        if (failure !== null) throw new Error(`first request after a start: ${failure}`);
        return elapsedMs;
      }
      if (child.exitCode !== null || performance.now() - startMs > 10_000) throw new Error("the binary did not start");
      await Bun.sleep(1);
    }
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}
