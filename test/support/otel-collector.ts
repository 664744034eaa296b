/** A real OpenTelemetry Collector as a process, with what it took in. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

/** A span as the collector wrote it, with its values unwrapped. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 2: server, 3: client. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface OtelCollector {
  readonly grpc: string;
  readonly http: string;
  /** Everything so far. */
  readonly spans: () => readonly CollectedSpan[];
  /** Waits until the requests' spans are there, ten seconds at most. @throws Error with what came instead */
  readonly waitFor: (ids: readonly string[]) => Promise<readonly CollectedSpan[]>;
  readonly stop: () => Promise<void>;
}

const startMs = 15_000;

/** Starts the collector at `path` and waits until it listens. */
export async function startCollector(path: string): Promise<OtelCollector> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-collector-"));
  const [grpcPort, httpPort] = [freePort(), freePort()];
  const output = join(folder, "spans.jsonl");
  const config = join(folder, "config.yaml");
  writeFileSync(
    config,
    `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpcPort}" }
      http: { endpoint: "127.0.0.1:${httpPort}" }
exporters:
  file: { path: "${output}", flush_interval: 50ms }
service:
  telemetry: { metrics: { level: none }, logs: { level: warn } }
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
`,
  );
  const child = Bun.spawn([path, "--config", `file:${config}`], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const said = new Response(child.stderr).text();
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const spans = (): readonly CollectedSpan[] => (existsSync(output) ? readSpans(readFileSync(output, "utf8")) : []);
  const end = Date.now() + startMs;
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${httpPort}/v1/traces`);
      break;
    } catch {
      if (child.exitCode !== null || Date.now() > end) {
        await stop();
        throw new Error(`the collector does not listen:\n${await said}`);
      }
      await Bun.sleep(50);
    }
  }
  return {
    grpc: `http://127.0.0.1:${grpcPort}`,
    http: `http://127.0.0.1:${httpPort}`,
    spans,
    waitFor: async (ids) => {
      const limit = Date.now() + 10_000;
      for (;;) {
        const found = spans();
        const seen = new Set(found.map(({ attributes }) => attributes["arouter.request_id"]));
        // The spans of a request come in one piece.
        const missing = ids.filter((id) => !seen.has(id));
        if (missing.length === 0) return found;
        if (Date.now() > limit) throw new Error(`no spans of ${missing.join(", ")}`);
        await Bun.sleep(50);
      }
    },
    stop,
  };
}

interface RawValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly RawValue[] };
}
interface RawPair {
  readonly key: string;
  readonly value: RawValue;
}
interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: CollectedSpan["status"];
  readonly attributes?: readonly RawPair[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly RawPair[] }[];
}
interface RawBatch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes?: readonly RawPair[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

function readSpans(text: string): readonly CollectedSpan[] {
  const lines = text.split("\n");
  // The last line may still be on its way.
  return lines
    .slice(0, -1)
    .flatMap((line) =>
      (JSON.parse(line) as RawBatch).resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.map((span) => readSpan(span, readPairs(resource.attributes)))),
      ),
    );
}

function readSpan(span: RawSpan, resource: CollectedSpan["resource"]): CollectedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? "",
    name: span.name,
    kind: span.kind,
    startMs: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
    status: span.status ?? {},
    attributes: readPairs(span.attributes),
    events: (span.events ?? []).map(({ name, attributes }) => ({ name, attributes: readPairs(attributes) })),
    resource,
  };
}

function readPairs(pairs: readonly RawPair[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: RawValue): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(readValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}
