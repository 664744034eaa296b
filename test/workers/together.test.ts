import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { sumOf } from "../support/exposition.ts";
import type { GatewayProcess } from "../support/gateway.ts";
import {
  call,
  chat,
  childrenOf,
  connectionsOf,
  isLinux,
  metrics,
  openConnections,
  portOf,
  startWorkers,
} from "./support.ts";

describe.skipIf(!isLinux)("two workers as one gateway (Linux alone shares a port)", () => {
  let providers: SimulatorAddress;
  let gateway: GatewayProcess;
  let sent = 0;
  beforeAll(async () => {
    providers = createSimulator().listen();
    gateway = await startWorkers({ providers });
  });
  afterAll(async () => {
    await gateway.stop();
    await providers.stop();
  });

  const ask = (...args: [words?: string, stream?: boolean]): Promise<Response> => {
    sent += 1;
    return chat(gateway, ...args);
  };

  test("says once that it listens, when both do", () => {
    expect(gateway.output().match(/listening/g)).toHaveLength(1);
    expect(gateway.output()).toMatch(/arouter listening · 127\.0\.0\.1:\d+ · providers ready · 2 workers\n/);
    expect(childrenOf(gateway.pid)).toHaveLength(2);
  });

  test("gives each of them 35 to 65 % of many connections", async () => {
    const connections = await openConnections(gateway, 400);
    const shares = childrenOf(gateway.pid).map((pid) => connectionsOf(pid, portOf(gateway)) / connections.length);
    for (const connection of connections) connection.close();
    expect(shares).toHaveLength(2);
    for (const share of shares) {
      expect(share).toBeGreaterThan(0.35);
      expect(share).toBeLessThan(0.65);
    }
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 2);
  });

  test("tells the same sums whichever is asked, and they are what was sent", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask('text "x"', index % 2 === 0)));
    await Promise.all(answers.map((answer) => answer.text()));
    // On connections of their own: with eight of them it is near certain that both workers were asked.
    const scrapes = await Promise.all(Array.from({ length: 8 }, () => metrics(gateway)));
    for (const samples of scrapes) {
      expect(sumOf(samples, "arouter_requests_total")).toBe(sent);
      expect(sumOf(samples, "arouter_request_duration_seconds_count")).toBe(sent);
      expect(sumOf(samples, "arouter_request_duration_seconds_bucket", { le: "+Inf" })).toBe(sent);
      expect(sumOf(samples, "arouter_workers")).toBe(2);
      expect(sumOf(samples, "arouter_worker_restarts_total")).toBe(0);
      expect(sumOf(samples, "arouter_build_info")).toBe(1);
      expect(sumOf(samples, "arouter_policy_info")).toBe(1);
    }
  });

  test("names no metric twice, and each once with its help", async () => {
    const text = await (await call(gateway, "/metrics")).text();
    const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(" ")));
    expect(new Set(names).size).toBe(names.length);
    const helps = text.split("\n").filter((line) => line.startsWith("# HELP"));
    expect(new Set(helps).size).toBe(helps.length);
  });

  test("finds a request whichever is asked", async () => {
    const id = (await ask()).headers.get("x-arouter-request-id");
    const found = await Promise.all(Array.from({ length: 8 }, () => call(gateway, `/arouter/requests/${id}`)));
    for (const answer of found) expect(await answer.json()).toMatchObject({ id, outcome: "complete", status: 200 });
    expect((await call(gateway, "/arouter/requests/req_ar_NONE")).status).toBe(404);
  });

  test("shows the requests of both on the dashboard, newest first", async () => {
    const id = (await ask()).headers.get("x-arouter-request-id");
    interface Page {
      readonly totals: { readonly requests: number };
      readonly by: { readonly provider: readonly { readonly requests: number }[] };
      readonly window: { readonly series: readonly { readonly requests: readonly number[] }[] };
      readonly recent: readonly { readonly id: string }[];
    }
    const pages = await Promise.all(
      Array.from({ length: 8 }, async () => (await call(gateway, "/dashboard/data.json?by=model")).json()),
    );
    for (const { totals, by, window, recent } of pages as Page[]) {
      expect(totals.requests).toBe(sent);
      expect(by.provider.reduce((sum, { requests }) => sum + requests, 0)).toBe(sent);
      expect(window.series.flatMap(({ requests }) => requests).reduce((sum, count) => sum + count, 0)).toBe(sent);
      expect(recent[0]?.id).toBe(id ?? "");
      expect(recent.length).toBe(Math.min(50, sent));
    }
  });

  test("is ready and healthy whichever is asked", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => call(gateway, ["/livez", "/readyz", "/healthz"][index % 3] ?? "")),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});
