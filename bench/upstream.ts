/**
 * Both providers with no thinking time, for the benchmark: `bun bench/upstream.ts PORT`. Compares every request that should
 * arrive unchanged byte by byte, and looks for the last message in every translated one; what is wrong is answered 400.
 * Below `/peer` it takes any request that still says the same, as other gateways write requests anew. Takes spans in, too.
 */
import { invalidAnswer, streamedAnswer, wholeAnswer } from "./upstream-answers.ts";
import {
  type Dialect,
  marker,
  markedWorkload,
  requestBody,
  SECOND_MODELS,
  SLOW_CHUNK_MS,
  type Workload,
  workloadById,
} from "./workloads.ts";

/** What a request has to be, byte by byte, and what it is answered. */
interface Exchange {
  readonly expected: Buffer;
  readonly answer: () => Response;
}

interface Prepared {
  readonly workload: Workload;
  /** By the model asked; of a workload that is not healed there is one. */
  readonly exchanges: readonly Exchange[];
}

const JSON_HEADERS = { "content-type": "application/json", "x-request-id": "req_0123456789" };
const STREAM_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_0123456789" };

const prepared = new Map<string, Prepared>();

function prepare(id: string): Prepared {
  const known = prepared.get(id);
  if (known !== undefined) return known;
  const workload = workloadById(id);
  const { upstream, healed } = workload;
  const first = Buffer.from(requestBody(workload, upstream, upstream));
  const right = { expected: first, answer: createAnswer(workload) };
  const exchanges = healed
    ? [
        { ...right, expected: Buffer.from(requestBody(workload, upstream, upstream, SECOND_MODELS[upstream])) },
        { expected: first, answer: () => new Response(invalidAnswer(workload), { headers: JSON_HEADERS }) },
      ]
    : [right];
  const made = { workload, exchanges };
  prepared.set(id, made);
  return made;
}

function createAnswer(workload: Workload): () => Response {
  const { pace } = workload;
  const events = pace === null ? [] : streamedAnswer(workload).map((text) => Buffer.from(text));
  switch (pace) {
    case null: {
      const whole = wholeAnswer(workload);
      return () => new Response(whole, { headers: JSON_HEADERS });
    }
    case "burst":
      return () => new Response(Buffer.concat(events), { headers: STREAM_HEADERS });
    case "apart":
      return () => new Response(paced(events, nextTurn), { headers: STREAM_HEADERS });
    case "slow":
      return () =>
        new Response(
          paced(events, () => Bun.sleep(SLOW_CHUNK_MS)),
          { headers: STREAM_HEADERS },
        );
  }
}

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

/** Whether a request that was written anew still ends in the client's last message and asks for what the client asked for. */
function isFaithful(body: Buffer, { id, pace, requestBytes }: Workload): boolean {
  if (requestBytes > 8192) return false;
  const json = JSON.parse(body.toString()) as {
    model?: unknown;
    stream?: unknown;
    messages?: readonly { content?: unknown }[];
  };
  const last = JSON.stringify(json.messages?.at(-1)?.content ?? null);
  return typeof json.model === "string" && (json.stream === true) === (pace !== null) && last.includes(marker(id));
}

async function answer(request: Request, dialect: Dialect, isPeer: boolean): Promise<Response> {
  const body = Buffer.from(await request.arrayBuffer());
  const id = markedWorkload(body);
  if (id === null) return new Response("the request has no marker", { status: 400 });
  const { workload, exchanges } = prepare(id);
  const [first] = exchanges;
  const isAsked = workload.upstream === dialect;
  const exact = isAsked ? exchanges.find(({ expected }) => body.equals(expected)) : undefined;
  if (exact !== undefined) return exact.answer();
  const mayDiffer = isAsked && (isPeer || workload.client !== workload.upstream);
  if (first === undefined || !mayDiffer || !isFaithful(body, workload)) {
    return new Response("the request is not what the client sent", { status: 400 });
  }
  return first.answer();
}

const server = Bun.serve({
  port: Number(process.argv[2] ?? "0"),
  hostname: "127.0.0.1",
  idleTimeout: 60,
  maxRequestBodySize: 64 * 1024 * 1024,
  routes: {
    "/v1/chat/completions": { POST: (request) => answer(request, "chat", false) },
    "/v1/messages": { POST: (request) => answer(request, "messages", false) },
    "/peer/v1/chat/completions": { POST: (request) => answer(request, "chat", true) },
    "/v1/traces": {
      POST: async (request) => {
        await request.arrayBuffer();
        return new Response(null);
      },
    },
  },
  fetch: () => new Response("no such route", { status: 404 }),
});
process.stdout.write(`listening ${server.port}\n`);
