import { describe, expect, test } from "bun:test";
import { createWaitMeter } from "../../src/base/wait-meter.ts";
import { createFakeClock } from "../support/fake-clock.ts";

describe("a wait meter", () => {
  test("counts waits that overlap once, and those that fail too", async () => {
    const clock = createFakeClock();
    const meter = createWaitMeter(clock);
    const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    const one = meter.during(first.promise);
    clock.jump(10);
    const two = meter.during(second.promise);
    clock.jump(10);
    expect(meter.waitedMs()).toBe(20);
    first.resolve(1);
    await one;
    clock.jump(10);
    const no = new Error("no");
    second.reject(no);
    expect(await two.catch((thrown: unknown) => thrown)).toBe(no);
    expect(meter.waitedMs()).toBe(30);
    clock.jump(100);
    expect(meter.waitedMs()).toBe(30);
    const third = Promise.withResolvers<number>();
    const three = meter.during(third.promise);
    clock.jump(5);
    third.resolve(3);
    expect(await three).toBe(3);
    expect(meter.waitedMs()).toBe(35);
  });
});
