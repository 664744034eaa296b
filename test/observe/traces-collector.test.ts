/** The gateway's traces as a real OpenTelemetry Collector takes them in: both protocols, from source and compiled. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../../scripts/build.ts";
import { sourceCommand } from "../support/gateway.ts";
import { type CollectedSpan, type OtelCollector, startCollector } from "../support/otel-collector.ts";
import { freePort } from "../support/ports.ts";
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated.ts";
import { findCollector, requireTool } from "../support/tools.ts";

const SERVER = 2;
const CLIENT = 3;
const limitMs = 60_000;

const POLICIES = `
version: 1
rules:
  - name: checked
    when: { response_format_type: json_schema }
    then:
      model: gpt-6-luna
      validate: [json_schema]
      fallback_chain: [gpt-6-sol]
      tags: { team: research }
  - name: raced
    when: { prompt_contains: race }
    then: { hedge: { after: 50ms, model: gpt-6-sol } }
`;

const { path, why } = requireTool(findCollector());
const folder = mkdtempSync(join(tmpdir(), "arouter-traces-"));
const binary = join(folder, "arouter");
let collector: OtelCollector;

beforeAll(async () => {
  if (path === null) return;
  collector = await startCollector(path);
  await buildBinary({ outfile: binary });
}, limitMs);
afterAll(async () => {
  if (path !== null) await collector.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Setting {
  readonly endpoint: string;
  readonly protocol?: "http" | "grpc";
  readonly command?: readonly string[];
  readonly more?: string;
}

function start({ endpoint, protocol = "http", command, more = "" }: Setting): Promise<SimulatedGateway> {
  return startSimulatedGateway({
    ...(command === undefined ? {} : { command }),
    policies: POLICIES,
    config: `
[router]
policy_file = "policies.yaml"
[drain]
delay = "0s"
[telemetry]
otlp_endpoint = "${endpoint}"
otlp_protocol = "${protocol}"
service_name = "router-under-test"
${more}
`,
  });
}

async function ask(
  gateway: SimulatedGateway,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-5.5", ...body }),
  });
  await response.text();
  return response.headers.get("x-arouter-request-id") ?? "";
}

const prompt = (content: string) => ({ messages: [{ role: "user", content }] });
const schema = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
};
const checked = { response_format: { type: "json_schema", json_schema: { name: "p", strict: true, schema } } };

/** The server span of a request, and its client spans in order. */
function spansOf(
  spans: readonly CollectedSpan[],
  id: string,
): { readonly server: CollectedSpan; readonly clients: readonly CollectedSpan[] } {
  const server = spans.find(({ attributes }) => attributes["arouter.request_id"] === id);
  if (server === undefined) throw new Error(`no span of ${id}`);
  const clients = spans.filter(({ parentSpanId }) => parentSpanId === server.spanId);
  return {
    server,
    clients: clients.toSorted(
      (a, b) => Number(a.attributes["arouter.attempt"]) - Number(b.attributes["arouter.attempt"]),
    ),
  };
}

describe.skipIf(path === null)(`traces in a real collector${why}`, () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = "b7ad6b7169203331";

  test.each([
    ["HTTP from source", "http", sourceCommand],
    ["gRPC from source", "grpc", sourceCommand],
    ["HTTP from the binary", "http", [binary]],
    ["gRPC from the binary", "grpc", [binary]],
  ] as const)(
    "come by %s, and tell of retries, heals and hedges",
    async (_, protocol, command) => {
      const gateway = await start({ endpoint: collector[protocol], protocol, command });
      const traceparent = `00-${trace}-${parent}-01`;
      const plain = await ask(gateway, prompt("a secret question"), { traceparent, tracestate: "vendor=1" });
      const retried = await ask(gateway, prompt(`again [[sim: status 503 times=1 id=${protocol}]]`));
      const healed = await ask(gateway, { ...prompt("Ada [[sim: wrong-json model=gpt-6-luna]]"), ...checked });
      const raced = await ask(gateway, prompt("race [[sim: slow 400 model=gpt-5.5]]"));
      const streamed = await ask(gateway, { ...prompt("stream"), stream: true });
      const unsampled = await ask(gateway, prompt("quiet"), { traceparent: `00-${"e".repeat(32)}-${parent}-00` });
      const upstream = gateway.simulator?.log.entries.find(({ body }) => body.includes("a secret question"));
      // What waits is flushed at shutdown.
      expect(await gateway.stop()).toBe(0);
      const spans = await collector.waitFor([plain, retried, healed, raced, streamed]);

      const first = spansOf(spans, plain);
      expect(first.server).toMatchObject({
        traceId: trace,
        parentSpanId: parent,
        kind: SERVER,
        name: "POST /v1/chat/completions",
      });
      expect(first.server.resource["service.name"]).toBe("router-under-test");
      expect(first.server.attributes).toMatchObject({
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "arouter.rule": "none",
        "arouter.model": "gpt-5.5",
        "arouter.attempts": 1,
        "arouter.outcome": "complete",
      });
      expect(first.server.attributes["arouter.policy"]).toMatch(/^[0-9a-f]{12}$/);
      expect(Number(first.server.attributes["arouter.cost_usd"])).toBeGreaterThan(0);
      expect(first.clients).toHaveLength(1);
      const [client] = first.clients;
      expect(client).toMatchObject({ kind: CLIENT, name: "chat gpt-5.5", traceId: trace });
      expect(client?.attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.5",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
      });
      expect(upstream?.headers["traceparent"]).toBe(`00-${trace}-${client?.spanId}-01`);
      expect(upstream?.headers["tracestate"]).toBe("vendor=1");
      expect(client?.startMs ?? 0).toBeGreaterThanOrEqual(first.server.startMs);
      expect(client?.endMs ?? 0).toBeLessThanOrEqual(first.server.endMs + 5);

      const again = spansOf(spans, retried);
      expect(again.clients.map(({ attributes }) => attributes["arouter.attempt.class"])).toEqual(["server", "ok"]);
      expect(again.clients[0]?.status.code).toBe(2);
      expect(again.clients[1]?.attributes["http.request.resend_count"]).toBe(1);
      expect(again.server.events.map(({ name }) => name)).toEqual(["arouter.retry"]);

      const heal = spansOf(spans, healed);
      expect(heal.server.attributes).toMatchObject({
        "arouter.heal": "healed",
        "arouter.rule": "checked",
        "arouter.tag.team": "research",
      });
      expect(heal.clients.map(({ name }) => name)).toEqual(["chat gpt-6-luna", "chat gpt-6-sol"]);
      expect(heal.clients.map(({ events }) => events[0]?.attributes["arouter.validation"])).toEqual(["fail", "pass"]);
      expect(heal.server.events.map(({ name }) => name)).toContain("arouter.candidate.rejected");
      expect(heal.server.attributes["arouter.saved_usd"]).toBeDefined();

      const race = spansOf(spans, raced);
      expect(race.clients.map(({ attributes }) => attributes["arouter.attempt.leg"])).toEqual(["primary", "hedge"]);
      expect(race.server.attributes["arouter.hedge"]).toBe("hedge");
      expect(race.server.events.map(({ name }) => name)).toEqual(["arouter.hedge.launched", "arouter.hedge.finished"]);

      const stream = spansOf(spans, streamed);
      expect(stream.clients[0]?.attributes["gen_ai.request.stream"]).toBe(true);
      expect(stream.clients[0]?.attributes).toMatchObject({
        "gen_ai.response.model": expect.stringMatching(/^gpt-5\.5/),
        "gen_ai.response.id": expect.stringMatching(/^chatcmpl-/),
      });
      expect(Number(stream.clients[0]?.attributes["gen_ai.response.time_to_first_chunk"])).toBeGreaterThan(0);

      expect(spans.some(({ attributes }) => attributes["arouter.request_id"] === unsampled)).toBe(false);
      expect(JSON.stringify(spans)).not.toContain("secret question");
    },
    limitMs,
  );

  test(
    "show prompts and answers only where capture_content asks for it",
    async () => {
      const gateway = await start({ endpoint: collector.http, more: "capture_content = true" });
      const whole = await ask(gateway, prompt('hush [[sim: text "whispered"]]'));
      const stream = await ask(gateway, { ...prompt('hush [[sim: text "murmured"]]'), stream: true });
      await gateway.stop();
      const spans = await collector.waitFor([whole, stream]);
      for (const [id, word] of [
        [whole, "whispered"],
        [stream, "murmured"],
      ] as const) {
        const [client] = spansOf(spans, id).clients;
        expect(client?.attributes["gen_ai.input.messages"]).toContain("hush");
        expect(client?.attributes["gen_ai.output.messages"]).toContain(word);
      }
    },
    limitMs,
  );

  test(
    "tell of a request that a breaker kept away",
    async () => {
      const gateway = await start({
        endpoint: collector.http,
        more: "[providers.openai.breaker]\nconsecutive_failures = 2\n",
      });
      for (let index = 0; index < 2; index += 1) await ask(gateway, prompt("broken [[sim: status 500]]"));
      const refused = await ask(gateway, prompt("hello"));
      await gateway.stop();
      const { server, clients } = spansOf(await collector.waitFor([refused]), refused);
      expect(server.attributes).toMatchObject({ "error.type": "circuit-open", "arouter.attempts": 0 });
      expect(server.status.code).toBe(2);
      expect(server.events.map(({ name, attributes }) => [name, attributes["gen_ai.request.model"]])).toEqual([
        ["arouter.candidate.skipped", "gpt-5.5"],
      ]);
      expect(clients).toEqual([]);
    },
    limitMs,
  );

  test(
    "sample as many as they are told to",
    async () => {
      const gateway = await start({ endpoint: collector.http, more: "sample_ratio = 0.0" });
      const own = await ask(gateway, prompt("one"));
      const parents = await ask(gateway, prompt("two"), { traceparent: `00-${trace}-${parent}-01` });
      const upstream = gateway.simulator?.log.entries.find(({ body }) => body.includes('"one"'));
      await gateway.stop();
      expect(upstream?.headers["traceparent"]).toMatch(/-00$/);
      const spans = await collector.waitFor([parents]);
      expect(spans.map(({ attributes }) => attributes["arouter.request_id"])).not.toContain(own);
    },
    limitMs,
  );

  test.each(["http", "grpc"] as const)(
    "are dropped and counted when nobody takes them by %s, and hold up nothing",
    async (protocol) => {
      const gateway = await start({ endpoint: `http://127.0.0.1:${freePort()}`, protocol });
      for (let index = 0; index < 5; index += 1) expect(await ask(gateway, prompt("hello"))).not.toBe("");
      // A gateway that does not go within three seconds is killed.
      expect(await gateway.stop()).toBe(0);
      expect(gateway.output()).toContain("telemetry-dropped");
      expect(gateway.output()).toContain("ECONNREFUSED");
    },
    limitMs,
  );
});

test("what encodes and sends spans is loaded when there is something to send, and OpenTelemetry's packages never", () => {
  const src = join(import.meta.dir, "../../src");
  const files = [...new Bun.Glob("**/*.ts").scanSync({ cwd: src })].map((file) => ({
    file,
    text: readFileSync(join(src, file), "utf8"),
  }));
  const importing = (pattern: string): readonly string[] =>
    files
      .filter(({ text }) => new RegExp(`^import (?!type\\b)[^;]*from "${pattern}"`, "m").test(text))
      .map(({ file }) => file)
      .toSorted();
  expect(importing('@opentelemetry/[^"]+')).toEqual([]);
  expect(importing('[^"]*(?:otlp-encode|otlp-http|otlp-grpc)\\.ts')).toEqual([]);
  expect(importing('[^"]*render-spans\\.ts')).toEqual(["observe/otlp-encode.ts"]);
});
