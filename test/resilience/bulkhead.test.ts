import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Admission, createBulkhead, createBulkheadGuard, type Permit } from "../../src/resilience/bulkhead.ts";
import { createGuardLayer } from "../../src/resilience/guard.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { call, createCountingController, messageOf, result, streaming, type TestResult } from "./support.ts";

const SETTINGS = { limit: 2, queueDepth: 2, queueTimeoutMs: 2_000 };
const NEVER = new AbortController().signal;

function create(settings = SETTINGS) {
  const clock = createFakeClock();
  return { clock, bulkhead: createBulkhead(() => settings, clock) };
}

describe("bulkhead", () => {
  test("gives its permits, then queues, then refuses", async () => {
    const { bulkhead } = create();
    expect((await bulkhead.acquire(NEVER)).ok).toBe(true);
    expect(bulkhead.tryAcquire()).not.toBeNull();
    expect(bulkhead.tryAcquire()).toBeNull();
    void bulkhead.acquire(NEVER);
    void bulkhead.acquire(NEVER);
    expect(bulkhead.queued()).toBe(2);
    expect(await bulkhead.acquire(NEVER)).toEqual({ ok: false, reason: "queue-full" });
  });

  test("serves who waits in order, before who comes new", async () => {
    const { bulkhead } = create({ ...SETTINGS, limit: 1 });
    const first = bulkhead.tryAcquire();
    const order: string[] = [];
    const wait = async (name: string): Promise<void> => {
      const admission = await bulkhead.acquire(NEVER);
      order.push(name);
      if (admission.ok) admission.release();
    };
    void wait("a");
    void wait("b");
    expect(bulkhead.tryAcquire()).toBeNull();
    first?.release();
    first?.release();
    await settle();
    expect(order).toEqual(["a", "b"]);
    expect(bulkhead.inFlight()).toBe(0);
  });

  test("leaves the queue on its timeout and on abort, without a timer or listener", async () => {
    const { bulkhead, clock } = create({ ...SETTINGS, limit: 0 });
    const controller = new AbortController();
    const staying = createCountingController();
    const timedOut = bulkhead.acquire(staying.controller.signal);
    const aborted = bulkhead.acquire(controller.signal);
    await clock.advance(1_999);
    controller.abort();
    expect(await aborted).toEqual({ ok: false, reason: "aborted" });
    await clock.advance(1);
    expect(await timedOut).toEqual({ ok: false, reason: "queue-timeout" });
    expect([bulkhead.queued(), clock.pending(), staying.listeners()]).toEqual([0, 0, 0]);
  });

  test("comes back to zero after any sequence, and never exceeds its limit", async () => {
    const command = fc.record({ do: fc.constantFrom("acquire", "try", "release", "abort", "wait"), pick: fc.nat() });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const { bulkhead, clock } = create({ limit: 3, queueDepth: 4, queueTimeoutMs: 500 });
        const permits: Permit[] = [];
        const controllers: AbortController[] = [];
        const keep = (admission: Admission): void => {
          if (admission.ok) permits.push(admission);
        };
        for (const { do: action, pick } of commands) {
          if (action === "acquire") {
            const controller = new AbortController();
            controllers.push(controller);
            void Promise.resolve(bulkhead.acquire(controller.signal)).then(keep);
          } else if (action === "try") {
            const permit = bulkhead.tryAcquire();
            if (permit !== null) permits.push(permit);
          } else if (action === "release") permits[pick % Math.max(1, permits.length)]?.release();
          else if (action === "abort") controllers[pick % Math.max(1, controllers.length)]?.abort();
          else await clock.advance(pick % 700);
          expect(bulkhead.inFlight()).toBeLessThanOrEqual(3);
          expect(bulkhead.queued()).toBeLessThanOrEqual(4);
        }
        await clock.advance(1_000);
        while (bulkhead.inFlight() > 0) {
          for (const permit of permits.splice(0)) permit.release();
          await settle();
        }
        expect([bulkhead.inFlight(), bulkhead.queued(), clock.pending()]).toEqual([0, 0, 0]);
      }),
      { numRuns: 80 },
    );
  });
});

describe("bulkhead guard", () => {
  const layer = (mayQueue: boolean) => {
    const { bulkhead, clock } = create({ ...SETTINGS, limit: 1 });
    const build = createGuardLayer(
      createBulkheadGuard<string, TestResult>({
        bulkheadOf: () => bulkhead,
        mayQueue: () => mayQueue,
        refuse: (_request, reason) => result("local", {}, reason),
      }),
    );
    return { bulkhead, clock, build };
  };

  test("holds the permit until a stream's end", async () => {
    const { bulkhead, build } = layer(false);
    const { result: stream, end } = streaming();
    const dispatch = build(async () => stream);
    await dispatch("a", call());
    expect(bulkhead.inFlight()).toBe(1);
    expect((await dispatch("a", call())).label).toBe("busy");
    end(null);
    expect(bulkhead.inFlight()).toBe(0);
  });

  test("gives the permit back on a throw and after a whole answer", async () => {
    const { bulkhead, build } = layer(false);
    const broken = build(() => Promise.reject(new Error("defect")));
    expect(await messageOf(broken("a", call()))).toBe("defect");
    await build(async () => result("ok"))("a", call());
    expect(bulkhead.inFlight()).toBe(0);
  });

  test("queues only where no other candidate could be asked", async () => {
    const { bulkhead, clock, build } = layer(true);
    bulkhead.tryAcquire();
    const waiting = build(async () => result("ok"))("a", call());
    await clock.advance(2_000);
    expect((await waiting).label).toBe("queue-timeout");
  });
});
