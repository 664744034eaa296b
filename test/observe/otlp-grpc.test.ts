import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { createGrpcTransport } from "../../src/observe/otlp-grpc.ts";
import { freePort } from "../support/ports.ts";

const never = new AbortController().signal;
const body = new Uint8Array([1, 2, 3]);
setDefaultTimeout(30_000);

const servers: Http2Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<URL> {
  const server = createServer();
  servers.push(server);
  server.on("stream", answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/service/Export`);
}

/** Answers with `status` in the trailers, as a server does that has read the message. */
function withStatus(
  status: number,
  seen: (bytes: Buffer) => void = () => undefined,
  answer: readonly number[] = [],
): (stream: ServerHttp2Stream) => void {
  return (stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
    stream.on("end", () => {
      seen(Buffer.concat(chunks));
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(status) }));
      stream.end(Buffer.from([0, 0, 0, 0, answer.length, ...answer]));
    });
  };
}

describe("createGrpcTransport", () => {
  test("sends one framed message, with the headers of the configuration", async () => {
    let frame: number[] = [];
    let headers: IncomingHttpHeaders = {};
    const answer = withStatus(0, (bytes) => (frame = [...bytes]));
    const url = await serve((stream, sent) => {
      headers = sent;
      answer(stream);
    });
    const transport = createGrpcTransport(url, { "x-tenant": "a" });
    expect(await transport.send(body, never)).toEqual({ kind: "ok" });
    expect(frame).toEqual([0, 0, 0, 0, 3, 1, 2, 3]);
    expect(headers).toMatchObject({
      ":path": "/service/Export",
      "content-type": "application/grpc",
      te: "trailers",
      "x-tenant": "a",
    });
    expect(await transport.send(body, never)).toEqual({ kind: "ok" });
    transport.close();
  });

  test.each([
    [3, "refused"],
    [7, "refused"],
    [8, "again"],
    [12, "refused"],
    [14, "again"],
    [16, "refused"],
  ] as const)("takes status %p for %s", async (status, kind) => {
    const transport = createGrpcTransport(await serve(withStatus(status)), {});
    expect(await transport.send(body, never)).toEqual({ kind, reason: `the collector answered gRPC status ${status}` });
    transport.close();
  });

  test("reads how many spans were refused", async () => {
    const url = await serve(withStatus(0, undefined, [0x0a, 0x02, 0x08, 0x07]));
    const transport = createGrpcTransport(url, {});
    const reason = "the collector refused some of a batch";
    expect(await transport.send(body, never)).toEqual({ kind: "partly", rejected: 7, reason });
    transport.close();
  });

  test("reads a status that comes with the headers", async () => {
    const url = await serve((stream) => stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true }));
    const transport = createGrpcTransport(url, {});
    expect((await transport.send(body, never)).kind).toBe("refused");
    transport.close();
  });

  test("says why nobody answers, and tries a new connection the next time", async () => {
    const port = freePort();
    const transport = createGrpcTransport(new URL(`http://127.0.0.1:${port}/service/Export`), {});
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await transport.send(body, never)).toEqual({
        kind: "again",
        reason: "the connection failed (ECONNREFUSED)",
      });
    }
    const server = createServer();
    servers.push(server);
    server.on("stream", withStatus(0));
    await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
    expect(await transport.send(body, never)).toEqual({ kind: "ok" });
    transport.close();
  });

  test("takes a connection that breaks for one to try again", async () => {
    const url = await serve((stream) => stream.session?.destroy());
    const transport = createGrpcTransport(url, {});
    expect((await transport.send(body, never)).kind).toBe("again");
    transport.close();
  });

  test("gives up when it is told to", async () => {
    const url = await serve(() => undefined);
    const transport = createGrpcTransport(url, {});
    const abort = new AbortController();
    const sending = transport.send(body, abort.signal);
    await Bun.sleep(50);
    abort.abort();
    expect(await sending).toEqual({ kind: "again", reason: "the collector took too long" });
    transport.close();
  });

  test("does not begin when it has been told to give up before", async () => {
    let calls = 0;
    const url = await serve(() => void (calls += 1));
    const transport = createGrpcTransport(url, {});
    expect(await transport.send(body, AbortSignal.abort())).toEqual({
      kind: "again",
      reason: "the collector took too long",
    });
    transport.close();
    expect(calls).toBe(0);
  });

  test("leaves a connection on which nothing is answered, and opens another", async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const transport = createGrpcTransport(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), {});
    for (let turn = 1; turn <= 2; turn += 1) {
      const abort = new AbortController();
      const sending = transport.send(body, abort.signal);
      for (let look = 0; look < 100 && connections < turn; look += 1) await Bun.sleep(10);
      expect(connections).toBe(turn);
      abort.abort();
      expect((await sending).kind).toBe("again");
    }
    transport.close();
    server.close();
  });
});
