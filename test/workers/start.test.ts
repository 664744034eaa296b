import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { usableCores } from "../../src/supervisor/cores.ts";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { readExposition, sumOf } from "../support/exposition.ts";
import { sourceCommand } from "../support/gateway.ts";
import { freePort } from "../support/ports.ts";
import { chat, childrenOf, isLinux, startWorkers, stopStarted, until } from "./support.ts";

describe.skipIf(!isLinux)("the start of workers (Linux alone shares a port)", () => {
  let providers: SimulatorAddress;
  beforeAll(() => {
    providers = createSimulator().listen();
  });
  afterEach(stopStarted);
  afterAll(() => providers.stop());

  const failure = (options: Omit<Parameters<typeof startWorkers>[0], "providers">): Promise<string> =>
    startWorkers({ providers, ...options }).then(
      () => "it listens",
      (error: unknown) => String(error),
    );

  test("tells a mistake in the configuration once, and starts none: exit 2", async () => {
    const told = await failure({ config: "[limits]\nmax_in_flihgt = 3" });
    expect(told).toContain("ended with 2");
    expect(told.match(/max_in_flihgt/g)).toHaveLength(1);
  });

  test("tells a port that is taken once, also by another gateway's workers: exit 2", async () => {
    const port = freePort();
    const args = ["--listen", `127.0.0.1:${port}`];
    const first = await startWorkers({ providers, args });
    const told = await failure({ args });
    expect(told).toContain("ended with 2");
    expect(told.match(new RegExp(`cannot listen on 127.0.0.1:${port}`, "g"))).toHaveLength(1);
    // Unless that is asked for, as to replace one by the other.
    const second = await startWorkers({ providers, args: [...args, "--reuse-port"] });
    expect(await first.stop()).toBe(0);
    expect((await chat(second)).status).toBe(200);
    expect(await second.stop()).toBe(0);
  }, 60_000);

  test("refuses to share a socket in the file system: exit 2", async () => {
    const told = await failure({ args: ["--listen", "unix:gateway.sock"] });
    expect(told).toContain("ended with 2");
    expect(told).toContain("server.workers: more than 1 cannot share the socket of listen_addr");
  });

  test("ends when one of them cannot start, with what that one says", async () => {
    // The supervisor finds the address free, and no worker can have it: it is not this machine's.
    const told = await failure({ args: ["--listen", "192.0.2.1:8080", "--reuse-port"] });
    expect(told).toContain("ended with 2");
    expect(told.match(/cannot listen on 192\.0\.2\.1:8080/g)).toHaveLength(1);
  });

  test("serves metrics on an address of their own, summed, and not on the main one", async () => {
    const port = freePort();
    const config = `[metrics]\nlisten_addr = "127.0.0.1:${port}"\n[log]\naccess = false`;
    const gateway = await startWorkers({ providers, config });
    await Promise.all(Array.from({ length: 10 }, async () => (await chat(gateway)).text()));
    for (let scrape = 0; scrape < 6; scrape += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: "close" } });
      const text = await answer.text();
      expect(sumOf(readExposition(text), "arouter_requests_total")).toBe(10);
    }
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404);
    await until(() => gateway.output().includes("metrics listening"), "it is told");
    expect(gateway.output().match(/metrics listening/g)).toHaveLength(1);
    expect(await gateway.stop()).toBe(0);
  }, 60_000);

  test('"auto" runs one on each core that may be used', async () => {
    const cores = usableCores();
    const gateway = await startWorkers({ providers, workers: "auto" });
    expect(childrenOf(gateway.pid)).toHaveLength(cores === 1 ? 0 : cores);
    expect(await gateway.stop()).toBe(0);
  }, 60_000);

  const taskset = Bun.which("taskset");
  test.skipIf(taskset === null)(
    '"auto" on one core is one process (needs taskset)',
    async () => {
      const command = [taskset ?? "", "-c", "0", ...sourceCommand];
      const gateway = await startWorkers({ providers, workers: "auto", command });
      expect(gateway.output()).not.toContain("workers");
      expect(childrenOf(gateway.pid)).toEqual([]);
      expect((await chat(gateway)).status).toBe(200);
      expect(await gateway.stop()).toBe(0);
    },
    60_000,
  );
});
