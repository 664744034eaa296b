/**
 * The least that a proxy on Bun can do, to measure against: `bun bench/proxy.ts UPSTREAM_PORT pass|events|twice [PORT]`. `pass`
 * hands the answer's body through unread; `events` parses every event of a stream and writes it again; `twice` reads the first
 * model's answer, drops it and asks the second one.
 */
import { MODELS, PATHS, SECOND_MODELS } from "./workloads.ts";

const [upstreamPort = "", mode = "pass", port = "0"] = process.argv.slice(2);
const upstream = `http://127.0.0.1:${upstreamPort}`;

/** Parses each event's JSON and writes it anew, one write an event. */
async function* reserialize(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    let end = rest.indexOf("\n\n");
    while (end >= 0) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const written = lines.map((line) =>
        line.startsWith("data: {") ? `data: ${JSON.stringify(JSON.parse(line.slice(6)))}` : line,
      );
      yield encoder.encode(`${written.join("\n")}\n\n`);
      end = rest.indexOf("\n\n");
    }
  }
}

const FIRST_AND_SECOND = (["chat", "messages"] as const).map(
  (dialect) => [PATHS[dialect], `"model":"${MODELS[dialect]}"`, `"model":"${SECOND_MODELS[dialect]}"`] as const,
);

/** Asks the first model as the client did, and then the second one with the same body. */
async function askTwice(path: string, ask: (body: string) => Promise<Response>, body: string): Promise<Response> {
  const first = await ask(body);
  await first.text();
  const [, from = "", to = ""] = FIRST_AND_SECOND.find(([known]) => known === path) ?? [];
  return ask(body.replace(from, to));
}

const server = Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  idleTimeout: 60,
  fetch: async (request) => {
    const path = request.url.slice(request.url.indexOf("/", 8));
    const ask = (body: BodyInit): Promise<Response> =>
      fetch(upstream + path, {
        method: request.method,
        headers: { "content-type": "application/json", authorization: request.headers.get("authorization") ?? "" },
        body,
        signal: request.signal,
      });
    const answer =
      mode === "twice" ? await askTwice(path, ask, await request.text()) : await ask(await request.arrayBuffer());
    const headers = { "content-type": answer.headers.get("content-type") ?? "application/json" };
    const isRead = mode === "events" && answer.body !== null && headers["content-type"].startsWith("text/event-stream");
    const body = isRead ? reserialize(answer.body) : answer.body;
    return new Response(body as BodyInit | null, { status: answer.status, headers });
  },
});
process.stdout.write(`listening ${server.port}\n`);
