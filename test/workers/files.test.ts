import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { sumOf } from "../support/exposition.ts";
import { chat, childrenOf, isLinux, metrics, startWorkers, stopStarted, until } from "./support.ts";

interface Line {
  readonly id?: string;
  readonly message?: string;
}

describe.skipIf(!isLinux)("files that several workers write (Linux alone shares a port)", () => {
  let providers: SimulatorAddress;
  let folder = "";
  beforeAll(() => {
    providers = createSimulator().listen();
    folder = mkdtempSync(join(tmpdir(), "workers-"));
  });
  afterEach(stopStarted);
  afterAll(async () => {
    await providers.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every line of the files whose names begin with `name`; a line that is torn or glued does not parse. */
  const linesOf = (name: string): readonly Line[] =>
    readdirSync(folder)
      .filter((each) => each.startsWith(name))
      .flatMap((each) =>
        readFileSync(join(folder, each), "utf8")
          .split("\n")
          .filter((line) => line !== ""),
      )
      .map((line) => JSON.parse(line) as Line);

  test("a ledger that is rotated again and again has every request once, and each of its files is within its size", async () => {
    const config = `[ledger]\nfile = "${join(folder, "ledger.jsonl")}"\nmax_bytes = 20000\nkeep = 500`;
    const gateway = await startWorkers({ providers, config });
    const ids: (string | null)[] = [];
    const client = async (): Promise<void> => {
      for (let number = 0; number < 40; number += 1) {
        const answer = await chat(gateway);
        ids.push(answer.headers.get("x-arouter-request-id"));
        await answer.text();
      }
    };
    await Promise.all(Array.from({ length: 10 }, client));
    expect(sumOf(await metrics(gateway), "arouter_ledger_dropped_total")).toBe(0);
    expect(await gateway.stop()).toBe(0);
    const written = linesOf("ledger").map(({ id }) => id ?? "");
    expect(written.toSorted()).toEqual(ids.map(String).toSorted());
    const files = readdirSync(folder).filter((name) => name.startsWith("ledger"));
    expect(files.length).toBeGreaterThan(10);
    for (const name of files) expect(readFileSync(join(folder, name)).length).toBeLessThanOrEqual(20_000);
  }, 60_000);

  test("a worker that is killed while it writes tears no line of the other", async () => {
    const config = `[ledger]\nfile = "${join(folder, "torn.jsonl")}"\nmax_bytes = 50000\nkeep = 500`;
    const gateway = await startWorkers({ providers, config });
    let isOver = false;
    const ids: (string | null)[] = [];
    const client = async (): Promise<void> => {
      while (!isOver) {
        const answer = await chat(gateway).catch(() => null);
        await answer?.text().catch(() => "");
        ids.push(answer?.headers.get("x-arouter-request-id") ?? null);
      }
    };
    const load = Promise.all(Array.from({ length: 6 }, client));
    for (let round = 1; round <= 2; round += 1) {
      await Bun.sleep(300);
      process.kill(childrenOf(gateway.pid)[0] ?? 0, "SIGKILL");
      await until(() => gateway.output().split("worker started").length > round, "it is started again");
    }
    isOver = true;
    await load;
    expect(await gateway.stop()).toBe(0);
    const written = linesOf("torn").map(({ id }) => id);
    expect(new Set(written).size).toBe(written.length);
    // A killed worker loses what it had not written yet, a tenth of a second's lines.
    expect(written.length).toBeGreaterThan(ids.filter((id) => id !== null).length * 0.5);
  }, 60_000);

  test.each([
    ["log.file", `file = "%"`],
    ["standard output", ""],
  ])(
    "%s has whole lines of both, one for each request",
    async (name, file) => {
      const path = join(folder, "access.log");
      const gateway = await startWorkers({ providers, config: `[log]\naccess = true\n${file.replace("%", path)}` });
      const count = 300;
      const clients = Array.from({ length: 10 }, async () => {
        for (let number = 0; number < count / 10; number += 1) await (await chat(gateway)).text();
      });
      await Promise.all(clients);
      expect(await gateway.stop()).toBe(0);
      const lines =
        name === "log.file"
          ? linesOf("access.log")
          : gateway
              .output()
              .split("\n")
              .filter((line) => line.startsWith("{"))
              .map((line) => JSON.parse(line) as Line);
      const requests = lines.filter(({ message }) => message === "request");
      expect(requests).toHaveLength(count);
      expect(new Set(requests.map(({ id }) => id)).size).toBe(count);
    },
    60_000,
  );
});
