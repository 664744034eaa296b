/** Where traces go, from `telemetry.otlp_endpoint` as people write it. */

export type OtlpProtocol = "http" | "grpc";

export interface OtlpTarget {
  readonly protocol: OtlpProtocol;
  /** The whole URL that spans are posted to. */
  readonly url: URL;
}

const GRPC_PORT = "4317";
const HTTP_PATH = "/v1/traces";
const GRPC_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/**
 * `http://host:4317` is gRPC, unless `protocol` says otherwise; `http://host:4318` and `…/v1/traces` are HTTP.
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp (read 2026-11-24)
 */
export function parseOtlpEndpoint(endpoint: string, protocol: "auto" | OtlpProtocol): OtlpTarget {
  const url = new URL(endpoint);
  const path = url.pathname.replace(/\/+$/, "");
  const isGrpc = protocol === "grpc" || (protocol === "auto" && url.port === GRPC_PORT && !path.endsWith(HTTP_PATH));
  if (isGrpc) url.pathname = GRPC_PATH;
  else url.pathname = path.endsWith(HTTP_PATH) ? path : path + HTTP_PATH;
  return { protocol: isGrpc ? "grpc" : "http", url };
}
