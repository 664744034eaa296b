/**
 * Both providers with no thinking time, for the benchmark: `bun bench/upstream.ts PORT`. Compares every request that should
 * arrive unchanged byte by byte, and looks for the last message in every translated one; what is wrong is answered 400.
 */
import {
  type Dialect,
  marker,
  requestBody,
  SLOW,
  SLOW_CHUNK_MS,
  streamedAnswer,
  wholeAnswer,
  type Workload,
  WORKLOADS,
} from "./workloads.ts";

interface Prepared {
  readonly workload: Workload;
  readonly mark: Buffer;
  /** The bytes that arrive when nobody changed them. */
  readonly expected: Buffer;
  readonly whole: string;
  readonly events: readonly Uint8Array[];
}

function prepare(workload: Workload): Prepared {
  const { upstream, pace } = workload;
  return {
    workload,
    mark: Buffer.from(marker(workload.id)),
    expected: Buffer.from(requestBody(workload, upstream, upstream)),
    whole: wholeAnswer(upstream),
    events: pace === null ? [] : streamedAnswer(upstream, pace).map((text) => Buffer.from(text)),
  };
}

const prepared = [...WORKLOADS, SLOW].map(prepare);
const JSON_HEADERS = { "content-type": "application/json", "x-request-id": "req_0123456789" };
const STREAM_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_0123456789" };

/** Next turn of the event loop: so each chunk is a write of its own, as a model's tokens are. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function paced(events: readonly Uint8Array[], wait: () => Promise<void>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        await wait();
        controller.enqueue(events[at] as Uint8Array);
        at += 1;
        if (at === events.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Whether a translated request still ends in the client's last message and asks for what the client asked for. */
function isFaithful(body: Buffer, { client, upstream, pace, requestBytes }: Workload, mark: Buffer): boolean {
  if (client === upstream || requestBytes > 8192) return false;
  const json = JSON.parse(body.toString()) as {
    model?: unknown;
    stream?: unknown;
    messages?: readonly { content?: unknown }[];
  };
  const last = JSON.stringify(json.messages?.at(-1)?.content ?? null);
  return typeof json.model === "string" && (json.stream === true) === (pace !== null) && last.includes(mark.toString());
}

async function answer(request: Request, dialect: Dialect): Promise<Response> {
  const body = Buffer.from(await request.arrayBuffer());
  const found = prepared.find(({ mark, workload }) => workload.upstream === dialect && body.lastIndexOf(mark) >= 0);
  if (found === undefined) return new Response("the request has no marker", { status: 400 });
  const { workload, expected, mark, whole, events } = found;
  if (!body.equals(expected) && !isFaithful(body, workload, mark)) {
    return new Response("the request is not what the client sent", { status: 400 });
  }
  switch (workload.pace) {
    case null:
      return new Response(whole, { headers: JSON_HEADERS });
    case "burst":
      return new Response(Buffer.concat(events), { headers: STREAM_HEADERS });
    case "apart":
      return new Response(paced(events, nextTurn), { headers: STREAM_HEADERS });
    case "slow":
      return new Response(
        paced(events, () => Bun.sleep(SLOW_CHUNK_MS)),
        { headers: STREAM_HEADERS },
      );
  }
}

const server = Bun.serve({
  port: Number(process.argv[2] ?? "0"),
  hostname: "127.0.0.1",
  idleTimeout: 60,
  routes: {
    "/v1/chat/completions": { POST: (request) => answer(request, "chat") },
    "/v1/messages": { POST: (request) => answer(request, "messages") },
  },
  fetch: () => new Response("no such route", { status: 404 }),
});
process.stdout.write(`listening ${server.port}\n`);
