/**
 * The whole gateway and both providers in this process, over real sockets and real time, with everything in view that has
 * to be back at rest when no request is in flight.
 */
import { startApp, type App } from "../../src/app/app.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import type { GatewayEvent, RequestRecord } from "../../src/base/events.ts";
import { loadConfig } from "../../src/config/load.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { NO_POLICY, type Policy } from "../../src/policy/policy.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";

/** The clients that may call the providers; what breaks on the way has to come to the same with each. */
export const HTTP_CLIENTS = ["own", "fetch"] as const;

export interface StageOptions {
  /** As `upstream.http_client`. */
  readonly httpClient?: (typeof HTTP_CLIENTS)[number];
  /** Further text of `arouter.toml`; what stands here goes before the stage's own. */
  readonly config?: string;
  /** Text of `policies.yaml`. */
  readonly policy?: string;
  readonly simulator?: SimulatorOptions;
  /** Providers that run elsewhere; the stage's own simulator then only answers in process. */
  readonly providers?: Through;
  /** Base URLs that stand between the gateway and the simulator. */
  readonly through?: (openaiUrl: string, anthropicUrl: string) => Promise<Through>;
}

/** What stands between the gateway and the providers. */
export interface Through {
  readonly openaiUrl: string;
  readonly anthropicUrl: string;
}

export interface Stage {
  readonly url: string;
  readonly app: App;
  readonly simulator: Simulator;
  /** Every event, in order; cleared by {@link Stage.forget}. */
  readonly events: readonly GatewayEvent[];
  /** Records of the requests that are over. */
  readonly records: readonly RequestRecord[];
  readonly forget: () => void;
  readonly residue: () => Residue;
  /** Waits until everything is at rest, `limitMs` at most; what is left is given back. */
  readonly settle: (limitMs?: number) => Promise<Residue>;
  readonly close: () => Promise<void>;
}

/** What must be 0 at rest. */
export interface Residue {
  /** Requests that started and have not finished. */
  readonly inFlight: number;
  /** Permits of the gateway and of both providers. */
  readonly permits: number;
  /** Half-open probes that hold their slot. */
  readonly probes: number;
  readonly timers: number;
  /** Attempts that started and have not finished. */
  readonly attempts: number;
}

export const AT_REST: Residue = { inFlight: 0, permits: 0, probes: 0, timers: 0, attempts: 0 };

/** Real time, with its armed timers counted. */
function createCountingClock(): Clock & { readonly pending: () => number } {
  let pending = 0;
  return {
    ...systemClock,
    pending: () => pending,
    after: (delayMs, run) => {
      let isArmed = true;
      pending += 1;
      const disarm = (): void => {
        if (isArmed) pending -= 1;
        isArmed = false;
      };
      const cancel = systemClock.after(delayMs, () => {
        disarm();
        run();
      });
      return () => {
        disarm();
        cancel();
      };
    },
  };
}

/** No pauses where a test does not want them, no watching of files. */
const BASE = `
listen_addr = "127.0.0.1:0"
[reload]
watch = false
[drain]
delay = "0s"
`;

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const simulator = createSimulator(options.simulator ?? {});
  const address = options.providers === undefined ? simulator.listen() : null;
  const places =
    options.providers ?? (await options.through?.(address?.openaiUrl ?? "", address?.anthropicUrl ?? "")) ?? address;
  if (places === null) throw new Error("no providers");
  const text = `${BASE}
[providers.openai]
base_url = "${places.openaiUrl}"
[providers.anthropic]
base_url = "${places.anthropicUrl}"
${options.httpClient === undefined ? "" : `[upstream]\nhttp_client = "${options.httpClient}"\n`}${options.config ?? ""}`;
  const reloadConfig = () =>
    loadConfig({
      env: { OPENAI_API_KEY: "sk-stage-openai", ANTHROPIC_API_KEY: "sk-ant-stage" },
      cwd: "/",
      overrides: { configFile: "arouter.toml" },
      files: { read: () => ({ ok: true, text, mode: 0o600 }) },
    });
  const loaded = reloadConfig();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const clock = createCountingClock();
  let events: GatewayEvent[] = [];
  let records: RequestRecord[] = [];
  let inFlight = 0;
  let attempts = 0;
  const emit = (event: GatewayEvent): void => {
    events.push(event);
    if (event.type === "exchange-started") inFlight += 1;
    if (event.type === "exchange-finished") {
      inFlight -= 1;
      records.push(event.record);
    }
    if (event.type === "attempt-started") attempts += 1;
    if (event.type === "attempt-finished") attempts -= 1;
  };
  const app = startApp({
    clock,
    version: "0.0.0-test",
    loaded,
    policy: readPolicy(options.policy),
    reloadConfig,
    loadPolicy: () => ({ ok: true, policy: readPolicy(options.policy) }),
    emit,
    metrics: () => Promise.resolve(""),
    reusePort: false,
  });
  const idleTimers = clock.pending();
  const residue = (): Residue => {
    const { state } = app.snapshot();
    return {
      inFlight,
      permits: state.bulkhead("openai").inFlight() + state.bulkhead("anthropic").inFlight(),
      probes: state.breakers.list().filter(({ view }) => view.kind === "half_open" && !view.admits).length,
      timers: clock.pending() - idleTimers,
      attempts,
    };
  };
  return {
    url: app.server.url,
    app,
    simulator,
    get events() {
      return events;
    },
    get records() {
      return records;
    },
    forget: () => {
      events = [];
      records = [];
    },
    residue,
    settle: async (limitMs = 2000) => {
      const end = performance.now() + limitMs;
      while (performance.now() < end && !isAtRest(residue())) await Bun.sleep(5);
      return residue();
    },
    close: async () => {
      await app.close();
      await address?.stop();
    },
  };
}

function isAtRest(residue: Residue): boolean {
  return Object.values(residue).every((count) => count === 0);
}

function readPolicy(text: string | undefined): Policy {
  if (text === undefined) return NO_POLICY;
  const read = parsePolicy([{ name: "policies.yaml", text }]);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}
