import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { sumOf } from "../support/exposition.ts";
import type { GatewayProcess } from "../support/gateway.ts";
import {
  chat,
  childrenOf,
  connectionsOf,
  isLinux,
  isRunning,
  metrics,
  openConnections,
  portOf,
  startWorkers,
  stopStarted,
  until,
} from "./support.ts";

const root = resolve(import.meta.dir, "../..");

describe.skipIf(!isLinux)("the end of processes (Linux alone shares a port)", () => {
  let providers: SimulatorAddress;
  beforeAll(() => {
    providers = createSimulator().listen();
  });
  afterEach(stopStarted);
  afterAll(() => providers.stop());

  test("a worker that is killed costs its own connections, is started again, and counted", async () => {
    const gateway = await startWorkers({ providers });
    const [victim = 0, other = 0] = childrenOf(gateway.pid);
    const answers = await Promise.all(Array.from({ length: 20 }, () => chat(gateway)));
    await Promise.all(answers.map((answer) => answer.text()));
    expect(sumOf(await metrics(gateway), "arouter_requests_total")).toBe(20);
    const connections = await openConnections(gateway, 60);
    const ofOther = connectionsOf(other, portOf(gateway));
    expect(ofOther).toBeGreaterThan(0);
    process.kill(victim, "SIGKILL");
    await until(() => connections.filter((each) => each.isClosed()).length === 60 - ofOther, "its connections are cut");
    // The other's go on.
    const alive = connections.filter((each) => !each.isClosed());
    expect(alive).toHaveLength(ofOther);
    expect(new Set(await Promise.all(alive.map((each) => each.ask())))).toEqual(new Set(["HTTP/1.1 200 OK"]));
    await until(async () => sumOf(await metrics(gateway), "arouter_workers") === 2, "it is there again");
    const samples = await metrics(gateway);
    expect(sumOf(samples, "arouter_worker_restarts_total")).toBe(1);
    // What it has counted is not lost: a sum that falls would look like a restart, and count all over again.
    expect(sumOf(samples, "arouter_requests_total")).toBe(20);
    const now = childrenOf(gateway.pid);
    expect(now).toHaveLength(2);
    expect(now).not.toContain(victim);
    expect(now).toContain(other);
    for (const each of alive) each.close();
    await until(() => gateway.output().includes("worker started"), "it is told");
    expect(gateway.output()).toContain('"level":"warn","message":"worker ended"');
    expect(gateway.output()).toContain(`"pid":${victim},"cause":"SIGKILL"`);
    expect(await gateway.stop()).toBe(0);
  }, 60_000);

  test("a worker is started again as what it was, when another program has been put in its place", async () => {
    const folder = mkdtempSync(join(tmpdir(), "workers-"));
    const program = join(folder, "program");
    try {
      copyFileSync(process.execPath, program);
      const gateway = await startWorkers({ providers, command: [program, join(root, "src/main.ts")] });
      writeFileSync(`${program}.new`, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
      renameSync(`${program}.new`, program);
      process.kill(childrenOf(gateway.pid)[0] ?? 0, "SIGKILL");
      await until(() => gateway.output().includes("worker started"), "it is started again");
      expect(gateway.output()).not.toContain("exit 3");
      expect(await (await chat(gateway)).text()).toContain("fine");
      expect(await gateway.stop()).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test("calls that are retried are all answered while workers are killed", async () => {
    const gateway = await startWorkers({ providers });
    let isOver = false;
    let answered = 0;
    let retried = 0;
    const client = async (): Promise<void> => {
      while (!isOver) {
        for (let tries = 1; ; tries += 1) {
          try {
            const answer = await chat(gateway);
            expect(answer.status).toBe(200);
            await answer.text();
            break;
          } catch (error) {
            retried += 1;
            if (tries === 3) throw error;
          }
        }
        answered += 1;
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, client));
    for (let round = 0; round < 3; round += 1) {
      await until(
        () => childrenOf(gateway.pid).length === 2 && gateway.output().split("worker started").length > round,
        "two",
      );
      await Bun.sleep(200);
      process.kill(childrenOf(gateway.pid)[0] ?? 0, "SIGKILL");
    }
    await until(() => gateway.output().split("worker started").length === 4, "all started again", 20_000);
    isOver = true;
    await load;
    console.log(`killed workers: ${answered} answered, ${retried} tries cut`);
    expect(answered).toBeGreaterThan(50);
    expect(await gateway.stop()).toBe(0);
  }, 60_000);

  test("SIGTERM lets every worker finish what it has begun: exit 0", async () => {
    const gateway = await startWorkers({ providers });
    const streams = await Promise.all(
      Array.from({ length: 12 }, () => chat(gateway, 'text "all of it"; chunk 1; delay 60', true)),
    );
    const texts = streams.map((stream) => stream.text());
    const workers = childrenOf(gateway.pid);
    const port = portOf(gateway);
    // Both have some of them.
    for (const pid of workers) expect(connectionsOf(pid, port)).toBeGreaterThan(0);
    expect(await gateway.stop()).toBe(0);
    for (const text of await Promise.all(texts)) expect(text).toEndWith("data: [DONE]\n\n");
    expect(workers.filter(isRunning)).toEqual([]);
    expect(gateway.output().match(/draining/g)).toHaveLength(1);
  }, 60_000);

  test("SIGTERM that cuts a stream of one of them: exit 1, and the client is told", async () => {
    const gateway = await startWorkers({ providers, config: '[drain]\ndelay = "0s"\ntimeout = "300ms"' });
    const text = (await chat(gateway, "fault stall", true)).text();
    expect(await gateway.stop()).toBe(1);
    expect(await text).toContain('"code":"draining"');
  }, 60_000);

  test("signals that a whole group of processes gets count once: Ctrl-C drains", async () => {
    const gateway = await startWorkers({ providers });
    const text = chat(gateway, 'text "slow"; chunk 1; delay 100', true).then((answer) => answer.text());
    await until(() => childrenOf(gateway.pid).some((pid) => connectionsOf(pid, portOf(gateway)) > 0), "it is asked");
    await Bun.sleep(100);
    const workers = childrenOf(gateway.pid);
    for (const pid of [...workers, gateway.pid]) process.kill(pid, "SIGINT");
    expect(await text).toEndWith("data: [DONE]\n\n");
    await until(() => [gateway.pid, ...workers].every((pid) => !isRunning(pid)), "all have ended");
    expect(await gateway.stop()).toBe(0);
  }, 60_000);

  test("a second signal ends all of them at once: exit 1", async () => {
    const gateway = await startWorkers({ providers, config: '[drain]\ndelay = "0s"\ntimeout = "30s"' });
    const stalled = chat(gateway, "fault stall", true).then((answer) => answer.text());
    stalled.catch(() => undefined);
    await until(() => childrenOf(gateway.pid).some((pid) => connectionsOf(pid, portOf(gateway)) > 0), "it is asked");
    const workers = childrenOf(gateway.pid);
    process.kill(gateway.pid, "SIGTERM");
    await until(() => gateway.output().includes("draining"), "it drains");
    expect(await gateway.stop()).toBe(1);
    expect(workers.filter(isRunning)).toEqual([]);
    await stalled.catch(() => undefined);
  }, 60_000);

  test("no worker outlives the supervisor, even when that is killed; what is in flight is finished", async () => {
    const gateway: GatewayProcess = await startWorkers({ providers });
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => chat(gateway, 'text "to the end"; chunk 1; delay 50', true)),
    );
    const workers = childrenOf(gateway.pid);
    expect(workers).toHaveLength(2);
    const texts = streams.map((stream) => stream.text());
    process.kill(gateway.pid, "SIGKILL");
    for (const text of await Promise.all(texts)) expect(text).toEndWith("data: [DONE]\n\n");
    await until(() => workers.every((pid) => !isRunning(pid)), "the workers have ended");
    await gateway.stop();
  }, 60_000);
});
