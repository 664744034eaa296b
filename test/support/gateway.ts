/** Starts the real gateway as a process of its own, from source or as the compiled binary, in an empty folder. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** Long enough for a cold start on a busy machine; a start takes well under a second. */
const startTimeoutMs = 20_000;

export interface GatewayOptions {
  /** Text of `arouter.toml`; `listen_addr` is set here. */
  readonly config: string;
  /** Text of `policies.yaml`, put beside it. */
  readonly policies?: string;
  /** Added to the environment, which is otherwise bare of keys. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Command of the gateway; default: from source. */
  readonly command?: readonly string[];
  /** Subcommand and its arguments; default `serve`. */
  readonly args?: readonly string[];
}

export interface GatewayProcess {
  /** Origin, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly pid: number;
  /** Everything it printed so far, both streams. */
  readonly output: () => string;
  /** SIGTERM, then SIGKILL when it does not go; the folder is removed. */
  readonly stop: () => Promise<number>;
}

/** The gateway run from source, or what `AROUTER_COMMAND` names: an installed binary, say. */
export const sourceCommand: readonly string[] = process.env["AROUTER_COMMAND"]?.split(" ") ?? [
  process.execPath,
  join(root, "src/main.ts"),
];

/**
 * Starts the gateway and waits until it listens.
 * @throws Error with what it printed when it ends or stays silent instead
 */
export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-"));
  writeFileSync(join(folder, "arouter.toml"), `listen_addr = "127.0.0.1:0"\n${options.config}`);
  if (options.policies !== undefined) writeFileSync(join(folder, "policies.yaml"), options.policies);
  const command = [...(options.command ?? sourceCommand), ...(options.args ?? ["serve"])];
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...options.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const listening = Promise.withResolvers<string>();
  const drain = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      const address = /(?:listening|gateway)\D*(127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (address !== undefined) listening.resolve(`http://${address}`);
    }
  };
  void drain(child.stdout);
  void drain(child.stderr);
  void child.exited.then((code) => listening.reject(new Error(`the gateway ended with ${code}:\n${output}`)));
  const timer = setTimeout(() => {
    listening.reject(new Error(`the gateway does not listen:\n${output}`));
    child.kill("SIGKILL");
  }, startTimeoutMs);
  try {
    const url = await listening.promise;
    return {
      url,
      pid: child.pid,
      output: () => output,
      stop: async () => {
        child.kill("SIGTERM");
        const killer = setTimeout(() => child.kill("SIGKILL"), 3_000);
        const code = await child.exited;
        clearTimeout(killer);
        rmSync(folder, { recursive: true, force: true });
        return code;
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
