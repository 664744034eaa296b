import { describe, expect, test } from "bun:test";
import { parseOtlpEndpoint } from "../../src/observe/otlp-endpoint.ts";

const GRPC = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

describe("parseOtlpEndpoint", () => {
  test.each([
    ["http://localhost:4317", "auto", "grpc", `http://localhost:4317${GRPC}`],
    ["http://localhost:4317/", "auto", "grpc", `http://localhost:4317${GRPC}`],
    ["https://otel.example:4317", "auto", "grpc", `https://otel.example:4317${GRPC}`],
    ["http://localhost:4318", "auto", "http", "http://localhost:4318/v1/traces"],
    ["http://localhost:4318/", "auto", "http", "http://localhost:4318/v1/traces"],
    ["http://localhost:4318/v1/traces", "auto", "http", "http://localhost:4318/v1/traces"],
    ["https://otel.example/otlp", "auto", "http", "https://otel.example/otlp/v1/traces"],
    ["http://localhost:4317/v1/traces", "auto", "http", "http://localhost:4317/v1/traces"],
    ["http://localhost:4317", "http", "http", "http://localhost:4317/v1/traces"],
    ["http://localhost:9999", "grpc", "grpc", `http://localhost:9999${GRPC}`],
  ] as const)("reads %s with %s as %s", (endpoint, protocol, expected, url) => {
    const target = parseOtlpEndpoint(endpoint, protocol);
    expect(target.protocol).toBe(expected);
    expect(target.url.href).toBe(url);
  });
});
