import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { bodyOf, send } from "./client.ts";
import { startPlainUpstream } from "./plain-upstream.ts";
import { connectRaw, renderPost, type RawClient } from "./raw-client.ts";
import { HTTP_CLIENTS } from "./stage.ts";
import { startSimulatorProcess, type SimulatorProcess } from "./simulator-process.ts";

const isLong = process.env["AROUTER_LONG"] === "1";

let providers: SimulatorProcess;
let gateway: GatewayProcess | null = null;
const opened: RawClient[] = [];
beforeAll(async () => {
  providers = await startSimulatorProcess(true);
});
afterEach(async () => {
  for (const client of opened) client.close();
  opened.length = 0;
  await gateway?.stop();
  gateway = null;
});
afterAll(() => providers.stop());

async function start(config: string, openaiUrl = providers.openaiUrl): Promise<GatewayProcess> {
  gateway = await startGateway({
    config: `
[log]
access = false
[drain]
delay = "0s"
timeout = "1s"
[providers.openai]
base_url = "${openaiUrl}"
[providers.anthropic]
base_url = "${providers.anthropicUrl}"
${config}`,
    environment: { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" },
  });
  return gateway;
}

async function connect(url: string, count: number): Promise<readonly RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => connectRaw(url)));
  opened.push(...clients);
  return clients;
}

/** An ordinary request beside them is answered as if they were not there. */
async function expectServed(url: string): Promise<void> {
  const got = await send(url, {
    format: "chat",
    model: "claude-sonnet-5-5",
    stream: true,
    prompt: 'beside [[sim: text "served"]]',
  });
  expect(got.text).toBe("served");
  expect(got.ms).toBeLessThan(10_000);
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

async function until(what: string, limitMs: number, isSo: () => boolean, everyMs = 50): Promise<void> {
  const end = performance.now() + limitMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await Bun.sleep(everyMs);
  }
}

test("clients that trickle their headers are cut off, and others are served meanwhile", async () => {
  const { url } = await start('[timeout]\nclient_idle = "2s"\n');
  const clients = await connect(url, 200);
  for (const client of clients) client.write("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n");
  const trickle = setInterval(() => {
    for (const client of clients) if (!client.isClosed()) client.write("x-a: b\r\n");
  }, 500);
  await expectServed(url);
  await until("trickled headers are cut", 20_000, () => clients.every((client) => client.isClosed()));
  clearInterval(trickle);
  await expectServed(url);
}, 60_000);

test("clients that trickle their body get a 408 and are cut off", async () => {
  const { url } = await start('[timeout]\nrequest_body = "1s"\n');
  const clients = await connect(url, 200);
  const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
  for (const client of clients) client.write(`${head}content-length: 100000\r\n\r\n{`);
  const trickle = setInterval(() => {
    for (const client of clients) if (!client.isClosed()) client.write(" ");
  }, 200);
  await expectServed(url);
  await until("trickled bodies are cut", 15_000, () => clients.every((client) => client.isClosed()));
  clearInterval(trickle);
  for (const client of clients) expect(client.text()).toStartWith("HTTP/1.1 408");
  await expectServed(url);
}, 60_000);

const python = Bun.which("python3");

/** Clients with small receive buffers, which the runtime's own sockets cannot have. */
function startStalledClients(url: string, count: number, request: string): { readonly kill: () => void } {
  const { hostname, port } = new URL(url);
  const script = join(import.meta.dir, "stalled_clients.py");
  // It ends with its standard input, so with this process too.
  const child = Bun.spawn([python ?? "python3", script, hostname, port, String(count), request], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  return { kill: () => child.kill("SIGKILL") };
}

const stalledMissing = python === null ? " (skipped: no python3)" : "";
/** Memory that a stream may hold while its client takes nothing: `fetch` reads ahead whatever is asked of it, and we do not. */
const HELD_MIB = { own: 1, fetch: 4 } as const;
/** What the collector has not given back yet of the gigabytes that went into the kernel's buffers. */
const REST_BYTES = 96 * 1_048_576;

test.skipIf(python === null).each(HTTP_CLIENTS.map((name) => [name] as const))(
  `many clients that never read their stream cost a bounded memory and are given up, by %s${stalledMissing}`,
  async (httpClient) => {
    const count = isLong ? 1000 : 100;
    const upstream = startPlainUpstream(1);
    const config = `[timeout]\nclient_write = "15s"\n[limits]\nprovider_in_flight = 2048\n[upstream]\nhttp_client = "${httpClient}"\n`;
    const { url, pid } = await start(config, upstream.url);
    const before = residentBytes(pid);
    const body = bodyOf({ format: "chat", model: "gpt-5.6", stream: true, prompt: "endless" });
    const stalled = startStalledClients(url, count, renderPost("/v1/chat/completions", body));
    let peak = before;
    let taken = -1;
    const look = (): boolean => {
      peak = Math.max(peak, residentBytes(pid));
      const isStill = upstream.inFlight() === count && upstream.bytes() - taken < upstream.bytes() / 100;
      taken = upstream.bytes();
      return isStill;
    };
    // All are streaming, and hardly a byte moves any more: the upstream, which is endless, waits.
    await until("every stream stands still", 60_000, look, 500);
    await expectServed(url);
    const held = count * HELD_MIB[httpClient] * 1_048_576;
    let rest = residentBytes(pid);
    for (let look = 0; look < 60 && rest - before > held + REST_BYTES; look += 1) {
      await Bun.sleep(100);
      rest = residentBytes(pid);
    }
    const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);
    console.log(
      `stalled streams by ${httpClient}: ${count} under an upstream as fast as it can be cost ${((rest - before) / count / 1_048_576).toFixed(1)} MiB each ` +
        `(resident ${mebibytes(before)} MiB before, ${mebibytes(peak)} at most, ${mebibytes(rest)} standing still)`,
    );
    // None was given up meanwhile.
    expect(upstream.inFlight()).toBe(count);
    expect(rest - before).toBeLessThan(held + REST_BYTES);
    expect(peak - before).toBeLessThan(held + 512 * 1_048_576);
    // What lets go of an endless stream is the limit on a client that takes nothing.
    await until("the upstream's streams are let go", 60_000, () => upstream.inFlight() === 0);
    stalled.kill();
    await upstream.stop();
  },
  180_000,
);

test.each(HTTP_CLIENTS.map((name) => [name] as const))(
  "more than 256 calls are really upstream at once, by %s",
  async (httpClient) => {
    const count = isLong ? 1200 : 500;
    const upstream = startPlainUpstream(count);
    const { url } = await start(`[upstream]\nhttp_client = "${httpClient}"\n`, upstream.url);
    const clients = await connect(url, count);
    const body = bodyOf({ format: "chat", model: "gpt-5.6", stream: false, prompt: "together" });
    for (const client of clients) client.write(renderPost("/v1/chat/completions", body));
    // None is answered before all have arrived.
    await until("all are answered", 30_000, () => clients.every((client) => client.text().includes("served")));
    console.log(`concurrency: ${upstream.peak()} calls upstream at once`);
    expect(upstream.peak()).toBe(count);
    await upstream.stop();
  },
  60_000,
);
