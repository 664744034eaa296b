/** Three replicas behind a plain load balancer, with a policy mounted as Kubernetes mounts a ConfigMap. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { startSimulatorProcess, type SimulatorProcess } from "../faults/simulator-process.ts";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(60_000);

const REPLICAS = 3;
const CLIENTS = 9;
const CALLS = 12;

let providers: SimulatorProcess;
let replicas: readonly GatewayProcess[];
let balancer: Balancer;
let volume: string;
let generation = 0;

/** What the kubelet does: a folder beside the last one, and one link that is swapped. */
function mountPolicy(model: string): void {
  generation += 1;
  const data = `..data_${generation}`;
  mkdirSync(join(volume, data));
  const policy = `version: 1\nrules:\n  - name: generation_${generation}\n    then: { model: ${model} }\n`;
  writeFileSync(join(volume, data, "policies.yaml"), policy);
  symlinkSync(data, join(volume, "..data_next"));
  renameSync(join(volume, "..data_next"), join(volume, "..data"));
  if (generation === 1) symlinkSync("..data/policies.yaml", join(volume, "policies.yaml"));
}

interface Balancer {
  readonly url: string;
  /** Connections open to the backend at that port. */
  readonly open: (port: number) => number;
  readonly close: () => void;
}

/** Passes connections to the backends in turn, and to the next where one refuses. */
async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  let turn = 0;
  const open = new Map<number, number>();
  const count = (port: number, by: number): void => void open.set(port, (open.get(port) ?? 0) + by);
  const server = createServer((client) => {
    const attempt = (left: number): void => {
      const port = ports[turn++ % ports.length] ?? 0;
      const backend = connect(port, "127.0.0.1");
      let connected = false;
      backend.on("connect", () => {
        connected = true;
        count(port, 1);
        client.pipe(backend).pipe(client);
      });
      backend.on("error", () => {
        if (!connected && left > 1) attempt(left - 1);
      });
      backend.on("close", () => {
        if (connected) count(port, -1);
        if (connected || left <= 1) client.destroy();
      });
      client.on("close", () => backend.destroy());
    };
    client.on("error", () => client.destroy());
    attempt(ports.length);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, open: (of) => open.get(of) ?? 0, close: () => void server.close() };
}

const portOf = ({ url }: GatewayProcess): number => Number(new URL(url).port);

/** The rule by which a replica decides now. */
async function ruleOf(url: string): Promise<string | null> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.6", messages: [{ role: "user", content: "hi" }] }),
  });
  await response.text();
  return response.headers.get("x-arouter-rule");
}

beforeAll(async () => {
  volume = mkdtempSync(join(tmpdir(), "arouter-volume-"));
  mountPolicy("gpt-6-luna");
  providers = await startSimulatorProcess(true);
  const config = `
[log]
access = false
[providers.openai]
base_url = "${providers.openaiUrl}"
[providers.anthropic]
base_url = "${providers.anthropicUrl}"
`;
  const environment = { OPENAI_API_KEY: "sk-simulated", ANTHROPIC_API_KEY: "sk-ant-simulated" };
  const args = ["serve", "--listen", "127.0.0.1:0", "--policy", volume];
  replicas = await Promise.all(Array.from({ length: REPLICAS }, () => startGateway({ config, environment, args })));
  balancer = await startBalancer(replicas.map(portOf));
});
afterAll(async () => {
  balancer.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await providers.stop();
  rmSync(volume, { recursive: true, force: true });
});

test("a changed policy reaches every replica", async () => {
  expect(await Promise.all(replicas.map(({ url }) => ruleOf(url)))).toEqual([
    "generation_1",
    "generation_1",
    "generation_1",
  ]);
  mountPolicy("claude-haiku-5-5");
  const endMs = Date.now() + 20_000;
  let rules: readonly (string | null)[] = [];
  do {
    await Bun.sleep(100);
    rules = await Promise.all(replicas.map(({ url }) => ruleOf(url)));
  } while (rules.some((rule) => rule !== "generation_2") && Date.now() < endMs);
  expect(rules).toEqual(["generation_2", "generation_2", "generation_2"]);
});

test("a replica killed under load costs no request that its client retries", async () => {
  const victim = replicas[0] as GatewayProcess;
  const prompt = 'hi [[sim: text "all of it has to arrive"; chunk 4; delay 20]]';
  const client = new OpenAI({ baseURL: `${balancer.url}/v1`, apiKey: "unused", maxRetries: 3 });
  let done = 0;
  let openWhenKilled = 0;
  const call = async (): Promise<string> => {
    const answer = await client.chat.completions.create({
      model: "gpt-5.6",
      messages: [{ role: "user", content: prompt }],
    });
    done += 1;
    if (done === (CLIENTS * CALLS) / 2) {
      openWhenKilled = balancer.open(portOf(victim));
      process.kill(victim.pid, "SIGKILL");
    }
    return answer.choices[0]?.message.content ?? "";
  };
  const caller = async (): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let index = 0; index < CALLS; index++) answers.push(await call());
    return answers;
  };
  const answers = (await Promise.all(Array.from({ length: CLIENTS }, caller))).flat();
  expect(answers).toHaveLength(CLIENTS * CALLS);
  expect(answers.filter((text) => text !== "all of it has to arrive")).toEqual([]);
  // It had work, and is gone.
  expect(openWhenKilled).toBeGreaterThan(0);
  expect(balancer.open(portOf(victim))).toBe(0);
  expect(fetch(`${victim.url}/livez`)).rejects.toThrow();
});
