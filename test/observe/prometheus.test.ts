/** Metrics, alerts and the Grafana dashboard, against a real Prometheus that scrapes a running gateway. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { YAML } from "bun";
import { freePort } from "../support/ports.ts";
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated.ts";
import { findDebian, requireTool } from "../support/tools.ts";

const limitMs = 90_000;
const files = resolve(import.meta.dir, "../../charts/arouter/files");
const promtool = requireTool(findDebian("promtool"));
const prometheus = requireTool(findDebian("prometheus"));
const folder = mkdtempSync(join(tmpdir(), "arouter-prometheus-"));

interface AlertFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Grafana {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: unknown;
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const alerts = (YAML.parse(readFileSync(join(files, "alerts.yaml"), "utf8")) as AlertFile).groups.flatMap(
  ({ rules }) => rules,
);
const grafana = JSON.parse(readFileSync(join(files, "grafana-dashboard.json"), "utf8")) as Grafana;

/** The value that an alert looks at, without the bound that it compares with. */
const valueOf = (expr: string): string => expr.replace(/\s*(?:==|>|<)\s*[\d.]+\s*$/, "");
/** What Grafana puts in. */
const filledIn = (expr: string): string =>
  expr.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "5m").replaceAll("$rule", ".*");

const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, valueOf(expr)] as const),
  ...grafana.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`panel ${title}: ${expr}`, filledIn(expr)] as const),
  ),
  ...grafana.annotations.list.map(({ expr }) => [`annotation ${expr}`, valueOf(expr)] as const),
];

/** Metric and label of each choice that the dashboard offers. */
const variables = [...JSON.stringify(grafana.templating).matchAll(/label_values\((\w+), (\w+)\)/g)].map(
  ([, metric = "", label = ""]) => [metric, label] as const,
);

const POLICIES = `
version: 1
rules:
  - { name: dear, when: { prompt_contains: dear }, then: { model: gpt-6-astra } }
  - name: checked
    when: { response_format_type: json_schema }
    then: { model: gpt-6-luna, validate: [json_schema], fallback_chain: [gpt-6-sol], tags: { team: research } }
  - { name: raced, when: { prompt_contains: race }, then: { hedge: { after: 30ms, model: gpt-6-sol } } }
`;

const schema = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
};
const json = { response_format: { type: "json_schema", json_schema: { name: "p", strict: true, schema } } };

/** One of everything that there is a figure for. */
function round(turn: number): readonly object[] {
  const ask = (content: string, more: object = {}) => ({
    model: "gpt-5.5",
    messages: [{ role: "user", content }],
    ...more,
  });
  return [
    ask("plain"),
    ask("dear"),
    ask("streamed", { stream: true, stream_options: { include_usage: true } }),
    ask("for Claude", { model: "claude-sonnet-5-5", seed: 1 }),
    ask(`again [[sim: status 503 times=1 id=${turn}]]`),
    ask("broken [[sim: status 500]]"),
    ask("too fast [[sim: status 429]]"),
    ask("who [[sim: status 401]]"),
    ask("race [[sim: slow 150 model=gpt-5.5]]"),
    ask("Ada [[sim: wrong-json model=gpt-6-luna]]", json),
    ask("Bob [[sim: wrong-json]]", json),
  ];
}

async function send(gateway: SimulatedGateway, body: object): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.text();
}

function run(command: readonly string[], input = ""): { readonly code: number; readonly text: string } {
  const done = Bun.spawnSync([...command], { cwd: files, stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  return { code: done.exitCode, text: done.stdout.toString() + done.stderr.toString() };
}

describe.skipIf(promtool.path === null)(`promtool${promtool.why}`, () => {
  test("finds nothing wrong with the alert rules", () => {
    expect(run([promtool.path ?? "", "check", "rules", "alerts.yaml"])).toMatchObject({ code: 0 });
  });
  test("sees the alerts fire when they should, and only then", () => {
    const { code, text } = run([promtool.path ?? "", "test", "rules", "alerts.test.yaml"]);
    expect(text).toContain("SUCCESS");
    expect(code).toBe(0);
  });
  test("has a test for every alert", () => {
    const tests = readFileSync(join(files, "alerts.test.yaml"), "utf8");
    expect(alerts.filter(({ alert }) => !tests.includes(`alertname: ${alert}\n`)).map(({ alert }) => alert)).toEqual(
      [],
    );
  });
});

test("the Grafana dashboard has no two panels of one id, and no panel without a query", () => {
  const ids = grafana.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(grafana.panels.filter(({ type, targets = [] }) => type !== "row" && targets.length === 0)).toEqual([]);
});

describe.skipIf(prometheus.path === null)(`a real Prometheus${prometheus.why}`, () => {
  let gateway: SimulatedGateway;
  let server: Bun.Subprocess;
  let url: string;

  const query = async (expr: string): Promise<number> => {
    const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const answer = (await response.json()) as {
      readonly status: string;
      readonly error?: string;
      readonly data?: { readonly result: readonly unknown[] };
    };
    if (answer.status !== "success") throw new Error(answer.error);
    return answer.data?.result.length ?? 0;
  };

  /** The same, asked again until there is data or ten seconds have gone: a scrape that was slow is followed by another. */
  const untilData = async (expr: string): Promise<number> => {
    const end = Date.now() + 10_000;
    let found = await query(expr);
    while (found === 0 && Date.now() < end) {
      await Bun.sleep(500);
      found = await query(expr);
    }
    return found;
  };

  beforeAll(async () => {
    gateway = await startSimulatedGateway({
      policies: POLICIES,
      config:
        '[router]\npolicy_file = "policies.yaml"\n[drain]\ndelay = "0s"\n[limits]\nmax_in_flight = 24\nqueue_depth = 0\n[hedge]\nmax_extra = 1.0\n',
    });
    const port = freePort();
    const config = join(folder, "prometheus.yml");
    writeFileSync(
      config,
      `
global: { scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 1s }
rule_files: ["${join(files, "alerts.yaml")}"]
scrape_configs:
  - job_name: arouter
    static_configs: [{ targets: ["${new URL(gateway.url).host}"] }]
`,
    );
    server = Bun.spawn(
      [
        prometheus.path ?? "",
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    url = `http://127.0.0.1:${port}`;
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all(round(turn).map((body) => send(gateway, body)));
      // A crowd that the gateway has no room for.
      const slow = { model: "gpt-5.5", messages: [{ role: "user", content: "slow [[sim: slow 200]]" }] };
      if (turn % 2 === 0) await Promise.all(Array.from({ length: 40 }, () => send(gateway, slow)));
      process.kill(gateway.pid, "SIGHUP");
      await Bun.sleep(900);
    }
  }, limitMs);
  afterAll(async () => {
    server.kill("SIGKILL");
    await server.exited;
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "scrapes it, and takes the alert rules",
    async () => {
      expect(await untilData('up{job="arouter"} == 1')).toBe(1);
      const rules = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
        readonly data: { readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[] };
      };
      const health = rules.data.groups.flatMap((group) => group.rules.map((rule) => rule.health));
      expect(health).toHaveLength(alerts.length);
      expect(health).not.toContain("err");
    },
    limitMs,
  );

  test.each(queries)(
    "%s returns data",
    async (_, expr) => {
      expect(await untilData(expr)).toBeGreaterThan(0);
    },
    limitMs,
  );

  test.each(variables)("has values for what Grafana asks to choose from: %s by %s", async (metric, label) => {
    const response = await fetch(`${url}/api/v1/label/${label}/values?${new URLSearchParams({ "match[]": metric })}`);
    const { data } = (await response.json()) as { readonly data: readonly string[] };
    expect(data).toContain("checked");
  });

  test.skipIf(promtool.path === null)("and promtool finds nothing to say about what it scraped", async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(run([promtool.path ?? "", "check", "metrics"], text)).toEqual({ code: 0, text: "" });
  });
});
