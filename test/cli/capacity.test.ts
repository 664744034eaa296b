import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config/config.ts";
import { configOf } from "../config/support.ts";
import { affordableInFlight, fileLimit, neededEnvironment } from "../../src/cli/capacity.ts";
import { sourceCommand, startGateway } from "../support/gateway.ts";

const VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** What is asked of a configuration whose calls go through `fetch`, unless something else is said. */
function needed(
  env: Readonly<Record<string, string | undefined>>,
  maxInFlight: number,
  upstream: Partial<Pick<Config["upstream"], "httpClient" | "useEnvProxy">> = {},
) {
  const { limits, upstream: initial } = configOf("", { requireKey: false });
  return neededEnvironment(env, {
    limits: { ...limits, maxInFlight },
    upstream: { ...initial, httpClient: "fetch", ...upstream },
  });
}

describe("the environment to start again with", () => {
  test.each([
    ["without the variable, as the gateway's own client knows no such limit", "own", false, false],
    ["for fetch", "fetch", false, true],
    ["for fetch with proxies", "fetch", true, true],
    ["for proxies, which only fetch knows", "own", true, true],
  ] as const)("is asked for %s", (_name, httpClient, useEnvProxy, isNeeded) => {
    expect(needed({}, 2048, { httpClient, useEnvProxy }) !== null).toBe(isNeeded);
  });

  test.each([
    ["without the variable", undefined, 2048, "8192"],
    ["with Bun's own default", "256", 2048, "8192"],
    ["with one too few", "8191", 2048, "8192"],
    ["with enough", "8192", 2048, null],
    ["with more than enough", "65335", 2048, null],
    ["with what is no number", "many", 100, "400"],
    ["never asks for more than Bun takes", undefined, 50_000, "65335"],
    ["is content with the most that Bun takes", "65335", 50_000, null],
  ])("%s", (_name, value, maxInFlight, wanted) => {
    const env = value === undefined ? {} : { [VARIABLE]: value };
    expect(needed(env, maxInFlight)?.[VARIABLE] ?? null).toBe(wanted);
  });

  const doors = {
    BUN_OPTIONS: "--preload ./evil.js",
    BUN_INSPECT: "ws://127.0.0.1:0",
    BUN_INSPECT_CONNECT_TO: "x",
    BUN_CONFIG_VERBOSE_FETCH: "curl",
  };
  const proxies = { HTTP_PROXY: "http://p", https_proxy: "http://p", ALL_PROXY: "http://p" };

  test("keeps what it is given, but for what runs code, prints keys or sends traffic elsewhere", () => {
    const env = { PATH: "/bin", OPENAI_API_KEY: "sk", NO_PROXY: "x", GONE: undefined, ...doors, ...proxies };
    expect(needed(env, 1)).toEqual({
      PATH: "/bin",
      OPENAI_API_KEY: "sk",
      NO_PROXY: "x",
      [VARIABLE]: "4",
    });
  });

  test("keeps proxies with upstream.use_env_proxy, and those alone", () => {
    expect(needed({ ...doors, ...proxies }, 1, { useEnvProxy: true })).toEqual({ ...proxies, [VARIABLE]: "4" });
  });
});

describe("requests in flight that the limit on open files allows", () => {
  test.each([
    [2048, null, 2048],
    [2048, Number.POSITIVE_INFINITY, 2048],
    [2048, 3 * 2048 + 128, 2048],
    [2048, 3 * 2048 + 127, 2047],
    [2048, 1024, 298],
    [2048, 100, 1],
  ])("of %p with %p files: %p", (maxInFlight, files, affordable) => {
    expect(affordableInFlight(maxInFlight, files)).toBe(affordable);
  });

  test.skipIf(process.platform !== "linux")("is known of this process", () => {
    expect(fileLimit()).toBeGreaterThan(0);
  });

  test.skipIf(process.platform !== "linux")("is all that a gateway promises, and it says so", async () => {
    const gateway = await startGateway({
      command: ["sh", "-c", 'ulimit -n 512 && exec "$@"', "sh", ...sourceCommand],
      config: '[drain]\ndelay = "0s"\n',
      environment: { OPENAI_API_KEY: "sk-simulated" },
    });
    expect(gateway.output()).toContain("limits.max_in_flight lowered from 2048 to 128");
    expect(await gateway.stop()).toBe(0);
  });
});
