import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { mintSignature } from "../../src/translate/maps/reasoning-signature.ts";
import { chatHi, messagesHi } from "../support/answers.ts";
import { openRaw, type RunningApp, sendRaw, startRunningApp, until } from "../support/running-app.ts";

const JSON_TYPE = { "content-type": "application/json" };
const CHAT = "/v1/chat/completions";

let simulator: ReturnType<typeof createSimulator>;
let providers: ReturnType<ReturnType<typeof createSimulator>["listen"]>;
let running: RunningApp;

beforeAll(() => {
  simulator = createSimulator();
  providers = simulator.listen();
  running = startRunningApp({ upstream: providers, config: "[limits]\nbody_bytes = 100000\nheader_count = 40\n" });
});

afterAll(async () => {
  await running.close();
  await providers.stop();
});

function post(
  path: string,
  body: BodyInit,
  headers: Record<string, string> = JSON_TYPE,
  app = running,
): Promise<Response> {
  return fetch(app.url + path, { method: "POST", headers, body });
}

interface ErrorBody {
  readonly type?: string;
  readonly error: { readonly type: string; readonly code?: string; readonly message: string; readonly param?: string };
}

const errorOf = async (response: Response): Promise<ErrorBody> => (await response.json()) as ErrorBody;

describe("paths", () => {
  for (const path of [
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/v1/chat/completions",
    "/v1/chat/completions/",
    "/v1/chat/completions?beta=true",
  ]) {
    test(`${path} is the chat route`, async () => {
      expect((await post(path, JSON.stringify(chatHi))).status).toBe(200);
    });
  }

  for (const path of ["/v1/messages", "/messages", "/v1/v1/messages", "/v1/messages?beta=true"]) {
    test(`${path} is the messages route`, async () => {
      expect((await post(path, JSON.stringify(messagesHi))).status).toBe(200);
    });
  }

  test("an unknown route is a 404 in the shape that the caller speaks", async () => {
    const openAi = await fetch(`${running.url}/v1/nothing`);
    expect(openAi.status).toBe(404);
    expect(await errorOf(openAi)).toMatchObject({ error: { type: "invalid_request_error", code: "unknown_url" } });
    const anthropic = await fetch(`${running.url}/v1/nothing`, { headers: { "anthropic-version": "2023-06-01" } });
    expect(await errorOf(anthropic)).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    expect(anthropic.headers.get("x-arouter-error")).toBe("not-found");
  });

  test("paths that climb or encode are unknown, never passed on", async () => {
    const before = simulator.log.entries.length;
    for (const path of [
      "/v1/files/..%2fmodels",
      "/v1//chat/completions",
      "/v1/chat/completions/../models",
      "/V1/CHAT/COMPLETIONS",
    ]) {
      const answer = await sendRaw(
        running.port,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      );
      expect([path, /^HTTP\/1\.1 (404|405) /.test(answer)]).toEqual([path, true]);
    }
    expect(simulator.log.entries.length).toBe(before);
  });

  test("GET and HEAD of the root say that somebody is there", async () => {
    expect((await fetch(running.url)).status).toBe(200);
    const head = await fetch(running.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("the realtime API is refused by name", async () => {
    const answer = await fetch(`${running.url}/v1/realtime`);
    expect(answer.status).toBe(404);
    expect((await errorOf(answer)).error.code).toBe("unsupported_endpoint");
  });
});

describe("methods", () => {
  const rows: readonly (readonly [method: string, path: string, status: number, allow: string | null])[] = [
    ["GET", CHAT, 405, "POST"],
    ["DELETE", CHAT, 405, "POST"],
    ["PUT", CHAT, 405, "POST"],
    ["PATCH", "/v1/messages", 405, "POST"],
    ["OPTIONS", CHAT, 405, "POST"],
    ["POST", "/v1/models", 405, "GET, HEAD"],
    ["POST", "/healthz", 405, "GET, HEAD"],
    ["PUT", "/v1/nothing", 405, "GET, HEAD, POST, DELETE"],
    ["GET", "/v1/messages/count_tokens", 405, "POST"],
  ];
  for (const [method, path, status, allow] of rows) {
    test(`${method} ${path}: ${status}`, async () => {
      const answer = await fetch(running.url + path, { method, headers: JSON_TYPE });
      expect([answer.status, answer.headers.get("allow")]).toEqual([status, allow]);
      expect(answer.headers.get("x-arouter-error")).toBe("method-not-allowed");
      expect((await errorOf(answer)).error.type).toBe("invalid_request_error");
    });
  }

  test("CONNECT and garbage do not bring it down", async () => {
    for (const request of [
      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
      "GET http://[bad HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "\r\n\r\n",
      "nonsense\r\n\r\n",
    ]) {
      const connection = openRaw(running.port);
      connection.write(request);
      await Bun.sleep(20);
      connection.destroy();
    }
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
  });
});

describe("ids", () => {
  test("every answer names the request, by the upstream's id where there is one", async () => {
    const answer = await post(CHAT, JSON.stringify(chatHi), { ...JSON_TYPE, "x-request-id": "mine-7" });
    const id = answer.headers.get("x-request-id");
    expect(id).not.toBeNull();
    expect(answer.headers.get("request-id")).toBe(id);
    expect(answer.headers.get("x-arouter-request-id")).toMatch(/^req_ar_[0-9A-Z]{24}$/);
    expect(answer.headers.get("x-arouter-client-request-id")).toBe("mine-7");
    const refused = await post(CHAT, "{");
    expect(refused.headers.get("x-request-id")).toBe(refused.headers.get("x-arouter-request-id"));
    expect(refused.headers.get("request-id")).toBe(refused.headers.get("x-arouter-request-id"));
  });

  test("nothing that is not printable ASCII gets into a header", async () => {
    const answer = await post(CHAT, JSON.stringify({ ...chatHi, model: "modèle\r\nx: y" }));
    expect(answer.status).toBe(404);
    expect(answer.headers.get("x-arouter-model-requested")).toBe("mod?le??x: y");
    expect(answer.headers.get("x")).toBeNull();
  });

  test("what a client made up stays short in headers, which clients refuse when they are long", async () => {
    const long = "a".repeat(20_000);
    const answers = [
      await post(CHAT, JSON.stringify({ ...chatHi, model: long })),
      await post(CHAT, JSON.stringify({ ...chatHi, model: "claude-sonnet-4-5", [long]: 1 })),
      await post(CHAT, JSON.stringify(chatHi), { ...JSON_TYPE, "x-request-id": long.slice(0, 4_000) }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 200, 200]);
    expect(answers[1]?.headers.get("x-arouter-dropped")).toBe("a".repeat(128));
    for (const { headers } of answers) {
      for (const [name, value] of headers) expect([name, value.length <= 256]).toEqual([name, true]);
    }
  });
});

describe("bodies", () => {
  const cases: readonly (readonly [
    name: string,
    body: BodyInit,
    headers: Record<string, string>,
    status: number,
    kind: string,
  ])[] = [
    ["not JSON", "{", JSON_TYPE, 400, "invalid-request"],
    ["empty", "", JSON_TYPE, 400, "invalid-request"],
    ["an array", "[]", JSON_TYPE, 400, "invalid-request"],
    ["no model", "{}", JSON_TYPE, 400, "invalid-request"],
    ["a BOM", `\ufeff${JSON.stringify(chatHi)}`, JSON_TYPE, 400, "invalid-request"],
    ["bad UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), JSON_TYPE, 400, "invalid-request"],
    [
      "too deep",
      `{"model":"gpt-4.1","messages":${"[".repeat(200)}${"]".repeat(200)}}`,
      JSON_TYPE,
      400,
      "invalid-request",
    ],
    ["the model twice", '{"model":"a","model":"b","messages":[]}', JSON_TYPE, 400, "invalid-request"],
    ["text/plain", JSON.stringify(chatHi), { "content-type": "text/plain" }, 415, "unsupported-media"],
    ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported-media"],
    ["brotli", "x", { ...JSON_TYPE, "content-encoding": "br" }, 415, "unsupported-media"],
    [
      "two encodings",
      gzipSync(gzipSync("{}")),
      { ...JSON_TYPE, "content-encoding": "gzip, gzip" },
      415,
      "unsupported-media",
    ],
    ["broken gzip", "no gzip at all", { ...JSON_TYPE, "content-encoding": "gzip" }, 400, "invalid-request"],
    [
      "cut gzip",
      gzipSync(JSON.stringify(chatHi)).subarray(0, 20),
      { ...JSON_TYPE, "content-encoding": "gzip" },
      400,
      "invalid-request",
    ],
    ["too large", "x".repeat(100_001), JSON_TYPE, 413, "too-large"],
    [
      "a gzip bomb",
      gzipSync(Buffer.alloc(50_000_000, 32)),
      { ...JSON_TYPE, "content-encoding": "gzip" },
      413,
      "too-large",
    ],
    [
      "a zstd bomb",
      zstdCompressSync(Buffer.alloc(50_000_000, 32)),
      { ...JSON_TYPE, "content-encoding": "zstd" },
      413,
      "too-large",
    ],
  ];
  for (const [name, body, headers, status, kind] of cases) {
    test(`${name}: ${status} ${kind}`, async () => {
      const answer = await post(CHAT, body, headers);
      expect([answer.status, answer.headers.get("x-arouter-error")]).toEqual([status, kind]);
      expect([answer.headers.get("x-arouter-rule"), answer.headers.get("x-arouter-attempts")]).toEqual(["none", "0"]);
      for (const always of ["request-id", "policy", "overhead-ms"])
        expect(answer.headers.get(`x-arouter-${always}`)).not.toBeNull();
      expect((await errorOf(answer)).error.type).toBe("invalid_request_error");
    });
  }

  for (const [name, encoded, encoding] of [
    ["gzip", gzipSync(JSON.stringify(chatHi)), "gzip"],
    ["x-gzip", gzipSync(JSON.stringify(chatHi)), "x-gzip"],
    ["zstd", zstdCompressSync(JSON.stringify(chatHi)), "zstd"],
    ["identity", Buffer.from(JSON.stringify(chatHi)), "identity"],
  ] as const) {
    test(`${name} is accepted and sent on decoded`, async () => {
      const answer = await post(CHAT, encoded, { ...JSON_TYPE, "content-encoding": encoding });
      expect(answer.status).toBe(200);
      expect(simulator.log.entries.at(-1)?.body).toBe(JSON.stringify(chatHi));
    });
  }

  test("charset and vendor JSON types are JSON", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"]) {
      expect((await post(CHAT, JSON.stringify(chatHi), { "content-type": type })).status).toBe(200);
    }
  });

  test("a chunked body over the limit is refused, and the next request on another connection is served", async () => {
    const connection = openRaw(running.port);
    connection.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const piece = "x".repeat(60_000);
    for (let part = 0; part < 2; part += 1) connection.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    connection.write("0\r\n\r\n");
    await until(() => connection.received().includes("\r\n\r\n"), "an answer");
    expect(connection.received()).toStartWith("HTTP/1.1 413 ");
    connection.destroy();
    expect((await post(CHAT, JSON.stringify(chatHi))).status).toBe(200);
  });

  test.each([
    ["a little", "Content-Length: 200000", 0],
    ["far", "Content-Length: 999999999999", 0],
    ["chunked, far", "Transfer-Encoding: chunked", 20_000_000],
  ])(
    "a body %s over the limit is refused in our words before it is whole, and its connection closed",
    async (_name, length, bytes) => {
      const connection = openRaw(running.port);
      connection.write(
        `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
      );
      connection.write(bytes === 0 ? "{" : `${(2 * bytes).toString(16)}\r\n${"x".repeat(bytes)}`);
      await connection.closed;
      expect(connection.received()).toStartWith("HTTP/1.1 413 ");
      expect(connection.received()).toContain('"code":"request_too_large"');
      expect(connection.received().toLowerCase()).toContain("connection: close");
    },
  );

  test("a body that trickles is a 408 after timeout.request_body", async () => {
    const slow = startRunningApp({ upstream: providers, config: '[timeout]\nrequest_body = "200ms"\n' });
    const connection = openRaw(slow.port);
    connection.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    const timer = setInterval(() => connection.write(" "), 30);
    await until(() => connection.received().includes("\r\n\r\n"), "an answer");
    clearInterval(timer);
    expect(connection.received()).toStartWith("HTTP/1.1 408 ");
    expect(connection.received()).toContain("request_timeout");
    connection.destroy();
    await until(() => slow.records().length === 1, "the record");
    expect(slow.records()[0]?.error).toBe("request-timeout");
    await slow.close();
  });
});

test("the overhead is the gateway's own time: neither a slow client nor a slow upstream counts", async () => {
  const body = JSON.stringify({ ...chatHi, messages: [{ role: "user", content: "hi [[sim: slow 200]]" }] });
  const connection = openRaw(running.port);
  connection.write(
    `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
  );
  await Bun.sleep(300);
  connection.write(body);
  await until(() => connection.received().includes("\r\n\r\n"), "an answer");
  connection.destroy();
  expect(Number(/x-arouter-overhead-ms: ([\d.]+)/i.exec(connection.received())?.[1])).toBeLessThan(100);
});

describe("hosts and origins", () => {
  const hosts: readonly (readonly [lines: string, status: number])[] = [
    ["Host: 127.0.0.1", 200],
    ["Host: 127.0.0.1:8080", 200],
    ["Host: localhost:1", 200],
    ["Host: LOCALHOST", 200],
    ["Host: [::1]:80", 200],
    ["Host: 127.8.9.1", 200],
    ["Host: evil.example", 403],
    ["Host: localhost.evil.example", 403],
    ["Host: 127.0.0.1.evil.example", 403],
    ["Host: 127.0.0.1\r\nHost: 127.0.0.1", 400],
    ["Host: 127.0.0.1\r\nHost: evil.example", 400],
  ];
  for (const [lines, status] of hosts) {
    test(`${JSON.stringify(lines)}: ${status}`, async () => {
      const answer = await sendRaw(running.port, `GET / HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`);
      expect(answer).toStartWith(`HTTP/1.1 ${status} `);
    });
  }

  test("server.allowed_hosts names further ones, in any case", async () => {
    const app = startRunningApp({ config: '[server]\nallowed_hosts = ["Gateway.local"]\n' });
    for (const [host, status] of [
      ["gateway.LOCAL:81", 200],
      ["other.local", 403],
    ] as const) {
      const answer = await sendRaw(app.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer).toStartWith(`HTTP/1.1 ${status} `);
    }
    await app.close();
  });

  test("a browser's POST is refused unless its origin is allowed", async () => {
    const app = startRunningApp({
      upstream: providers,
      config: '[server]\nallowed_origins = ["https://app.example"]\n',
    });
    const body = JSON.stringify(chatHi);
    for (const origin of ["https://evil.example", "null", "https://app.example.evil", "http://app.example"]) {
      const refused = await post(CHAT, body, { ...JSON_TYPE, origin }, app);
      expect([origin, refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([origin, 403, null]);
    }
    const allowed = await post(CHAT, body, { ...JSON_TYPE, origin: "https://app.example" }, app);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
    expect(allowed.headers.get("vary")?.toLowerCase()).toContain("origin");
    const preflight = await fetch(app.url + CHAT, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
    const foreign = await fetch(app.url + CHAT, { method: "OPTIONS", headers: { origin: "https://evil.example" } });
    expect([foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([405, null]);
    await app.close();
  });

  test.each([
    ["too many", Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-h-${index}`, "v"])), 431],
    ["too large", { "x-h": "v".repeat(4096) }, 431],
    ["nearly too large", { "x-h": "v".repeat(3500) }, 200],
  ])("headers that are %s", async (_name, headers, status) => {
    const app = startRunningApp({ config: "[limits]\nheader_bytes = 4096\nheader_count = 40\n" });
    const answer = await fetch(app.url, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-arouter-error")).toBe(status === 431 ? "headers-too-large" : null);
    await app.close();
  });

  test("a value with a control character is refused by name, before it can reach a provider", async () => {
    const app = startRunningApp();
    const body = JSON.stringify(chatHi);
    const head = `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n`;
    const answer = await sendRaw(app.port, `${head}baggage: a\x7fb\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(answer).toStartWith("HTTP/1.1 400");
    expect(answer).toContain('"param":"baggage"');
    await app.close();
  });
});

describe("keys", () => {
  const digest = createHash("sha256").update("team-key-1").digest("hex");
  let app: RunningApp;
  beforeAll(() => {
    app = startRunningApp({
      upstream: providers,
      config: `[auth]\nkeys = { team = "sha256:${digest}", other = "sha256:${"0".repeat(64)}" }\n`,
    });
  });
  afterAll(() => app.close());

  const rows: readonly (readonly [name: string, headers: Record<string, string>, status: number])[] = [
    ["no key", {}, 401],
    ["a wrong one", { authorization: "Bearer nope" }, 401],
    ["the digest itself", { authorization: `Bearer ${digest}` }, 401],
    ["a Bearer", { authorization: "Bearer team-key-1" }, 200],
    ["a bearer, spelled small", { authorization: "bearer  team-key-1 " }, 200],
    ["x-api-key", { "x-api-key": "team-key-1" }, 200],
    ["Basic, on a route of the API", { authorization: `Basic ${btoa("a:team-key-1")}` }, 401],
  ];
  for (const [name, headers, status] of rows) {
    test(`${name}: ${status}`, async () => {
      const answer = await post(CHAT, JSON.stringify(chatHi), { ...JSON_TYPE, ...headers }, app);
      expect(answer.status).toBe(status);
      const text = await answer.text();
      if (status === 401) {
        expect(JSON.parse(text)).toMatchObject({ error: { type: "invalid_request_error", code: "invalid_api_key" } });
        for (const value of Object.values(headers)) expect(text).not.toContain(value);
      } else expect(app.records().at(-1)?.key).toBe("team");
    });
  }

  test("no client credential reaches a provider", async () => {
    await post(CHAT, JSON.stringify(chatHi), { ...JSON_TYPE, "x-api-key": "team-key-1" }, app);
    expect(JSON.stringify(simulator.log.entries.at(-1)?.headers)).not.toContain("team-key-1");
  });

  test("a request that is turned away later still tells whose it was", async () => {
    await (await post(CHAT, "x", { "content-type": "text/plain", "x-api-key": "team-key-1" }, app)).text();
    expect(app.records().at(-1)).toMatchObject({ key: "team", status: 415 });
  });

  test("Messages clients are told in their own shape", async () => {
    const answer = await post("/v1/messages", JSON.stringify(messagesHi), JSON_TYPE, app);
    expect([answer.status, (await errorOf(answer)).error.type]).toEqual([401, "authentication_error"]);
  });

  test("health needs none, the models do", async () => {
    expect((await fetch(`${app.url}/livez`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${app.url}/v1/models`)).status).toBe(401);
  });
});

describe("models", () => {
  test("are listed in OpenAI's shape", async () => {
    const list = (await (await fetch(`${running.url}/v1/models`)).json()) as {
      object: string;
      data: { id: string; owned_by: string }[];
    };
    expect(list.object).toBe("list");
    expect(list.data.some(({ id }) => id.startsWith("gpt-"))).toBe(true);
    expect(list.data.some(({ id, owned_by }) => id.startsWith("claude-") && owned_by === "anthropic")).toBe(true);
    for (const model of list.data) expect(model).toMatchObject({ object: "model", created: expect.any(Number) });
  });

  test("are paged in Anthropic's", async () => {
    const headers = { "anthropic-version": "2023-06-01" };
    interface Page {
      readonly data: readonly { readonly id: string; readonly type: string; readonly created_at: string }[];
      readonly has_more: boolean;
      readonly first_id: string | null;
      readonly last_id: string | null;
    }
    const get = async (query: string): Promise<Page> =>
      (await (await fetch(`${running.url}/v1/models?${query}`, { headers })).json()) as Page;
    const all = await get("limit=1000");
    expect(all.has_more).toBe(false);
    for (const model of all.data)
      expect(model).toMatchObject({ type: "model", created_at: expect.stringMatching(/Z$/) });
    const seen: string[] = [];
    let query = "limit=7";
    for (let pages = 0; pages < 100; pages += 1) {
      const page = await get(query);
      seen.push(...page.data.map(({ id }) => id));
      expect(page.first_id).toBe(page.data[0]?.id ?? null);
      if (!page.has_more) break;
      query = `limit=7&after_id=${page.last_id}`;
    }
    expect(seen).toEqual(all.data.map(({ id }) => id));
    const last = all.data.at(-1)?.id ?? "";
    const back = await get(`limit=3&before_id=${last}`);
    expect(back.data.map(({ id }) => id)).toEqual(all.data.slice(-4, -1).map(({ id }) => id));
    expect(back.has_more).toBe(all.data.length > 4);
    for (const bad of ["limit=0", "limit=1001", "limit=x"]) {
      expect((await fetch(`${running.url}/v1/models?${bad}`, { headers })).status).toBe(400);
    }
  });

  test("one is given by name, encoded or not; an unknown one is a typed 404", async () => {
    const list = (await (await fetch(`${running.url}/v1/models`)).json()) as { data: { id: string }[] };
    const id = list.data[0]?.id ?? "";
    expect(await (await fetch(`${running.url}/v1/models/${id}`)).json()).toMatchObject({ id, object: "model" });
    const unknown = await fetch(`${running.url}/v1/models/ft%3Agpt-4o%3Aorg%3A%3Aid`);
    expect(unknown.status).toBe(404);
    expect((await errorOf(unknown)).error).toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("ft:gpt-4o:org::id"),
    });
    const anthropic = await fetch(`${running.url}/v1/models/nope`, { headers: { "anthropic-version": "2023-06-01" } });
    expect(await errorOf(anthropic)).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  });

  test("aliases are listed, and a provider that cannot be asked is left out", async () => {
    const app = startRunningApp({
      upstream: { ...providers, anthropicUrl: "http://127.0.0.1:9" },
      policy: "aliases: { fast: gpt-4o-mini, 'any-*': gpt-4o }\nrules: []\n",
    });
    const list = (await (await fetch(`${app.url}/v1/models`)).json()) as { data: { id: string }[] };
    const ids = list.data.map(({ id }) => id);
    expect(ids).toContain("fast");
    expect(ids.some((id) => id.includes("*") || id.startsWith("claude"))).toBe(false);
    await app.close();
  });
});

describe("counting tokens", () => {
  const body = { model: "claude-sonnet-4-5", messages: [{ role: "user", content: "hello there" }] };

  test("asks Anthropic for its models", async () => {
    const answer = await post("/v1/messages/count_tokens?beta=true", JSON.stringify(body), {
      ...JSON_TYPE,
      "anthropic-version": "2023-06-01",
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ input_tokens: expect.any(Number) });
    expect(simulator.log.entries.at(-1)?.path).toContain("count_tokens");
    expect(answer.headers.get("x-arouter-usage")).toBeNull();
  });

  test("asks without thinking that Anthropic did not sign, which it would refuse", async () => {
    const signature = mintSignature({ id: "rs_1", encryptedContent: "sealed", model: "gpt-5.6" });
    const content = [
      { type: "thinking", thinking: "", signature },
      { type: "text", text: "b" },
    ];
    const messages = [...body.messages, { role: "assistant", content }, ...body.messages];
    const answer = await post("/v1/messages/count_tokens", JSON.stringify({ ...body, messages }));
    expect([answer.status, await answer.json()]).toEqual([200, { input_tokens: expect.any(Number) }]);
  });

  test("estimates for others, never a 404", async () => {
    const before = simulator.log.entries.length;
    for (const model of ["gpt-4.1", "whatever"]) {
      const answer = await post("/v1/messages/count_tokens", JSON.stringify({ ...body, model }));
      expect([answer.status, answer.headers.get("x-arouter-usage")]).toEqual([200, "estimated"]);
      expect(((await answer.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(0);
    }
    expect(simulator.log.entries.length).toBe(before);
  });
});

describe("routes that are passed through", () => {
  test("only those of router.passthrough", async () => {
    const embedded = await post("/v1/embeddings", JSON.stringify({ model: "text-embedding-3-small", input: "x" }));
    expect(embedded.headers.get("x-arouter-error")).toBeNull();
    const batches = await fetch(`${running.url}/v1/batches`);
    expect(batches.status).toBe(404);
    expect((await errorOf(batches)).error.message).toContain("router.passthrough");
  });
});

describe("health", () => {
  test("livez and readyz answer without looking at a provider", async () => {
    const app = startRunningApp({});
    for (const path of ["/livez", "/readyz"]) {
      const answer = await fetch(app.url + path);
      expect([path, answer.status, answer.headers.get("cache-control")]).toEqual([path, 200, "no-store"]);
    }
    await app.close();
  });

  test("livez and readyz do not wait for a provider that hangs, while it is probed and called", async () => {
    const hanging = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Promise<Response>(() => undefined) });
    const url = `http://127.0.0.1:${hanging.port}`;
    const app = startRunningApp({
      upstream: { openaiUrl: `${url}/v1`, anthropicUrl: url },
      config: '[health]\ntimeout = "1s"\n',
    });
    let isOver = false;
    const leave = new AbortController();
    const calls = Array.from({ length: 20 }, () =>
      fetch(app.url + CHAT, {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify(chatHi),
        signal: leave.signal,
      }).catch(() => null),
    );
    const probed = fetch(`${app.url}/healthz`).then((answer) => {
      isOver = true;
      return answer.status;
    });
    await until(() => hanging.pendingRequests >= 22, "the probes and calls to hang");
    for (const path of ["/livez", "/readyz"]) expect((await fetch(app.url + path)).status).toBe(200);
    expect(isOver).toBe(false);
    expect(await probed).toBe(503);
    leave.abort();
    await Promise.all(calls);
    await app.close();
    await hanging.stop(true);
  });

  test("healthz is 503 when no provider is there, and names no key or host", async () => {
    const app = startRunningApp({});
    const answer = await fetch(`${app.url}/healthz`);
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      status: "down",
      version: "test",
      policy: { hash: null, reload: "ok" },
      providers: { openai: { status: "down", breaker: "closed" }, anthropic: { status: "down" } },
    });
    expect(text).not.toContain("sk-");
    expect(text).not.toContain("127.0.0.1");
    await app.close();
  });

  test("probes that fail move no breaker, and are no completions", async () => {
    const asked: string[] = [];
    const failing = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ method, url }) => {
        asked.push(`${method} ${new URL(url).pathname}`);
        return new Response("", { status: 500 });
      },
    });
    const app = startRunningApp({
      upstream: { openaiUrl: `http://127.0.0.1:${failing.port}/v1`, anthropicUrl: "http://127.0.0.1:9" },
      config: '[health]\ncache = "0s"\n[breaker]\nconsecutive_failures = 2\n',
    });
    for (let probe = 0; probe < 5; probe += 1) {
      expect(await (await fetch(`${app.url}/healthz`)).json()).toMatchObject({
        status: "down",
        providers: { openai: { status: "down", breaker: "closed" }, anthropic: { status: "down", breaker: "closed" } },
      });
    }
    expect(asked).toEqual(Array.from({ length: 5 }, () => "GET /v1/models"));
    expect(app.events.filter(({ type }) => type === "breaker-changed" || type === "attempt-started")).toEqual([]);
    await app.close();
    await failing.stop(true);
  });

  test("healthz is ok with both, degraded with one", async () => {
    expect(await (await fetch(`${running.url}/healthz?strict=1`)).json()).toMatchObject({ status: "ok" });
    const app = startRunningApp({ upstream: { ...providers, anthropicUrl: "http://127.0.0.1:9" } });
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    const strict = await fetch(`${app.url}/healthz?strict=1`);
    expect(strict.status).toBe(503);
    expect(await strict.json()).toMatchObject({
      status: "degraded",
      providers: { openai: { status: "ok" }, anthropic: { status: "down" } },
    });
    await app.close();
  });

  test("metrics are served", async () => {
    expect(await (await fetch(`${running.url}/metrics`)).text()).toBe("# metrics\n");
  });
});
