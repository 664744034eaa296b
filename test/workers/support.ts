/** A gateway of several workers as real processes, and a look at each of them through /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { SimulatorAddress } from "../../src/simulator/simulator.ts";
import { readExposition, type Sample } from "../support/exposition.ts";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";

/** Sharing a port needs Linux. */
export const isLinux = process.platform === "linux";

export interface WorkersOptions {
  readonly workers?: number | "auto";
  /** Before the other tables. */
  readonly config?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly providers: SimulatorAddress | { readonly openaiUrl: string; readonly anthropicUrl: string };
}

const started: GatewayProcess[] = [];

/** Stops what a test that failed has left running; for `afterEach`. */
export async function stopStarted(): Promise<void> {
  await Promise.all(started.splice(0).map((gateway) => gateway.stop()));
}

export async function startWorkers({
  workers = 2,
  config = "",
  args = [],
  command,
  providers,
}: WorkersOptions): Promise<GatewayProcess> {
  const gateway = await startGateway({
    args: ["serve", ...args],
    ...(command === undefined ? {} : { command }),
    config: `
[server]
workers = ${typeof workers === "number" ? workers : `"${workers}"`}
${config.includes("[drain]") ? "" : '[drain]\ndelay = "0s"\ntimeout = "5s"'}
${config.includes("[log]") ? "" : "[log]\naccess = false"}
${config}
[providers.openai]
base_url = "${providers.openaiUrl}"
[providers.anthropic]
base_url = "${providers.anthropicUrl}"
`,
    environment: { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" },
  });
  started.push(gateway);
  return gateway;
}

/** Processes that `pid` has started and that still run, by their numbers. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readStat(Number(name));
      return stat !== null && stat.parent === pid && stat.state !== "Z" ? [Number(name)] : [];
    });
}

export function isRunning(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== "Z";
}

function readStat(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name is in parentheses and may hold spaces.
    const [state = "", parent = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

const ESTABLISHED = "01";

/** Connections to `port` that `pid` has accepted. */
export function connectionsOf(pid: number, port: number): number {
  const inodes = new Set<string>();
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const local = fields[1]?.split(":")[1] ?? "";
    if (Number.parseInt(local, 16) === port && fields[3] === ESTABLISHED) inodes.add(`socket:[${fields[9]}]`);
  }
  return readdirSync(`/proc/${pid}/fd`).filter((descriptor) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      return false;
    }
  }).length;
}

/** Waits until `isTrue`. @throws Error when it does not come true in time */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await Bun.sleep(20);
  }
}

/** A call on a connection of its own, so that any of the workers may get it. */
export function call(gateway: GatewayProcess, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { connection: "close", "content-type": "application/json", ...init.headers };
  return fetch(`${gateway.url}${path}`, { ...init, headers, keepalive: false });
}

export function chat(gateway: GatewayProcess, words = 'text "fine"', stream = false): Promise<Response> {
  const messages = [{ role: "user", content: `[[sim: ${words}]]` }];
  return call(gateway, "/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "gpt-5.6", stream, messages }),
  });
}

export async function metrics(gateway: GatewayProcess): Promise<readonly Sample[]> {
  return readExposition(await (await call(gateway, "/metrics")).text());
}

export function portOf({ url }: GatewayProcess): number {
  return Number(new URL(url).port);
}

/** `count` connections, kept open; each has had one answer. */
export async function openConnections(gateway: GatewayProcess, count: number): Promise<readonly Connection[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => openConnection(portOf(gateway))));
  await Promise.all(connections.map(({ ask }) => ask()));
  return connections;
}

export interface Connection {
  /** Sends `GET /livez` and gives the status line; rejects when the connection ends. */
  readonly ask: () => Promise<string>;
  readonly isClosed: () => boolean;
  readonly close: () => void;
}

async function openConnection(port: number): Promise<Connection> {
  let isClosed = false;
  let waiting: PromiseWithResolvers<string> | null = null;
  const over = (): void => {
    isClosed = true;
    waiting?.reject(new Error("the connection has ended"));
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => waiting?.resolve(bytes.toString("latin1").split("\r\n")[0] ?? ""),
      close: over,
      error: over,
      end: over,
    },
  });
  return {
    ask: () => {
      waiting = Promise.withResolvers<string>();
      if (isClosed) over();
      else socket.write("GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
      return waiting.promise;
    },
    isClosed: () => isClosed,
    close: () => void socket.end(),
  };
}
