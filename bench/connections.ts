/**
 * `bun bench/connections.ts [CLIENTS…]`: what calls to a provider over TLS cost, by who makes them: the runtime's `fetch` with one
 * session and with shards, the gateway's own client, HTTP/2 by `fetch` and by node:http2, and the own client in two
 * processes. Bursts of as many calls as there are clients, so that what a pool keeps shows in what is opened anew. CPU is
 * that of the calling processes; the provider takes 10 ms for an answer and has a core of its own.
 */
import { connect, createSecureServer } from "node:http2";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { answerOf } from "../src/upstream/fetch-client.ts";
import type { ByteSource, HttpAnswer, HttpClient } from "../src/upstream/http.ts";
import { createHttpClient } from "../src/upstream/http-client.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../test/support/certificate.ts";
import { launch, type Launched, pinned, plainEnv } from "./processes.ts";

const KINDS = ["fetch", "fetch, sharded", "own", "own, 2 processes", "fetch, HTTP/2", "node:http2"] as const;
type Kind = (typeof KINDS)[number];

const ANSWER_MS = 10;
const ROUNDS = 3;
/** Calls of one measurement, in bursts. */
const CALLS = 2000;
const REQUEST = JSON.stringify({ model: "gpt-5.6", messages: [{ role: "user", content: "word ".repeat(180) }] });
const ANSWER = JSON.stringify({ id: "c", object: "chat.completion", text: "word ".repeat(150) });

/** What one process of callers did. */
interface Done {
  readonly cpuUs: number;
  readonly calls: number;
}

/** HTTP/1.1 by `Bun.serve`, which tells the connection of each request. */
function runServer(): void {
  const ports = new Set<number>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
    fetch: async (request) => {
      if (request.method === "GET") return new Response(String(ports.size));
      ports.add(server.requestIP(request)?.port ?? 0);
      await request.arrayBuffer();
      await Bun.sleep(ANSWER_MS);
      return new Response(ANSWER, { headers: { "content-type": "application/json" } });
    },
  });
  process.stdout.write(`listening ${server.port}\n`);
}

function runHttp2Server(): void {
  let connections = 0;
  const server = createSecureServer({ cert: CERTIFICATE, key: PRIVATE_KEY, allowHTTP1: true }, (request, response) => {
    if (request.method === "GET") {
      response.end(String(connections));
      return;
    }
    request.resume();
    request.on("end", () =>
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
        response.end(ANSWER);
      }, ANSWER_MS),
    );
  });
  server.on("session", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1", 4096, () => {
    const address = server.address();
    process.stdout.write(`listening ${typeof address === "object" ? address?.port : ""}\n`);
  });
}

function clientOf(kind: Kind, clients: number): HttpClient {
  const settings = { clock: systemClock, useEnvProxy: false, idleTimeoutMs: 60_000 };
  switch (kind) {
    case "fetch":
      return createHttpClient({ ...settings, httpClient: "fetch", poolShards: 1 });
    case "fetch, sharded":
      return createHttpClient({ ...settings, httpClient: "fetch", poolShards: Math.ceil(clients / 64) });
    case "own":
    case "own, 2 processes":
      return createHttpClient({ ...settings, httpClient: "own", poolShards: 1 });
    case "fetch, HTTP/2":
      return createFetchHttp2();
    case "node:http2":
      return createNodeHttp2();
  }
}

function createFetchHttp2(): HttpClient {
  return {
    call: async (baseUrl, path, call) => {
      const init = { ...call, protocol: "http2", redirect: "manual", decompress: false } as BunFetchRequestInit;
      return answerOf(await fetch(baseUrl + path, init), () => undefined);
    },
    close: () => undefined,
  };
}

/** One session, as many streams as the server allows, over the runtime's node:http2; read whole. */
function createNodeHttp2(): HttpClient {
  let session: ReturnType<typeof connect> | null = null;
  return {
    call: (baseUrl, path, { method, headers, body = "" }) =>
      new Promise<HttpAnswer>((resolve, reject) => {
        session ??= connect(baseUrl, { ca: CERTIFICATE });
        const stream = session.request({ ":method": method, ":path": path, ...headers });
        let status = 0;
        const parts: Buffer[] = [];
        stream.on("response", (answer) => {
          status = Number(answer[":status"]);
        });
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("error", reject);
        stream.on("end", () => {
          const bytes = Buffer.concat(parts);
          const whole: Pick<ByteSource, "readAll"> = { readAll: () => Promise.resolve({ ok: true, bytes }) };
          resolve({ status, headers: new Headers(), body: whole as ByteSource });
        });
        stream.end(body);
      }),
    close: () => session?.close(),
  };
}

const HEADERS = {
  authorization: "Bearer sk-bench",
  "content-type": "application/json",
  accept: "application/json",
  "user-agent": "arouter/bench",
};

/** Reads commands of a number of bursts from standard input, and tells what each cost. */
async function runClient(kind: Kind, url: string, clients: number): Promise<void> {
  const client = clientOf(kind, clients);
  const ask = async (): Promise<void> => {
    const { signal } = new AbortController();
    const answer = await client.call(url, "/v1/x", { method: "POST", headers: HEADERS, body: REQUEST, signal });
    const read = await answer.body?.readAll(1e6);
    const isWhole = answer.status === 200 && read?.ok === true && Buffer.from(read.bytes).toString() === ANSWER;
    if (!isWhole) throw new Error(`an answer that is not whole: ${answer.status}`);
  };
  process.stdout.write("ready\n");
  for await (const line of console) {
    const bursts = Number(line);
    const before = process.cpuUsage();
    for (let burst = 0; burst < bursts; burst += 1) await Promise.all(Array.from({ length: clients }, ask));
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(`${JSON.stringify({ cpuUs: user + system, calls: bursts * clients })}\n`);
  }
}

interface Callers {
  readonly run: (bursts: number) => Promise<Done>;
  readonly stop: () => void;
}

async function openCallers(kind: Kind, url: string, clients: number, env: Record<string, string>): Promise<Callers> {
  const command = [process.execPath, import.meta.path, "client", kind, url, String(clients)];
  const child = Bun.spawn(pinned(0, command), { env, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  await lines.read();
  return {
    run: async (bursts) => {
      await child.stdin.write(`${bursts}\n`);
      await child.stdin.flush();
      const { value } = await lines.read();
      return JSON.parse(value ?? "null") as Done;
    },
    stop: () => child.kill(),
  };
}

interface Row {
  readonly cpuUs: number[];
  opened: number;
  calls: number;
}

function launchServer(role: string): Promise<Launched> {
  return launch([import.meta.path, role], { core: 1 });
}

async function main(sizes: readonly number[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-connections-"));
  const certificate = join(folder, "cert.pem");
  writeFileSync(certificate, CERTIFICATE);
  const env = { ...plainEnv(), NODE_EXTRA_CA_CERTS: certificate };
  const [http1, http2] = [await launchServer("server"), await launchServer("server-http2")];
  const serverOf = (kind: Kind): Launched => (kind.includes("2") && !kind.includes("processes") ? http2 : http1);
  const urlOf = (kind: Kind): string => `https://localhost:${serverOf(kind).port}`;
  const opened = async (kind: Kind): Promise<number> =>
    Number(await (await fetch(urlOf(kind), { tls: { ca: CERTIFICATE }, keepalive: false })).text());
  try {
    process.stdout.write("| clients | calls by | CPU µs a call | to `fetch, sharded` | opened for | reused |\n");
    process.stdout.write("| --- | --- | --- | --- | --- | --- |\n");
    for (const clients of sizes) {
      const bursts = Math.max(2, Math.round(CALLS / clients));
      const rows = new Map<Kind, Row>(KINDS.map((kind) => [kind, { cpuUs: [], opened: 0, calls: 0 }]));
      const callers = new Map<Kind, readonly Callers[]>();
      for (const kind of KINDS) {
        const processes = kind === "own, 2 processes" ? 2 : 1;
        const all = Array.from({ length: processes }, () => openCallers(kind, urlOf(kind), clients / processes, env));
        callers.set(kind, await Promise.all(all));
        // The first bursts open connections, use each once, and compile.
        for (const each of callers.get(kind) ?? []) await each.run(Math.max(6, Math.round(1000 / clients)));
      }
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
          const row = rows.get(kind) as Row;
          const before = await opened(kind);
          const done = await Promise.all((callers.get(kind) ?? []).map((each) => each.run(bursts)));
          row.opened += (await opened(kind)) - before;
          const calls = done.reduce((sum, each) => sum + each.calls, 0);
          row.calls += calls;
          row.cpuUs.push(done.reduce((sum, each) => sum + each.cpuUs, 0) / calls);
        }
      }
      for (const all of callers.values()) for (const each of all) each.stop();
      const least = (kind: Kind): number => Math.min(...(rows.get(kind)?.cpuUs ?? []));
      for (const kind of KINDS) {
        const { opened: anew, calls } = rows.get(kind) as Row;
        const ratio = (least(kind) / least("fetch, sharded")).toFixed(2);
        const reused = `${((1 - anew / calls) * 100).toFixed(1)} %`;
        process.stdout.write(
          `| ${clients} | ${kind} | ${least(kind).toFixed(0)} | ${ratio} | ${anew} of ${calls} | ${reused} |\n`,
        );
      }
    }
  } finally {
    await Promise.all([http1.stop(), http2.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

const [role, ...rest] = process.argv.slice(2);
if (role === "server") runServer();
else if (role === "server-http2") runHttp2Server();
else if (role === "client") await runClient(rest[0] as Kind, rest[1] ?? "", Number(rest[2]));
else await main(process.argv.length > 2 ? process.argv.slice(2).map(Number) : [16, 64, 256, 1000]);
