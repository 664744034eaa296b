import { describe, expect, test } from "bun:test";
import { atTickEnd, tickEnd } from "../../src/base/tick.ts";

function tasks(count: number, log: number[]) {
  return Array.from({ length: count }, (_, at) => ({ onTickEnd: () => void log.push(at) }));
}

describe("the end of a tick", () => {
  test("comes after all that the tick brought, for all that wait for it, in order", async () => {
    const log: unknown[] = [];
    setTimeout(() => log.push("next"), 50);
    for (const task of tasks(3, log as number[])) atTickEnd(task);
    for (let step = 0; step < 20; step += 1) await Promise.resolve();
    log.push("tick");
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(log).toEqual(["tick", 0, 1, 2, "next"]);
  });

  test("is one for all that ask for it, and another in the next tick", async () => {
    const first = tickEnd();
    expect(tickEnd()).toBe(first);
    await first;
    const second = tickEnd();
    expect(second).not.toBe(first);
    await second;
  });

  test("is not waited for by more than 32", async () => {
    const log: number[] = [];
    for (const task of tasks(40, log)) atTickEnd(task);
    expect(log.length).toBe(32);
    await tickEnd();
    expect(log).toEqual(Array.from({ length: 40 }, (_, at) => at));
  });

  test("is there at once for the one that is too many", async () => {
    const log: number[] = [];
    for (const task of tasks(31, log)) atTickEnd(task);
    await tickEnd();
    expect(log.length).toBe(31);
    await tickEnd();
  });

  test("counts each that waits for it", async () => {
    let resolved = 0;
    const all = Array.from({ length: 32 }, async () => {
      await tickEnd();
      resolved += 1;
    });
    for (let step = 0; step < 5; step += 1) await Promise.resolve();
    expect(resolved).toBe(32);
    await Promise.all(all);
  });

  test("is not lost to others by one that throws, whose error is told", async () => {
    const script = `
      import { atTickEnd, tickEnd } from "./src/base/tick.ts";
      process.on("unhandledRejection", (error) => process.stdout.write(error.message + "; "));
      atTickEnd({ onTickEnd: () => { throw new Error("a defect"); } });
      await tickEnd();
      process.stdout.write("fine");`;
    const cwd = new URL("../../", import.meta.url).pathname;
    const child = Bun.spawn([process.execPath, "-e", script], { cwd, stdout: "pipe", stderr: "inherit" });
    expect(await new Response(child.stdout).text()).toContain("a defect");
    expect(await child.exited).toBe(0);
  });

  test("what is put off while one runs runs at the next", async () => {
    const log: string[] = [];
    atTickEnd({
      onTickEnd: () => {
        log.push("first");
        atTickEnd({ onTickEnd: () => void log.push("second") });
      },
    });
    await tickEnd();
    expect(log).toEqual(["first"]);
    await tickEnd();
    expect(log).toEqual(["first", "second"]);
  });
});
