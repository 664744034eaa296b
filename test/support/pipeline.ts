/**
 * The gateway's pipeline in this process: real policy, layers, translators and delivery over a scripted upstream and a clock
 * that stands still until a test moves it. Nothing but `fetch` and time is replaced.
 */
import { buildSnapshot } from "../../src/app/snapshot.ts";
import { providerLayers } from "../../src/app/settings.ts";
import type { GatewayEvent, RequestRecord } from "../../src/base/events.ts";
import type { FormatName } from "../../src/base/names.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Arrival } from "../../src/gateway/exchange.ts";
import { createGateway, type Gateway } from "../../src/gateway/handle.ts";
import type { Snapshot } from "../../src/gateway/settings.ts";
import { createThinkingStore } from "../../src/gateway/thinking-store.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { NO_POLICY, type Policy } from "../../src/policy/policy.ts";
import { createUpstreamState } from "../../src/upstream/stack.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { createFakeClock, type FakeClock, settle } from "./fake-clock.ts";
import { createScriptedClient, type Script, type UpstreamCall } from "./scripted-client.ts";

export interface PipelineOptions {
  /** Answers each call; see {@link Script}. */
  readonly upstream: Script;
  /** Text of `arouter.toml`. Both providers have a key. */
  readonly config?: string;
  /** Text of `policies.yaml`. */
  readonly policy?: string;
  readonly clock?: FakeClock;
}

/** What a client got. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body. */
  readonly text: string;
}

/** An answer whose headers have come. */
export interface Opened {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The next write, as the gateway made it; null at the end. @throws what ends the stream badly */
  readonly read: () => Promise<string | null>;
  /** Everything that is still to come. */
  readonly rest: () => Promise<string>;
  /** The client closes its connection. */
  readonly leave: () => Promise<void>;
}

export interface Pipeline {
  readonly clock: FakeClock;
  readonly gateway: Gateway;
  readonly snapshot: Snapshot;
  /** What was sent upstream, in order. */
  readonly calls: readonly UpstreamCall[];
  readonly events: readonly GatewayEvent[];
  /** Records of the requests that are over, in that order. */
  readonly records: readonly RequestRecord[];
  /** Sends a request and waits for its headers, moving the clock on as far as anything waits for it. */
  readonly open: (format: FormatName, body: unknown, options?: SendOptions) => Promise<Opened>;
  /** The same, body included. */
  readonly send: (format: FormatName, body: unknown, options?: SendOptions) => Promise<Answered>;
  /** Sends a request without moving the clock. */
  readonly start: (format: FormatName, body: unknown, options?: SendOptions) => Started;
  /** Everything that must be 0 when no request is in flight. */
  readonly residue: () => Residue;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose answer is not there yet. */
export interface Started {
  readonly opened: Promise<Opened>;
  /** The client leaves. */
  readonly leave: () => void;
}

export interface Residue {
  readonly timers: number;
  readonly upstreamCalls: number;
  readonly permits: number;
  readonly openArrivals: number;
}

/** Nothing left behind. */
export const AT_REST: Residue = { timers: 0, upstreamCalls: 0, permits: 0, openArrivals: 0 };

/** A clock at the moment of the documents' examples, with chance that adds nothing to a wait. */
export function exampleClock(): FakeClock {
  return createFakeClock({ wallStartMs: 1_766_000_000_000, random: 0 });
}

/** Starts a pipeline. @throws Error when the configuration or the policy is wrong */
export function createPipeline(options: PipelineOptions): Pipeline {
  const clock = options.clock ?? exampleClock();
  const { config, catalog, secrets } = readConfig(options.config ?? "");
  const policy = readPolicy(options.policy);
  const events: GatewayEvent[] = [];
  const emit = (event: GatewayEvent): void => void events.push(event);
  const client = createScriptedClient(options.upstream);
  const state = createUpstreamState(clock, (provider) => providerLayers(config, provider), emit);
  const send = { clock, client, emit, userAgent: "arouter/test" };
  const snapshot = buildSnapshot({ config, catalog, policy, state, secrets, send });
  const gateway = createGateway({
    clock,
    emit,
    snapshot: () => snapshot,
    schemas: createSchemaStore({ ...DEFAULT_SCHEMA_LIMITS, ...config.limits }, clock),
    thinkingStore: createThinkingStore(clock),
    sampleNew: () => false,
  });
  let openArrivals = 0;
  let arrived = 0;

  const start = (format: FormatName, body: unknown, { headers = {} }: SendOptions = {}): Started => {
    const client = new AbortController();
    const bytes = typeof body === "string" ? body : body instanceof Uint8Array ? body : JSON.stringify(body);
    let isOver = false;
    openArrivals += 1;
    arrived += 1;
    const arrival: Arrival = {
      id: `req_ar_${String(arrived).padStart(24, "0")}`,
      route: `/v1/${format}`,
      method: "POST",
      headers: new Headers({ "content-type": "application/json", ...headers }),
      signal: client.signal,
      startedMs: clock.nowMs(),
      bodyWaitMs: () => 0,
      key: null,
      client: null,
      onOver: () => {
        if (isOver) return;
        isOver = true;
        openArrivals -= 1;
      },
    };
    const leave = (): void => client.abort(new DOMException("the connection was closed", "AbortError"));
    const opened = gateway
      .handle(arrival, formatByName(format), Buffer.from(bytes))
      .then((reply) => openReply(reply.status, reply.headers, reply.body, leave));
    return { opened, leave };
  };

  const open = async (format: FormatName, body: unknown, sendOptions?: SendOptions): Promise<Opened> =>
    runUntil(start(format, body, sendOptions).opened, clock);

  return {
    clock,
    gateway,
    snapshot,
    calls: client.calls,
    events,
    get records() {
      return events.flatMap((event) => (event.type === "exchange-finished" ? [event.record] : []));
    },
    start,
    open,
    send: async (format, body, sendOptions) => {
      const opened = await open(format, body, sendOptions);
      const text = await runUntil(opened.rest(), clock);
      return { status: opened.status, headers: opened.headers, text };
    },
    residue: () => ({
      timers: clock.pending(),
      upstreamCalls: client.inFlight(),
      permits: state.bulkhead("openai").inFlight() + state.bulkhead("anthropic").inFlight(),
      openArrivals,
    }),
  };
}

/** Most steps of the clock that a test's request may take. */
const MAX_STEPS = 10_000;
const STEP_MS = 10;

/** Moves the clock on in small steps until `work` settles. */
export async function runUntil<Result>(work: Promise<Result>, clock: FakeClock, stepMs = STEP_MS): Promise<Result> {
  let isSettled = false;
  const settled = work.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    // Streams settle over several turns of the loop; time must not run while they do.
    for (let turn = 0; turn < 4 && !isSettled; turn += 1) await settle();
    if (isSettled) return settled;
    await clock.advance(stepMs);
  }
  throw new Error(`nothing settled within ${MAX_STEPS * stepMs} ms of the fake clock`);
}

function openReply(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string | ReadableStream<Uint8Array> | null,
  abort: () => void,
): Opened {
  const decoder = new TextDecoder();
  const stream = body instanceof ReadableStream ? body : null;
  const reader = stream?.getReader() ?? null;
  let whole =
    stream !== null || body === null ? null : typeof body === "string" ? body : decoder.decode(body as Uint8Array);
  const read = async (): Promise<string | null> => {
    if (reader === null) {
      const text = whole;
      whole = null;
      return text;
    }
    const { done, value } = await reader.read();
    return done ? null : decoder.decode(value, { stream: true });
  };
  return {
    status,
    headers,
    read,
    rest: async () => {
      let text = "";
      for (let piece = await read(); piece !== null; piece = await read()) text += piece;
      return text;
    },
    leave: async () => {
      abort();
      await reader?.cancel().catch(() => undefined);
    },
  };
}

const KEYS = { OPENAI_API_KEY: "sk-openai-test-key", ANTHROPIC_API_KEY: "sk-ant-test-key" };

function readConfig(text: string) {
  const loaded = loadConfig({
    env: KEYS,
    cwd: "/",
    overrides: { configFile: "arouter.toml" },
    files: { read: () => ({ ok: true, text, mode: 0o600 }) },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded;
}

function readPolicy(text: string | undefined): Policy {
  if (text === undefined) return NO_POLICY;
  const read = parsePolicy([{ name: "policies.yaml", text }]);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}
