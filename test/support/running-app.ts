/** The gateway listening in this process, over providers that a test scripts or the simulator plays. Real sockets, real time. */
import { connect, type Socket } from "node:net";
import { startApp, type App } from "../../src/app/app.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { GatewayEvent, RequestRecord } from "../../src/base/events.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { LoadOptions } from "../../src/config/run.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { NO_POLICY, type Policy } from "../../src/policy/policy.ts";
import { systemPolicyFiles } from "../../src/cli/policy-files.ts";

export interface RunningAppOptions {
  /** Text of `arouter.toml` before the providers. Not with `configFile`. */
  readonly config?: string;
  /** Text of a policy that is handed over as it is. */
  readonly policy?: string;
  /** A configuration on disk, for reloads. */
  readonly configFile?: string;
  /** Base URLs of the providers; default: a port that refuses. */
  readonly upstream?: { readonly openaiUrl: string; readonly anthropicUrl: string };
}

export interface RunningApp {
  readonly app: App;
  readonly url: string;
  readonly port: number;
  readonly events: readonly GatewayEvent[];
  readonly records: () => readonly RequestRecord[];
  readonly snapshot: App["snapshot"];
  /** Requests in flight upstream, by provider and together with permits. */
  readonly permits: () => number;
  readonly close: () => Promise<void>;
}

const NOWHERE = { openaiUrl: "http://127.0.0.1:9/v1", anthropicUrl: "http://127.0.0.1:9" };

/** Starts it on a free port. @throws Error when configuration or policy are wrong */
export function startRunningApp(options: RunningAppOptions = {}): RunningApp {
  const { openaiUrl, anthropicUrl } = options.upstream ?? NOWHERE;
  const text = `${options.config ?? ""}
[providers.openai]
api_key = "sk-openai-test-key"
base_url = "${openaiUrl}"
[providers.anthropic]
api_key = "sk-ant-test-key"
base_url = "${anthropicUrl}"
`;
  const load: LoadOptions = {
    overrides: { listenAddr: "127.0.0.1:0", configFile: options.configFile ?? "arouter.toml" },
    env: {},
    cwd: "/",
    ...(options.configFile === undefined ? { files: { read: () => ({ ok: true, text, mode: 0o600 }) } } : {}),
  };
  const reloadConfig = () => loadConfig(load);
  const loaded = reloadConfig();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const loadPolicyAt = (path: string) => loadPolicy(path, systemPolicyFiles, (file) => file);
  const { policyFile } = loaded.config.router;
  const events: GatewayEvent[] = [];
  const app = startApp({
    clock: systemClock,
    version: "test",
    loaded,
    policy: policyFile === null ? readPolicy(options.policy) : policyOf(loadPolicyAt(policyFile)),
    reloadConfig,
    loadPolicy: loadPolicyAt,
    emit: (event) => void events.push(event),
    metrics: () => Promise.resolve("# metrics\n"),
    reusePort: false,
  });
  return {
    app,
    url: app.server.url,
    port: Number(app.server.address.split(":").at(-1)),
    events,
    records: () => events.flatMap((event) => (event.type === "exchange-finished" ? [event.record] : [])),
    permits: () => {
      const { bulkhead } = app.snapshot().state;
      return bulkhead("openai").inFlight() + bulkhead("anthropic").inFlight();
    },
    snapshot: app.snapshot,
    close: app.close,
  };
}

function readPolicy(text: string | undefined): Policy {
  return text === undefined ? NO_POLICY : policyOf(parsePolicy([{ name: "policies.yaml", text }]));
}

function policyOf(read: ReturnType<typeof parsePolicy>): Policy {
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}

/** Waits, two seconds at most, until `isTrue`. @throws Error when it does not come true */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 2_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`not within two seconds: ${what}`);
    await Bun.sleep(5);
  }
}

/** A raw connection, for requests that no client library would send. */
export interface RawConnection {
  readonly write: (text: string | Uint8Array) => void;
  /** What came back so far. */
  readonly received: () => string;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  readonly destroy: () => void;
  /** Sends a FIN and goes on reading. */
  readonly end: () => void;
  /** Stops reading. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export function openRaw(port: number): RawConnection {
  let text = "";
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1");
  });
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => void socket.on("close", () => resolve()));
  return {
    write: (data) => void socket.write(data),
    received: () => text,
    closed,
    destroy: () => void socket.destroy(),
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

/** Sends `request` and gives what came back once a whole head, or the end, is there. */
export async function sendRaw(port: number, request: string): Promise<string> {
  const connection = openRaw(port);
  connection.write(request);
  let isClosed = false;
  void connection.closed.then(() => (isClosed = true));
  await until(() => isClosed || connection.received().includes("\r\n\r\n"), `an answer to ${request.slice(0, 40)}`);
  await Bun.sleep(10);
  connection.destroy();
  return connection.received();
}
