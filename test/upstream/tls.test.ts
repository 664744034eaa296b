/** Who is believed to be a provider: certificates made here, servers that show them, and both clients in processes of their own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const openssl = Bun.which("openssl");
const missing = openssl === null ? " (skipped: no openssl)" : "";
const folder = mkdtempSync(join(tmpdir(), "arouter-upstream-tls-"));
const at = (name: string): string => join(folder, name);

function run(...args: readonly string[]): void {
  const done = Bun.spawnSync([openssl ?? "openssl", ...args], { stdout: "ignore", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${done.stderr.toString()}`);
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A root, or a certificate that signed itself. */
function signSelf(name: string, san: string | null): void {
  const extension = san === null ? [] : ["-addext", `subjectAltName=${san}`];
  run(
    "req",
    "-x509",
    ...KEY,
    "-days",
    "10",
    "-keyout",
    at(`${name}.key`),
    "-out",
    at(`${name}.pem`),
    "-subj",
    `/CN=${name}`,
    ...extension,
  );
}

function sign(name: string, root: string, san: string, days = 10): void {
  run("req", ...KEY, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", "/CN=localhost");
  writeFileSync(at(`${name}.ext`), `subjectAltName=${san}\n`);
  const by = ["-CA", at(`${root}.pem`), "-CAkey", at(`${root}.key`), "-CAcreateserial"];
  run(
    "x509",
    "-req",
    "-in",
    at(`${name}.csr`),
    ...by,
    "-days",
    String(days),
    "-extfile",
    at(`${name}.ext`),
    "-out",
    at(`${name}.pem`),
  );
}

const HERE = "DNS:localhost,IP:127.0.0.1";

/** Certificate, host that is called, and what comes of it: the answer's status or the error's code. */
const ROWS: readonly (readonly [string, string, string, number | string])[] = [
  ["good by name", "good", "localhost", 200],
  ["good by address", "good", "127.0.0.1", 200],
  ["of a wildcard that does not reach so far", "wildcard", "localhost", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["of another name", "other", "localhost", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["of another address", "other", "127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["of the name but not the address", "name-only", "127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["that has expired", "expired", "localhost", "CERT_HAS_EXPIRED"],
  ["that signed itself", "self", "localhost", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["of a root that nobody knows", "stranger", "localhost", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
];

describe.skipIf(openssl === null)(`a provider with a certificate${missing}`, () => {
  const servers = new Map<string, ReturnType<typeof Bun.serve>>();
  const hits = new Map<string, number>();
  const results = new Map<string, readonly (number | string | undefined)[]>();

  beforeAll(async () => {
    signSelf("root", null);
    signSelf("unknown-root", null);
    signSelf("self", HERE);
    sign("good", "root", HERE);
    sign("wildcard", "root", "DNS:*.localhost");
    sign("other", "root", "DNS:other.test,IP:10.0.0.1");
    sign("name-only", "root", "DNS:localhost");
    sign("expired", "root", HERE, -1);
    sign("stranger", "unknown-root", HERE);
    for (const name of new Set(ROWS.map(([, certificate]) => certificate))) {
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        tls: { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) },
        fetch: () => {
          hits.set(name, (hits.get(name) ?? 0) + 1);
          return new Response("{}");
        },
      });
      servers.set(name, server);
    }
    const urls = ROWS.map(([, certificate, host]) => `https://${host}:${servers.get(certificate)?.port}`);
    for (const name of ["own", "fetch"]) {
      // Roots of one's own are read when a process starts; whatever else the environment says changes nothing.
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: at("root.pem"), NODE_TLS_REJECT_UNAUTHORIZED: "0" };
      const caller = Bun.spawn([process.execPath, join(import.meta.dir, "tls-caller.ts"), name, ...urls], {
        env,
        stdout: "pipe",
        stderr: "ignore",
      });
      const lines = (await new Response(caller.stdout).text()).trim().split("\n");
      const parsed = lines.map((line) => JSON.parse(line) as { status?: number; code?: string });
      results.set(
        name,
        parsed.map(({ status, code }) => status ?? code),
      );
    }
  }, 60_000);
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop(true)));
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [index, [name, , , expected]] of ROWS.entries()) {
    test.each(["own", "fetch"])(`${name} gives ${expected} to the client %s`, (client) => {
      expect(results.get(client)?.[index]).toBe(expected);
    });
  }

  test("that is refused gets no request, and so no key", () => {
    expect([...hits.keys()].toSorted()).toEqual(["good"]);
    expect(hits.get("good")).toBe(4);
  });
});
