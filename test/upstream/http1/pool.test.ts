import { describe, expect, test } from "bun:test";
import { followAbort } from "../../../src/base/abort.ts";
import type { HttpAnswer } from "../../../src/upstream/http.ts";
import type { Connection, ConnectionEvents, Exchange } from "../../../src/upstream/http1/connection.ts";
import { createConnectionPool } from "../../../src/upstream/http1/pool.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

/** A connection that a test answers, frees and breaks. */
interface FakeConnection extends Connection {
  readonly number: number;
  readonly events: ConnectionEvents;
  readonly exchanges: Exchange[];
  readonly log: string[];
  /** Answers the last exchange and is free again. */
  readonly answer: () => void;
  /** Is closed by the upstream. */
  readonly breakOff: () => void;
}

interface Dial {
  /** `isShort`: the upstream closes it at once. */
  readonly connect: (options?: { readonly isShort?: boolean }) => Promise<FakeConnection>;
  readonly fail: (error: Error) => Promise<void>;
  readonly isGivenUp: () => boolean;
}

function setUp() {
  const clock = createFakeClock();
  const dials: Dial[] = [];
  let connected = 0;
  const connection = (events: ConnectionEvents): FakeConnection => {
    const exchanges: Exchange[] = [];
    const log: string[] = [];
    const number = connected++;
    let isGone = false;
    let resolve: ((answer: HttpAnswer) => void) | null = null;
    const self: FakeConnection = {
      number,
      events,
      exchanges,
      log,
      send: (exchange) => {
        exchanges.push(exchange);
        return new Promise((settle) => {
          resolve = settle;
        });
      },
      answer: () => {
        resolve?.({ status: number, headers: new Headers(), body: null });
        events.onFree(self);
      },
      breakOff: () => {
        isGone = true;
        events.onGone(self, false);
      },
      wake: () => log.push("wake"),
      rest: (seconds) => log.push(`rest ${seconds}`),
      close: () => log.push("close"),
      isGone: () => isGone,
      onData: () => undefined,
      onDrain: () => undefined,
      onSilence: () => undefined,
      onClose: () => undefined,
    };
    return self;
  };
  const pool = createConnectionPool({
    clock,
    idleSeconds: 60,
    dial: (events, signal) =>
      new Promise((resolve, reject) => {
        followAbort(signal, { onAbort: reject });
        dials.push({
          isGivenUp: () => signal.aborted,
          connect: async ({ isShort = false } = {}) => {
            const made = connection(events);
            resolve(made);
            if (isShort) made.breakOff();
            await Bun.sleep(0);
            return made;
          },
          fail: async (error) => {
            reject(error);
            await Bun.sleep(0);
          },
        });
      }),
  });
  const send = (abort = new AbortController()) => {
    const { signal } = abort;
    const result = pool.send({ method: "POST", request: { first: new Uint8Array(1), rest: null }, signal });
    const settled = result.then(
      ({ status }) => status,
      (error: unknown) => error,
    );
    return { settled, abort };
  };
  return { clock, pool, dials, send };
}

const dialAt = (dials: readonly Dial[], index: number): Dial => {
  const dial = dials[index];
  if (dial === undefined) throw new Error(`no dial ${index}`);
  return dial;
};

describe("a pool", () => {
  test("dials for a call that finds nothing, and gives the connection to the next one", async () => {
    const { dials, send } = setUp();
    const first = send();
    const connection = await dialAt(dials, 0).connect();
    connection.answer();
    expect(await first.settled).toBe(0);
    const second = send();
    connection.answer();
    expect(await second.settled).toBe(0);
    expect(dials).toHaveLength(1);
    expect(connection.log).toEqual(["rest 60", "wake", "rest 60"]);
  });

  test("takes the connection that was free last", async () => {
    const { dials, send } = setUp();
    void [send(), send()];
    const [first, second] = [await dialAt(dials, 0).connect(), await dialAt(dials, 1).connect()];
    second.answer();
    first.answer();
    void send();
    expect([first.exchanges.length, second.exchanges.length]).toEqual([2, 1]);
  });

  test("dials as often as calls wait, without a limit", () => {
    const { dials, send } = setUp();
    for (let index = 0; index < 500; index += 1) void send();
    expect(dials).toHaveLength(500);
  });

  test("gives a waiting call what gets free first, and keeps what was dialled for it", async () => {
    const { dials, send } = setUp();
    void send();
    const connection = await dialAt(dials, 0).connect();
    const waiting = send();
    connection.answer();
    connection.answer();
    expect(await waiting.settled).toBe(0);
    const spare = await dialAt(dials, 1).connect();
    expect(spare.log).toEqual(["rest 60"]);
  });

  test("a failed dial is told to the call that nothing else can serve", async () => {
    const { dials, send } = setUp();
    const calls = [send(), send()];
    const refused = new Error("refused");
    await dialAt(dials, 0).fail(refused);
    const connection = await dialAt(dials, 1).connect();
    connection.answer();
    expect(await Promise.all(calls.map(({ settled }) => settled))).toEqual([refused, 0]);
  });

  test("a dial that fails when its call is served already is nobody's failure", async () => {
    const { dials, send } = setUp();
    void send();
    const connection = await dialAt(dials, 0).connect();
    const served = send();
    connection.answer();
    connection.answer();
    await dialAt(dials, 1).fail(new Error("refused"));
    expect(await served.settled).toBe(0);
  });

  test("a call that is given up is told at once, and its dial serves the next", async () => {
    const { dials, send } = setUp();
    const given = send();
    given.abort.abort("given up");
    expect(await given.settled).toBe("given up");
    const next = send();
    expect(dials).toHaveLength(1);
    (await dialAt(dials, 0).connect()).answer();
    expect(await next.settled).toBe(0);
  });

  test("a dial that takes too long is not waited for by the next call, and does not fail it", async () => {
    const { clock, dials, send } = setUp();
    send().abort.abort();
    clock.jump(3000);
    const next = send();
    expect(dials).toHaveLength(2);
    await dialAt(dials, 0).fail(new Error("timed out"));
    (await dialAt(dials, 1).connect()).answer();
    expect(await next.settled).toBe(0);
  });

  test("a dial that takes too long keeps no call waiting when that call's own is refused", async () => {
    const { clock, dials, send } = setUp();
    send().abort.abort();
    clock.jump(10_000);
    const next = send();
    const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    await dialAt(dials, 1).fail(refused);
    expect(await Promise.race([next.settled, Bun.sleep(0).then(() => "waits")])).toBe(refused);
  });

  test("a refused dial fails its own call, not one that still waits for a slow dial", async () => {
    const { clock, dials, send } = setUp();
    const patient = send();
    clock.jump(3000);
    const next = send();
    const refused = new Error("refused");
    await dialAt(dials, 1).fail(refused);
    expect(await Promise.race([next.settled, Bun.sleep(0).then(() => "waits")])).toBe(refused);
    (await dialAt(dials, 0).connect()).answer();
    expect(await patient.settled).toBe(0);
  });

  test("a dial that hangs is given up after its time, and its call told", async () => {
    const { clock, dials, send } = setUp();
    const { settled } = send();
    await clock.advance(9999);
    expect(dialAt(dials, 0).isGivenUp()).toBe(false);
    await clock.advance(1);
    expect(dialAt(dials, 0).isGivenUp()).toBe(true);
    expect(await settled).toMatchObject({ code: "ETIMEDOUT" });
    expect(clock.pending()).toBe(0);
  });

  test("a slow dial is given up when no call can be waiting for it any more", async () => {
    const { clock, dials, send } = setUp();
    const given = () => dials.map((dial) => dial.isGivenUp());
    const [first, second] = [send(), send()];
    await clock.advance(1999);
    first.abort.abort();
    expect(given()).toEqual([false, false]);
    await clock.advance(1);
    expect(given()).toEqual([true, false]);
    const third = send();
    second.abort.abort();
    expect(given()).toEqual([true, false, false]);
    third.abort.abort();
    expect(given()).toEqual([true, true, false]);
    await clock.advance(2000);
    expect(given()).toEqual([true, true, true]);
    expect(clock.pending()).toBe(0);
  });

  test("giving up a dial fails no call that waits for another one", async () => {
    const { clock, dials, send } = setUp();
    const given = send();
    await clock.advance(2000);
    const waiting = send();
    await clock.advance(2000);
    given.abort.abort();
    expect(dialAt(dials, 0).isGivenUp()).toBe(true);
    (await dialAt(dials, 1).connect()).answer();
    expect(await waiting.settled).toBe(0);
  });

  test("leaves no timer of a dial that is over", async () => {
    const { clock, dials, send } = setUp();
    void [send(), send()];
    await dialAt(dials, 0).connect();
    await dialAt(dials, 1).fail(new Error("refused"));
    expect(clock.pending()).toBe(0);
  });

  test("after a connection that was stale the next call gets a new one, and those after it what is there", async () => {
    const { dials, send } = setUp();
    void [send(), send(), send()];
    const connections = [];
    for (const dial of dials.slice()) connections.push(await dial.connect());
    for (const connection of connections) connection.answer();
    void send();
    const stale = connections.at(-1);
    stale?.events.onGone(stale, true);
    void send();
    expect(dials).toHaveLength(4);
    void send();
    expect(dials).toHaveLength(4);
  });

  test("a connection that goes while it rests is not used", async () => {
    const { dials, send } = setUp();
    void send();
    const connection = await dialAt(dials, 0).connect();
    connection.answer();
    connection.breakOff();
    void send();
    expect(dials).toHaveLength(2);
    expect(connection.exchanges).toHaveLength(1);
  });

  test("a connection that goes before anybody has it is not kept", async () => {
    const { dials, send } = setUp();
    send().abort.abort();
    const connection = await dialAt(dials, 0).connect({ isShort: true });
    void send();
    expect(dials).toHaveLength(2);
    expect([connection.exchanges, connection.log]).toEqual([[], []]);
  });

  test("that is closed closes what rests, and what is in use when it is free", async () => {
    const { dials, pool, send } = setUp();
    void [send(), send()];
    const [resting, used] = [await dialAt(dials, 0).connect(), await dialAt(dials, 1).connect()];
    resting.answer();
    pool.close();
    expect([resting.log, used.log]).toEqual([["rest 60", "close"], []]);
    used.answer();
    expect(used.log).toEqual(["close"]);
  });

  test("that is closed gives up the dials that no call waits for, and the others when theirs have gone", () => {
    const { dials, pool, send } = setUp();
    const [given, waiting] = [send(), send()];
    given.abort.abort();
    pool.close();
    waiting.abort.abort();
    expect(dials.map((dial) => dial.isGivenUp())).toEqual([true, true]);
  });
});
