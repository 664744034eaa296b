/** The benchmark's own processes, with the gateway from source: one request of each kind, so that a run cannot measure nonsense. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { tracedSections } from "../../bench/gateway-files.ts";
import { baseOf, NAMES } from "../../bench/report.ts";
import { openRig, type Rig } from "../../bench/rig.ts";
import { measureOnce, measureRounds, orderOf, type Target } from "../../bench/rounds.ts";
import { SLOW, WORKLOADS, workloadById } from "../../bench/workloads.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let gateway: Target;
const proxies = new Map<string, Target>();

beforeAll(async () => {
  rig = await openRig({ name: "rig-test", binary: null });
  for (const [name, mode] of [
    [NAMES.bare, "pass"],
    [NAMES.events, "events"],
    [NAMES.twice, "twice"],
  ] as const) {
    proxies.set(name, await rig.startProxy(name, mode));
  }
  gateway = await rig.startGateway(NAMES.source, {
    source: { bunArguments: [], env: {} },
    sections: tracedSections(rig.upstreamPort),
  });
});
afterAll(() => rig.close());

const ALL = [...WORKLOADS, SLOW, ...["B1048576", "C500", "T500"].map(workloadById)];

describe.each(ALL)("$id", (workload) => {
  test("is answered rightly by the upstream, through the proxy it is compared with, and through the gateway", async () => {
    for (const target of [rig.direct, proxies.get(baseOf(workload)), gateway]) {
      if (target === undefined) throw new Error(`no ${baseOf(workload)}`);
      const order = orderOf(target, workload, 2, 0);
      const { requests, cpuUs } = await measureOnce(rig.load, target, workload, order);
      expect(requests).toBe(2);
      if (target !== rig.direct) expect(cpuUs).toBeGreaterThan(0);
    }
  });
});

test("a proxy that makes one call only does not pass for one that heals", async () => {
  const workload = workloadById("W8");
  const target = proxies.get(NAMES.bare) as Target;
  expect(measureOnce(rig.load, target, workload, orderOf(target, workload, 1, 0))).rejects.toThrow(
    "W8 through bare proxy",
  );
});

test("the upstream refuses a request that is not as the client sent it, unless it comes from a peer", async () => {
  const asked = (path: string): Promise<number> =>
    fetch(`http://127.0.0.1:${rig.upstreamPort}${path}`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "[W1] anything" }] }),
    }).then(({ status }) => status);
  expect(await asked("/v1/chat/completions")).toBe(400);
  expect(await asked("/peer/v1/chat/completions")).toBe(200);
});

test("rounds give a sample of each target and round", async () => {
  const targets = [proxies.get(NAMES.bare) as Target, gateway];
  const plan = { rounds: 3, roundMs: 20, warmUpMs: 20, warmUpRequests: 30 };
  const samples = await measureRounds(rig.load, workloadById("W1"), 2, targets, plan);
  expect(samples.map(({ length }) => length)).toEqual([3, 3]);
});

test("clients that leave are counted and leave nothing broken", async () => {
  const order = { ...orderOf(gateway, SLOW, 4, 100), abandonMs: 5 };
  expect((await measureOnce(rig.load, gateway, SLOW, order)).requests).toBeGreaterThan(4);
  const workload = workloadById("W1");
  expect((await measureOnce(rig.load, gateway, workload, orderOf(gateway, workload, 4, 0))).requests).toBe(4);
});
