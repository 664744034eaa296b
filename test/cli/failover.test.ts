import { expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { runFailover } from "../../src/cli/failover.ts";
import { createTestIo } from "../support/cli.ts";

const times = { calmMs: 700, outageMs: 1200, clients: 12 };

test("a provider that goes down under streaming load costs no error before flush, and nothing with whole answers held", async () => {
  const io = createTestIo();
  expect(await runFailover(io, systemClock, times)).toBe(0);
  console.log(io.out().split("\n\n")[1]);
  const [off, full] = io
    .out()
    .split("\n")
    .filter((line) => /^(?:off|full) /.test(line))
    .map((line) => line.trim().split(/\s+/));
  // heal.hold, requests, whole, by the other, errors, cut, lost
  expect(off?.slice(4)).toEqual(["0", off?.[5] ?? "", "0"]);
  expect(full?.slice(4)).toEqual(["0", "0", "0"]);
  expect(Number(off?.[3])).toBeGreaterThan(0);
  expect(Number(full?.[3])).toBeGreaterThan(0);
  expect(io.errors()).toBe("");
}, 60_000);
