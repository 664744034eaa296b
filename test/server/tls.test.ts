/** TLS on both sides: a listener that speaks it, and providers and collectors that have to prove who they are. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGrpcTransport } from "../../src/observe/otlp-grpc.ts";
import { createHttpTransport } from "../../src/observe/otlp-http.ts";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createHttpClient } from "../../src/upstream/http-client.ts";
import { chatHi, messagesHi } from "../support/answers.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/certificate.ts";
import { openRaw, type RunningApp, startRunningApp } from "../support/running-app.ts";

describe("a listener with server.tls", () => {
  const folder = mkdtempSync(join(tmpdir(), "arouter-tls-"));
  const trusting = { tls: { ca: CERTIFICATE } };
  let providers: SimulatorAddress;
  let app: RunningApp;
  beforeAll(() => {
    writeFileSync(join(folder, "cert.pem"), CERTIFICATE);
    writeFileSync(join(folder, "key.pem"), PRIVATE_KEY);
    providers = createSimulator().listen();
    const files = `cert_file = "${join(folder, "cert.pem")}", key_file = "${join(folder, "key.pem")}"`;
    app = startRunningApp({ upstream: providers, config: `[server]\ntls = { ${files} }\n` });
  });
  afterAll(async () => {
    await app.close();
    await providers.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("answers calls over https, streamed and not, with the certificate that it was given", async () => {
    expect(app.url).toStartWith("https://");
    const post = (path: string, body: object) =>
      fetch(app.url + path, {
        ...trusting,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const whole = await post("/v1/messages", messagesHi);
    expect([whole.status, ((await whole.json()) as { type: string }).type]).toEqual([200, "message"]);
    const streamed = await post("/v1/chat/completions", { ...chatHi, stream: true });
    expect([streamed.status, (await streamed.text()).trimEnd().endsWith("data: [DONE]")]).toEqual([200, true]);
  });

  test("is not taken for another by a client that does not know its certificate", async () => {
    const failure = await fetch(`${app.url}/livez`).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  });

  test("answers nothing in plain text, and others after it", async () => {
    const plain = openRaw(app.port);
    plain.write("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await plain.closed;
    expect(plain.received()).not.toContain("200 OK");
    expect((await fetch(`${app.url}/livez`, trusting)).status).toBe(200);
  });
});

describe("who has no certificate that is known", () => {
  const LOOSE = "NODE_TLS_REJECT_UNAUTHORIZED";
  const before = process.env[LOOSE];
  let hits = 0;
  let impostor: ReturnType<typeof Bun.serve>;
  beforeAll(() => {
    process.env[LOOSE] = "0";
    impostor = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
      fetch: () => {
        hits += 1;
        return new Response("{}");
      },
    });
  });
  beforeEach(() => {
    hits = 0;
  });
  afterAll(async () => {
    if (before === undefined) delete process.env[LOOSE];
    else process.env[LOOSE] = before;
    await impostor.stop(true);
  });

  test("is believed by the runtime when the environment says so, which the rows below are about", async () => {
    expect((await fetch(impostor.url)).status).toBe(200);
  });

  test.each(["own", "fetch"] as const)(
    "gets no key as a provider from the client %s, on whichever connection, whatever the environment says",
    async (httpClient) => {
      const options = { clock: systemClock, useEnvProxy: false, idleTimeoutMs: 1000, poolShards: 2 };
      const client = createHttpClient({ ...options, httpClient });
      const ask = () =>
        client
          .call(impostor.url.origin, "/", {
            method: "GET",
            headers: { "x-api-key": "k" },
            signal: AbortSignal.timeout(5000),
          })
          .catch((thrown: unknown) => thrown);
      // More than one shard's worth, as all are under way at once.
      const answers = await Promise.all(Array.from({ length: 66 }, ask));
      for (const answer of answers) expect(answer).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
      client.close();
      expect(hits).toBe(0);
    },
  );

  test.each([
    ["http", createHttpTransport],
    ["grpc", createGrpcTransport],
  ] as const)("gets no span as a collector by %s either", async (_name, createTransport) => {
    const transport = createTransport(impostor.url, { authorization: "k" });
    const result = await transport.send(new Uint8Array([1]), AbortSignal.timeout(5000));
    transport.close();
    expect(result.kind).not.toBe("ok");
    expect(JSON.stringify(result)).toMatch(/self.signed/i);
    expect(hits).toBe(0);
  });
});
