import { describe, expect, test } from "bun:test";
import { createChildAbort } from "../../src/base/abort.ts";
import { sleep } from "../../src/base/clock.ts";
import { createFakeClock } from "../support/fake-clock.ts";

describe("a child abort", () => {
  test("follows each parent, with that parent's reason, once", () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const child = createChildAbort(first.signal, second.signal);
    second.abort("second");
    first.abort("first");
    expect([child.signal.aborted, child.signal.reason]).toEqual([true, "second"]);
  });

  test("of a parent that has aborted is aborted", () => {
    expect(createChildAbort(AbortSignal.abort("before")).signal.reason).toBe("before");
  });

  test("does not abort its parent, and follows it no more once released", () => {
    const parent = new AbortController();
    const child = createChildAbort(parent.signal);
    const other = createChildAbort(parent.signal);
    other.abort("own");
    expect([parent.signal.aborted, child.signal.aborted]).toEqual([false, false]);
    child.release();
    child.release();
    parent.abort("late");
    expect(child.signal.aborted).toBe(false);
  });
});

describe("a sleep", () => {
  test("ends after its time and leaves nothing", async () => {
    const clock = createFakeClock();
    let isOver = false;
    void sleep(clock, 100, new AbortController().signal).then(() => (isOver = true));
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect([isOver, clock.pending()]).toEqual([true, 0]);
  });

  test("rejects with the signal's reason at once, and leaves no timer", async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 100, controller.signal);
    const left = new Error("left");
    controller.abort(left);
    expect(await sleeping.catch((reason: unknown) => reason)).toBe(left);
    expect(await sleep(clock, 100, controller.signal).catch((reason: unknown) => reason)).toBe(left);
    expect(clock.pending()).toBe(0);
  });
});
