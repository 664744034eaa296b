import { describe, expect, test } from "bun:test";
import type { GatewayEvent, Observer } from "../../src/base/events.ts";
import { createBus } from "../../src/observe/bus.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { recordOf } from "./support.ts";

const record = recordOf();
const STARTED: GatewayEvent = { type: "exchange-started", record };
const FINISHED: GatewayEvent = { type: "exchange-finished", record };

function open() {
  const bus = createBus(createFakeClock().after);
  const told: string[] = [];
  const add = (name: string, events?: Observer["events"], observe = () => {}): void =>
    bus.subscribe({
      name,
      ...(events === undefined ? {} : { events }),
      observe: ({ type }) => {
        told.push(`${name} ${type}`);
        observe();
      },
    });
  return { bus, told, add };
}

describe("the bus", () => {
  test("tells each observer what it wants, and everything when it does not say", () => {
    const { bus, told, add } = open();
    add("ledger", ["exchange-finished"]);
    add("all");
    bus.emit(STARTED);
    bus.emit(FINISHED);
    expect(told).toEqual(["all exchange-started", "ledger exchange-finished", "all exchange-finished"]);
  });
  test("tells one that comes later of events that were there before it", () => {
    const { bus, told, add } = open();
    bus.emit(FINISHED);
    add("late", ["exchange-finished"]);
    bus.emit(FINISHED);
    expect(told).toEqual(["late exchange-finished"]);
  });
  test("counts one that throws, and goes on with the next", () => {
    const { bus, told, add } = open();
    add("bad", undefined, () => {
      throw new Error("no");
    });
    add("good");
    bus.emit(FINISHED);
    bus.emit(FINISHED);
    expect(told.filter((line) => line.startsWith("good"))).toHaveLength(2);
    expect([...bus.failures()]).toEqual([["bad", 2]]);
  });
});
