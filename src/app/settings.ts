/** The configuration cut into what each part of the gateway asks for. */
import type { Config } from "../config/config.ts";
import type { ProviderName } from "../base/names.ts";
import type { GatewaySettings, ProviderDefaults } from "../gateway/settings.ts";
import type { AdmissionSettings } from "../server/admission.ts";
import type { ProviderLayers } from "../upstream/stack.ts";

/** Defaults that rules and headers start from, for one provider. */
function providerDefaults({ retry, timeout, hedge }: Config["providers"][ProviderName]): ProviderDefaults {
  return {
    retry,
    timeout,
    hedge: { ...hedge, after: hedge.after === "off" ? null : hedge.after },
  };
}

/** What the pipeline reads. */
export function gatewaySettings(config: Config): GatewaySettings {
  const { limits, router, translation, heal, stream, providers, ledger, telemetry, timeout, retry } = config;
  const showsContent = telemetry.otlpEndpoint !== null && telemetry.captureContent;
  return {
    limits,
    translation: { ...translation, reasoningSummary: providers.openai.reasoningSummary === "auto" },
    strictTranslation: translation.strict,
    openaiSurface: providers.openai.surface,
    thinkingStore: translation.thinkingStore,
    overrides: router.overrides,
    streamUsage: router.streamUsage,
    echoRequestedModel: router.echoRequestedModel,
    upstreamAuthStatus: router.upstreamAuthStatus,
    betas: { allow: providers.anthropic.betasAllow, deny: providers.anthropic.betasDeny },
    heal,
    stream,
    clientWriteMs: timeout.clientWriteMs,
    signalClient: retry.signalClient,
    providers: { openai: providerDefaults(providers.openai), anthropic: providerDefaults(providers.anthropic) },
    keepBodies: ledger.requests || showsContent,
    keepAnswers: showsContent,
  };
}

/** Reserve of the retry budget: so many seconds of `budget_min_per_second` may be saved up. */
const RESERVE_SECONDS = 1;

/** What the resilience layers of one provider read. */
export function providerLayers(config: Config, provider: ProviderName): ProviderLayers {
  const { breaker, retry, hedge, providerInFlight } = config.providers[provider];
  const { limits } = config;
  return {
    breaker,
    budget: {
      ratio: retry.budgetRatio,
      ttlMs: retry.budgetTtlMs,
      reservePerSecond: retry.budgetMinPerSecond,
      reserveMax: retry.budgetMinPerSecond * RESERVE_SECONDS,
    },
    bulkhead: { limit: providerInFlight, queueDepth: limits.queueDepth, queueTimeoutMs: limits.queueTimeoutMs },
    hedgeMaxExtra: hedge.maxExtra,
  };
}

/** Whether `listenAddr` can be reached from this machine alone. */
export function isLoopbackAddress(listenAddr: string): boolean {
  return listenAddr.startsWith("unix:") || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d+$/.test(listenAddr);
}

/** Whether there is a dashboard: by itself only where nobody from outside can see it without a key. */
export function isDashboardOn({ dashboard, listenAddr, auth }: Config): boolean {
  return dashboard.enabled === "auto" ? isLoopbackAddress(listenAddr) || auth.keys.length > 0 : dashboard.enabled;
}

/** What admission reads. */
export function admissionSettings({ auth, server, limits, listenAddr }: Config): AdmissionSettings {
  return {
    keys: auth.keys,
    publicPaths: auth.public,
    allowedOrigins: server.allowedOrigins,
    allowedHosts: server.allowedHosts,
    loopback: isLoopbackAddress(listenAddr) && !listenAddr.startsWith("unix:"),
    headerBytes: limits.headerBytes,
    headerCount: limits.headerCount,
  };
}
