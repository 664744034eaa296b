/**
 * The least that a proxy on Bun can do, to measure against: `bun bench/proxy.ts UPSTREAM_PORT pass|events`. `pass` hands the
 * answer's body through unread; `events` parses every event of a stream and writes it again.
 */
const [upstreamPort = "", mode = "pass"] = process.argv.slice(2);
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

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 60,
  fetch: async (request) => {
    const path = request.url.slice(request.url.indexOf("/", 8));
    const answer = await fetch(upstream + path, {
      method: request.method,
      headers: { "content-type": "application/json", authorization: request.headers.get("authorization") ?? "" },
      body: await request.arrayBuffer(),
      signal: request.signal,
    });
    const headers = { "content-type": answer.headers.get("content-type") ?? "application/json" };
    const isRead = mode === "events" && answer.body !== null && headers["content-type"].startsWith("text/event-stream");
    const body = isRead ? reserialize(answer.body) : answer.body;
    return new Response(body as BodyInit | null, { status: answer.status, headers });
  },
});
process.stdout.write(`listening ${server.port}\n`);
