/** What both clients have to do, over real sockets, with a server that sends whatever bytes a row says. */
import { afterEach, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/base/clock.ts";
import { decodeBody } from "../../src/upstream/byte-source.ts";
import { classifyException } from "../../src/upstream/classify.ts";
import type { ByteSource, HttpAnswer, HttpCall, HttpClient } from "../../src/upstream/http.ts";
import { createHttpClient } from "../../src/upstream/http-client.ts";
import { type RawServer, type RawServerOptions, startRawServer, whole } from "./raw-server.ts";

const CLIENTS = ["own", "fetch"] as const;
type ClientName = (typeof CLIENTS)[number];

let open: (() => void)[] = [];
afterEach(() => {
  for (const close of open) close();
  open = [];
});

function serve(options: RawServerOptions | RawServerOptions["onRequest"]): RawServer {
  const server = startRawServer(typeof options === "function" ? { onRequest: options } : (options ?? {}));
  open.push(server.stop);
  return server;
}

function clientOf(httpClient: ClientName, idleTimeoutMs = 60_000): HttpClient {
  const client = createHttpClient({ clock: systemClock, httpClient, useEnvProxy: false, idleTimeoutMs, poolShards: 4 });
  open.push(client.close);
  return client;
}

const POST: HttpCall = { method: "POST", headers: {}, body: "{}", signal: new AbortController().signal };

function call(client: HttpClient, url: string, parts: Partial<HttpCall> = {}, path = "/v1/x"): Promise<HttpAnswer> {
  return client.call(url, path, { ...POST, ...parts });
}

async function readOf(body: ByteSource | null): Promise<Uint8Array | null> {
  return (await body?.read()) ?? null;
}

async function textOf(answer: HttpAnswer): Promise<string> {
  const read = await answer.body?.readAll(1e9);
  return read?.ok === true ? Buffer.from(read.bytes).toString() : "(none)";
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await Bun.sleep(5);
  }
}

/** Code of the error that `work` ends with. */
async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return (error as { code?: unknown } | null)?.code ?? error;
}

describe.each([...CLIENTS])("client %s", (name) => {
  test("sends line, headers and body, and gives status, headers and body", async () => {
    const server = serve((_request, socket) => socket.write(whole("hello", "X-A: 1\r\nx-a: 2\r\n", "201 Created")));
    const answer = await call(clientOf(name), `${server.url}/base`, { headers: { "x-key": "k", accept: "a/b" } });
    expect([answer.status, answer.headers.get("x-a"), answer.headers.get("x-b")]).toEqual([201, "1, 2", null]);
    const seen: Record<string, string> = {};
    answer.headers.forEach((value, header) => {
      seen[header] = value;
    });
    expect(seen).toEqual({ "x-a": "1, 2", "content-length": "5" });
    expect(await textOf(answer)).toBe("hello");
    const [request] = server.requests;
    expect(request?.head).toStartWith("POST /base/v1/x HTTP/1.1\r\n");
    expect(request?.head.toLowerCase()).toContain(`host: ${server.url.slice("http://".length)}`);
    expect(request?.head).toContain("x-key: k");
    expect(request?.body).toBe("{}");
  });

  test("uses a connection again, the one that was free last", async () => {
    const server = serve((_request, socket) => socket.write(whole("hello")));
    const client = clientOf(name);
    for (let index = 0; index < 20; index += 1) expect(await textOf(await call(client, server.url))).toBe("hello");
    expect(server.opened()).toBe(1);
    await Promise.all(Array.from({ length: 10 }, async () => textOf(await call(client, server.url))));
    const opened = server.opened();
    expect(opened).toBeLessThanOrEqual(10);
    for (let index = 0; index < 20; index += 1) await textOf(await call(client, server.url));
    expect(server.opened()).toBe(opened);
  });

  const ENDINGS: readonly (readonly [string, string, "keep" | "end", string])[] = [
    ["with its length", whole("hello"), "keep", "hello"],
    ["without one, up to the close", "HTTP/1.1 200 OK\r\n\r\nhello", "end", "hello"],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
      "keep",
      "hello",
    ],
    ["behind an interim answer", `HTTP/1.1 100 Continue\r\n\r\n${whole("hello")}`, "keep", "hello"],
    ["that is empty", whole(""), "keep", ""],
  ];
  for (const [kind, bytes, end, text] of ENDINGS) {
    test(`reads a body ${kind}, however it is split`, async () => {
      for (const split of [bytes.length, 40, 1]) {
        const server = serve(async (_request, socket) => {
          for (let at = 0; at < bytes.length; at += split) {
            socket.write(bytes.slice(at, at + split));
            if (split < bytes.length) await Bun.sleep(0);
          }
          if (end === "end") socket.end();
        });
        expect(await textOf(await call(clientOf(name), server.url))).toBe(text);
      }
    });
  }

  test("has no body where there is none, and uses the connection again", async () => {
    const server = serve(({ index }, socket) => {
      if (index === 0) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      else if (index === 1) socket.write("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
      else if (index === 2) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
      else socket.write(whole("hello"));
    });
    const client = clientOf(name);
    expect(await textOf(await call(client, server.url))).toMatch(/^$|^\(none\)$/);
    expect(await textOf(await call(client, server.url))).toMatch(/^$|^\(none\)$/);
    const { body: _, ...headless } = POST;
    const head = await client.call(server.url, "/", { ...headless, method: "HEAD" });
    expect(head.headers.get("content-length")).toBe("5");
    expect(await textOf(head)).toMatch(/^$|^\(none\)$/);
    expect(await textOf(await call(client, server.url))).toBe("hello");
    expect(server.opened()).toBe(1);
  });

  test("sends nothing that could be a second request or header", async () => {
    const server = serve((_request, socket) => socket.write(whole("")));
    const client = clientOf(name);
    for (const value of ["a\r\nx-injected: b", "a\nb", "a\0b", "a\rb"]) {
      expect(await codeOf(call(client, server.url, { headers: { "x-a": value } }))).not.toBeNull();
    }
    await textOf(await call(client, server.url, {}, "/a\r\nx-injected: b"));
    expect(server.requests.map(({ head }) => head).join("\n")).not.toContain("\r\nx-injected");
    expect(server.requests).toHaveLength(1);
  });

  test("does not follow a redirect", async () => {
    const server = serve((_request, socket) => socket.write(whole("", "location: /elsewhere\r\n", "307 T")));
    const answer = await call(clientOf(name), server.url);
    expect([answer.status, answer.headers.get("location")]).toEqual([307, "/elsewhere"]);
    await textOf(answer);
    expect(server.requests).toHaveLength(1);
  });

  test("leaves an encoded body encoded, and it can be decoded whole and as a stream", async () => {
    const packed = gzipSync("hello ".repeat(1000));
    const server = serve((_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.byteLength}\r\n\r\n`);
      socket.write(packed);
    });
    const client = clientOf(name);
    const raw = await (await call(client, server.url)).body?.readAll(1e6);
    expect(raw?.ok === true ? Buffer.from(raw.bytes).equals(packed) : raw).toBe(true);
    for (const way of ["whole", "stream"] as const) {
      const { body, headers } = await call(client, server.url);
      const decoded = body === null ? null : decodeBody(body, headers.get("content-encoding"));
      const text =
        way === "stream"
          ? await new Response(decoded?.stream()).text()
          : await textOf({ status: 200, headers, body: decoded });
      expect(text).toBe("hello ".repeat(1000));
    }
    const unknown = await call(client, server.url);
    expect(unknown.body === null ? 0 : decodeBody(unknown.body, "compress")).toBeNull();
  });

  test("carries large bodies up and down", async () => {
    const up = "u".repeat(20_000_000);
    const down = "d".repeat(20_000_000);
    const server = serve(({ body }, socket) => socket.write(whole(body === up ? down : "not what was sent")));
    const client = clientOf(name);
    for (const body of [up, Buffer.from(up)]) {
      expect((await textOf(await call(client, server.url, { body }))) === down).toBe(true);
    }
    const { body } = await call(client, server.url, { body: up });
    let size = 0;
    for (let bytes = await body?.read(); bytes; bytes = await body?.read()) size += bytes.byteLength;
    expect(size).toBe(down.length);
    expect(server.opened()).toBe(1);
  });

  test("makes many calls at once, and then uses what it opened", async () => {
    // Of idle ones in plain text `fetch` keeps 64.
    const count = name === "own" ? 1000 : 64;
    const waiting: (() => void)[] = [];
    const server = serve(({ body }, socket) => {
      waiting.push(() => socket.write(whole(body)));
      if (waiting.length === count) for (const answer of waiting.splice(0)) answer();
    });
    const client = clientOf(name);
    for (let round = 0; round < 2; round += 1) {
      const texts = await Promise.all(
        Array.from({ length: count }, async (_, index) => textOf(await call(client, server.url, { body: `${index}` }))),
      );
      expect(texts).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
    }
    expect(server.opened()).toBe(count);
  });
});

describe.each([...CLIENTS])("client %s, when it goes wrong:", (name) => {
  test("nobody listens", async () => {
    const server = startRawServer({});
    server.stop();
    const error = await call(clientOf(name), server.url).catch((thrown: unknown) => thrown);
    expect(classifyException(error, 0)).toMatchObject({ class: "connect", unsent: true });
  });

  test("nobody has the name", async () => {
    const error = await call(clientOf(name), "http://nowhere.invalid").catch((thrown: unknown) => thrown);
    expect(classifyException(error, 0)).toMatchObject({ class: "connect", unsent: true });
  });

  test.each([
    ["closed", "end"],
    ["reset", "reset"],
  ] as const)("a connection that is %s before the answer is a reset", async (_kind, way) => {
    const server = serve((_request, socket) => socket[way]());
    const error = await call(clientOf(name), server.url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(classifyException(error, 0).class).toBe("stale_conn");
    expect(classifyException(error, 5000)).toMatchObject({ class: "connect", unsent: false });
  });

  test.each([
    ["closed", "end"],
    ["reset", "reset"],
  ] as const)(
    "a connection that is used again and %s meanwhile is stale, and the next call goes well",
    async (_kind, way) => {
      const server = serve(({ connection, index }, socket) => {
        if (connection === 0 && index > 0) socket[way]();
        else socket.write(whole("hello"));
      });
      const client = clientOf(name);
      await textOf(await call(client, server.url));
      const error = await call(client, server.url).catch((thrown: unknown) => thrown);
      expect(classifyException(error, 0).class).toBe("stale_conn");
      expect(await textOf(await call(client, server.url))).toBe("hello");
      expect(server.opened()).toBe(2);
    },
  );

  test("a connection that was closed while nobody used it is not used again", async () => {
    const server = serve((_request, socket) => {
      socket.write(whole("hello"));
      socket.end();
    });
    const client = clientOf(name);
    for (let index = 0; index < 3; index += 1) {
      expect(await textOf(await call(client, server.url))).toBe("hello");
      await until("it is closed", () => server.open() === 0);
      await Bun.sleep(20);
    }
    expect(server.opened()).toBe(3);
  });

  test.each([
    ["its length", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"],
    ["its last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ])("a body cut before %s is no whole one", async (_kind, bytes) => {
    for (const way of ["end", "reset"] as const) {
      const server = serve(async (_request, socket) => {
        socket.write(bytes);
        await Bun.sleep(20);
        socket[way]();
      });
      const client = clientOf(name);
      expect(await codeOf(call(client, server.url).then(textOf))).toBe("ECONNRESET");
      const { body } = await call(client, server.url);
      expect(Buffer.from((await body?.read()) ?? "").toString()).toBe("hello");
      expect(await codeOf(readOf(body))).toBe("ECONNRESET");
    }
  });

  test.each([
    ["no HTTP", "SSH-2.0-OpenSSH_9\r\n"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: gzip\r\n\r\nhello"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"],
    ["NUL in a header", "HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 5\r\n\r\nhello"],
    ["bad chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"],
  ])("an answer with %s is refused by ours, and its connection closed", async (_kind, bytes) => {
    if (name !== "own") return;
    const server = serve((_request, socket) => socket.write(bytes));
    expect(await codeOf(call(clientOf(name), server.url).then(textOf))).toBe("HTTP_INVALID_ANSWER");
    await until("it is closed", () => server.open() === 0);
  });

  test("a second answer in the same bytes is never given to the next call", async () => {
    const server = serve(({ index }, socket) =>
      socket.write(index === 0 ? whole("mine") + whole("smuggled") : whole("true")),
    );
    const client = clientOf(name);
    expect(await textOf(await call(client, server.url))).toBe("mine");
    expect(await textOf(await call(client, server.url))).toBe("true");
    expect(server.opened()).toBe(2);
  });

  test("a second answer that comes late is never given to the next call either", async () => {
    const server = serve(async ({ connection }, socket) => {
      if (connection > 0) {
        socket.write(whole("true"));
        return;
      }
      socket.write(whole("mine"));
      await Bun.sleep(10);
      socket.write(whole("smuggled"));
    });
    const client = clientOf(name);
    expect(await textOf(await call(client, server.url))).toBe("mine");
    await until("it is closed", () => server.open() === 0);
    expect(await textOf(await call(client, server.url))).toBe("true");
  });
});

describe.each([...CLIENTS])("client %s, aborted", (name) => {
  const reason = new Error("given up");

  test("beforehand sends nothing", async () => {
    const server = serve((_request, socket) => socket.write(whole("")));
    expect(await call(clientOf(name), server.url, { signal: AbortSignal.abort(reason) }).catch((e: unknown) => e)).toBe(
      reason,
    );
    await Bun.sleep(20);
    expect(server.requests).toHaveLength(0);
  });

  test("while it waits for the answer closes the connection, with the signal's reason", async () => {
    const server = serve(() => undefined);
    const abort = new AbortController();
    const calling = call(clientOf(name), server.url, { signal: abort.signal }).catch((e: unknown) => e);
    await until("it is there", () => server.requests.length === 1);
    abort.abort(reason);
    expect(await calling).toBe(reason);
    await until("it is closed", () => server.open() === 0);
  });

  test("in the middle of a body closes the connection, with the signal's reason", async () => {
    const server = serve((_request, socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"));
    const abort = new AbortController();
    const { body } = await call(clientOf(name), server.url, { signal: abort.signal });
    await body?.read();
    const reading = readOf(body).catch((e: unknown) => e);
    abort.abort(reason);
    expect(await reading).toBe(reason);
    expect(await readOf(body).catch((e: unknown) => e)).toBe(reason);
    await until("it is closed", () => server.open() === 0);
  });

  test("a body that is cancelled closes its connection, and one that is whole does not", async () => {
    const server = serve((_request, socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"));
    const { body } = await call(clientOf(name), server.url);
    await body?.read();
    body?.cancel();
    await until("it is closed", () => server.open() === 0);
  });

  test("after the answer does nothing", async () => {
    const server = serve((_request, socket) => socket.write(whole("hello")));
    const client = clientOf(name);
    const abort = new AbortController();
    expect(await textOf(await call(client, server.url, { signal: abort.signal }))).toBe("hello");
    abort.abort(reason);
    expect(await textOf(await call(client, server.url))).toBe("hello");
    expect(server.opened()).toBe(1);
  });
});

describe.each([...CLIENTS])("client %s, answered before it has sent all", (name) => {
  test.each([
    ["413, and closed", "413 Content Too Large", "end"],
    ["401, and left open", "401 Unauthorized", "open"],
  ] as const)("with %s gives that answer", async (_kind, status, then) => {
    const server = serve({
      onStart: (socket) => {
        socket.write(whole("no", "", status));
        if (then === "end") socket.end();
      },
    });
    const client = clientOf(name);
    const body = Buffer.alloc(50_000_000, "x");
    const answer = await call(client, server.url, { body });
    expect([answer.status, await textOf(answer)]).toEqual([Number(status.slice(0, 3)), "no"]);
    await until("it is closed", () => server.open() === 0);
    // Whoever still waits for the rest of the body must not get another request in its place.
    const again = await call(client, server.url, { body: "{}" });
    expect(again.status).toBe(Number(status.slice(0, 3)));
    expect(server.opened()).toBe(2);
  });
});
