import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSimulator, type Simulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { chatHi } from "../support/answers.ts";
import { openRaw, type RawConnection, type RunningApp, startRunningApp, until } from "../support/running-app.ts";

let simulator: Simulator;
let providers: SimulatorAddress;
let running: RunningApp;

beforeAll(() => {
  simulator = createSimulator();
  providers = simulator.listen();
  running = startRunningApp({
    upstream: providers,
    config: '[retry]\nbase = "2s"\ncap = "4s"\n[stream]\ncommit_after = "200ms"\nkeepalive = "100ms"\n',
    policy: `
rules:
  - { name: held, when: { prompt_contains: "hold it" }, then: { validate: [json], heal: { hold: full } } }
`,
  });
});

afterAll(async () => {
  await running.close();
  await providers.stop();
});

function send(port: number, words: string, stream: boolean, prompt = "hi"): RawConnection {
  const body = JSON.stringify({
    ...chatHi,
    messages: [{ role: "user", content: `${prompt} [[sim: ${words}]]` }],
    stream,
  });
  const connection = openRaw(port);
  connection.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return connection;
}

const MAX_ABORT_MS = 250;

interface Phase {
  readonly name: string;
  readonly words: string;
  readonly stream: boolean;
  readonly prompt?: string;
  /** What has to be seen before the client leaves. */
  readonly ready: (connection: RawConnection) => boolean;
}

const PHASES: readonly Phase[] = [
  { name: "waiting for headers, buffered", words: "fault hang", stream: false, ready: () => true },
  { name: "waiting for headers, streamed", words: "fault hang", stream: true, ready: () => true },
  {
    name: "after an early commit",
    words: "fault hang",
    stream: true,
    ready: ({ received }) => received().includes(": ping"),
  },
  { name: "waiting for first content", words: "fault stall after=1", stream: true, ready: () => true },
  { name: "in the middle of a buffered answer", words: "fault stall", stream: false, ready: () => true },
  {
    name: "in the middle of a stream",
    words: "long 500; delay 20",
    stream: true,
    ready: ({ received }) => received().includes('"content":"'),
  },
  { name: "while the stream is held", words: "long 500; delay 20", stream: true, prompt: "hold it", ready: () => true },
];

describe("a client that leaves", () => {
  for (const { name, words, stream, prompt, ready } of PHASES) {
    test(`${name}: the upstream connection closes within ${MAX_ABORT_MS} ms`, async () => {
      const before = simulator.log.entries.length;
      const seen = running.records().length;
      const connection = send(running.port, words, stream, prompt);
      await until(() => simulator.log.entries.length > before && ready(connection), "the phase");
      await Bun.sleep(60);
      const entry = simulator.log.entries[before];
      expect(entry?.abortedMs).toBeNull();
      const leftMs = performance.now();
      connection.destroy();
      await until(() => entry?.abortedMs !== null, "the upstream's end");
      expect((entry?.abortedMs ?? Number.POSITIVE_INFINITY) - leftMs).toBeLessThan(MAX_ABORT_MS);
      await until(() => running.records().length > seen, "the record");
      expect(running.records().at(-1)).toMatchObject({ outcome: "client_gone", status: 499 });
      expect(running.permits()).toBe(0);
      expect(simulator.log.entries.length).toBe(before + 1);
    });
  }

  test("during a backoff: no further call is made", async () => {
    const before = simulator.log.entries.length;
    const seen = running.records().length;
    const connection = send(running.port, "status 503", false);
    await until(() => simulator.log.entries.length > before, "the first try");
    await Bun.sleep(50);
    connection.destroy();
    await until(() => running.records().length > seen, "the record");
    expect(running.records().at(-1)).toMatchObject({ outcome: "client_gone", status: 499 });
    expect(simulator.log.entries.length).toBe(before + 1);
  });

  test("half-closing counts as leaving", async () => {
    const before = simulator.log.entries.length;
    const connection = send(running.port, "fault hang", false);
    await until(() => simulator.log.entries.length > before, "the call");
    connection.end();
    await until(() => simulator.log.entries[before]?.abortedMs !== null, "the upstream's end");
    connection.destroy();
  });

  test("while in line leaves the line", async () => {
    const app = startRunningApp({
      upstream: providers,
      config: '[limits]\nmax_in_flight = 1\nqueue_timeout = "30s"\n',
    });
    const before = simulator.log.entries.length;
    const holder = send(app.port, "fault hang", false);
    await until(() => simulator.log.entries.length > before, "the holder");
    const queued = send(app.port, 'text "never"', false);
    await Bun.sleep(50);
    queued.destroy();
    await until(() => app.records().length === 1, "the record of the one in line");
    expect(app.records()[0]).toMatchObject({ outcome: "client_gone" });
    expect(app.events.some(({ type }) => type === "request-shed")).toBe(false);
    holder.destroy();
    await until(() => app.permits() === 0, "rest");
    expect((await fetch(`${app.url}/v1/models`)).status).toBe(200);
    expect(simulator.log.entries.filter(({ body }) => body.includes("never"))).toEqual([]);
    await app.close();
  });

  test("a client that reads nothing does not make the gateway read a whole stream ahead", async () => {
    // 64 MiB of events; what may pile up is what sockets and the runtime hold.
    const chunk = `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content: "x".repeat(8_000) }, finish_reason: null }] })}\n\n`;
    const bytes = Buffer.from(chunk);
    let sent = 0;
    const source = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () =>
        new Response(
          new ReadableStream({
            pull: async (controller) => {
              if (sent >= 64 * 1024 * 1024) controller.close();
              else {
                sent += bytes.byteLength;
                controller.enqueue(bytes);
                await Bun.sleep(0);
              }
            },
          }),
          { headers: { "content-type": "text/event-stream" } },
        ),
    });
    const app = startRunningApp({ upstream: { ...providers, openaiUrl: `http://127.0.0.1:${source.port}/v1` } });
    const connection = send(app.port, "", true);
    connection.pause();
    await Bun.sleep(1_500);
    const early = sent;
    await Bun.sleep(500);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(sent - early).toBeLessThan(8 * 1024 * 1024);
    connection.destroy();
    await until(() => app.permits() === 0, "rest");
    await app.close();
    await source.stop(true);
  });
});
