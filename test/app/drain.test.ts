import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { chatHi } from "../support/answers.ts";
import { openRaw, startRunningApp, until } from "../support/running-app.ts";

let providers: SimulatorAddress;
beforeAll(() => {
  providers = createSimulator().listen();
});
afterAll(() => providers.stop());

function ask(url: string, words: string, stream: boolean): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...chatHi, messages: [{ role: "user", content: `hi [[sim: ${words}]]` }], stream }),
  });
}

describe("a gateway that goes away", () => {
  test("says so at once, keeps accepting for the delay, and lets what is in flight end", async () => {
    const app = startRunningApp({ upstream: providers, config: '[drain]\ntimeout = "5s"\n' });
    const streaming = await ask(app.url, "long 20; delay 30", true);
    const stopped = app.app.stop(300);
    const ready = await fetch(`${app.url}/readyz`);
    expect([ready.status, ready.headers.get("connection")]).toEqual([503, "close"]);
    expect((await fetch(`${app.url}/livez`)).status).toBe(200);
    const late = await ask(app.url, 'text "late"', false);
    expect([late.status, late.headers.get("connection")]).toEqual([200, "close"]);
    expect(await streaming.text()).toContain("[DONE]");
    expect(await stopped).toBe(true);
    expect(await fetch(`${app.url}/livez`).catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
  });

  test("lets a large answer that is the last in flight be written whole, also to a slow reader", async () => {
    const large = JSON.stringify({
      id: "c",
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: "x".repeat(20_000_000) }, finish_reason: "stop" }],
    });
    const upstream = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(large, { headers: { "content-type": "application/json" } }),
    });
    const app = startRunningApp({ upstream: { ...providers, openaiUrl: `http://127.0.0.1:${upstream.port}/v1` } });
    const connection = openRaw(app.port);
    const body = JSON.stringify(chatHi);
    connection.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => connection.received().length > 0, "the head");
    connection.pause();
    await until(() => app.records().length === 1, "the record");
    const stopped = app.app.stop(0);
    await Bun.sleep(300);
    connection.resume();
    expect(await stopped).toBe(true);
    await connection.closed;
    expect(connection.received().endsWith(large.slice(-100))).toBe(true);
    await upstream.stop(true);
  });

  test("with nothing in flight is gone at once", async () => {
    const app = startRunningApp({ upstream: providers });
    const before = performance.now();
    expect(await app.app.stop(0)).toBe(true);
    expect(performance.now() - before).toBeLessThan(500);
  });

  test("ends what does not end by itself: streams in band, waiting requests with 503", async () => {
    const app = startRunningApp({ upstream: providers, config: '[drain]\ntimeout = "300ms"\n' });
    const streaming = await ask(app.url, "fault stall", true);
    const waiting = ask(app.url, "fault hang", false);
    await Bun.sleep(50);
    const text = streaming.text();
    const stopped = app.app.stop(0);
    expect(await text).toMatch(
      /data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"draining"\}\}\n\n$/,
    );
    const refused = await waiting;
    expect([refused.status, refused.headers.get("x-arouter-error"), refused.headers.get("retry-after")]).toEqual([
      503,
      "draining",
      "1",
    ]);
    expect(await stopped).toBe(false);
    await until(() => app.records().length === 2, "both records");
    expect(
      app
        .records()
        .map(({ outcome, error }) => `${outcome} ${error}`)
        .toSorted(),
    ).toEqual(["gateway_error draining", "in_band_error draining"]);
    expect(app.permits()).toBe(0);
  });

  test("does not count a drain against the breaker", async () => {
    const app = startRunningApp({
      upstream: providers,
      config: '[drain]\ntimeout = "50ms"\n[breaker]\nconsecutive_failures = 1\n',
    });
    const waiting = ask(app.url, "fault hang", false);
    await Bun.sleep(50);
    await app.app.stop(0);
    await waiting;
    expect(app.events.filter(({ type }) => type === "breaker-changed")).toEqual([]);
    expect(app.records()[0]?.attempts.map((attempt) => attempt.class)).toEqual(["aborted"]);
  });
});

describe("a connection's idle time", () => {
  /** Bun looks at its idle timers every four seconds. */
  const LONGER_THAN_IDLE_MS = 6_000;

  test("does not cut a silent answer, buffered, streamed or passed through, and runs again once it is over", async () => {
    const upstream = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: async () => {
        await Bun.sleep(LONGER_THAN_IDLE_MS);
        return Response.json({ object: "list", data: [] });
      },
    });
    const config = '[timeout]\nclient_idle = "1s"\n[router]\npassthrough = ["files"]\n[stream]\ncommit_after = "0s"\n';
    const app = startRunningApp({ upstream: providers, config });
    const slow = startRunningApp({
      upstream: { ...providers, openaiUrl: `http://127.0.0.1:${upstream.port}/v1` },
      config,
    });
    const kept = openRaw(app.port);
    const body = JSON.stringify(chatHi);
    kept.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const [buffered, streamed, passed] = await Promise.all([
      ask(app.url, `slow ${LONGER_THAN_IDLE_MS}`, false).then((answer) => answer.text()),
      ask(app.url, `slow ${LONGER_THAN_IDLE_MS}`, true).then((answer) => answer.text()),
      fetch(`${slow.url}/v1/files`).then((answer) => answer.text()),
      kept.closed,
    ]);
    expect(buffered).toContain('"finish_reason"');
    expect(streamed).toContain("[DONE]");
    expect(passed).toBe('{"object":"list","data":[]}');
    expect(kept.received()).toStartWith("HTTP/1.1 200");
    await Promise.all([app.close(), slow.close(), upstream.stop(true)]);
  }, 20_000);
});
