import { describe, expect, test } from "bun:test";
import { createHealth, type ProbeResult } from "../../src/server/health.ts";
import { createFakeClock } from "../support/fake-clock.ts";

type Breaker = "closed" | "open" | "half_open";

function setUp(probe: () => Promise<ProbeResult> | ProbeResult, breaker: () => Breaker = () => "closed") {
  const clock = createFakeClock();
  let probes = 0;
  const health = createHealth({
    clock,
    version: "1.2.3",
    settings: () => ({ cacheMs: 15_000, slowMs: 2_000 }),
    providers: () => ["openai"],
    probe: async () => {
      probes += 1;
      return probe();
    },
    breaker,
    policy: () => ({ hash: "3fa9c1d20b7e", reload: "ok" }),
  });
  return { clock, health, probes: () => probes };
}

describe("a provider's health", () => {
  const rows: readonly (readonly [
    status: number | null,
    latencyMs: number,
    breaker: Breaker,
    health: string,
    overall: string,
  ])[] = [
    [200, 10, "closed", "ok", "ok"],
    [200, 2_000, "closed", "ok", "ok"],
    [200, 2_001, "closed", "degraded", "degraded"],
    [200, 10, "open", "degraded", "degraded"],
    [200, 10, "half_open", "degraded", "degraded"],
    [429, 10, "closed", "degraded", "degraded"],
    [401, 10, "closed", "auth_failed", "down"],
    [403, 10, "closed", "auth_failed", "down"],
    [500, 10, "closed", "down", "down"],
    [503, 10, "closed", "down", "down"],
    [null, 3_000, "closed", "down", "down"],
    [null, 3_000, "open", "down", "down"],
  ];
  for (const [status, latencyMs, breaker, expected, overall] of rows) {
    test(`${status} after ${latencyMs} ms with a breaker ${breaker}: ${expected}, overall ${overall}`, async () => {
      const { health } = setUp(
        () => ({ status, latencyMs }),
        () => breaker,
      );
      expect(await health.report()).toEqual({
        status: overall as "ok",
        version: "1.2.3",
        policy: { hash: "3fa9c1d20b7e", reload: "ok" },
        providers: {
          openai: { status: expected as "ok", breaker, latency_ms: latencyMs, checked: "2026-11-22T12:00:00.000Z" },
        },
      });
      expect(health.last()["openai"]?.status).toBe(expected as "ok");
    });
  }

  test("is asked once for many, and again when the cache is old", async () => {
    const { health, clock, probes } = setUp(() => ({ status: 200, latencyMs: 1 }));
    await Promise.all([health.report(), health.report(), health.report()]);
    await clock.advance(14_999);
    await health.report();
    expect(probes()).toBe(1);
    await clock.advance(1);
    await health.report();
    expect(probes()).toBe(2);
  });

  test("is not asked twice at a time, however long the answer takes", async () => {
    const gate = Promise.withResolvers<ProbeResult>();
    const { health, clock, probes } = setUp(() => gate.promise);
    const first = health.report();
    await clock.advance(60_000);
    const second = health.report();
    gate.resolve({ status: 200, latencyMs: 60_000 });
    await Promise.all([first, second]);
    expect(probes()).toBe(1);
  });

  test("shows a breaker that opened after the probe", async () => {
    let breaker: Breaker = "closed";
    const { health, probes } = setUp(
      () => ({ status: 200, latencyMs: 1 }),
      () => breaker,
    );
    expect((await health.report()).status).toBe("ok");
    breaker = "open";
    expect(await health.report()).toMatchObject({
      status: "degraded",
      providers: { openai: { status: "degraded", breaker: "open" } },
    });
    expect(probes()).toBe(1);
  });
});
