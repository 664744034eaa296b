import { afterEach, expect, test } from "bun:test";
import { send, type Got } from "./client.ts";
import { AT_REST, openStage, type Stage } from "./stage.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const runMs = isLong ? 20_000 : 3000;
const serviceMs = 100;
const maxInFlight = 20;
const queueTimeoutMs = 200;

let stage: Stage;
afterEach(() => stage.close());

const ask = (id: number) =>
  ({
    format: id % 2 === 0 ? "chat" : "messages",
    model: id % 4 < 2 ? "gpt-5.6" : "claude-sonnet-5-5",
    stream: id % 3 === 0,
    prompt: `load ${id} [[sim: text "served"; slow ${serviceMs}]]`,
  }) as const;

test(
  "at three times its load it serves what it let in as fast as ever, tells the rest, and recovers at once",
  async () => {
    stage = await openStage({
      config: `
[limits]
max_in_flight = ${maxInFlight}
queue_depth = 10
queue_timeout = "${queueTimeoutMs}ms"
`,
    });
    const served: Got[] = [];
    const shed: Got[] = [];
    let made = 0;
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        made += 1;
        const got = await send(stage.url, ask(made));
        if (got.ending === "complete") {
          served.push(got);
          continue;
        }
        shed.push(got);
        // As a client that was told to come back later, only sooner.
        await Bun.sleep(20);
      }
    };
    // Three closed loops for each place there is.
    const load = Promise.all(Array.from({ length: maxInFlight * 3 }, client));
    const statuses: number[] = [];
    const liveMs: number[] = [];
    const startedMs = performance.now();
    while (performance.now() - startedMs < runMs) {
      await Bun.sleep(100);
      const askedMs = performance.now();
      const live = await fetch(`${stage.url}/livez`);
      expect(live.status).toBe(200);
      liveMs.push(performance.now() - askedMs);
      statuses.push((await fetch(`${stage.url}/readyz`)).status);
    }
    isOver = true;
    await load;

    const times = served.map(({ ms }) => ms).sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
    console.log(
      `overload: ${made} requests, ${served.length} served with a p99 of ${Math.round(p99)} ms (${serviceMs} ms of it upstream), ${shed.length} turned away; ` +
        `/livez took at most ${Math.round(Math.max(...liveMs))} ms`,
    );
    expect(served.every(({ text }) => text === "served")).toBe(true);
    // A place in the line at most, then its own time; the rest is a busy machine.
    expect(p99).toBeLessThan(serviceMs + queueTimeoutMs + 400);
    expect(served.length).toBeGreaterThan(((runMs / serviceMs) * maxInFlight) / 3);
    expect(shed.length).toBeGreaterThan(0);
    for (const { status, headers, error } of shed) {
      expect(status).toBe(503);
      expect(headers.get("retry-after")).toBe("1");
      expect(headers.get("x-arouter-error")).toBe("overloaded");
      expect(error).toContain("overloaded");
    }
    // Readiness told the load balancer, as long as it lasted.
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(statuses.length / 2);

    expect(await stage.settle()).toEqual(AT_REST);
    const after = await send(stage.url, ask(0));
    expect(after.ending).toBe("complete");
    expect(after.ms).toBeLessThan(serviceMs + 400);
    await Bun.sleep(1000);
    expect((await fetch(`${stage.url}/readyz`)).status).toBe(200);
  },
  runMs + 30_000,
);

test("memory over its limit turns requests away with the documented answer, and health stays open", async () => {
  stage = await openStage({ config: "[limits]\nrss_bytes = 1048576\n" });
  const got = await send(stage.url, ask(1));
  expect(got.status).toBe(503);
  expect(got.headers.get("retry-after")).toBe("1");
  expect(got.headers.get("x-arouter-error")).toBe("overloaded");
  expect(got.error).toContain("short of memory");
  expect((await fetch(`${stage.url}/livez`)).status).toBe(200);
  expect((await fetch(`${stage.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
  expect(stage.events.filter((event) => event.type === "request-shed" && event.reason === "memory")).toHaveLength(1);
  expect(stage.simulator.log.entries.filter(({ path }) => path.includes("messages"))).toHaveLength(0);
});
