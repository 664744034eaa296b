/** Metrics, ledger and log of the real gateway as a process, against the simulator. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runReplay } from "../../src/cli/replay.ts";
import { runReport } from "../../src/cli/report.ts";
import { readLedgerLine } from "../../src/observe/ledger-read.ts";
import { createTestIo } from "../support/cli.ts";
import { simulated, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

let folder = "";
let gateway: SimulatedGateway | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "observe-"));
});
afterEach(async () => {
  await gateway?.stop();
  gateway = null;
  rmSync(folder, { recursive: true, force: true });
});

const POLICY = `
rules:
  - { name: of_key, when: { key: "batch-*" }, then: { model: gpt-4.1-mini } }
  - { name: to_mini, when: { tokens_input_lt: 100, format: chat }, then: { model: gpt-4o-mini, tags: { team: a } } }
`;

async function start(config: string): Promise<SimulatedGateway> {
  gateway = await startSimulatedGateway({ config: `[drain]\ndelay = "0s"\n${config}`, policies: POLICY });
  return gateway;
}

async function ask(
  url: string,
  model: string,
  format: "chat" | "messages" = "chat",
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await fetch(`${url}${format === "chat" ? "/v1/chat/completions" : "/v1/messages"}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-arouter-tags": "job=nightly", ...headers },
    body: JSON.stringify({
      model,
      max_tokens: 50,
      messages: [{ role: "user", content: simulated("hi", "usage=30/7") }],
    }),
  });
  await response.arrayBuffer();
  return response;
}

/** Value of the sample whose line starts with `name`; every label of `labels` must be in it. Several are added up. */
function sample(text: string, name: string, ...labels: readonly string[]): number {
  return text
    .split("\n")
    .filter(
      (line) =>
        line.startsWith(name) && /[{ ]/.test(line[name.length] ?? "") && labels.every((label) => line.includes(label)),
    )
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

async function until<Value>(read: () => Value | null | Promise<Value | null>): Promise<Value> {
  const end = Date.now() + 5_000;
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    if (Date.now() > end) throw new Error("it did not come");
    await Bun.sleep(20);
  }
}

const linesOf = (file: string): readonly string[] =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];

describe("a gateway that runs", () => {
  test("tells the same dollars in headers, metrics, ledger, report and log", async () => {
    const ledger = join(folder, "ledger.jsonl");
    const logFile = join(folder, "log.jsonl");
    const { url } = await start(
      `[router]\npolicy_file = "policies.yaml"\n[ledger]\nfile = "${ledger}"\n[log]\nfile = "${logFile}"\n`,
    );
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => ask(url, "gpt-4.1")),
      ...Array.from({ length: 3 }, () => ask(url, "claude-haiku-4-5", "messages")),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 200));
    const sum = (name: string): number =>
      answers.reduce((total, { headers }) => total + Number(headers.get(`x-arouter-${name}`)), 0);
    const cost = sum("cost-usd");
    const saved = sum("saved-usd");
    expect(cost).toBeGreaterThan(0);
    expect(saved).toBeGreaterThan(0);

    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(sample(metrics, "arouter_requests_total", 'rule="to_mini"', 'model="gpt-4o-mini"')).toBe(6);
    expect(sample(metrics, "arouter_requests_total", 'rule="none"', 'format="messages"')).toBe(3);
    expect(sample(metrics, "arouter_cost_usd_total")).toBeCloseTo(cost, 9);
    expect(sample(metrics, "arouter_saved_usd_total") - sample(metrics, "arouter_lost_usd_total")).toBeCloseTo(
      saved,
      9,
    );
    expect(sample(metrics, "arouter_tagged_requests_total", 'tag="team"', 'value="a"')).toBe(6);
    expect(metrics).not.toContain("nightly");

    const entries = await until(() => {
      const found = linesOf(ledger).map(readLedgerLine);
      return found.length === 9 ? found : null;
    });
    expect(entries.reduce((total, entry) => total + (entry?.costUsd ?? 0), 0)).toBeCloseTo(cost, 9);
    expect(entries.reduce((total, entry) => total + (entry?.savedUsd ?? 0), 0)).toBeCloseTo(saved, 9);
    expect(readFileSync(ledger, "utf8")).not.toContain("sim:");

    const io = createTestIo({ cwd: folder });
    expect(await runReport([ledger, "--json"], io)).toBe(0);
    expect(JSON.parse(io.out()).total).toMatchObject({ requests: 9, errors: 0 });
    expect(JSON.parse(io.out()).total.cost_usd).toBeCloseTo(cost, 9);

    writeFileSync(join(folder, "policies.yaml"), POLICY);
    const replay = createTestIo({ cwd: folder });
    expect(await runReplay([ledger, "--policy", "policies.yaml", "--json"], replay)).toBe(0);
    expect(JSON.parse(replay.out())).toMatchObject({ decided: 9, same: 9, moved: 0 });

    const access = await until(() => {
      const found = linesOf(logFile).map((line) => JSON.parse(line) as Record<string, unknown>);
      const requests = found.filter(({ message }) => message === "request");
      return requests.length === 9 ? requests : null;
    });
    // What was asked is nowhere to be read.
    for (const text of [metrics, readFileSync(logFile, "utf8")]) expect(text).not.toContain("sim:");
    const ids = answers.map(({ headers }) => headers.get("x-arouter-request-id"));
    expect(access.map(({ id }) => String(id)).toSorted()).toEqual(ids.map(String).toSorted());
    expect(entries.map((entry) => String(entry?.id)).toSorted()).toEqual(ids.map(String).toSorted());
  });

  test("tells a caller by the name of its key in log, ledger and metrics, and decides by it", async () => {
    const ledger = join(folder, "ledger.jsonl");
    const logFile = join(folder, "log.jsonl");
    const { url } = await start(
      `[router]\npolicy_file = "policies.yaml"\n[auth]\nkeys = { batch-a = "a-key-of-a", web = "a-key-of-b" }\n` +
        `[ledger]\nfile = "${ledger}"\n[log]\nfile = "${logFile}"\n`,
    );
    const calls = [
      await ask(url, "gpt-4.1", "chat", { authorization: "Bearer a-key-of-a" }),
      await ask(url, "gpt-4.1", "chat", { "x-api-key": "a-key-of-b" }),
      // Refused before anything was decided.
      await ask(url, "gpt-4.1", "chat", { authorization: "Bearer a-key-of-a", "content-type": "text/plain" }),
      await ask(url, "gpt-4.1", "chat", { authorization: "Bearer another" }),
    ];
    expect(calls.map(({ status, headers }) => [status, headers.get("x-arouter-rule")])).toEqual([
      [200, "of_key"],
      [200, "to_mini"],
      [415, "none"],
      [401, "none"],
    ]);
    const names = ["batch-a", "web", "batch-a", undefined];

    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics.match(/^arouter_key_requests_total\{.*$/gm)?.toSorted()).toEqual([
      'arouter_key_requests_total{key="batch-a",status="200"} 1',
      'arouter_key_requests_total{key="batch-a",status="415"} 1',
      'arouter_key_requests_total{key="web",status="200"} 1',
    ]);
    expect(sample(metrics, "arouter_key_cost_usd_total", 'key="web"')).toBeCloseTo(
      Number(calls[1]?.headers.get("x-arouter-cost-usd")),
      9,
    );

    const entries = await until(() => {
      const found = linesOf(ledger).map((line) => JSON.parse(line) as { facts: { key?: string } | null; key?: string });
      return found.length === 4 ? found : null;
    });
    expect(entries.map(({ facts, key }) => facts?.key ?? key ?? undefined)).toEqual(names);
    const access = await until(() => {
      const found = linesOf(logFile).map((line) => JSON.parse(line) as Record<string, unknown>);
      const requests = found.filter(({ message }) => message === "request");
      return requests.length === 4 ? requests : null;
    });
    expect(access.map(({ key }) => key)).toEqual(names);
  });

  test("answers on while its ledger cannot be written, and counts what it lost", async () => {
    const { url, output } = await start(`[ledger]\nfile = "${join(folder, "missing", "ledger.jsonl")}"\n`);
    for (let number = 0; number < 3; number++) expect((await ask(url, "gpt-4.1")).status).toBe(200);
    const lost = await until(async () => {
      const count = sample(await (await fetch(`${url}/metrics`)).text(), "arouter_ledger_dropped_total");
      return count === 3 ? count : null;
    });
    expect(lost).toBe(3);
    expect(output()).toContain('"message":"ledger-dropped"');
    expect(output()).toContain("the folder does not exist");
  });

  test("serves metrics on an address of their own, and there alone", async () => {
    const { url, output } = await start('[metrics]\nlisten_addr = "127.0.0.1:0"\n');
    const address = await until(() => /"metrics listening","address":"([^"]+)"/.exec(output())?.[1] ?? null);
    const answer = await fetch(`http://${address}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toContain("arouter_build_info");
    expect((await fetch(`http://${address}/v1/models`)).status).toBe(404);
    expect((await fetch(`http://${address}/metrics`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  test("has no metrics when they are off", async () => {
    const { url } = await start("[metrics]\nenabled = false\n");
    expect((await ask(url, "gpt-4.1")).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  test("leaves whole lines when it is killed", async () => {
    const ledger = join(folder, "ledger.jsonl");
    const { url, pid } = await start(`[ledger]\nfile = "${ledger}"\n`);
    for (let number = 0; number < 5; number++) await ask(url, "gpt-4.1");
    await until(() => (linesOf(ledger).length === 5 ? true : null));
    void ask(url, "gpt-4.1").catch(() => undefined);
    process.kill(pid, "SIGKILL");
    expect(
      linesOf(ledger)
        .slice(0, 5)
        .map(readLedgerLine)
        .every((entry) => entry !== null),
    ).toBe(true);
  });
});
