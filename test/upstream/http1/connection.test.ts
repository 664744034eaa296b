import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { tickEnd } from "../../../src/base/tick.ts";
import type { HttpAnswer } from "../../../src/upstream/http.ts";
import { createOwnClient } from "../../../src/upstream/http1/client.ts";
import { createConnection } from "../../../src/upstream/http1/connection.ts";
import { startRawServer, whole } from "../raw-server.ts";

/** A connection over a socket that notes what is asked of it and takes `room` bytes until it is given more. */
function setUp(room = Number.POSITIVE_INFINITY) {
  const log: string[] = [];
  let written = "";
  let left = room;
  const note = (what: string) => (): void => void log.push(what);
  const connection = createConnection(
    {
      write: (bytes) => {
        const taken = Math.min(left, bytes.byteLength);
        left -= taken;
        written += Buffer.from(bytes.subarray(0, taken)).toString();
        return taken;
      },
      pause: note("pause"),
      resume: note("resume"),
      ref: note("ref"),
      unref: note("unref"),
      timeout: (seconds) => void log.push(`timeout ${seconds}`),
      end: note("end"),
      terminate: note("terminate"),
    },
    {
      onFree: note("free"),
      onGone: (_connection, wasStale) => void log.push(wasStale ? "stale" : "gone"),
    },
  );
  const send = (first = "request", rest: string | null = null, signal = new AbortController().signal) =>
    connection.send({
      method: "POST",
      request: { first: Buffer.from(first), rest: rest === null ? null : Buffer.from(rest) },
      signal,
    });
  return {
    connection,
    log,
    send,
    written: () => written,
    drain: (more: number) => {
      left = more;
      connection.onDrain();
    },
    receive: (text: string) => connection.onData(Buffer.from(text)),
  };
}

async function textOf({ body }: HttpAnswer): Promise<string> {
  const read = await body?.readAll(1e6);
  return read?.ok === true ? Buffer.from(read.bytes).toString() : "(none)";
}

async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "fine",
    (error: unknown) => (error as { code?: string }).code ?? error,
  );
}

const OK = whole("hello");

describe("a connection", () => {
  test("is free when its answer is whole, read or not", async () => {
    const { log, send, receive } = setUp();
    const answering = send();
    await tickEnd();
    receive(OK.slice(0, -1));
    expect(log).toEqual([]);
    receive(OK.slice(-1));
    expect(log).toEqual(["free"]);
    expect(await textOf(await answering)).toBe("hello");
  });

  test("sends what the socket did not take when it drains, in order", async () => {
    const { send, written, drain, receive, log } = setUp(4);
    const answering = send("0123456789", "abcdef");
    await tickEnd();
    expect(written()).toBe("0123");
    drain(8);
    expect(written()).toBe("0123456789ab");
    drain(100);
    expect(written()).toBe("0123456789abcdef");
    receive(OK);
    expect(await textOf(await answering)).toBe("hello");
    expect(log).toEqual(["free"]);
  });

  test.each([
    ["a refusal stops the sending, and the connection is closed after it", "413 Too Large", false],
    ["any other answer leaves it going on, but the connection is closed all the same", "200 OK", true],
  ] as const)("answered before all was sent: %s", async (_name, status, isSentOn) => {
    const { send, written, drain, receive, log } = setUp(4);
    const answering = send("0123456789");
    await tickEnd();
    const bytes = whole("hello", "", status);
    receive(bytes.slice(0, -1));
    drain(3);
    expect(written()).toBe(isSentOn ? "0123456" : "0123");
    receive(bytes.slice(-1));
    expect(await textOf(await answering)).toBe("hello");
    expect(log[0]).toBe("gone");
    expect(log).not.toContain("free");
  });

  test("pauses its socket while nobody reads, and is resumed when it is free", async () => {
    const { send, receive, log } = setUp();
    const answering = send();
    await tickEnd();
    receive(`HTTP/1.1 200 OK\r\ncontent-length: 140000\r\n\r\n${"a".repeat(70_000)}`);
    expect(log).toEqual(["pause"]);
    const { body } = await answering;
    expect((await body?.read())?.byteLength).toBe(70_000);
    expect(log).toEqual(["pause"]);
    const rest = body?.read();
    expect(log).toEqual(["pause", "resume"]);
    receive("a".repeat(70_000));
    expect((await rest)?.byteLength).toBe(70_000);
    // The last piece paused it again, though there is nothing more to come.
    expect(log.slice(2)).toEqual(["pause", "resume", "free"]);
  });

  test("rests without keeping the process alive, for as long as it may", () => {
    const { connection, log } = setUp();
    connection.rest(60);
    connection.wake();
    expect(log).toEqual(["unref", "timeout 60", "ref", "timeout 0"]);
    connection.onSilence();
    expect(log.slice(4)).toEqual(["gone", "end"]);
  });

  test.each([
    ["keep-alive: timeout=5\r\n", ["unref", "timeout 4"]],
    ["keep-alive: max=9, Timeout=30\r\n", ["unref", "timeout 29"]],
    ["keep-alive: timeout=600\r\n", ["unref", "timeout 60"]],
    ["keep-alive: timeout=1\r\n", ["gone", "end"]],
    ["", ["unref", "timeout 60"]],
  ])("that hears %p rests no longer than its upstream does", async (header, expected) => {
    const { connection, log, send, receive } = setUp();
    void send();
    await tickEnd();
    receive(whole("hello", header));
    log.length = 0;
    connection.rest(60);
    expect(log).toEqual(expected);
  });

  test("that hears what it did not ask for is closed at once", () => {
    const { log, receive } = setUp();
    receive(OK);
    expect(log).toEqual(["gone", "terminate"]);
  });

  test("asked to close finishes its answer first", async () => {
    const { connection, log, send, receive } = setUp();
    const answering = send();
    await tickEnd();
    connection.close();
    expect(log).toEqual([]);
    receive(OK);
    expect(await textOf(await answering)).toBe("hello");
    expect(log).toEqual(["gone", "end"]);
  });

  test("that is closed ends a body that goes up to the close, unless it is broken", async () => {
    for (const error of [undefined, Object.assign(new Error("reset"), { code: "ECONNRESET" })]) {
      const { connection, send, receive } = setUp();
      const answering = send();
      await tickEnd();
      receive("HTTP/1.1 200 OK\r\n\r\nhello");
      const { body } = await answering;
      await body?.read();
      const last = Promise.resolve(body?.read());
      connection.onClose(error);
      expect(await outcomeOf(last)).toBe(error === undefined ? "fine" : "ECONNRESET");
    }
  });

  test("is stale when it was used before and closed before any byte of an answer, and only then", async () => {
    const fresh = setUp();
    const first = fresh.send();
    await tickEnd();
    fresh.connection.onClose(undefined);
    expect(await outcomeOf(first)).toBe("ECONNRESET");
    expect(fresh.log[0]).toBe("gone");

    const used = setUp();
    void used.send();
    await tickEnd();
    used.receive(OK);
    const second = used.send();
    await tickEnd();
    used.connection.onClose(undefined);
    expect(await outcomeOf(second)).toBe("ECONNRESET");
    expect(used.log.slice(0, 2)).toEqual(["free", "stale"]);

    const heard = setUp();
    void heard.send();
    await tickEnd();
    heard.receive(OK);
    const third = heard.send();
    await tickEnd();
    heard.receive("HTTP/1.1 2");
    heard.connection.onClose(undefined);
    expect(await outcomeOf(third)).toBe("ECONNRESET");
    expect(heard.log.slice(0, 2)).toEqual(["free", "gone"]);
  });

  test.each([
    ["bytes that nobody asked for", (it: ReturnType<typeof setUp>) => it.receive(OK), "HTTP_INVALID_ANSWER"],
    ["its close", (it: ReturnType<typeof setUp>) => it.connection.onClose(undefined), "ECONNRESET"],
  ])(
    "that waits for the end of the tick to send takes %s for none of its answer, and sends nothing",
    async (_name, happen, code) => {
      const fresh = setUp();
      const first = outcomeOf(fresh.send());
      happen(fresh);
      await tickEnd();
      expect(await first).toBe(code);
      expect([fresh.log, fresh.written()]).toEqual([["gone", "terminate"], ""]);

      const used = setUp();
      void used.send("one");
      await tickEnd();
      used.receive(OK);
      const second = outcomeOf(used.send("two"));
      happen(used);
      await tickEnd();
      expect(await second).toBe("ECONNRESET");
      expect([used.log, used.written()]).toEqual([["free", "stale", "terminate"], "one"]);
    },
  );

  test("writes nothing before the end of the tick, whatever its socket says", async () => {
    const { connection, send, written } = setUp();
    void send();
    connection.onDrain();
    expect(written()).toBe("");
    await tickEnd();
    expect(written()).toBe("request");
  });

  test("that is given up before the end of the tick sends nothing", async () => {
    const { log, send, written } = setUp();
    const abort = new AbortController();
    const answering = send("request", null, abort.signal);
    abort.abort("given up");
    expect(await outcomeOf(answering)).toBe("given up");
    await tickEnd();
    expect([log, written()]).toEqual([["gone", "terminate"], ""]);
  });

  test("that is gone takes no request", async () => {
    const { connection, send } = setUp();
    connection.onClose(undefined);
    expect(await outcomeOf(send())).toBe("ECONNRESET");
  });

  test("stays free when a call comes to it aborted", async () => {
    const { log, send, written } = setUp();
    expect(await outcomeOf(send("request", null, AbortSignal.abort("given up")))).toBe("given up");
    expect([log, written()]).toEqual([["free"], ""]);
  });

  test("lets go of the signal with its answer", async () => {
    const { log, send, receive } = setUp();
    const abort = new AbortController();
    const answering = send("request", null, abort.signal);
    await tickEnd();
    receive(OK);
    await answering;
    abort.abort();
    expect(log).toEqual(["free"]);
  });
});

test("a connection tells whether it has gone", async () => {
  const { connection, send, receive } = setUp();
  const answer = send();
  await tickEnd();
  receive("HTTP/1.1 204 No Content\r\n\r\n");
  await answer;
  expect(connection.isGone()).toBe(false);
  connection.onClose(undefined);
  expect(connection.isGone()).toBe(true);
});

describe("over a real socket", () => {
  test("a stream that nobody reads costs one piece, and the upstream waits", async () => {
    let isDone = false;
    const piece = Buffer.alloc(1_048_576, "x");
    const server = startRawServer({
      onRequest: async (_request, socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        for (let count = 0; count < 64; count += 1) {
          socket.write(piece);
          await Bun.sleep(0);
        }
        isDone = true;
        socket.end();
      },
    });

    const client = createOwnClient({ clock: systemClock, idleTimeoutMs: 1000 });
    const { signal } = new AbortController();
    const { body } = await client.call(server.url, "/", { method: "POST", headers: {}, body: "", signal });
    let first = await body?.read();
    let total = first?.byteLength ?? 0;
    // Everything was handed to the kernel or waits in the server; here nothing more arrives until it is asked for.
    while (!isDone) await Bun.sleep(1);
    await Bun.sleep(50);
    expect(server.waiting()).toBeGreaterThan(32 * piece.byteLength);
    expect(first?.byteLength).toBeLessThanOrEqual(524_288);
    for (first = await body?.read(); first; first = await body?.read()) {
      expect(first.byteLength).toBeLessThanOrEqual(524_288);
      total += first.byteLength;
    }
    expect(total).toBe(64 * piece.byteLength);
    client.close();
    server.stop();
  });

  test("an idle connection does not keep a process alive", async () => {
    const server = startRawServer({ onRequest: (_request, socket) => socket.write(OK) });
    const script = `
      import { systemClock } from "./src/base/clock.ts";
      import { createOwnClient } from "./src/upstream/http1/client.ts";
      const client = createOwnClient({ clock: systemClock, idleTimeoutMs: 600_000 });
      const { signal } = new AbortController();
      const { body } = await client.call(process.argv[1], "/", { method: "POST", headers: {}, body: "", signal });
      process.stdout.write(String((await body.readAll(100)).bytes.byteLength));`;
    const cwd = new URL("../../../", import.meta.url).pathname;
    const child = Bun.spawn([process.execPath, "-e", script, server.url], { cwd, stdout: "pipe", stderr: "pipe" });
    const exit = await Promise.race([child.exited, Bun.sleep(10_000).then(() => "still alive")]);
    child.kill();
    expect([exit, await new Response(child.stdout).text()]).toEqual([0, "5"]);
    server.stop();
  }, 20_000);

  test("an idle connection is closed after its time", async () => {
    const server = startRawServer({ onRequest: (_request, socket) => socket.write(OK) });

    const client = createOwnClient({ clock: systemClock, idleTimeoutMs: 1000 });
    const { signal } = new AbortController();
    await textOf(await client.call(server.url, "/", { method: "POST", headers: {}, body: "", signal }));
    expect(server.open()).toBe(1);
    const end = performance.now() + 15_000;
    while (server.open() > 0 && performance.now() < end) await Bun.sleep(50);
    expect(server.open()).toBe(0);
    server.stop();
  }, 20_000);
});
