/**
 * Both providers on loopback ports or in process, strict and steerable: requests are judged by the providers' own rules, answers have
 * their shape to the byte, and control words in the prompt (controls.ts) decide what is said and what breaks.
 */
import { systemClock, type Clock } from "../base/clock.ts";
import type { ProviderName } from "../base/names.ts";
import { createPromptCache } from "./cache.ts";
import { createControlFilter, parseControlScript, type Control } from "./controls.ts";
import { openFront, type Front, type FrontConnection } from "./front.ts";
import { createIdentity } from "./identity.ts";
import { createJournal, type LogEntry } from "./journal.ts";
import { handleRequest, type Service } from "./serve.ts";
import { createSigner } from "./signature.ts";
import { createThreadStore } from "./threads.ts";

/** Everything is optional. */
export interface SimulatorOptions {
  /** `YYYY-MM-DD`, the day the simulator lives in: decides which models are shut down. Default 2026-11-22. */
  readonly today?: string;
  /** Models past their shutdown still answer. */
  readonly servesShutDown?: boolean;
  /** The one key of a provider; default: every key but those that hold `invalid`. */
  readonly keys?: Partial<Readonly<Record<ProviderName, string>>>;
  /** Control words for every request to a model, by its id. */
  readonly models?: Readonly<Record<string, string>>;
  /** Requests the log holds, default 1000. */
  readonly maxLog?: number;
  /** Serves without the TCP front: faster, but faults cannot reset a connection. */
  readonly direct?: boolean;
  /** Milliseconds between the events of a stream that says nothing about its delay, as for a demonstration; default 0. */
  readonly delayMs?: number;
  readonly clock?: Clock;
}

/** Where a simulator listens. */
export interface SimulatorAddress {
  /** Base URL as OpenAI's SDK takes it, with `/v1`. */
  readonly openaiUrl: string;
  /** Base URL as Anthropic's SDK takes it. */
  readonly anthropicUrl: string;
  readonly stop: () => Promise<void>;
}

/** A running pair of providers. */
export interface Simulator {
  /** Answers one request in process. Rejects where a listening simulator would reset the connection before any byte. */
  readonly openai: (request: Request) => Promise<Response>;
  readonly anthropic: (request: Request) => Promise<Response>;
  /** Listens on two free loopback ports. */
  readonly listen: () => SimulatorAddress;
  /**
   * The next accepted requests that generate, in order, get these control words on top of their own; then all is well again.
   * A word whose `model=` does not match leaves its turn to the next.
   */
  readonly fail: (provider: ProviderName, script: readonly string[]) => void;
  /** Closes a provider's port: connections are refused until {@link accept}. */
  readonly refuse: (provider: ProviderName) => Promise<void>;
  readonly accept: (provider: ProviderName) => Promise<void>;
  /** Connections that clients hold to a provider now; 0 on a direct port. */
  readonly openConnections: (provider: ProviderName) => number;
  readonly log: { readonly entries: readonly LogEntry[]; readonly clear: () => void };
}

const DEFAULT_TODAY = "2026-11-22";

/** Two providers that share one log, and nothing with any other simulator. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const clock = options.clock ?? systemClock;
  const journal = createJournal(options.maxLog ?? 1000, clock);
  const scripts: Record<ProviderName, Control[][]> = { openai: [], anthropic: [] };
  const service: Service = {
    clock,
    today: options.today ?? DEFAULT_TODAY,
    servesShutDown: options.servesShutDown ?? false,
    delayMs: options.delayMs ?? 0,
    keys: options.keys ?? {},
    modelControls: new Map(Object.entries(options.models ?? {}).map(([id, words]) => [id, parseControlScript(words)])),
    journal,
    identity: createIdentity("simulator"),
    signer: createSigner(`simulator ${clock.random()}`),
    cache: createPromptCache(),
    threads: createThreadStore(),
    filter: createControlFilter(),
    scripts,
  };
  const fronts: Partial<Record<ProviderName, Front>> = {};

  const listenOne = (provider: ProviderName): { port: number; stop: () => Promise<void> } => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      maxRequestBodySize: 64 * 1_048_576,
      development: false,
      // The client left before its connection could be broken: nobody reads this.
      error: () => new Response(null, { status: 500 }),
      fetch: (request, self) =>
        handleRequest(service, provider, request, connectionOf(fronts[provider], self.requestIP(request)?.port)),
    });
    const serverPort = server.port ?? 0;
    if (options.direct === true) return { port: serverPort, stop: () => server.stop(true) };
    const front = openFront(serverPort);
    fronts[provider] = front;
    return {
      port: front.port,
      stop: async () => {
        await front.stop();
        await server.stop(true);
      },
    };
  };

  return {
    openai: (request) => handleRequest(service, "openai", request, null),
    anthropic: (request) => handleRequest(service, "anthropic", request, null),
    listen: () => {
      const openai = listenOne("openai");
      const anthropic = listenOne("anthropic");
      return {
        openaiUrl: `http://127.0.0.1:${openai.port}/v1`,
        anthropicUrl: `http://127.0.0.1:${anthropic.port}`,
        stop: async () => {
          await Promise.all([openai.stop(), anthropic.stop()]);
        },
      };
    },
    fail: (provider, script) => {
      scripts[provider].push(...script.map((words) => [...parseControlScript(words)]));
    },
    refuse: async (provider) => fronts[provider]?.refuse(),
    accept: async (provider) => fronts[provider]?.accept(),
    openConnections: (provider) => fronts[provider]?.openConnections() ?? 0,
    log: journal,
  };
}

function connectionOf(front: Front | undefined, port: number | undefined): FrontConnection | null {
  return front === undefined || port === undefined ? null : front.connection(port);
}
