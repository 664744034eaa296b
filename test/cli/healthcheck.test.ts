import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runHealthcheck } from "../../src/cli/healthcheck.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/certificate.ts";
import { createTestIo } from "../support/cli.ts";
import { freePort } from "../support/ports.ts";
import { type RunningApp, startRunningApp } from "../support/running-app.ts";

const folder = mkdtempSync(join(tmpdir(), "arouter-healthcheck-"));
const TLS = `[server]\ntls = { cert_file = "${join(folder, "cert.pem")}", key_file = "${join(folder, "key.pem")}" }\n`;
const running: { plain: RunningApp; tls: RunningApp }[] = [];

beforeAll(() => {
  writeFileSync(join(folder, "cert.pem"), CERTIFICATE);
  writeFileSync(join(folder, "key.pem"), PRIVATE_KEY);
  writeFileSync(join(folder, "plain.toml"), "");
  writeFileSync(join(folder, "tls.toml"), TLS);
  running.push({ plain: startRunningApp({}), tls: startRunningApp({ config: TLS }) });
});
afterAll(async () => {
  for (const { plain, tls } of running) await Promise.all([plain.close(), tls.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function check(kind: "plain" | "tls", port: number | undefined, ...flags: readonly string[]) {
  const io = createTestIo({ cwd: folder });
  const code = await runHealthcheck(["--config", `${kind}.toml`, "--listen", `127.0.0.1:${port}`, ...flags], io);
  return { code, out: io.out(), errors: io.errors() };
}

describe.each(["plain", "tls"] as const)("a gateway that listens (%s)", (kind) => {
  const portOf = (): number | undefined => running[0]?.[kind].port;

  test("is ready and lives, whoever signed its certificate", async () => {
    expect((await check(kind, portOf(), "--ready")).code).toBe(0);
    expect((await check(kind, portOf(), "--live")).code).toBe(0);
  });

  test("is not well without providers, and tells why", async () => {
    const { code, out } = await check(kind, portOf(), "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ path: "/healthz", status: 503, body: expect.stringContaining('"down"') });
  });
});

test("a gateway that listens with TLS is asked by https:// where nothing else tells of it", async () => {
  const io = createTestIo({ cwd: folder });
  const listen = `https://127.0.0.1:${running[0]?.tls.port}`;
  expect(await runHealthcheck(["--config", "plain.toml", "--ready", "--listen", listen], io)).toBe(0);
  expect((await check("plain", running[0]?.tls.port, "--ready")).code).toBe(1);
});

test("nobody there is told with the address", async () => {
  const port = freePort();
  const { code, errors } = await check("plain", port, "--live");
  expect(code).toBe(1);
  expect(errors).toContain(`no answer from 127.0.0.1:${port}`);
});
