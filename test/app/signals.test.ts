import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { chatHi } from "../support/answers.ts";
import { type GatewayProcess, startGateway } from "../support/gateway.ts";

let providers: SimulatorAddress;
beforeAll(() => {
  providers = createSimulator().listen();
});
afterAll(() => providers.stop());

function start(drainTimeout = "300ms"): Promise<GatewayProcess> {
  const config = `
[drain]
delay = "0s"
timeout = "${drainTimeout}"
[router]
policy_file = "policies.yaml"
[reload]
watch = false
min_interval = "100ms"
[providers.openai]
api_key = "sk-openai-test-key"
base_url = "${providers.openaiUrl}"
`;
  return startGateway({ config, policies: "rules:\n  - name: v1\n    then: { model: gpt-4o }\n" });
}

function ask(gateway: GatewayProcess, words: string, stream = false): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...chatHi, messages: [{ role: "user", content: `hi [[sim: ${words}]]` }], stream }),
  });
}

describe("a signal", () => {
  test("SIGHUP reloads; without a change the policy stays as it is", async () => {
    const gateway = await start();
    const hashOf = async (): Promise<string | null> => (await ask(gateway, 'text "x"')).headers.get("x-arouter-policy");
    const before = await hashOf();
    process.kill(gateway.pid, "SIGHUP");
    const end = Date.now() + 5_000;
    while (!/reload/i.test(gateway.output()) && Date.now() < end) await Bun.sleep(20);
    expect(gateway.output()).toMatch(/reload/i);
    expect(await hashOf()).toBe(before);
    expect(await gateway.stop()).toBe(0);
  }, 30_000);

  test("SIGTERM with nothing in flight: exit 0", async () => {
    const gateway = await start();
    expect(await gateway.stop()).toBe(0);
  }, 30_000);

  test("SIGTERM that cuts a stream: exit 1, and the client is told", async () => {
    const gateway = await start();
    const streaming = await ask(gateway, "fault stall", true);
    const text = streaming.text();
    expect(await gateway.stop()).toBe(1);
    expect(await text).toContain('"code":"draining"');
  }, 30_000);

  test("a second one ends it at once", async () => {
    const gateway = await start("60s");
    void ask(gateway, "fault hang").catch(() => undefined);
    await Bun.sleep(100);
    process.kill(gateway.pid, "SIGINT");
    await Bun.sleep(50);
    const before = performance.now();
    expect(await gateway.stop()).toBe(1);
    expect(performance.now() - before).toBeLessThan(2_000);
  }, 30_000);
});
