/** Traces as `[telemetry]` asks for them. */
import type { Clock } from "../base/clock.ts";
import type { Emit, Observer } from "../base/events.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Address } from "../observe/span-attributes.ts";
import { createTraces } from "../observe/traces.ts";

export interface OpenTracesOptions {
  readonly clock: Clock;
  readonly version: string;
  /** The configuration; `[telemetry]` is read once, at start. */
  readonly loaded: () => LoadedConfig;
}

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

function addressOf(text: string): Address {
  const url = new URL(text);
  return { host: url.hostname, port: url.port === "" ? (PORTS[url.protocol] ?? 0) : Number(url.port) };
}

/** The observer that sends traces; null without `otlp_endpoint`, and then nothing of OpenTelemetry is loaded. */
export function openTraces(
  { clock, version, loaded }: OpenTracesOptions,
  emit: Emit,
  redact: (text: string) => string,
): Observer | null {
  const { telemetry, providers, listenAddr, server } = loaded().config;
  if (telemetry.otlpEndpoint === null) return null;
  return createTraces({
    clock,
    emit,
    redact,
    version,
    endpoint: telemetry.otlpEndpoint,
    protocol: telemetry.otlpProtocol,
    headers: telemetry.otlpHeaders,
    serviceName: telemetry.serviceName,
    queueSize: telemetry.queueSize,
    context: {
      scheme: server.tls === null ? "http" : "https",
      // Port 0 is chosen by the system and not known yet.
      listen: listenAddr.startsWith("unix:") || listenAddr.endsWith(":0") ? null : addressOf(`http://${listenAddr}`),
      providers: { openai: addressOf(providers.openai.baseUrl), anthropic: addressOf(providers.anthropic.baseUrl) },
      content: telemetry.captureContent,
    },
  });
}
