/**
 * Keys that must not be seen: every request and every fault of a provider that repeats the key it was sent, then every place
 * where the gateway writes is searched for each key and its encoded forms.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { bodyOf, CLIENT_FORMATS } from "./client.ts";

/** Signs that each encoding writes differently. */
const KEYS = {
  openai: 'sk-CANARY/openai+a"b=c-0123456789',
  anthropic: "sk-ant-CANARY/anthropic+a~b=c-9876543210",
  caller: "caller-CANARY/key+x~y=z-5555555555",
  wrong: "wrong-CANARY/key+x~y=z-7777777777",
};

function formsOf(key: string): readonly string[] {
  const base64 = Buffer.from(key).toString("base64");
  // Without the ends, which depend on what stands beside it, at each of the three offsets.
  const inner = [0, 1, 2].map((offset) =>
    Buffer.from("x".repeat(offset) + key)
      .toString("base64")
      .slice(offset === 0 ? 0 : 4, -4),
  );
  const all = [base64, ...inner];
  return [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    ...all,
    ...all.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    Buffer.from(key).toString("hex"),
  ];
}

function hitsIn(text: string): readonly string[] {
  return Object.entries(KEYS).flatMap(([name, key]) =>
    formsOf(key)
      .filter((form) => text.includes(form))
      .map((form) => `${name} as ${form}: …${text.slice(Math.max(0, text.indexOf(form) - 60), text.indexOf(form))}`),
  );
}

const MODES = [
  "401",
  "400",
  "500-text",
  "429-headers",
  "error-first",
  "error-later",
  "error-in-200",
  "garbage-json",
  "cut",
] as const;

/** A provider that repeats the key in all it says, in every form. */
function startEcho(): { readonly url: string; readonly stop: () => Promise<void> } {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: async (request) => {
      const key =
        request.headers.get("x-api-key") ?? (request.headers.get("authorization") ?? "").replace(/^Bearer /, "");
      const said = `Incorrect API key provided: ${key} (${Buffer.from(key).toString("base64")}, ${encodeURIComponent(key)}, ${Buffer.from(`key:${key}`).toString("base64url")})`;
      const error = { type: "error", error: { type: "invalid_request_error", code: null, param: null, message: said } };
      const text = await request.text();
      const mode = MODES.find((name) => text.includes(`mode ${name}.`));
      const event = `event: error\ndata: ${JSON.stringify(error)}\n\n`;
      const stream = (body: string): Response =>
        new Response(body, { headers: { "content-type": "text/event-stream" } });
      switch (mode) {
        case "400":
          return Response.json(error, { status: 400 });
        case "500-text":
          return new Response(said, { status: 500, headers: { "content-type": "text/plain" } });
        case "429-headers":
          return Response.json(error, { status: 429, headers: { "retry-after-ms": "60000" } });
        case "error-first":
          return stream(event);
        case "error-later":
          return stream(firstContent(request.url) + event);
        case "error-in-200":
          return Response.json(error);
        case "garbage-json":
          return stream(`${firstContent(request.url)}data: {"broken ${said}\n\n`);
        case "cut":
          return stream(firstContent(request.url));
        default:
          return Response.json(error, { status: 401 });
      }
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

function firstContent(url: string): string {
  if (url.endsWith("/messages")) {
    const message = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    };
    return (
      `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message })}\n\n` +
      `event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n` +
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${ANSWER}"}}\n\n`
    );
  }
  if (url.endsWith("/responses")) {
    return `event: response.output_item.added\ndata: {"type":"response.output_item.added","output_index":0,"item":{"id":"i","type":"message","role":"assistant","content":[]}}\n\n`;
  }
  return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"${ANSWER}"},"finish_reason":null}]}\n\n`;
}

/** What is said and answered is nobody's business either, unless its keeping is turned on. */
const PROMPT = "CANARY-PROMPT";
const ANSWER = "CANARY-ANSWER";

/** A collector that keeps the bytes of the spans: texts stand in them as they are. */
function startCollector(): { readonly url: string; readonly taken: () => string; readonly stop: () => Promise<void> } {
  let taken = "";
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      taken += Buffer.from(await request.arrayBuffer()).toString("latin1");
      return new Response();
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, taken: () => taken, stop: () => server.stop(true) };
}

const folder = mkdtempSync(join(tmpdir(), "arouter-canary-"));
let echo: ReturnType<typeof startEcho>;
let collector: ReturnType<typeof startCollector>;
let gateway: GatewayProcess;
beforeAll(async () => {
  echo = startEcho();
  collector = startCollector();
  gateway = await startGateway({
    config: `
[providers.openai]
api_key = '${KEYS.openai}'
base_url = "${echo.url}"
[providers.anthropic]
base_url = "${echo.url}"
[auth]
keys = { team = "\${CALLER_KEY}" }
public = ["/livez"]
[retry]
base = "1ms"
cap = "1ms"
throttle_base = "1ms"
throttle_cap = "1ms"
retry_after_cap = "50ms"
# Open, it would keep most of the modes away.
[breaker]
consecutive_failures = 100000
min_requests = 100000
[log]
level = "debug"
format = "json"
[ledger]
file = "${join(folder, "ledger.jsonl")}"
[telemetry]
otlp_endpoint = "${collector.url}"
[drain]
delay = "0s"
timeout = "1s"
`,
    // What prints every request of the runtime, key included, is dropped at start.
    environment: {
      ANTHROPIC_API_KEY: KEYS.anthropic,
      CALLER_KEY: KEYS.caller,
      BUN_CONFIG_VERBOSE_FETCH: "curl",
    },
  });
});
afterAll(async () => {
  await gateway.stop();
  await echo.stop();
  await collector.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, init: RequestInit = {}, key = KEYS.caller): Promise<string> {
  try {
    const response = await fetch(gateway.url + path, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${key}` },
    });
    return JSON.stringify([...response.headers]) + (await response.text());
  } catch (error) {
    return String(error);
  }
}

test("no key, in any encoding, reaches any place where the gateway writes", async () => {
  const paths = { chat: "/v1/chat/completions", messages: "/v1/messages", responses: "/v1/responses" };
  const seen: string[] = [];
  for (const mode of MODES) {
    for (const format of CLIENT_FORMATS) {
      for (const model of ["gpt-5.6", "claude-sonnet-5-5"]) {
        for (const stream of [false, true]) {
          const body = bodyOf({ format, model, stream, prompt: `mode ${mode}. ${PROMPT}` });
          const headers = { "content-type": "application/json", "x-arouter-explain": "1" };
          seen.push(await ask(paths[format], { method: "POST", body, headers }));
        }
      }
    }
  }
  const body = bodyOf({ format: "chat", model: "gpt-5.6", stream: false, prompt: "mode 401." });
  const idsIn = (text: string): readonly string[] => /req_ar_[A-Za-z0-9]+/.exec(text) ?? [];
  const ids = seen.flatMap(idsIn).slice(0, 40);
  // Said by mistake, in what is kept; the caller's own id is only given back to it.
  for (const key of [KEYS.caller, KEYS.openai]) {
    const headers = {
      "content-type": "application/json",
      "user-agent": `agent ${key}`,
      "x-request-id": key,
      "x-arouter-tags": `leak=${key}`,
    };
    ids.push(...idsIn(await ask(paths.chat, { method: "POST", body, headers })));
  }
  // Presented wrongly, in each place where a key may stand.
  seen.push(
    await ask(paths.chat, { method: "POST", body, headers: { "content-type": "application/json" } }, KEYS.wrong),
  );
  seen.push(await ask("/v1/models", { headers: { "x-api-key": KEYS.wrong } }, ""));
  seen.push(await ask(`/v1/models?api_key=${encodeURIComponent(KEYS.wrong)}`));
  seen.push(await ask("/dashboard", { headers: { authorization: `Basic ${btoa(`user:${KEYS.wrong}`)}` } }, KEYS.wrong));
  for (const path of [
    "/",
    "/livez",
    "/readyz",
    "/healthz",
    "/healthz?strict=1",
    "/metrics",
    "/dashboard",
    "/dashboard/data.json",
    "/v1/models",
    "/v1/files",
    "/nowhere",
  ]) {
    seen.push(await ask(path));
  }
  expect(seen.some((text) => text.includes('"recent":[{'))).toBe(true);
  for (const id of ids) seen.push(await ask(`/arouter/requests/${id}`));
  // The test itself sees the providers' words, or it would prove nothing.
  expect(seen.filter((text) => text.includes("Incorrect API key provided")).length).toBeGreaterThan(20);
  expect(seen.flatMap(hitsIn)).toEqual([]);

  await Bun.sleep(300);
  const ledger = readFileSync(join(folder, "ledger.jsonl"), "utf8");
  expect(ledger.split("\n").length).toBeGreaterThan(100);
  expect(ledger).toContain('"team"');
  expect(hitsIn(ledger)).toEqual([]);
  expect(gateway.output().split("\n").length).toBeGreaterThan(100);
  expect(hitsIn(gateway.output())).toEqual([]);
  for (let look = 0; look < 100 && collector.taken().split("chat gpt-5.6").length < 50; look += 1) await Bun.sleep(100);
  expect(collector.taken().split("chat gpt-5.6").length).toBeGreaterThanOrEqual(50);
  expect(hitsIn(collector.taken())).toEqual([]);

  // The test's own callers had the answers, and the gateway the prompts; neither is kept anywhere.
  expect(seen.filter((text) => text.includes(ANSWER)).length).toBeGreaterThan(5);
  const metrics = await ask("/metrics");
  expect(metrics).toContain('arouter_key_requests_total{key="team"');
  for (const kept of [ledger, gateway.output(), collector.taken(), metrics]) {
    expect(kept).not.toContain(PROMPT);
    expect(kept).not.toContain(ANSWER);
  }
}, 60_000);

test("a gateway that does not start prints no key", async () => {
  const broken = [
    `[providers.openai]\napi_key = '${KEYS.openai}'\nbase_url = 17\n`,
    `[providers.openai]\napi_key = '${KEYS.openai}\nbase_url = "x"\n`,
    `[providers.openai]\napi_key = ['${KEYS.openai}']\n`,
    `[providers.openai]\napi_kye = '${KEYS.openai}'\n`,
    `[auth]\nkeys = { "a b" = '${KEYS.caller}' }\n`,
  ];
  for (const config of broken) {
    const failed = await startGateway({ config, environment: { ANTHROPIC_API_KEY: KEYS.anthropic } }).then(
      async (started) => {
        await started.stop();
        return `it started: ${config}`;
      },
      (error: unknown) => String(error),
    );
    expect(failed).toContain("ended with 2");
    expect(hitsIn(failed)).toEqual([]);
  }
}, 120_000);

test("a gateway that is killed by a defect prints no key", async () => {
  const crashing = await startGateway({
    config: `[providers.openai]\napi_key = '${KEYS.openai}'\nbase_url = "${echo.url}"\n`,
    environment: { ANTHROPIC_API_KEY: KEYS.anthropic },
  });
  process.kill(crashing.pid, "SIGABRT");
  await Bun.sleep(500);
  expect(hitsIn(crashing.output())).toEqual([]);
  await crashing.stop();
}, 30_000);
