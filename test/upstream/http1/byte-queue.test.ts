import { describe, expect, test } from "bun:test";
import { createByteQueue } from "../../../src/upstream/http1/byte-queue.ts";

function setUp() {
  const calls: string[] = [];
  const queue = createByteQueue({
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
    cancel: () => calls.push("cancel"),
  });
  return { queue, calls, push: (size: number, letter = "a") => queue.push(Buffer.alloc(size, letter)) };
}

const KIB = 1024;

async function sizeOf(reading: Promise<Uint8Array | null> | Uint8Array | null): Promise<number | null> {
  return (await reading)?.byteLength ?? null;
}

async function messageOf(failing: unknown): Promise<string> {
  return Promise.resolve(failing).then(
    () => "(none)",
    (error: Error) => error.message,
  );
}

describe("a body on its way", () => {
  test("is read in order, what waits and what comes, and then its end", async () => {
    const { queue, push } = setUp();
    push(1);
    push(2);
    expect(await sizeOf(queue.read())).toBe(1);
    expect(await sizeOf(queue.read())).toBe(2);
    const third = queue.read();
    push(3);
    expect(await sizeOf(third)).toBe(3);
    const last = queue.read();
    queue.end();
    expect(await last).toBeNull();
    expect(await queue.read()).toBeNull();
  });

  test("pauses its connection when enough waits, and not before", async () => {
    const { queue, calls, push } = setUp();
    push(63 * KIB);
    expect(calls).toEqual([]);
    push(KIB);
    push(KIB);
    expect(calls).toEqual(["pause"]);
    // Half of it is taken: more would be too much still.
    await queue.read();
    expect(calls).toEqual(["pause"]);
    await queue.read();
    await queue.read();
    expect(calls).toEqual(["pause"]);
    const waiting = queue.read();
    expect(calls).toEqual(["pause", "resume"]);
    push(KIB);
    expect(await sizeOf(waiting)).toBe(KIB);
    expect(calls).toEqual(["pause", "resume"]);
  });

  test("pauses after one large piece that was handed out at once, until it is used up", async () => {
    const { queue, calls, push } = setUp();
    const waiting = queue.read();
    push(512 * KIB);
    await waiting;
    expect(calls).toEqual(["pause"]);
    void queue.read();
    expect(calls).toEqual(["pause", "resume"]);
  });

  test("keeps what came before its end, and drops it when it fails", async () => {
    const ended = setUp();
    ended.push(1);
    ended.queue.end();
    expect(await sizeOf(ended.queue.read())).toBe(1);
    expect(await ended.queue.read()).toBeNull();
    const failed = setUp();
    failed.push(1);
    failed.queue.fail(new Error("cut"));
    expect(await messageOf(failed.queue.read())).toBe("cut");
    expect(await messageOf(failed.queue.read())).toBe("cut");
  });

  test("tells who waits that it failed", async () => {
    const { queue } = setUp();
    const waiting = queue.read();
    queue.fail(new Error("cut"));
    expect(await messageOf(waiting)).toBe("cut");
  });

  test("is cancelled once, and then at its end", async () => {
    const { queue, calls, push } = setUp();
    const waiting = queue.read();
    queue.cancel();
    queue.cancel();
    push(1);
    queue.fail(new Error("cut"));
    expect(await waiting).toBeNull();
    expect(await queue.read()).toBeNull();
    expect(calls).toEqual(["cancel"]);
  });

  test("that has ended cancels nothing", () => {
    const { queue, calls } = setUp();
    queue.end();
    queue.cancel();
    expect(calls).toEqual([]);
  });
});

describe("the whole of a body", () => {
  test.each([
    ["in one piece", [5], 5, true],
    ["in several pieces", [1, 2, 3], 6, true],
    ["of nothing", [], 0, true],
    ["at the limit", [4, 6], 10, true],
    ["over the limit", [4, 7], 0, false],
  ] as const)("%s", async (_name, pieces, size, ok) => {
    for (const isBefore of [true, false]) {
      const { queue, calls, push } = setUp();
      const feed = (): void => {
        for (const piece of pieces) push(piece);
        queue.end();
      };
      if (isBefore) feed();
      const reading = queue.readAll(10);
      if (!isBefore) feed();
      const read = await reading;
      expect(read.ok ? read.bytes.byteLength : null).toBe(ok ? size : null);
      expect(calls).toEqual([]);
    }
  });

  test("over the limit before its end closes the connection", async () => {
    const { queue, calls, push } = setUp();
    push(11);
    expect(await queue.readAll(10)).toEqual({ ok: false });
    expect(calls).toEqual(["cancel"]);
  });

  test("that fails is an error", async () => {
    const { queue, push } = setUp();
    push(1);
    const reading = Promise.resolve(queue.readAll(10));
    queue.fail(new Error("cut"));
    expect(await messageOf(reading)).toBe("cut");
  });
});

describe("as a stream", () => {
  test("it gives the same bytes", async () => {
    const { queue, push } = setUp();
    push(1, "a");
    push(2, "b");
    queue.end();
    expect(await new Response(queue.stream()).text()).toBe("abb");
  });

  test("it reads nothing before it is read, and is cancelled with its reader", async () => {
    const { queue, calls, push } = setUp();
    push(64 * KIB);
    const stream = queue.stream();
    await Bun.sleep(0);
    expect(calls).toEqual(["pause"]);
    await stream.cancel();
    expect(calls).toEqual(["pause", "cancel"]);
  });
});
