/** `arouter test`. */
import { describe, expect, test } from "bun:test";
import { runTest } from "../../src/cli/test.ts";
import { CONFIG, runIn } from "./policy-commands.ts";

const policy = (rule: string): string =>
  `rules:\n  - name: a\n    then: { model: gpt-6-luna }\ntests:\n  - name: goes to a\n    request: { model: gpt-6-sol, messages: [{ role: user, content: hi }] }\n    expect: { rule: ${rule} }\n`;

const run = (files: Readonly<Record<string, string>>, args: readonly string[] = []) =>
  runIn(files, (io) => runTest(args, io));

describe("arouter test", () => {
  test("runs the configured policy's tests", async () => {
    expect(await run({ "arouter.toml": CONFIG, "policies.yaml": policy("a") })).toEqual({
      status: 0,
      stdout: "ok    goes to a\n1 passed, 0 failed\n",
      stderr: "",
    });
  });

  test("says what failed and where", async () => {
    expect(await run({ "arouter.toml": CONFIG, "policies.yaml": policy("b") })).toEqual({
      status: 1,
      stdout: "FAIL  goes to a\n0 passed, 1 failed\n",
      stderr: 'policies.yaml:5:11: error: test "goes to a": rule is a, expected b\n',
    });
  });

  test("takes files and folders, each a policy of its own", async () => {
    const ran = await run({ "one.yaml": policy("a"), "more/two.yaml": policy("a") }, ["one.yaml", "more"]);
    expect(ran).toMatchObject({ status: 0, stdout: "ok    goes to a\nok    goes to a\n2 passed, 0 failed\n" });
  });

  test("goes on after a policy that does not load, and says so by its status", async () => {
    const ran = await run({ "bad.yaml": "rulez: []\n", "one.yaml": policy("a") }, ["bad.yaml", "one.yaml"]);
    expect(ran).toEqual({
      status: 2,
      stdout: "ok    goes to a\n1 passed, 0 failed\n",
      stderr: 'bad.yaml:1:1: error: unknown key "rulez"; did you mean "rules"?\n',
    });
  });

  test("prints JSON", async () => {
    const ran = await run({ "one.yaml": policy("b") }, ["--json", "one.yaml"]);
    expect(JSON.parse(ran.stdout)).toEqual({
      passed: 0,
      failed: 1,
      tests: [
        { file: "one.yaml", line: 5, name: "goes to a", ok: false, rule: "a", failures: ["rule is a, expected b"] },
      ],
    });
  });

  test("needs a policy", async () => {
    expect(await run({})).toMatchObject({
      status: 2,
      stderr: "arouter test: no policy is configured; name its file, or set router.policy_file\n",
    });
  });
});
