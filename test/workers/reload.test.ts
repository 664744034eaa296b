import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { sumOf } from "../support/exposition.ts";
import type { GatewayProcess } from "../support/gateway.ts";
import { call, chat, childrenOf, isLinux, metrics, startWorkers, until } from "./support.ts";

const policy = (model: string): string => `rules:\n  - name: all\n    then: { model: ${model} }\n`;

describe.skipIf(!isLinux)("a reload (Linux alone shares a port)", () => {
  let providers: SimulatorAddress;
  let folder = "";
  let gateway: GatewayProcess;
  beforeAll(() => {
    providers = createSimulator().listen();
  });
  afterAll(() => providers.stop());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "workers-"));
    write(policy("gpt-5.6"));
  });
  afterEach(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (text: string): void => {
    writeFileSync(join(folder, "new"), text);
    renameSync(join(folder, "new"), join(folder, "policies.yaml"));
  };
  const start = async (watch: boolean): Promise<void> => {
    gateway = await startWorkers({
      providers,
      args: ["--policy", join(folder, "policies.yaml")],
      config: `[reload]\nwatch = ${watch}\nmin_interval = "100ms"`,
    });
  };
  /** Hashes of the policies that some calls met. */
  const hashes = async (): Promise<ReadonlySet<string | null>> => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => chat(gateway)));
    await Promise.all(answers.map((answer) => answer.text()));
    return new Set(answers.map(({ headers }) => headers.get("x-arouter-policy")));
  };
  const told = (text: string): number => gateway.output().split(text).length - 1;

  test.each([
    ["of a file that changes", true],
    ["asked for by SIGHUP", false],
  ])(
    "%s reaches every worker, is told once and counted once",
    async (_, watch) => {
      await start(watch);
      const [before] = await hashes();
      write(policy("claude-sonnet-5-5"));
      if (!watch) process.kill(gateway.pid, "SIGHUP");
      await until(async () => {
        const met = await hashes();
        return met.size === 1 && !met.has(before ?? null);
      }, "all have the new policy");
      const line = watch ? '"message":"policy reloaded"' : '"message":"config reloaded"';
      // Lines come through the supervisor, a few at a time.
      await until(() => told(line) > 0, "it is told");
      expect(told(line)).toBe(1);
      expect(sumOf(await metrics(gateway), "arouter_config_reloads_total", { result: "ok" })).toBe(1);
    },
    60_000,
  );

  test("of a mistake leaves the last good policy in every worker, is told once, and shows in health", async () => {
    await start(true);
    const before = await hashes();
    write("rules:\n  - name: all\n    then: { modell: x }\n");
    const message = "policy not reloaded; the last good one stays";
    await until(() => told(message) > 0, "it is told");
    await until(async () => {
      const samples = await metrics(gateway);
      return sumOf(samples, "arouter_config_last_reload_success") === 0;
    }, "it shows");
    expect(await hashes()).toEqual(before);
    const health = await Promise.all(
      Array.from({ length: 6 }, async () => (await call(gateway, "/healthz")).json() as Promise<{ policy: unknown }>),
    );
    for (const report of health) expect(report.policy).toMatchObject({ reload: "error" });
    await Bun.sleep(300);
    expect(told(message)).toBe(1);
    // Put right, it is in force everywhere.
    write(policy("claude-sonnet-5-5"));
    await until(async () => {
      const met = await hashes();
      return met.size === 1 && ![...before].some((hash) => met.has(hash));
    }, "all have the new policy");
  }, 60_000);

  test("that was a mistake keeps no killed worker from starting again, with the last good policy", async () => {
    await start(true);
    const before = await hashes();
    write("rules: 7\n");
    await until(() => told("policy not reloaded") > 0, "it is told");
    const [victim = 0] = childrenOf(gateway.pid);
    process.kill(victim, "SIGKILL");
    await until(() => told("worker started") === 1, "it is started again");
    expect(await hashes()).toEqual(before);
    expect(childrenOf(gateway.pid)).toHaveLength(2);
    // Told by those that were there.
    expect(told("policy not reloaded") + told("config not reloaded")).toBe(1);
    write(policy("claude-sonnet-5-5"));
    await until(async () => {
      const met = await hashes();
      return met.size === 1 && ![...before].some((hash) => met.has(hash));
    }, "the new one takes over what is put right, too");
  }, 60_000);

  test("that nobody has asked for does not come with a worker that is started again", async () => {
    await start(false);
    const before = await hashes();
    write(policy("claude-sonnet-5-5"));
    process.kill(childrenOf(gateway.pid)[0] ?? 0, "SIGKILL");
    await until(() => told("worker started") === 1, "it is started again");
    expect(await hashes()).toEqual(before);
    process.kill(gateway.pid, "SIGHUP");
    await until(async () => {
      const met = await hashes();
      return met.size === 1 && ![...before].some((hash) => met.has(hash));
    }, "all have the new policy");
  }, 60_000);
});
