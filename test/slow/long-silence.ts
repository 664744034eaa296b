/**
 * Upstreams that say nothing for longer than any timer that the runtime starts by itself. `npm test` runs this file beside
 * all others, as it only waits; `bun test ./test/slow/long-silence.ts` runs it alone.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chatEvents, chatHi, messagesEvents, messagesHi } from "../support/answers.ts";
import { type GatewayProcess, startGateway } from "../support/gateway.ts";
import { openRaw, until } from "../support/running-app.ts";

const SILENCE_MS = Number(process.env["AROUTER_SILENCE_MS"] ?? 125_000);
const LIMIT_MS = SILENCE_MS + 60_000;

const PIECES = ["before", " and after"];

/** Answers any route: streams fall silent behind their first piece, whole answers before their headers. */
function startSilentUpstream(): { readonly url: string; readonly stop: () => Promise<void> } {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { stream } = (await request.json()) as { readonly stream?: boolean };
      if (stream !== true) {
        await Bun.sleep(SILENCE_MS);
        const message = { role: "assistant", content: PIECES.join("") };
        return Response.json({ id: "c", model: "m", choices: [{ index: 0, message, finish_reason: "stop" }] });
      }
      const isChat = new URL(request.url).pathname.endsWith("/chat/completions");
      const events = (isChat ? chatEvents : messagesEvents)(PIECES);
      const firstPiece = events.findIndex((event) => event.includes("before")) + 1;
      const parts = [events.slice(0, firstPiece).join(""), events.slice(firstPiece).join("")];
      const body = new ReadableStream<Uint8Array>({
        start: async (controller) => {
          controller.enqueue(Buffer.from(parts[0] ?? ""));
          await Bun.sleep(SILENCE_MS);
          controller.enqueue(Buffer.from(parts[1] ?? ""));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

let upstream: ReturnType<typeof startSilentUpstream>;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = startSilentUpstream();
  // No keepalive: nothing at all is written for that long.
  gateway = await startGateway({
    config: `
[stream]
keepalive = "0s"
commit_after = "0s"
[drain]
delay = "0s"
[providers.openai]
base_url = "${upstream.url}/v1"
[providers.anthropic]
base_url = "${upstream.url}"
`,
    environment: { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" },
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const GPT = "gpt-4.1";
const CLAUDE = "claude-sonnet-4-5";

const CASES = [
  ["a Chat stream passed through", CHAT, { ...chatHi, model: GPT, stream: true }, "[DONE]"],
  ["a Messages stream passed through", MESSAGES, { ...messagesHi, model: CLAUDE, stream: true }, "message_stop"],
  ["a Messages stream translated for Chat", CHAT, { ...chatHi, model: CLAUDE, stream: true }, "[DONE]"],
  ["a Chat stream translated for Messages", MESSAGES, { ...messagesHi, model: GPT, stream: true }, "message_stop"],
  ["a whole answer", CHAT, { ...chatHi, model: GPT }, '"finish_reason":"stop"'],
] as const;

test.concurrent.each(CASES)(
  `%s survives an upstream that is silent for ${SILENCE_MS / 1000} s`,
  async (_name, path, request, terminal) => {
    const started = performance.now();
    const body = JSON.stringify(request);
    // A socket of our own: no client's timer is in the way.
    const connection = openRaw(Number(new URL(gateway.url).port));
    connection.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    if ("stream" in request) {
      await until(() => connection.received().includes("before"), "what came before the silence");
      expect(connection.received()).not.toContain(" and after");
    }
    await connection.closed;
    const answer = connection.received();
    expect(performance.now() - started).toBeGreaterThan(SILENCE_MS);
    expect(answer).toStartWith("HTTP/1.1 200 ");
    expect(answer).toContain("before");
    expect(answer).toContain(" and after");
    expect(answer).toContain(terminal);
    expect(answer).not.toContain('"error":{');
  },
  LIMIT_MS,
);
