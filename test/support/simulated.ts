/**
 * The gateway as a process, with the providers that the conformance suite runs against: the simulator in this process,
 * or with `AROUTER_LIVE=1` and both keys in the environment the real endpoints.
 */
import { createSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startGateway, type GatewayOptions, type GatewayProcess } from "./gateway.ts";

/** The suite runs against the real providers. */
export const live = process.env["AROUTER_LIVE"] === "1";

/** Answers, errors and aborts come fast and often here: no pauses, no breaker. */
const config = `
[retry]
base = "1ms"
cap = "5ms"
throttle_base = "1ms"
throttle_cap = "5ms"
budget_min_per_second = 1000

[breaker]
consecutive_failures = 100000
min_requests = 100000
`;

export interface SimulatedGateway extends GatewayProcess {
  /** null when the providers are the real ones. */
  readonly simulator: Simulator | null;
}

export interface SimulatedGatewayOptions {
  readonly command?: readonly string[];
  /** Further text of `arouter.toml`. */
  readonly config?: string;
  readonly policies?: string;
}

/** Starts the gateway; stopping it stops the simulator too. */
export async function startSimulatedGateway(options: SimulatedGatewayOptions = {}): Promise<SimulatedGateway> {
  const common = {
    ...(options.command === undefined ? {} : { command: options.command }),
    ...(options.policies === undefined ? {} : { policies: options.policies }),
  };
  if (live) return { ...(await startGateway({ ...common, ...liveOptions(options) })), simulator: null };

  const simulator = createSimulator({});
  const address = simulator.listen();
  const providers = `
[providers.openai]
base_url = "${address.openaiUrl}"
[providers.anthropic]
base_url = "${address.anthropicUrl}"
`;
  const gateway = await startGateway({
    ...common,
    config: config + providers + (options.config ?? ""),
    environment: { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" },
  }).catch(async (error: unknown) => {
    await address.stop();
    throw error;
  });
  const stop = async (): Promise<number> => {
    const code = await gateway.stop();
    await address.stop();
    return code;
  };
  return { ...gateway, simulator, stop };
}

function liveOptions(options: SimulatedGatewayOptions): Pick<GatewayOptions, "config" | "environment"> {
  const key = (name: string): string => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`AROUTER_LIVE=1 needs ${name}`);
    return value;
  };
  return {
    config: options.config ?? "",
    environment: { OPENAI_API_KEY: key("OPENAI_API_KEY"), ANTHROPIC_API_KEY: key("ANTHROPIC_API_KEY") },
  };
}

/** A prompt that also tells the simulator what to answer. */
export function simulated(text: string, words: string): string {
  return live ? text : `${text} [[sim: ${words}]]`;
}

/** A request that reached the simulator. */
export interface UpstreamRequestSeen {
  readonly path: string;
  /** Whether the gateway left before the answer was over. */
  readonly aborted: boolean;
}

/** The requests whose body holds `marker`. */
export function upstreamRequests(gateway: SimulatedGateway, marker: string): readonly UpstreamRequestSeen[] {
  const entries = gateway.simulator?.log.entries ?? [];
  return entries
    .filter((entry) => entry.body.includes(marker))
    .map((entry) => ({ path: entry.path, aborted: entry.abortedMs !== null }));
}

/** Waits, two seconds at most, until the gateway left every request with `marker`. @throws Error when it did not */
export async function untilAborted(gateway: SimulatedGateway, marker: string): Promise<void> {
  const end = Date.now() + 2_000;
  for (;;) {
    const seen = upstreamRequests(gateway, marker);
    if (seen.length > 0 && seen.every((request) => request.aborted)) return;
    if (Date.now() > end) throw new Error(`not aborted upstream: ${JSON.stringify(seen)}`);
    await Bun.sleep(10);
  }
}
