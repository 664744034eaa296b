/** Certificates of a company's own, which `SSL_CERT_FILE` names, hold for every connection: the variable is read as a process starts. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CERTIFICATE, PRIVATE_KEY } from "../support/certificate.ts";

const root = resolve(import.meta.dir, "../..");
/** More than one pool of `fetch` holds. */
const CALLS = 150;

let server: Bun.Server<unknown>;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "arouter-roots-"));
  writeFileSync(join(folder, "roots.pem"), CERTIFICATE);
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
    // Late, so that all calls are under way at once.
    fetch: () => Bun.sleep(50).then(() => new Response("{}")),
  });
});
afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

/** What became of the calls of a process with that environment: each status or code, and how often. */
async function outcomes(httpClient: string, environment: Readonly<Record<string, string>>): Promise<unknown> {
  const program = `
    import { systemClock } from "./src/base/clock.ts";
    import { createHttpClient } from "./src/upstream/http-client.ts";
    const client = createHttpClient({ clock: systemClock, httpClient: "${httpClient}", useEnvProxy: false, idleTimeoutMs: 1000, poolShards: 4 });
    const call = { method: "POST", headers: {}, body: "{}", signal: new AbortController().signal };
    const one = () => client.call("${server.url.origin}", "/", call).then(async (answer) => {
      await answer.body?.readAll(100);
      return answer.status;
    }, (error) => error.code ?? String(error));
    const ends = await Promise.all(Array.from({ length: ${CALLS} }, one));
    console.log(JSON.stringify(Object.fromEntries(Map.groupBy(ends, (end) => end).entries().map(([end, all]) => [end, all.length]))));
    process.exit(0);
  `;
  const child = Bun.spawn([process.execPath, "-e", program], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", BUN_CONFIG_MAX_HTTP_REQUESTS: "1000", ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if (out === "") throw new Error(said);
  return JSON.parse(out);
}

test.each(["own", "fetch"])("client %s trusts the roots of SSL_CERT_FILE on each of its connections", async (name) => {
  expect(await outcomes(name, { SSL_CERT_FILE: join(folder, "roots.pem") })).toEqual({ 200: CALLS });
});

test.each(["own", "fetch"])("client %s trusts no certificate that signed itself", async (name) => {
  expect(await outcomes(name, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toEqual({ DEPTH_ZERO_SELF_SIGNED_CERT: CALLS });
});
