/** The processes of a run: the upstream, the proxies to compare with, the gateways, and the load generator. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBinary } from "../scripts/build.ts";
import { type GatewayFiles, writeGatewayFiles } from "./gateway-files.ts";
import { type Load, openLoad } from "./load-driver.ts";
import { createCpuMeter, freePort, type Launched, launch, launchGateway } from "./processes.ts";
import type { Target } from "./rounds.ts";

export const GATEWAY_CORE = 0;
const OTHER_CORE = 1;
const root = resolve(import.meta.dir, "..");

export type ProxyMode = "pass" | "events" | "twice";

export interface GatewayOptions extends GatewayFiles {
  /** Instead of the rig's own binary. */
  readonly binary?: string;
  /** Runs this file with Bun's further arguments before it; unset: the binary. */
  readonly source?: { readonly bunArguments: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

export interface Rig {
  /** Temporary, removed in the end. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly load: Load;
  readonly direct: Target;
  readonly startProxy: (name: string, mode: ProxyMode) => Promise<Target>;
  readonly startGateway: (name: string, options?: GatewayOptions) => Promise<Target>;
  /** The compiled gateway, built when it is first asked for unless one was given. */
  readonly binary: () => Promise<string>;
  readonly close: () => Promise<void>;
}

export interface RigOptions {
  readonly name: string;
  /** Compiled already; null: it is built. */
  readonly binary: string | null;
  /** 0: any. */
  readonly upstreamPort?: number;
}

/** Starts upstream and load generator; everything ends with `close`, or with this process. */
export async function openRig({ name, binary, upstreamPort = 0 }: RigOptions): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), `arouter-${name}-`));
  const running: Launched[] = [];
  const load = openLoad(OTHER_CORE);
  const keep = async (launched: Promise<Launched>): Promise<Launched> => {
    const started = await launched;
    running.push(started);
    return started;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const { pid } of running) process.kill(pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
  }

  const upstream = await keep(
    launch([join(import.meta.dir, "upstream.ts"), String(upstreamPort)], { core: OTHER_CORE }),
  );
  let built: Promise<string> | null = null;
  const build = async (): Promise<string> => {
    if (binary !== null) return resolve(binary);
    const outfile = join(folder, "arouter");
    await buildBinary({ outfile });
    return outfile;
  };
  const rig: Rig = {
    folder,
    upstreamPort: upstream.port,
    load,
    direct: { name: "direct", port: upstream.port, pid: null, cpuUs: null, translated: false },
    binary: () => (built ??= build()),
    startProxy: async (proxyName, mode) => {
      const script = [join(import.meta.dir, "proxy.ts"), String(upstream.port), mode];
      const { port, pid } = await keep(launch(script, { core: GATEWAY_CORE }));
      return { name: proxyName, port, pid, cpuUs: createCpuMeter(pid), translated: false };
    },
    startGateway: async (gatewayName, options = {}) => {
      const cwd = join(folder, gatewayName.replace(/\W+/g, "-"));
      const config = writeGatewayFiles(cwd, upstream.port, options);
      const { source } = options;
      const program =
        source === undefined
          ? [options.binary ?? (await rig.binary())]
          : [process.execPath, ...source.bunArguments, join(root, "src/main.ts")];
      const port = freePort();
      const command = [...program, "serve", "--config", config, "--listen", `127.0.0.1:${port}`];
      const logFile = join(cwd, "access.log");
      const env = source?.env ?? {};
      const { pid } = await keep(launchGateway(command, port, { core: GATEWAY_CORE, cwd, logFile, env }));
      return { name: gatewayName, port, pid, cpuUs: createCpuMeter(pid), translated: true };
    },
    close: async () => {
      load.close();
      await Promise.all(running.map((launched) => launched.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
}
