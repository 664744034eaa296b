/** The composition root: builds every part from a configuration and joins them. Knows every folder, so that no other has to. */
import type { Clock } from "../base/clock.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { renderDiagnostic } from "../base/diagnostic.ts";
import { GatewayError } from "../base/errors.ts";
import type { Emit } from "../base/events.ts";
import type { ProviderName } from "../base/names.ts";
import { carryRestartKeys } from "../config/assemble.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig, LoadResult } from "../config/load.ts";
import { createReloader, type ReloadReason } from "../config/reload.ts";
import { createGateway, type GatewayOptions } from "../gateway/handle.ts";
import { createCountTokens } from "../gateway/count-tokens.ts";
import { createModels } from "../gateway/models.ts";
import { createPassThrough } from "../gateway/passthrough.ts";
import type { Snapshot } from "../gateway/settings.ts";
import { createThinkingStore } from "../gateway/thinking-store.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../heal/json-schema.ts";
import type { Live } from "../observe/live.ts";
import type { Vitals } from "../observe/metrics.ts";
import { readProcessFigures } from "../observe/process-figures.ts";
import type { PolicyResult } from "../policy/parse.ts";
import { NO_POLICY, type Policy } from "../policy/policy.ts";
import { runTests } from "../policy/run-tests.ts";
import { createBulkhead } from "../resilience/bulkhead.ts";
import { createDrain } from "../server/drain.ts";
import { createHealth } from "../server/health.ts";
import { createHandlers } from "../server/handlers.ts";
import { type RunningServer, type ServerOptions, startServer } from "../server/server.ts";
import { createShedding } from "../server/shedding.ts";
import { createAlone, type Peers } from "../supervisor/peers.ts";
import { createHttpClient } from "../upstream/http-client.ts";
import { askModels } from "../upstream/probe.ts";
import { createUpstreamState } from "../upstream/stack.ts";
import { createDashboard } from "./dashboard.ts";
import { memoryLimit, readCgroupLimit } from "./memory-limit.ts";
import type { Running } from "./observers.ts";
import { admissionSettings, isDashboardOn, providerLayers } from "./settings.ts";
import { buildSnapshot, providerRegistry } from "./snapshot.ts";
import { inFlightByProvider, shareCalls, worstBreaker } from "./vitals.ts";

export interface AppOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly loaded: LoadedConfig;
  readonly policy: Policy;
  /** Loads the configuration again, as at start. */
  readonly reloadConfig: () => LoadResult;
  readonly loadPolicy: (path: string) => PolicyResult;
  readonly emit: Emit;
  /** Text of `/metrics`. */
  readonly metrics: () => Promise<string>;
  /** Figures of the dashboard; without them there is none. */
  readonly live?: Live;
  readonly reusePort: boolean;
  /** Processes that share the port, the memory of the machine and what they know; unset: this one alone. */
  readonly workers?: { readonly count: number; readonly peers: Peers };
}

export interface App extends Running {
  readonly server: RunningServer;
  readonly snapshot: () => Snapshot;
  /** The configuration in force. */
  readonly loaded: () => LoadedConfig;
  /** Reloads now. */
  readonly reload: () => void;
  /** Drains and stops; true when nothing was cut. `delayMs` 0: stop accepting at once. */
  readonly stop: (delayMs: number) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** Starts the gateway. @throws what Bun throws when the address cannot be used */
export function startApp(options: AppOptions): App {
  const { clock, emit, version } = options;
  const { count: workers, peers } = options.workers ?? { count: 1, peers: createAlone() };
  let loaded = options.loaded;
  let policyReload: "ok" | "error" = "ok";
  // The demonstration hands its policy over as it is; a policy that came from a file goes when the file does.
  const policyWithoutFile = loaded.config.router.policyFile === null ? options.policy : NO_POLICY;
  const config = () => loaded.config;
  /** Builds once per configuration what each request reads. */
  const perConfig = <T>(build: (of: Config) => T): (() => T) => {
    let builtOf: Config | null = null;
    let built: T;
    return () => {
      if (builtOf !== loaded.config) {
        builtOf = loaded.config;
        built = build(builtOf);
      }
      return built;
    };
  };
  const userAgent = `arouter/${version}`;
  const client = createHttpClient({ ...config().upstream, clock });
  const layers = perConfig((of) => ({
    openai: providerLayers(of, "openai"),
    anthropic: providerLayers(of, "anthropic"),
  }));
  const state = createUpstreamState(clock, (provider) => layers()[provider], emit);
  const send = { clock, client, emit, userAgent };
  let snapshot = buildSnapshot({ ...loaded, policy: options.policy, state, send });

  const gatewayOptions: GatewayOptions = {
    clock,
    emit,
    snapshot: () => snapshot,
    schemas: createSchemaStore({ ...DEFAULT_SCHEMA_LIMITS, ...config().limits }, clock),
    thinkingStore: createThinkingStore(clock),
    // Without traces nothing is sampled, and the upstream is told so.
    sampleNew: () => config().telemetry.otlpEndpoint !== null && clock.random() < config().telemetry.sampleRatio,
  };
  const gateway = createGateway(gatewayOptions);
  const passThrough = createPassThrough({ ...gatewayOptions, client, userAgent });
  const drain = createDrain(clock);
  const bulkhead = createBulkhead(
    perConfig(({ limits }) => ({
      limit: limits.maxInFlight,
      queueDepth: limits.queueDepth,
      queueTimeoutMs: limits.queueTimeoutMs,
    })),
    clock,
  );
  const cgroupLimit = readCgroupLimit();
  const shedding = createShedding({
    clock,
    read: readProcessFigures,
    rssBytes: () => memoryLimit(config().limits.rssBytes, cgroupLimit === null ? null : cgroupLimit / workers),
    relieve: () => Bun.gc(true),
  });
  const health = createHealth({
    clock,
    version,
    settings: () => config().health,
    providers: () => snapshot.registry.configured,
    probe: async (name) => {
      const provider = snapshot.registry.get(name);
      if (provider === null) return { status: null, latencyMs: 0 };
      return askModels({ clock, client, userAgent, timeoutMs: config().health.timeoutMs }, provider);
    },
    breaker: async (provider: ProviderName) => worstBreaker(await everyVitals(), provider, ""),
    policy: async () => ({
      hash: snapshot.policy.files.length === 0 ? null : snapshot.policy.hash12,
      reload: (await everyVitals()).some(({ reload }) => reload === "error") ? "error" : "ok",
    }),
  });
  const vitals = (): Vitals => ({
    configured: snapshot.registry.configured,
    inFlight: (provider) => state.bulkhead(provider).inFlight(),
    queueDepth: bulkhead.queued(),
    breakers: state.breakers.list().map(({ provider, model, view }) => ({ provider, model, state: view.kind })),
    policy: snapshot.policy.hash12,
  });
  const startedWallMs = clock.wallMs();
  peers.answer("vitals", () => ({
    startedWallMs,
    queueDepth: bulkhead.queued(),
    inFlight: inFlightByProvider(vitals()),
    breakers: vitals().breakers,
    health: health.last(),
    reload: policyReload,
    isReady: !shedding.isShedding(),
  }));
  const everyVitals = shareCalls(() => peers.gather("vitals", null));
  const handlers = createHandlers({
    version,
    gateway,
    passThrough,
    countTokens: createCountTokens(gatewayOptions, passThrough),
    models: createModels({
      clock,
      snapshot: () => snapshot,
      client,
      userAgent,
      cacheMs: () => config().router.modelsCacheMs,
    }),
    health,
    // A connection may come to any of the workers: one that turns requests away speaks for all.
    isReady: async () => drain.isServing() && (await everyVitals()).every(({ isReady }) => isReady),
    passthroughGroups: () => config().router.passthrough,
    metrics:
      config().metrics.listenAddr !== null
        ? null
        : () => {
            if (config().metrics.enabled) return options.metrics();
            throw new GatewayError("not-found", "metrics are off (metrics.enabled)", { code: "unknown_url" });
          },
    dashboard:
      options.live === undefined
        ? null
        : createDashboard({
            live: options.live,
            version,
            wallMs: clock.wallMs,
            isOn: () => isDashboardOn(config()),
            policy: () => snapshot.policy,
            configured: () => snapshot.registry.configured,
            peers,
            refreshHealth: () => void health.report(),
            providerOf: (model) => snapshot.registry.resolve(model),
          }),
  });

  /** Reads everything anew and swaps one reference; any mistake leaves the last good state in force. */
  const apply = (reason: ReloadReason): void => {
    const file = reloadedFile(reason);
    const fail = (diagnostics: readonly Diagnostic[]): void => {
      policyReload = "error";
      const messages = diagnostics.map(renderDiagnostic);
      emit({ type: "config-reloaded", file, ok: false, messages, policy: snapshot.policy.hash12 });
    };
    const next = options.reloadConfig();
    if (!next.ok) return fail(next.diagnostics);
    const { config: carried, restartKeys } = carryRestartKeys(loaded.config, next.config);
    const read = carried.router.policyFile === null ? null : options.loadPolicy(carried.router.policyFile);
    if (read !== null && !read.ok) return fail(read.diagnostics);
    const policy = read?.policy ?? policyWithoutFile;
    const registry = providerRegistry(carried);
    const failures = runTests(policy, { providerOf: registry.resolve, wallMs: clock.wallMs() }).filter(({ ok }) => !ok);
    if (failures.length > 0) {
      return fail(
        failures.map(({ test, failures: texts }) => ({
          ...test.position,
          severity: "error",
          text: `test "${test.name}" fails: ${texts.join("; ")}`,
        })),
      );
    }
    loaded = { ...next, config: carried };
    snapshot = buildSnapshot({ ...loaded, policy, state, send });
    policyReload = "ok";
    const messages = restartKeys.map((key) => `${key} takes effect after a restart`);
    emit({ type: "config-reloaded", file, ok: true, messages, policy: policy.hash12 });
  };
  const server = startServer({
    clock,
    drain,
    listenAddr: config().listenAddr,
    tls: tlsFiles(config().server.tls),
    reusePort: options.reusePort,
    clientIdleMs: config().timeout.clientIdleMs,
    admission: perConfig(admissionSettings),
    bodyLimits: perConfig(({ limits, timeout }) => ({
      bodyBytes: limits.bodyBytes,
      requestBodyMs: timeout.requestBodyMs,
    })),
    permit: (signal) => {
      const reason = shedding.reason();
      return reason === null ? bulkhead.acquire(signal) : { ok: false, reason };
    },
    serve: handlers.serve,
    refuse: handlers.refuse,
    onShed: (reason) => {
      shedding.note();
      emit({ type: "request-shed", reason, record: null });
    },
  });

  // After the server: where that cannot listen, no watcher is left behind that would keep the process alive.
  const reloader = createReloader({
    files: () => loaded.files,
    apply,
    clock,
    minIntervalMs: () => config().reload.minIntervalMs,
    watch: config().reload.watch,
  });

  const close = async (): Promise<void> => {
    reloader.close();
    await server.close();
    client.close();
  };
  return {
    server,
    snapshot: () => snapshot,
    loaded: () => loaded,
    policy: () => snapshot.policy,
    vitals,
    reload: reloader.request,
    stop: async (delayMs) => {
      const isClean = await drain.run(server, { delayMs, timeoutMs: config().drain.timeoutMs });
      await close();
      return isClean;
    },
    close,
  };
}

/** Read by the server when it starts to listen. */
function tlsFiles(tls: LoadedConfig["config"]["server"]["tls"]): ServerOptions["tls"] {
  return tls === null ? null : { cert: Bun.file(tls.certFile), key: Bun.file(tls.keyFile) };
}

function reloadedFile(reason: ReloadReason): "config" | "policy" | "keys" {
  return reason.kind === "changed" ? (reason.files[0]?.kind ?? "config") : "config";
}
