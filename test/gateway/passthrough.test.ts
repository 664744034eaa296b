import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import OpenAI from "openai";
import { type RunningApp, openRaw, startRunningApp, until } from "../support/running-app.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  isAborted: boolean;
}

const seen: Seen[] = [];
let answer: (request: Request) => Response | Promise<Response> = () => Response.json({});
let upstream: ReturnType<typeof Bun.serve>;
let running: RunningApp;

beforeAll(() => {
  upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const url = new URL(request.url);
      const entry: Seen = {
        method: request.method,
        path: url.pathname + url.search,
        headers: request.headers,
        body: new Uint8Array(await request.arrayBuffer()),
        isAborted: false,
      };
      seen.push(entry);
      request.signal.addEventListener("abort", () => (entry.isAborted = true));
      return answer(request);
    },
  });
  running = startRunningApp({
    config:
      '[router]\npassthrough = ["embeddings", "audio", "files", "batches", "message_batches", "stored_completions"]\n',
    upstream: { openaiUrl: `http://127.0.0.1:${upstream.port}/v1`, anthropicUrl: `http://127.0.0.1:${upstream.port}` },
  });
});

afterAll(async () => {
  await running.close();
  await upstream.stop(true);
});

function last(): Seen {
  const entry = seen.at(-1);
  if (entry === undefined) throw new Error("nothing reached the upstream");
  return entry;
}

describe("a route that is passed through", () => {
  test("keeps bytes, content type and query, and changes credentials", async () => {
    answer = () =>
      new Response('{"object":"list", "data": [1.0]}', {
        headers: { "content-type": "application/json", "x-request-id": "up_1", "set-cookie": "a=b" },
      });
    const body = '{"model":"text-embedding-3-small","input":"é", "n": 12345678901234567890}';
    const got = await fetch(`${running.url}/v1/embeddings?x=1`, {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        authorization: "Bearer client",
        "idempotency-key": "once",
        "x-arouter-tags": "team=web",
      },
      body,
    });
    expect(await got.text()).toBe('{"object":"list", "data": [1.0]}');
    expect(got.headers.get("x-request-id")).toBe("up_1");
    expect(got.headers.get("request-id")).toBe("up_1");
    expect(got.headers.get("set-cookie")).toBeNull();
    expect(got.headers.get("x-arouter-request-id")).toMatch(/^req_ar_/);
    expect([last().method, last().path, new TextDecoder().decode(last().body)]).toEqual([
      "POST",
      "/v1/embeddings?x=1",
      body,
    ]);
    expect(last().headers.get("authorization")).toBe("Bearer sk-openai-test-key");
    expect(last().headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(last().headers.get("idempotency-key")).toBe("once");
    expect(last().headers.get("user-agent")).toBe("arouter/test");
    expect(last().headers.get("x-arouter-tags")).toBeNull();
    expect(running.records().at(-1)).toMatchObject({
      outcome: "complete",
      status: 200,
      provider: "openai",
      route: "/v1/embeddings",
    });
  });

  test("goes to Anthropic when the client speaks its version", async () => {
    answer = () => Response.json({ data: [] });
    const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "files-api-2025-04-14" };
    await fetch(`${running.url}/v1/files/file_1/content`, { headers });
    expect(last().path).toBe("/v1/files/file_1/content");
    expect([last().headers.get("x-api-key"), last().headers.get("authorization")]).toEqual(["sk-ant-test-key", null]);
    expect(last().headers.get("anthropic-beta")).toBe("files-api-2025-04-14");
    await fetch(`${running.url}/v1/files`);
    expect(last().headers.get("authorization")).toBe("Bearer sk-openai-test-key");
    await fetch(`${running.url}/v1/messages/batches/b_1/cancel`, { method: "POST", headers });
    expect([last().method, last().path]).toEqual(["POST", "/v1/messages/batches/b_1/cancel"]);
  });

  test("stored Responses are read, cancelled and deleted at OpenAI by its SDK, whatever `passthrough` says", async () => {
    const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: "client", maxRetries: 0 });
    const response = { id: "resp_1", object: "response", status: "cancelled", output: [], later: 1.0 };
    answer = () => Response.json(response);
    const { id } = await client.responses.retrieve("resp_1", { include: ["reasoning.encrypted_content"] });
    expect(id).toBe("resp_1");
    expect([last().method, last().path]).toEqual([
      "GET",
      "/v1/responses/resp_1?include%5B%5D=reasoning.encrypted_content",
    ]);
    expect(last().headers.get("authorization")).toBe("Bearer sk-openai-test-key");
    expect(await client.responses.cancel("resp_1")).toMatchObject({ status: "cancelled", later: 1 });
    expect([last().method, last().path]).toEqual(["POST", "/v1/responses/resp_1/cancel"]);
    answer = () => Response.json({ object: "list", data: [{ id: "msg_1" }], has_more: false });
    expect((await client.responses.inputItems.list("resp_1", { limit: 2 })).data).toHaveLength(1);
    expect([last().method, last().path]).toEqual(["GET", "/v1/responses/resp_1/input_items?limit=2"]);
    answer = () => new Response(null, { status: 204 });
    await client.responses.delete("resp_1");
    expect([last().method, last().path]).toEqual(["DELETE", "/v1/responses/resp_1"]);
    expect(running.records().at(-1)).toMatchObject({ provider: "openai", route: "/v1/responses/{id}" });
  });

  test("a stored Response is streamed again, byte for byte", async () => {
    const text =
      'event: response.created\ndata: {"type":"response.created", "sequence_number":4}\n\nevent: later\ndata: {"é":1.0}\n\n';
    answer = () => new Response(text, { headers: { "content-type": "text/event-stream" } });
    const got = await fetch(`${running.url}/v1/responses/resp_1?stream=true&starting_after=3`);
    expect([got.headers.get("content-type"), await got.text()]).toEqual(["text/event-stream", text]);
    expect(last().path).toBe("/v1/responses/resp_1?stream=true&starting_after=3");
  });

  test("takes any content type, and binary both ways", async () => {
    const binary = new Uint8Array(10_000).map((_, index) => index % 256);
    answer = () => new Response(binary, { headers: { "content-type": "audio/mpeg" } });
    const got = await fetch(`${running.url}/v1/audio/speech`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: binary,
    });
    expect(got.headers.get("content-type")).toBe("audio/mpeg");
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(binary);
    expect(last().body).toEqual(binary);
  });

  test("DELETE goes through, its status too", async () => {
    answer = () => new Response(null, { status: 204 });
    const got = await fetch(`${running.url}/v1/files/file_1`, { method: "DELETE" });
    expect([got.status, last().method]).toEqual([204, "DELETE"]);
  });

  test("HEAD has no body", async () => {
    answer = () => new Response("body", { headers: { "content-type": "text/plain" } });
    const got = await fetch(`${running.url}/v1/files/file_1`, { method: "HEAD" });
    expect([got.status, await got.text(), last().method]).toEqual([200, "", "HEAD"]);
  });

  test("an upstream's error is delivered as it came", async () => {
    answer = () => Response.json({ error: { message: "no" } }, { status: 422, headers: { "retry-after": "3" } });
    const got = await fetch(`${running.url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([got.status, got.headers.get("retry-after"), await got.text()]).toEqual([
      422,
      "3",
      '{"error":{"message":"no"}}',
    ]);
    expect(running.records().at(-1)?.outcome).toBe("upstream_error");
  });

  test("a redirect is never followed", async () => {
    const before = seen.length;
    answer = () => new Response(null, { status: 302, headers: { location: "/v1/elsewhere" } });
    const got = await fetch(`${running.url}/v1/batches`);
    expect([got.status, got.headers.get("x-arouter-error"), got.headers.get("location")]).toEqual([
      502,
      "upstream-invalid",
      null,
    ]);
    expect(seen.length).toBe(before + 1);
  });

  test("a compressed answer is decoded, one in an unknown encoding refused", async () => {
    answer = () =>
      new Response(gzipSync("plain"), { headers: { "content-encoding": "gzip", "content-type": "text/plain" } });
    const got = await fetch(`${running.url}/v1/batches`);
    expect([await got.text(), got.headers.get("content-encoding")]).toEqual(["plain", null]);
    answer = () => new Response("xyz", { headers: { "content-encoding": "compress" } });
    const refused = await fetch(`${running.url}/v1/batches`);
    expect([refused.status, refused.headers.get("x-arouter-error")]).toEqual([502, "upstream-invalid"]);
  });

  test("a client that leaves ends the upstream call, before and in the middle of the answer", async () => {
    for (const isStarted of [false, true]) {
      answer = () =>
        isStarted
          ? new Response(
              new ReadableStream({
                start: (controller) => controller.enqueue(Buffer.from("first")),
              }),
            )
          : new Promise(() => undefined);
      const before = seen.length;
      const connection = openRaw(running.port);
      connection.write("GET /v1/batches HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      await until(() => seen.length > before && (!isStarted || connection.received().includes("first")), "the call");
      const leftMs = performance.now();
      connection.destroy();
      await until(() => last().isAborted, "the upstream's end");
      expect(performance.now() - leftMs).toBeLessThan(250);
      await until(() => running.records().at(-1)?.outcome === "client_gone", "the record");
    }
  });

  test("an unreachable provider is a 502 in the caller's shape", async () => {
    const app = startRunningApp({});
    const got = await fetch(`${app.url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([got.status, got.headers.get("x-arouter-error")]).toEqual([502, "upstream-unreachable"]);
    expect(app.records()).toHaveLength(1);
    await app.close();
  });
});
