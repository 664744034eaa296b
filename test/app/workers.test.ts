import { describe, expect, test } from "bun:test";
import { lastStatus, shareCalls, worstBreaker } from "../../src/app/vitals.ts";
import { shareOfWorker } from "../../src/app/worker-share.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { WorkerVitals } from "../../src/supervisor/messages.ts";

function worker(parts: Partial<WorkerVitals>): WorkerVitals {
  return {
    startedWallMs: 0,
    queueDepth: 0,
    inFlight: {},
    breakers: [],
    health: {},
    reload: "ok",
    isReady: true,
    ...parts,
  };
}

describe("the state of several workers", () => {
  test.each([
    [[], "closed"],
    [["closed", "half_open"], "half_open"],
    [["open", "closed"], "open"],
    [["half_open", "open"], "open"],
  ] as const)("of breakers %j is the worst, %s", (states, worst) => {
    const workers = states.map((state) => worker({ breakers: [{ provider: "openai", model: "m", state }] }));
    expect(worstBreaker(workers, "openai", "m")).toBe(worst);
    expect(worstBreaker(workers, "openai", "")).toBe("closed");
    expect(worstBreaker(workers, "anthropic", "m")).toBe("closed");
  });

  test("of a provider's health is what was seen last", () => {
    const seen = (status: string, checked: string): WorkerVitals => worker({ health: { openai: { status, checked } } });
    const down = seen("down", "2026-11-24T10:00:00.000Z");
    const fine = seen("ok", "2026-11-24T10:00:05.000Z");
    expect(lastStatus([down, fine, worker({})], "openai")).toBe("ok");
    expect(lastStatus([fine, down], "openai")).toBe("ok");
    expect(lastStatus([worker({})], "openai")).toBeNull();
  });
});

test("calls while one is under way share it; the next one is made anew", async () => {
  let calls = 0;
  const shared = shareCalls(async () => {
    calls += 1;
    await Bun.sleep(1);
    return calls;
  });
  expect(await Promise.all([shared(), shared(), shared()])).toEqual([1, 1, 1]);
  expect(await shared()).toBe(2);
});

describe("the share of a worker", () => {
  const load = (limits: string) => {
    const text = `[limits]\n${limits}`;
    const files = { read: () => ({ ok: true as const, text, mode: 0o600 }) };
    const loaded = loadConfig({ overrides: { configFile: "a.toml" }, env: { OPENAI_API_KEY: "k" }, cwd: "/", files });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    return loaded;
  };

  test("is its part of what counts for the whole gateway, rounded up, and all of the rest", () => {
    const loaded = load(
      "max_in_flight = 10\nqueue_depth = 0\nrss_bytes = 1000\nprovider_in_flight = 7\nbody_bytes = 4096",
    );
    const { limits, providers } = shareOfWorker(loaded, 4).config;
    expect(limits).toMatchObject({ maxInFlight: 3, queueDepth: 0, rssBytes: 250, bodyBytes: 4096 });
    expect(providers.openai.providerInFlight).toBe(2);
    expect(providers.anthropic.providerInFlight).toBe(2);
    expect(loaded.config.limits.maxInFlight).toBe(10);
  });

  test("of one place is a place for each, and no limit stays none", () => {
    const { limits } = shareOfWorker(load("max_in_flight = 1"), 8).config;
    expect(limits.maxInFlight).toBe(1);
    expect(limits.rssBytes).toBeNull();
  });
});
