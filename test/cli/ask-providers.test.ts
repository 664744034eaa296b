/** `arouter check --live`, against simulated providers. */
import { afterEach, describe, expect, test } from "bun:test";
import { askProviders } from "../../src/cli/ask-providers.ts";
import { runCheck } from "../../src/cli/check.ts";
import { createSimulator, type SimulatorAddress, type SimulatorOptions } from "../../src/simulator/simulator.ts";
import { runIn } from "./policy-commands.ts";
import type { Ran } from "./policy-commands.ts";

let providers: SimulatorAddress | null = null;
afterEach(async () => {
  await providers?.stop();
  providers = null;
});

const fine =
  "rules:\n  - name: a\n    when: { stream: true }\n    then: { model: gpt-6-luna, fallback_chain: [claude-haiku-5-5] }\n";

/** Checks `policy` with a key for each provider named. */
async function checkLive(
  policy: string,
  options: SimulatorOptions = {},
  keys: readonly ("openai" | "anthropic")[] = ["openai", "anthropic"],
): Promise<Ran> {
  providers = createSimulator(options).listen();
  const urls = { openai: providers.openaiUrl, anthropic: providers.anthropicUrl };
  const config = keys.map((name) => `[providers.${name}]\napi_key = "sk-test-${name}"\nbase_url = "${urls[name]}"\n`);
  return runIn(
    { "arouter.toml": `[router]\npolicy_file = "policies.yaml"\n${config.join("")}`, "policies.yaml": policy },
    (io) => runCheck(["--live"], io, askProviders),
  );
}

/** Lines without what is said of the file's mode. */
function said({ stderr }: Ran): readonly string[] {
  return stderr.split("\n").filter((line) => line !== "" && !line.includes("chmod"));
}

describe("check --live", () => {
  test("is content with good keys and models that are listed", async () => {
    const ran = await checkLive(fine);
    expect(said(ran)).toEqual([]);
    expect(ran.status).toBe(0);
  });

  test("tells which key is refused", async () => {
    const ran = await checkLive(fine, { keys: { openai: "sk-other", anthropic: "sk-test-anthropic" } });
    expect(said(ran)).toEqual(["arouter.toml:1:1: error: openai: the key is refused (status 401)"]);
    expect(ran.status).toBe(1);
  });

  test("tells which models a provider does not list, where they are named", async () => {
    const policy = `aliases: { smart: claude-nine }
defaults: { hedge: { after: 1s, model: gpt-hedge } }
rules:
  - { name: a, when: { stream: true }, then: { model: { openai: gpt-one, anthropic: claude-haiku-5-5 } } }
  - { name: b, when: { stream: false }, then: { model: [{ model: gpt-two, weight: 1 }], fallback_chain: [gpt-one, gpt-6-luna] } }
`;
    const unlisted = said(await checkLive(policy)).filter((line) => line.includes("does not list"));
    expect(unlisted).toEqual([
      'policies.yaml:4:13: warning: openai does not list the model "gpt-one"',
      'policies.yaml:4:13: warning: openai does not list the model "gpt-hedge"',
      'policies.yaml:5:13: warning: openai does not list the model "gpt-two"',
      'policies.yaml:1:12: warning: anthropic does not list the model "claude-nine"',
    ]);
  });

  test("asks only providers that have a key", async () => {
    const ran = await checkLive(fine.replace("claude-haiku-5-5", "gpt-6-sol"), { keys: { anthropic: "sk-none" } }, [
      "openai",
    ]);
    expect(said(ran)).toEqual([]);
  });

  test("tells of a provider that does not answer", async () => {
    providers = createSimulator().listen();
    const { openaiUrl } = providers;
    await providers.stop();
    providers = null;
    const config = `[providers.openai]\napi_key = "sk-test"\nbase_url = "${openaiUrl}"\n`;
    const ran = await runIn({ "arouter.toml": config }, (io) => runCheck(["--live"], io, askProviders));
    expect(said(ran)).toEqual([
      "arouter.toml:1:1: error: openai: cannot be reached, or did not answer in time (health.timeout)",
    ]);
    expect(ran.status).toBe(1);
  });
});
