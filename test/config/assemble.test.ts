import { describe, expect, test } from "bun:test";
import { carryRestartKeys } from "../../src/config/assemble.ts";
import { configOf } from "./support.ts";

describe("taking a changed configuration over", () => {
  const current = configOf('listen_addr = "127.0.0.1:1"\n[retry]\nmax = 1\n[telemetry]\nservice_name = "a"');
  test("keeps and names the keys that need a restart, and takes the rest", () => {
    const next = configOf(
      'listen_addr = "127.0.0.1:2"\nserver.tls = { cert_file = "c", key_file = "k" }\n[retry]\nmax = 3\n[telemetry]\nservice_name = "b"\n[metrics]\nlisten_addr = ":9"\nenabled = false\n[limits]\nmax_in_flight = 1\nprovider_in_flight = 5',
    );
    const { config, restartKeys } = carryRestartKeys(current, next);
    expect([...restartKeys].sort()).toEqual([
      "limits.max_in_flight",
      "listen_addr",
      "metrics.listen_addr",
      "server.tls",
      "telemetry.service_name",
    ]);
    expect(config).toEqual({
      ...next,
      listenAddr: "127.0.0.1:1",
      server: { ...next.server, tls: null },
      telemetry: current.telemetry,
      metrics: { enabled: false, listenAddr: null },
      limits: { ...next.limits, maxInFlight: 2048 },
    });
    expect(config.providers.openai.providerInFlight).toBe(5);
  });
  test("names a TLS file that changed", () => {
    const tls = (cert: string) => configOf(`server.tls = { cert_file = "${cert}", key_file = "k" }`);
    const { config, restartKeys } = carryRestartKeys(tls("a"), tls("b"));
    expect(restartKeys).toEqual(["server.tls.cert_file"]);
    expect(config.server.tls?.certFile).toBe("/etc/app/a");
  });
  test("names nothing when nothing of the kind changed", () => {
    expect(carryRestartKeys(current, { ...current })).toEqual({ config: current, restartKeys: [] });
  });
});
