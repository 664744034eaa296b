/** `arouter check`. */
import { describe, expect, test } from "bun:test";
import type { AskProviders } from "../../src/cli/check.ts";
import { runCheck } from "../../src/cli/check.ts";
import { CONFIG, runIn } from "./policy-commands.ts";
import type { Ran } from "./policy-commands.ts";

const nobody: AskProviders = () => Promise.resolve([]);

function check(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  ask: AskProviders = nobody,
): Promise<Ran> {
  return runIn({ "arouter.toml": CONFIG, ...files }, (io) => runCheck(args, io, ask));
}

const fine = "rules:\n  - name: a\n    when: { stream: true }\n    then: { model: gpt-6-luna }\n";
const doubtful = `${fine}  - name: b\n    when: { stream: true }\n    then: { model: gpt-6-luna }\n`;
const failing = `${fine}tests:\n  - name: t\n    request: { model: gpt-6-sol, messages: [{ role: user, content: hi }] }\n    expect: { rule: a }\n`;

describe("arouter check", () => {
  test("prints the documented example to the letter", async () => {
    const policy =
      "version: 1\nrules:\n  - name: trivial_to_mini\n    when: { no_imgae: true }\n    then: { model: gpt-6-luna }\n";
    const config = '[router]\npolicy_file = "policies.yaml"\n\n[providers.openai]\napi_kye = "x"\n';
    const ran = await check({ "policies.yaml": policy, "arouter.toml": config });
    expect(ran.stderr).toBe(
      'policies.yaml:4:13: error: rule trivial_to_mini: unknown condition "no_imgae"; did you mean "no_image"?\n' +
        'arouter.toml:5:1: error: providers.openai.api_kye: unknown key; did you mean "api_key"?\n',
    );
    expect(ran.stdout).toBe("2 errors, 0 warnings\n");
    expect(ran.status).toBe(2);
  });

  test("is content with what is fine", async () => {
    expect(await check({ "policies.yaml": fine })).toEqual({ status: 0, stdout: "0 errors, 0 warnings\n", stderr: "" });
  });

  test("warns, and fails for warnings only when asked to be strict", async () => {
    const ran = await check({ "policies.yaml": doubtful });
    expect(ran).toEqual({
      status: 0,
      stdout: "0 errors, 1 warning\n",
      stderr:
        "policies.yaml:5:11: warning: rule b: is never reached: rule a (line 2) takes every request that it matches\n",
    });
    expect((await check({ "policies.yaml": doubtful }, ["--strict"])).status).toBe(1);
    expect((await check({ "policies.yaml": fine }, ["--strict"])).status).toBe(0);
  });

  test("runs the policy's tests", async () => {
    expect(await check({ "policies.yaml": failing })).toEqual({
      status: 1,
      stdout: "1 error, 0 warnings, 0 tests passed\n",
      stderr: 'policies.yaml:6:11: error: test "t": rule is none, expected a\n',
    });
    expect((await check({ "policies.yaml": failing.replace("rule: a", "rule: none") })).stdout).toBe(
      "0 errors, 0 warnings, 1 test passed\n",
    );
  });

  test("takes another policy, and none", async () => {
    expect((await check({ "other.yaml": doubtful }, ["--policy", "other.yaml"])).stdout).toBe("0 errors, 1 warning\n");
    expect((await runIn({}, (io) => runCheck([], io, nobody))).status).toBe(0);
  });

  test("says that a policy is missing", async () => {
    const ran = await check({});
    expect(ran.stderr).toBe("policies.yaml:1:1: error: cannot be read: no such file\n");
    expect(ran.status).toBe(2);
  });

  test("asks the providers only for --live, and counts what they say", async () => {
    let asked = 0;
    const ask: AskProviders = (_config, policy) => {
      asked += policy.rules.length;
      return Promise.resolve([
        { file: "arouter.toml", line: 1, column: 1, severity: "error", text: "providers.openai: the key is refused" },
      ]);
    };
    expect((await check({ "policies.yaml": fine }, [], ask)).status).toBe(0);
    expect(asked).toBe(0);
    const ran = await check({ "policies.yaml": fine }, ["--live"], ask);
    expect(asked).toBe(1);
    expect(ran).toEqual({
      status: 1,
      stdout: "1 error, 0 warnings\n",
      stderr: "arouter.toml:1:1: error: providers.openai: the key is refused\n",
    });
  });

  test("prints JSON", async () => {
    const ran = await check({ "policies.yaml": doubtful }, ["--json"]);
    expect(JSON.parse(ran.stdout)).toEqual({
      errors: 0,
      warnings: 1,
      tests: { passed: 0, failed: 0 },
      diagnostics: [
        {
          file: "policies.yaml",
          line: 5,
          column: 11,
          severity: "warning",
          text: "rule b: is never reached: rule a (line 2) takes every request that it matches",
        },
      ],
    });
    expect(ran.stderr).toBe("");
  });

  test("has help, and refuses what it does not know", async () => {
    expect((await check({}, ["--help"])).stdout).toStartWith("arouter check: ");
    expect((await check({}, ["--strickt"])).status).toBe(2);
    expect((await check({}, ["file"])).status).toBe(2);
  });
});
