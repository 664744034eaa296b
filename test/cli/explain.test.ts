/** `arouter explain`. */
import { describe, expect, test } from "bun:test";
import { runExplain } from "../../src/cli/explain.ts";
import { CONFIG, runIn } from "./policy-commands.ts";
import type { Ran } from "./policy-commands.ts";

const policy = `rules:
  - name: trivial_to_mini
    when: { tokens_input_lt: 250, no_tools: true, no_image: true, response_format_type: text }
    then: { model: gpt-4o-mini }
  - name: extract
    when: { response_format_type: json_schema }
    then: { model: gpt-4o-mini, validate: [json_schema], fallback_chain: [gpt-4.1] }
  - name: closed
    when: { key: closed }
    then: { block: { status: 403, message: "no" } }
`;

const body = { model: "gpt-4.1", messages: [{ role: "user", content: "hi" }] };
const schema = { type: "json_schema", json_schema: { name: "p", schema: { type: "object" } } };

function explain(
  request: unknown,
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  return runIn({ "arouter.toml": CONFIG, "policies.yaml": policy, "ask.json": text, ...files }, (io) =>
    runExplain(["ask.json", ...args], io),
  );
}

/** The estimate is the tokenizer's business, and the hash the file's. */
function steady({ stdout }: Ran): string {
  return stdout
    .replace(/tokens_input \d+/, "tokens_input N")
    .replace(/policy [0-9a-f]{12}/, "policy HASH")
    .replace(/cost [\d.]+ · saved -?[\d.]+/, "cost C · saved S");
}

describe("arouter explain", () => {
  test("prints the documented example", async () => {
    const ran = await explain({ ...body, stream: true, response_format: schema });
    expect(ran.status).toBe(0);
    expect(steady(ran))
      .toBe(`facts     format chat · model gpt-4.1 · provider openai · tokens_input N (estimated) · response_format_type json_schema · stream true
rules     - trivial_to_mini  response_format_type is json_schema, not text
          * extract          matched
            closed           not reached
decision  model gpt-4o-mini · validate json_schema · fallback_chain gpt-4.1 · policy HASH
plan      1 gpt-4o-mini  openai  chat, pass-through
          2 gpt-4.1      openai  chat, pass-through
estimate  cost C · saved S USD (first attempt, 256 tokens out)
`);
  });

  test("prices input and output at both models' rates", async () => {
    const ran = await explain({ ...body, max_completion_tokens: 100, response_format: schema }, ["--json"]);
    const { facts, estimate } = JSON.parse(ran.stdout) as {
      facts: { tokens_input: number };
      estimate: { cost_usd: number; saved_usd: number; tokens_output: number };
    };
    const cost = (facts.tokens_input * 0.15 + 100 * 0.6) / 1e6;
    expect(estimate.tokens_output).toBe(100);
    expect(estimate.cost_usd).toBeCloseTo(cost, 12);
    expect(estimate.saved_usd).toBeCloseTo((facts.tokens_input * 2 + 100 * 8) / 1e6 - cost, 12);
  });

  test("prints JSON", async () => {
    const ran = await explain({ ...body, response_format: schema }, [
      "--json",
      "--header",
      "x-arouter-model: claude-opus-5-5",
    ]);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      facts: { format: "chat", model: "gpt-4.1", provider: "openai" },
      rules: [
        { rule: "trivial_to_mini", result: "failed", why: "response_format_type is json_schema, not text" },
        { rule: "extract", result: "matched", why: null },
        { rule: "closed", result: "not-reached", why: null },
      ],
      decision: { rule: "extract", model: "claude-opus-5-5", model_asked: "gpt-4.1", validate: ["json_schema"] },
      plan: [
        {
          model: "claude-opus-5-5",
          provider: "anthropic",
          upstream_format: "messages",
          pass_through: false,
          note: null,
        },
        { model: "gpt-4.1", provider: "openai", upstream_format: "chat", pass_through: true, note: null },
      ],
    });
  });

  test("says what is not known", async () => {
    const ran = await explain({ ...body, model: "gpt-99", tools: [{ type: "function", function: { name: "a" } }] });
    expect(steady(ran)).toContain(
      "facts     format chat · model gpt-99 · provider openai · tokens_input N (estimated) · tools 1\n",
    );
    expect(ran.stdout).toContain("estimate  cost unknown · saved unknown USD");
    expect(ran.stdout).toContain("- closed           key is absent, not closed\n");
  });

  test("asks nobody when a rule blocks", async () => {
    const ran = await explain({ ...body, tools: [{ type: "function", function: { name: "a" } }] }, ["--key", "closed"]);
    expect(ran.stdout).toContain("plan      nobody is asked\n");
    expect(ran.stdout).toContain('block {"status":403,"message":"no"}');
    expect(ran.stdout).toMatch(/estimate  cost 0 · saved 0\.0\d+ USD\n$/);
  });

  test("tells of candidates that cannot serve the request", async () => {
    const audio = {
      ...body,
      messages: [
        { role: "user", content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }] },
      ],
    };
    const ran = await explain(audio, [
      "--header",
      "x-arouter-model: gpt-6-sol",
      "--header",
      "x-arouter-fallback-chain: claude-opus-5-5, gpt-audio",
    ]);
    expect(ran.stdout)
      .toContain(`plan      1 gpt-6-sol        openai     chat, pass-through, used all the same: takes no audio
          2 claude-opus-5-5  anthropic  messages, translated, skipped: takes no audio
          3 gpt-audio        openai     chat, pass-through
`);
    const narrow = `${CONFIG}[providers.openai]\nmodels = ["gpt-*"]\n`;
    expect(
      (
        await explain({ ...body, model: "mistral-9" }, ["--header", "x-arouter-no-route: 1"], {
          "arouter.toml": narrow,
        })
      ).stdout,
    ).toContain("plan      1 mistral-9  no provider  cannot be served\n");
  });

  test("names the API of OpenAI that the gateway would call", async () => {
    const tools = [{ type: "function", function: { name: "a" } }];
    const exchanged = await explain({ ...body, tools }, [
      "--header",
      "x-arouter-model: gpt-6-sol",
      "--header",
      "x-arouter-fallback-chain: gpt-4o",
    ]);
    expect(exchanged.stdout).toContain(`plan      1 gpt-6-sol  openai  responses, translated
          2 gpt-4o     openai  chat, pass-through
`);
    const asked = ["--format", "messages", "--header", "x-arouter-no-route: 1"];
    const claude = { model: "gpt-5", max_tokens: 9, messages: body.messages };
    expect((await explain(claude, asked)).stdout).toContain("plan      1 gpt-5  openai  responses, translated\n");
    const chatOnly = `${CONFIG}[providers.openai]\nsurface = "chat"\n`;
    expect((await explain(claude, asked, { "arouter.toml": chatOnly })).stdout).toContain(
      "plan      1 gpt-5  openai  chat, translated\n",
    );
  });

  test("explains without a policy", async () => {
    const ran = await runIn({ "ask.json": JSON.stringify(body) }, (io) => runExplain(["ask.json"], io));
    expect(ran.stdout).toContain("rules     none\ndecision  model gpt-4.1 · policy none\n");
  });

  test("reads Anthropic's and Responses' bodies", async () => {
    expect(
      (await explain({ model: "claude-opus-5-5", max_tokens: 9, system: "x", messages: body.messages })).stdout,
    ).toContain("format messages · model claude-opus-5-5 · provider anthropic");
    expect((await explain({ model: "gpt-4.1", input: "hi" })).stdout).toContain("format responses");
    expect((await explain({ ...body, max_tokens: 9 }, ["--format", "messages"])).stdout).toContain("format messages");
  });

  test("says what the gateway would refuse", async () => {
    expect(await explain({ messages: [] })).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("ask.json: the gateway would answer 400: "),
    });
    expect(await explain(body, ["--header", "x-arouter-retry: 9"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("x-arouter-retry"),
    });
  });

  test("says what it cannot use", async () => {
    const rows: readonly (readonly [unknown, readonly string[], string])[] = [
      ["{", [], "arouter explain: ask.json: is not JSON\n"],
      ["[]", [], "arouter explain: ask.json: is not a JSON object\n"],
      [body, ["--header", "nothing"], 'arouter explain: --header must be "NAME: VALUE"\n'],
      [body, ["--format", "soap"], "arouter explain: --format must be one of chat, messages, responses\n"],
      [body, ["--policy", "none.yaml"], "none.yaml:1:1: error: cannot be read: no such file\n"],
    ];
    for (const [request, args, stderr] of rows)
      expect(await explain(request, args)).toEqual({ status: 2, stdout: "", stderr });
    expect((await runIn({}, (io) => runExplain([], io))).stderr).toBe(
      "arouter explain: name the file that holds the request\n",
    );
    expect((await runIn({}, (io) => runExplain(["x.json"], io))).stderr).toBe(
      "arouter explain: x.json: cannot be read: no such file\n",
    );
  });
});
