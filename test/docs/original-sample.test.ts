/** The sample that README shows as it was written for the models of 2025: configuration, policy and names still work. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { readPage, readSnippets } from "./pages.ts";

setDefaultTimeout(20_000);

const readme = readPage("README.md");
const config = readSnippets(readme).find(({ language }) => language === "toml")?.text ?? "";
const policies = readSnippets(readme.slice(readme.indexOf("<!-- original sample -->"))).find(
  ({ language }) => language === "yaml",
)?.text;

/** A collector that takes what it is given; the sample names one. */
const collector = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("{}") });
const simulator = createSimulator({});
const address = simulator.listen();
let gateway: GatewayProcess;

beforeAll(async () => {
  // Only where things are differs from what README shows.
  const here = config
    .replace(/^listen_addr = .*$/m, "")
    .replace("[providers.openai]", `[providers.openai]\nbase_url = "${address.openaiUrl}"`)
    .replace("[providers.anthropic]", `[providers.anthropic]\nbase_url = "${address.anthropicUrl}"`)
    .replace("http://localhost:4317", collector.url.origin);
  gateway = await startGateway({
    config: here,
    ...(policies === undefined ? {} : { policies }),
    environment: { OPENAI_API_KEY: "sk-sample", ANTHROPIC_API_KEY: "sk-ant-sample" },
  });
});
afterAll(async () => {
  await gateway.stop();
  await address.stop();
  await collector.stop(true);
});

test("has the keys that README promises, under their names", () => {
  for (const line of [
    /^listen_addr = /m,
    /^\[router\]\npolicy_file = /m,
    /^\[providers\.openai\]\napi_key = /m,
    /^\[providers\.anthropic\]\napi_key = /m,
    /^\[telemetry\]\notlp_endpoint = /m,
  ]) {
    expect(config).toMatch(line);
  }
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly model: string;
  readonly text: string;
}

async function ask(request: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  const json = (await response.json()) as {
    readonly model?: string;
    readonly choices?: readonly { readonly message: { readonly content: string } }[];
  };
  const text = json.choices?.[0]?.message.content ?? "";
  return { status: response.status, headers: response.headers, model: json.model ?? "", text };
}

test("sends a short question to gpt-4o-mini", async () => {
  const { status, headers, model } = await ask({ model: "gpt-4.1", messages: [{ role: "user", content: "Hello!" }] });
  expect(status).toBe(200);
  expect(headers.get("x-arouter-rule")).toBe("trivial_to_mini");
  expect(model).toStartWith("gpt-4o-mini");
  expect(Number(headers.get("x-arouter-saved-usd"))).toBeGreaterThan(0);
});

test("answers an OpenAI call with claude-sonnet-4-5-20250929 where no rule matches", async () => {
  const words = "lorem ipsum ".repeat(400);
  const { status, headers, model, text } = await ask({
    model: "claude-sonnet-4-5-20250929",
    messages: [{ role: "user", content: words }],
  });
  expect(status).toBe(200);
  expect(headers.get("x-arouter-rule")).toBe("none");
  expect(headers.get("x-arouter-upstream-format")).toBe("messages");
  expect(model).toBe("claude-sonnet-4-5-20250929");
  expect(text).not.toBe("");
});

test("heals an extraction by asking gpt-4.1", async () => {
  const words = "lorem ipsum ".repeat(400);
  const { status, headers, text } = await ask({
    model: "gpt-4.1",
    messages: [{ role: "user", content: `${words} [[sim: wrong-json model=gpt-4o-mini*]]` }],
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "person",
        schema: { type: "object", properties: { age: { type: "integer" } }, required: ["age"] },
      },
    },
  });
  expect(status).toBe(200);
  expect(headers.get("x-arouter-rule")).toBe("extract_with_self_healing");
  expect(headers.get("x-arouter-heal")).toBe("healed");
  expect(headers.get("x-arouter-chain")).toBe("gpt-4o-mini=invalid, gpt-4.1=ok");
  expect(JSON.parse(text)).toEqual({ age: expect.any(Number) });
});
