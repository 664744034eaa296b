/** Who sees the dashboard, and a single request's JSON. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../../scripts/build.ts";
import { isDashboardOn } from "../../src/app/settings.ts";
import { loadConfig } from "../../src/config/load.ts";
import { PAGE_FILES } from "../../src/dashboard/page.ts";
import { startSimulatedGateway } from "../support/simulated.ts";

setDefaultTimeout(60_000);

const KEY = "a-key-for-the-dashboard";
const DIGEST = createHash("sha256").update(KEY).digest("hex");

function configOf(listenAddr: string, text: string) {
  const loaded = loadConfig({
    overrides: { listenAddr, configFile: "arouter.toml" },
    env: {},
    cwd: "/",
    requireKey: false,
    files: { read: () => ({ ok: true, text, mode: 0o600 }) },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.config;
}

describe("isDashboardOn", () => {
  const auth = `[auth]\nkeys = { me = "sha256:${DIGEST}" }\n`;
  test.each([
    ["127.0.0.1:8080", "", true],
    ["localhost:8080", "", true],
    ["[::1]:8080", "", true],
    ["unix:/run/arouter.sock", "", true],
    ["0.0.0.0:8080", "", false],
    ["10.0.0.1:8080", "", false],
    ["0.0.0.0:8080", auth, true],
    ["0.0.0.0:8080", `${auth}[dashboard]\nenabled = false\n`, false],
    ["0.0.0.0:8080", "[dashboard]\nenabled = true\n", true],
    ["127.0.0.1:8080", "[dashboard]\nenabled = false\n", false],
  ])("on %s with %j it is %p", (address, text, isOn) => {
    expect(isDashboardOn(configOf(address, text))).toBe(isOn);
  });
});

describe("dashboard over HTTP", () => {
  const drain = '[drain]\ndelay = "0s"\n';

  test("asks for a key where the gateway has some, as a browser can give it", async () => {
    const gateway = await startSimulatedGateway({ config: `${drain}[auth]\nkeys = { me = "sha256:${DIGEST}" }\n` });
    const basic = `Basic ${Buffer.from(`anyone:${KEY}`).toString("base64")}`;
    for (const path of ["/dashboard", "/dashboard/data.json", "/dashboard/main.js"]) {
      const refused = await fetch(gateway.url + path);
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="arouter"']);
      expect((await fetch(gateway.url + path, { headers: { authorization: basic } })).status).toBe(200);
    }
    expect((await fetch(`${gateway.url}/arouter/requests/x`)).status).toBe(401);
    await gateway.stop();
  });

  test("is not there when it is off", async () => {
    const gateway = await startSimulatedGateway({ config: `${drain}[dashboard]\nenabled = false\n` });
    for (const path of ["/dashboard", "/dashboard/data.json", "/arouter/requests/x"]) {
      expect((await fetch(gateway.url + path)).status).toBe(404);
    }
    await gateway.stop();
  });

  test("serves its files with a policy that lets nothing else in", async () => {
    const gateway = await startSimulatedGateway({ config: drain });
    const page = await fetch(`${gateway.url}/dashboard`);
    const html = await page.text();
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).not.toMatch(/\son\w+=|<style|style=/);
    const files = [...html.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect((await fetch(`${gateway.url}/${file}`)).status).toBe(200);
    const redirect = await fetch(`${gateway.url}/dashboard/`, { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([308, "../dashboard"]);
    expect((await fetch(`${gateway.url}/dashboard/../package.json`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/dashboard/none.js`)).status).toBe(404);
    await gateway.stop();
  });

  test("is carried whole by the compiled program", async () => {
    const folder = mkdtempSync(join(tmpdir(), "arouter-binary-"));
    const outfile = join(folder, "arouter");
    await buildBinary({ outfile });
    const gateway = await startSimulatedGateway({ command: [outfile], config: drain });
    for (const [path, { text, type }] of PAGE_FILES) {
      const served = await fetch(`${gateway.url}/dashboard${path}`);
      expect(served.headers.get("content-type")).toBe(type);
      expect(await served.text()).toBe(text);
      expect(text.length).toBeGreaterThan(100);
    }
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("tells what a stream has cost in the end, by its request id", async () => {
    const gateway = await startSimulatedGateway({ config: drain });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "gpt-5.5",
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: "user", content: "a secret prompt [[sim: usage input=1000 output=100]]" }],
      }),
    });
    expect(response.headers.get("x-arouter-cost-usd")).toBeNull();
    await response.text();
    const found = await fetch(`${gateway.url}/arouter/requests/${response.headers.get("x-arouter-request-id")}`);
    const text = await found.text();
    const json = JSON.parse(text) as {
      cost_usd: number;
      attempts: { usage: { input: number; output: number; source: string } }[];
      rules: unknown;
    };
    expect(json.cost_usd).toBeGreaterThan(0);
    expect(json.attempts[0]?.usage).toMatchObject({ input: 1000, output: 100, source: "reported" });
    expect(json.rules).toEqual([]);
    expect(text).not.toContain("secret prompt");
    expect((await fetch(`${gateway.url}/arouter/requests/req_ar_NONE`)).status).toBe(404);
    await gateway.stop();
  });
});
