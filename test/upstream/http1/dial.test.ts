import { describe, expect, test } from "bun:test";
import { createChildAbort } from "../../../src/base/abort.ts";
import { createOwnClient } from "../../../src/upstream/http1/client.ts";
import { dial } from "../../../src/upstream/http1/dial.ts";
import { parseBase } from "../../../src/upstream/http1/origin.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const EVENTS = { onFree: () => undefined, onGone: () => undefined };

/** An upstream that accepts connections and says nothing; `opened` and `closed` settle with the first one. */
function startSilentServer() {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<"closed">();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      // With its first bytes it is certain that the other side has the socket open.
      data: () => opened.resolve(),
      close: () => closed.resolve("closed"),
    },
  });
  return {
    url: `https://127.0.0.1:${server.port}`,
    opened: opened.promise,
    closed: Promise.race([closed.promise, Bun.sleep(5000).then(() => "open still")]),
    stop: () => server.stop(true),
  };
}

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (error: unknown) => error,
  );

describe("a TLS handshake that never ends", () => {
  test("is cut off after its time, and fails its call", async () => {
    const server = startSilentServer();
    const clock = createFakeClock();
    const client = createOwnClient({ clock, idleTimeoutMs: 1000 });
    const { signal } = new AbortController();
    const error = errorOf(client.call(server.url, "/", { method: "POST", headers: {}, body: "", signal }));
    await server.opened;
    await clock.advance(10_000);
    expect(await error).toMatchObject({ code: "ETIMEDOUT" });
    expect(await server.closed).toBe("closed");
    server.stop();
  });

  test("is cut off soon after its call has gone", async () => {
    const server = startSilentServer();
    const clock = createFakeClock();
    const client = createOwnClient({ clock, idleTimeoutMs: 1000 });
    const given = createChildAbort();
    const error = errorOf(
      client.call(server.url, "/", { method: "POST", headers: {}, body: "", signal: given.signal }),
    );
    await server.opened;
    given.abort("given up");
    expect(await error).toBe("given up");
    await clock.advance(2000);
    expect(await server.closed).toBe("closed");
    server.stop();
  });

  test("is cut off when the client is closed", async () => {
    const server = startSilentServer();
    const client = createOwnClient({ clock: createFakeClock(), idleTimeoutMs: 1000 });
    const given = createChildAbort();
    const error = errorOf(
      client.call(server.url, "/", { method: "POST", headers: {}, body: "", signal: given.signal }),
    );
    await server.opened;
    given.abort("given up");
    client.close();
    expect([await error, await server.closed]).toEqual(["given up", "closed"]);
    server.stop();
  });
});

test.each(["http", "https"])("a dial over %s that is given up before its socket opens leaves none", async (scheme) => {
  const closed = Promise.withResolvers<string>();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: () => undefined, close: () => closed.resolve("closed") },
  });
  const given = createChildAbort();
  const error = errorOf(dial(parseBase(`${scheme}://127.0.0.1:${server.port}`).origin, EVENTS, given.signal));
  given.abort("given up");
  expect(await error).toBe("given up");
  expect(await Promise.race([closed.promise, Bun.sleep(5000).then(() => "open still")])).toBe("closed");
  server.stop(true);
});
