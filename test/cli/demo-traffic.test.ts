import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { demoRequest } from "../../src/cli/demo-requests.ts";
import { renderSavings, startTraffic } from "../../src/cli/demo-traffic.ts";
import { runDemo } from "../../src/cli/demo.ts";
import { createTestIo } from "../support/cli.ts";
import { createFakeClock } from "../support/fake-clock.ts";

setDefaultTimeout(30_000);

let server: Bun.Server<unknown> | null = null;
afterEach(async () => {
  await server?.stop(true);
  server = null;
});

/** A gateway that answers when it is let to. */
function serve() {
  let waiting: (() => void)[] = [];
  let seen = 0;
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      seen += 1;
      return new Promise((resolve) => waiting.push(() => resolve(new Response("{}"))));
    },
  });
  const release = (): void => {
    const all = waiting;
    waiting = [];
    for (const answer of all) answer();
  };
  return { url: `http://127.0.0.1:${server.port}`, release, seen: () => seen };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !isTrue(); turn += 1) await Bun.sleep(5);
  expect(isTrue()).toBe(true);
}

describe("startTraffic", () => {
  test("keeps few requests in flight, however slow the answers", async () => {
    const gateway = serve();
    const clock = createFakeClock({ random: 0.5 });
    const stop = startTraffic({ clock, url: gateway.url, requests: null, onDone: () => undefined });
    await clock.advance(60_000);
    await until(() => gateway.seen() === 12);
    gateway.release();
    await Bun.sleep(50);
    await clock.advance(120);
    await until(() => gateway.seen() === 13);
    await stop();
    await clock.advance(60_000);
    expect(gateway.seen()).toBe(13);
    expect(clock.pending()).toBe(0);
  });

  test("sends as many as it is told to, and says when all are answered", async () => {
    const gateway = serve();
    const clock = createFakeClock({ random: 0.5 });
    let isDone = false;
    const stop = startTraffic({ clock, url: gateway.url, requests: 3, onDone: () => (isDone = true) });
    await clock.advance(10_000);
    await until(() => gateway.seen() === 3);
    expect(isDone).toBe(false);
    gateway.release();
    await until(() => isDone);
    await stop();
  });
});

describe("demoRequest", () => {
  test("asks the same, always in the same order", () => {
    for (let index = 0; index < 60; index += 1) expect(demoRequest(index)).toEqual(demoRequest(index));
    const models = new Set(Array.from({ length: 25 }, (_, index) => demoRequest(index).body["model"]));
    expect([...models].map(String).toSorted()).toEqual(["claude-opus-5-5", "claude-sonnet-5-5", "gpt-5.5", "gpt-5.6"]);
  });
});

describe("renderSavings", () => {
  test("puts the rule that saves most on top, and adds up", () => {
    const zero = { requests: 1, errors: 0, tokensInput: 0, tokensOutput: 0, costUsd: 1, savedUsd: 0 };
    const table = renderSavings([
      { ...zero, name: "none" },
      { ...zero, name: "loses", savedUsd: -0.5 },
      { ...zero, name: "saves", savedUsd: 3 },
    ]);
    expect(table.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim())).toEqual([
      "rule requests cost saved saved of",
      "saves 1 $1.000000 $3.000000 75.0 %",
      "(no rule) 1 $1.000000 $0.000000 0.0 %",
      "loses 1 $1.000000 -$0.500000 -100.0 %",
      "total 3 $3.000000 $2.500000 45.5 %",
      "",
    ]);
  });
});

test.each(["0", "-1", "1.5", "many"])("arouter demo takes no %s requests", async (requests) => {
  const io = createTestIo();
  expect(await runDemo([`--requests=${requests}`], io)).toBe(2);
  expect(io.errors()).toContain("--requests takes a whole number");
});
