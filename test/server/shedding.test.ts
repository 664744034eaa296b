import { expect, test } from "bun:test";
import { createShedding, type Pressure } from "../../src/server/shedding.ts";
import { createFakeClock } from "../support/fake-clock.ts";

function setUp(first: Partial<Pressure>, rssBytes: number | null = 1000) {
  const clock = createFakeClock();
  let pressure: Pressure = { residentBytes: 0, openFiles: 0, maxFiles: 100, ...first };
  let looks = 0;
  let relieved = 0;
  const shedding = createShedding({
    clock,
    read: () => {
      looks += 1;
      return pressure;
    },
    rssBytes: () => rssBytes,
    relieve: () => {
      relieved += 1;
    },
  });
  return {
    clock,
    shedding,
    looks: () => looks,
    relieved: () => relieved,
    set: (next: Partial<Pressure>) => {
      pressure = { ...pressure, ...next };
    },
  };
}

const rows = [
  { name: "room for both", pressure: { residentBytes: 1000, openFiles: 90 }, reason: null },
  { name: "memory over its limit", pressure: { residentBytes: 1001 }, reason: "memory" },
  { name: "files over nine tenths", pressure: { openFiles: 91 }, reason: "files" },
  { name: "files that the system does not tell", pressure: { openFiles: null, maxFiles: null }, reason: null },
  { name: "a file limit that is not told", pressure: { openFiles: 91, maxFiles: null }, reason: null },
] as const;

for (const { name, pressure, reason } of rows) {
  test(`${name}: ${reason ?? "lets in"}`, () => {
    const { shedding } = setUp(pressure);
    expect(shedding.reason()).toBe(reason);
    expect(shedding.isShedding()).toBe(reason !== null);
  });
}

test("knows no memory limit where none is set and none is told", () => {
  expect(setUp({ residentBytes: 1e15 }, null).shedding.reason()).toBeNull();
});

test("looks at the process four times a second at most, and lets in again at the next look", () => {
  const { clock, shedding, set, looks } = setUp({ residentBytes: 2000 });
  for (let call = 0; call < 50; call += 1) expect(shedding.reason()).toBe("memory");
  expect(looks()).toBe(1);
  set({ residentBytes: 10 });
  clock.jump(249);
  expect(shedding.reason()).toBe("memory");
  clock.jump(1);
  expect(shedding.reason()).toBeNull();
  expect(looks()).toBe(2);
});

test("gives memory back once a second while it is short, so that an idle process does not stay full", () => {
  const { clock, shedding, relieved } = setUp({ residentBytes: 2000 });
  for (let look = 0; look < 8; look += 1) {
    shedding.reason();
    clock.jump(250);
  }
  expect(relieved()).toBe(2);
});

test("counts as shedding for a second after a request was turned away", () => {
  const { clock, shedding } = setUp({});
  expect(shedding.isShedding()).toBe(false);
  shedding.note();
  expect(shedding.isShedding()).toBe(true);
  expect(shedding.reason()).toBeNull();
  clock.jump(1000);
  expect(shedding.isShedding()).toBe(false);
});
