/** The gateway asks nobody but its providers, whatever a request, an answer or the environment says. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { send } from "./client.ts";
import { startSimulatorProcess, type SimulatorProcess } from "./simulator-process.ts";

/** Where nobody has any business. */
let trap: { readonly url: string; readonly stop: () => Promise<void> };
let hits: string[] = [];
let providers: SimulatorProcess;
/** A provider that sends everybody to the trap. */
let redirecting: { readonly url: string; readonly stop: () => Promise<void> };
let gateway: GatewayProcess;

beforeAll(async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      hits.push(`${request.method} ${request.url} ${[...request.headers].join(" ")}`);
      return Response.json({});
    },
  });
  trap = { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
  const redirector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(null, { status: 307, headers: { location: `${trap.url}/stolen` } }),
  });
  redirecting = { url: `http://127.0.0.1:${redirector.port}`, stop: () => redirector.stop(true) };
  providers = await startSimulatorProcess(true);
  gateway = await startGateway({
    config: `
[log]
access = false
[drain]
delay = "0s"
timeout = "1s"
[retry]
base = "1ms"
[providers.openai]
base_url = "${providers.openaiUrl}"
[providers.anthropic]
base_url = "${redirecting.url}"
`,
    environment: {
      OPENAI_API_KEY: "sk-simulated",
      ANTHROPIC_API_KEY: "sk-ant-simulated",
      HTTP_PROXY: trap.url,
      HTTPS_PROXY: trap.url,
      http_proxy: trap.url,
      ALL_PROXY: trap.url,
    },
  });
});
beforeEach(() => {
  hits = [];
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([trap.stop(), redirecting.stop(), providers.stop()]);
});

test("a destination in body, query or headers means nothing, and neither does a proxy in the environment", async () => {
  const host = trap.url.slice("http://".length);
  const places = { api_base: trap.url, base_url: trap.url, api_key: "sk-mine", host, url: trap.url, proxy: trap.url };
  const headers = Object.fromEntries([
    ...Object.entries(places).map(([name, value]) => [name === "host" ? "x-host" : name.replace("_", "-"), value]),
    ["x-forwarded-host", host],
    ["x-forwarded-for", "10.0.0.1"],
    ["forwarded", `host=${host}`],
  ]) as Record<string, string>;
  const query = new URLSearchParams(places).toString();
  const body = { model: "gpt-5.6", messages: [{ role: "user", content: 'hi [[sim: text "home"]]' }] };
  const response = await fetch(`${gateway.url}/v1/chat/completions?${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(await response.text()).toContain("home");
  // In the body they are fields that the provider does not know, and says so itself.
  const refused = await send(gateway.url, {
    format: "chat",
    model: "gpt-5.6",
    stream: false,
    prompt: "hi",
    fields: places,
  });
  expect(refused.status).toBe(400);
  expect(hits).toEqual([]);
});

test("the address of an image is passed on, never opened", async () => {
  for (const model of ["gpt-5.6", "claude-sonnet-5-5"]) {
    const content = [
      { type: "text", text: "what is it?" },
      { type: "image_url", image_url: { url: `${trap.url}/image.png` } },
    ];
    await send(gateway.url, {
      format: "chat",
      model,
      stream: false,
      prompt: "",
      fields: { messages: [{ role: "user", content }] },
    });
    const source = { type: "url", url: `${trap.url}/image.png` };
    const blocks = [{ role: "user", content: [{ type: "image", source }] }];
    await send(gateway.url, { format: "messages", model, stream: false, prompt: "", fields: { messages: blocks } });
  }
  expect(hits).toEqual([]);
});

test("a schema elsewhere is never fetched", async () => {
  const schema = {
    type: "object",
    properties: { a: { $ref: `${trap.url}/schema.json` } },
    additionalProperties: false,
    required: ["a"],
  };
  const got = await send(gateway.url, {
    format: "chat",
    model: "gpt-5.6",
    stream: false,
    prompt: '[[sim: text "{\\"a\\":1}"]]',
    headers: { "x-arouter-validate": "json_schema" },
    fields: { response_format: { type: "json_schema", json_schema: { name: "a", strict: false, schema } } },
  });
  expect(got.ending).not.toBe("cut");
  expect(hits).toEqual([]);
});

test("a redirect is not followed, and carries no key away", async () => {
  for (const stream of [false, true]) {
    const got = await send(gateway.url, { format: "messages", model: "claude-sonnet-5-5", stream, prompt: "hi" });
    expect(got.status).toBe(502);
    expect(got.headers.get("location")).toBeNull();
  }
  expect(hits).toEqual([]);
});

test("compressed bombs of an upstream are given up at limits.response_bytes", async () => {
  const got = await send(gateway.url, {
    format: "chat",
    model: "gpt-5.6",
    stream: false,
    prompt: "[[sim: fault bomb 200]]",
    headers: { "x-arouter-retry": "0" },
  });
  expect(got.status).toBe(502);
  expect(got.headers.get("x-arouter-error")).toBe("upstream-invalid");
  expect(got.error).toContain("larger than limits.response_bytes");
});
