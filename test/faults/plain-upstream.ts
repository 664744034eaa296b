/** A provider that costs nothing: one endless stream, or answers that wait for each other. For tests of many at once. */

const CHUNK = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-5.6",
  choices: [{ index: 0, delta: { content: "endless words ".repeat(280) }, finish_reason: null }],
};
/** 16 KiB or so of whole events; large ones, so that the test moves bytes and not objects. */
const PIECE = new TextEncoder().encode(`data: ${JSON.stringify(CHUNK)}\n\n`.repeat(4));

const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-5.6",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "served" } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

export interface PlainUpstream {
  /** As OpenAI's base URL. */
  readonly url: string;
  /** Most calls that were in flight at once. */
  readonly peak: () => number;
  readonly inFlight: () => number;
  /** Bytes of streams that were taken from it. */
  readonly bytes: () => number;
  readonly stop: () => Promise<void>;
}

/** Buffered calls are answered once `together` of them are in flight; streams never end. */
export function startPlainUpstream(together: number): PlainUpstream {
  let inFlight = 0;
  let peak = 0;
  let bytes = 0;
  const all = Promise.withResolvers<void>();
  const enter = (signal: AbortSignal): (() => void) => {
    inFlight += 1;
    peak = Math.max(peak, inFlight);
    if (inFlight >= together) all.resolve();
    let isIn = true;
    const leave = (): void => {
      if (isIn) inFlight -= 1;
      isIn = false;
    };
    signal.addEventListener("abort", leave, { once: true });
    return leave;
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const leave = enter(request.signal);
      const { stream } = (await request.json()) as { stream?: boolean };
      if (stream !== true) {
        await all.promise;
        leave();
        return Response.json(ANSWER);
      }
      const body = new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            bytes += PIECE.byteLength;
            controller.enqueue(PIECE);
          },
          cancel: leave,
        },
        { highWaterMark: 0 },
      );
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    peak: () => peak,
    inFlight: () => inFlight,
    bytes: () => bytes,
    stop: () => server.stop(true),
  };
}
