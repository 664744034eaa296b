import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../src/base/ids.ts";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { chatHi } from "../support/answers.ts";
import { type RunningApp, startRunningApp, until } from "../support/running-app.ts";

let providers: SimulatorAddress;
let folder: string;

beforeAll(() => {
  providers = createSimulator().listen();
});
afterAll(() => providers.stop());

function configText(more = "", policy: string | null = "policies.yaml"): string {
  return `${policy === null ? "" : `[router]\npolicy_file = "${policy}"\n`}[reload]\nmin_interval = "100ms"\n${more}
[providers.openai]
api_key = "sk-openai-test-key"
base_url = "${providers.openaiUrl}"
[providers.anthropic]
api_key = "sk-ant-test-key"
base_url = "${providers.anthropicUrl}"
`;
}

const policyText = (version: number): string =>
  `rules:\n  - name: v${version}\n    then: { model: gpt-4o, tags: { version: "${version}" } }\n`;

function write(name: string, text: string): void {
  // Written aside and renamed, as careful editors do.
  writeFileSync(join(folder, `.${name}.new`), text, { mode: 0o600 });
  renameSync(join(folder, `.${name}.new`), join(folder, name));
}

function start(): RunningApp {
  return startRunningApp({ configFile: join(folder, "arouter.toml") });
}

async function withFolder(run: () => Promise<void>): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "arouter-reload-"));
  try {
    await run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ask(app: RunningApp, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(chatHi),
  });
}

const reloads = (app: RunningApp) => app.events.flatMap((event) => (event.type === "config-reloaded" ? [event] : []));

describe("a reload", () => {
  test(
    "two hundred edits, good and bad, under load: no request fails, each names one policy that was in force",
    () =>
      withFolder(async () => {
        write("arouter.toml", configText());
        write("policies.yaml", policyText(0));
        const app = start();
        const good = new Map([[sha256Hex(policyText(0), 12), "v0"]]);
        const failures: string[] = [];
        let isLoading = true;
        let served = 0;
        const client = async (): Promise<void> => {
          while (isLoading) {
            const answer = await ask(app);
            await answer.text();
            served += 1;
            const hash = answer.headers.get("x-arouter-policy") ?? "";
            const rule = answer.headers.get("x-arouter-rule");
            if (answer.status !== 200 || good.get(hash) !== rule) failures.push(`${answer.status} ${hash} ${rule}`);
          }
        };
        const clients = [client(), client(), client()];
        const bad = [
          "rules: [",
          "rules:\n  - name: v1\n    when: { no_imgae: true }\n    then: { model: x }\n",
          "",
          "rules:\n  - name: BAD NAME\n",
        ];
        let last = policyText(0);
        for (let edit = 1; edit <= 200; edit += 1) {
          if (edit % 3 === 0) write("policies.yaml", bad[edit % bad.length] ?? "");
          else if (edit % 7 === 0)
            write(
              "arouter.toml",
              edit % 2 === 0 ? configText("[limits]\nbody_bytes = 5000000") : "[limits]\nbody_byte = 1\n",
            );
          else {
            last = policyText(edit);
            good.set(sha256Hex(last, 12), `v${edit}`);
            write("policies.yaml", last);
          }
          // Bursts, with pauses in which one of them takes effect: so much written at once has the folder looked at, not watched.
          await Bun.sleep(edit % 20 === 1 ? 650 : 6);
        }
        write("arouter.toml", configText());
        write("policies.yaml", policyText(1000));
        good.set(sha256Hex(policyText(1000), 12), "v1000");
        await until(() => app.snapshot().policy.rules[0]?.name === "v1000", "the last good policy");
        isLoading = false;
        await Promise.all(clients);
        expect(failures).toEqual([]);
        expect(served).toBeGreaterThan(100);
        expect(reloads(app).some(({ ok }) => !ok)).toBe(true);
        expect(reloads(app).filter(({ ok }) => ok).length).toBeGreaterThan(3);
        expect(await (await fetch(`${app.url}/healthz`)).json()).toMatchObject({
          policy: { hash: sha256Hex(policyText(1000), 12), reload: "ok" },
        });
        await app.close();
      }),
    20_000,
  );

  test("that fails keeps the last good state, says where, and healthz tells", () =>
    withFolder(async () => {
      write("arouter.toml", configText());
      write("policies.yaml", policyText(1));
      const app = start();
      write(
        "policies.yaml",
        "rules:\n  - name: v2\n    when: { no_imgae: true }\n    then: { model: sk-openai-test-key }\n",
      );
      await until(() => reloads(app).length > 0, "the reload");
      const [event] = reloads(app);
      expect(event).toMatchObject({ ok: false, file: "policy", policy: sha256Hex(policyText(1), 12) });
      expect(event?.messages.join("\n")).toMatch(/policies\.yaml:3:13: error: .*no_image/);
      expect((await ask(app)).headers.get("x-arouter-rule")).toBe("v1");
      expect(await (await fetch(`${app.url}/healthz`)).json()).toMatchObject({ policy: { reload: "error" } });
      await app.close();
    }));

  test("a policy whose own tests fail is not put in force", () =>
    withFolder(async () => {
      write("arouter.toml", configText());
      write("policies.yaml", policyText(1));
      const app = start();
      write(
        "policies.yaml",
        `${policyText(2)}tests:\n  - name: wrong\n    request: { model: gpt-4.1, messages: [] }\n    expect: { model: gpt-5 }\n`,
      );
      await until(() => reloads(app).length > 0, "the reload");
      expect(reloads(app)[0]?.ok).toBe(false);
      expect((await ask(app)).headers.get("x-arouter-rule")).toBe("v1");
      await app.close();
    }));

  test("follows a swapped symbolic link, as mounted configuration maps change", () =>
    withFolder(async () => {
      for (const version of [1, 2]) {
        mkdirSync(join(folder, `data${version}`));
        writeFileSync(join(folder, `data${version}`, "policies.yaml"), policyText(version));
      }
      symlinkSync("data1", join(folder, "..data"));
      symlinkSync("..data/policies.yaml", join(folder, "policies.yaml"));
      write("arouter.toml", configText());
      const app = start();
      expect((await ask(app)).headers.get("x-arouter-rule")).toBe("v1");
      symlinkSync("data2", join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      await until(() => app.snapshot().policy.rules[0]?.name === "v2", "the swap");
      await app.close();
    }));

  test("when asked for happens without a change; keys that need a restart are reported", () =>
    withFolder(async () => {
      write("arouter.toml", configText("watch = false"));
      write("policies.yaml", policyText(1));
      const app = start();
      write("arouter.toml", configText("watch = false\n[limits]\nmax_in_flight = 7\n[retry]\nmax = 0"));
      await Bun.sleep(150);
      expect(reloads(app)).toEqual([]);
      app.app.reload();
      await until(() => reloads(app).length > 0, "the reload");
      expect(reloads(app)[0]?.messages.join("\n")).toContain("limits.max_in_flight");
      expect(app.snapshot().settings.providers.openai.retry.max).toBe(0);
      await app.close();
    }));

  test("that takes the policy's file out of the configuration takes the policy out of force", () =>
    withFolder(async () => {
      write("arouter.toml", configText());
      write("policies.yaml", policyText(1));
      const app = start();
      write("arouter.toml", configText("", null));
      await until(() => reloads(app).length > 0, "the reload");
      const answer = await ask(app);
      expect([answer.headers.get("x-arouter-rule"), answer.headers.get("x-arouter-policy")]).toEqual(["none", "none"]);
      await app.close();
    }));

  test("a request in flight keeps the policy that it started with", () =>
    withFolder(async () => {
      write("arouter.toml", configText());
      write("policies.yaml", policyText(1));
      const app = start();
      const slow = fetch(`${app.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...chatHi, messages: [{ role: "user", content: "hi [[sim: slow 600]]" }] }),
      });
      await Bun.sleep(100);
      write("policies.yaml", policyText(2));
      await until(() => app.snapshot().policy.rules[0]?.name === "v2", "the reload");
      expect((await slow).headers.get("x-arouter-rule")).toBe("v1");
      await app.close();
    }));
});
