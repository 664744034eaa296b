import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { reveal } from "../../src/base/secret.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { complaints, configOf, FILE, load, type Setting } from "./support.ts";

const keyOf = (setting: Setting, provider: "openai" | "anthropic" = "openai"): string | null => {
  const result = load(setting);
  if (!result.ok) throw new Error(inspect(result.diagnostics));
  const { apiKey } = result.config.providers[provider];
  return apiKey === null ? null : reveal(apiKey);
};

describe("finding the file", () => {
  const at = (path: string, level: string): Readonly<Record<string, string>> => ({ [path]: `log.level = "${level}"` });
  const all = {
    ...at("/a/named.toml", "error"),
    ...at("/b/env.toml", "warn"),
    ...at(FILE, "debug"),
    ...at("/etc/arouter/arouter.toml", "error"),
  };
  const level = (setting: Setting): string => {
    const result = load(setting);
    return result.ok ? `${result.config.log.level} ${result.files.map((file) => file.path).join()}` : "failed";
  };
  const env = { OPENAI_API_KEY: "sk-x12345", AROUTER_CONFIG: "/b/env.toml" };

  test("takes --config first", () => {
    expect(level({ files: all, env, overrides: { configFile: "../../a/named.toml" } })).toBe("error /a/named.toml");
  });
  test("then AROUTER_CONFIG", () => {
    expect(level({ files: all, env })).toBe("warn /b/env.toml");
  });
  test("then the working folder", () => {
    expect(level({ files: all })).toBe(`debug ${FILE}`);
  });
  test("then /etc/arouter", () => {
    expect(level({ files: at("/etc/arouter/arouter.toml", "error") })).toBe("error /etc/arouter/arouter.toml");
  });
  test("then does without", () => {
    expect(level({})).toBe("info ");
  });
  test("does not do without one that was named", () => {
    const result = load({ overrides: { configFile: "none.toml" } });
    expect(result.ok ? [] : result.diagnostics).toEqual([
      { file: "none.toml", line: 1, column: 1, severity: "error", text: "cannot be read: no such file" },
    ]);
    expect(load({ env: { ...env, AROUTER_CONFIG: "" } }).ok).toBe(true);
    expect(load({ env: { ...env, AROUTER_CONFIG: "none" } }).ok).toBe(false);
  });
  test("does not pass over one that cannot be read", () => {
    const result = load({ files: { [`${FILE}/`]: "", ...at("/etc/arouter/arouter.toml", "error") } });
    expect(result.ok ? [] : result.diagnostics.map(({ file, text }) => `${file}: ${text}`)).toEqual([
      "arouter.toml: cannot be read: is a folder",
    ]);
  });
  test("says where to look for a better one when it fails", () => {
    const result = load({ files: { [FILE]: "x = 1\n[auth]\nkeys_file='k'" } });
    expect(result.ok).toBe(false);
    expect(result.files).toEqual([
      { kind: "config", path: FILE },
      { kind: "keys", path: "/etc/app/k" },
    ]);
  });
});

describe("providers' keys", () => {
  const file = { [FILE]: '[providers.openai]\napi_key = "sk-file-openai"' };
  test("of AROUTER_OPENAI_API_KEY win over the file", () => {
    expect(keyOf({ files: file, env: { AROUTER_OPENAI_API_KEY: "sk-own", OPENAI_API_KEY: "sk-vendor" } })).toBe(
      "sk-own",
    );
  });
  test("of the file win over OPENAI_API_KEY", () => {
    expect(keyOf({ files: file, env: { OPENAI_API_KEY: "sk-vendor" } })).toBe("sk-file-openai");
  });
  test("come from OPENAI_API_KEY and ANTHROPIC_API_KEY at last", () => {
    const env = { OPENAI_API_KEY: "sk-vendor", ANTHROPIC_API_KEY: " sk-ant \n" };
    expect([keyOf({ env }), keyOf({ env }, "anthropic")]).toEqual(["sk-vendor", "sk-ant"]);
  });
  test("are unset by an empty variable", () => {
    expect(keyOf({ env: { AROUTER_OPENAI_API_KEY: "", OPENAI_API_KEY: "sk-vendor" } })).toBe("sk-vendor");
    expect(keyOf({ env: { ANTHROPIC_API_KEY: "sk-ant", OPENAI_API_KEY: "" } })).toBeNull();
  });
  test("come from a key file, without its line end, relative to the configuration", () => {
    const files = {
      [FILE]: '[providers.anthropic]\napi_key_file = "secrets/ant"',
      "/etc/app/secrets/ant": "sk-from-file\r\n",
    };
    const result = load({ files });
    expect(keyOf({ files }, "anthropic")).toBe("sk-from-file");
    expect(result.files).toContainEqual({ kind: "keys", path: "/etc/app/secrets/ant" });
  });
  test("are filled in from a variable of any name", () => {
    expect(keyOf({ files: { [FILE]: '[providers.openai]\napi_key = "${MY_KEY}"' }, env: { MY_KEY: "sk-mine" } })).toBe(
      "sk-mine",
    );
  });
  test("may not come from two places of the file", () => {
    expect(
      complaints('[providers.openai]\napi_key = "${OPENAI_API_KEY}"\napi_key_file = "k"', {
        files: { "/etc/app/k": "sk-x" },
      }),
    ).toEqual(["arouter.toml:3:1: error: providers.openai.api_key_file: not together with api_key; keep one of them"]);
  });
  test.each([
    ["missing", {}, "cannot be read: no such file"],
    ["empty", { "/etc/app/k": " \n" }, "the file is empty"],
  ])("are an error when their file is %s, not taken from elsewhere", (_, files, text) => {
    expect(complaints('providers.openai.api_key_file = "k"', { files })).toEqual([
      `arouter.toml:1:33: error: providers.openai.api_key_file: ${text}`,
    ]);
  });
  test("may hold only what a header can", () => {
    expect(complaints('providers.openai.api_key = "sk\\nx: y"').at(0)).toBe(
      "arouter.toml:1:28: error: providers.openai.api_key: has characters that cannot be sent in a header",
    );
  });
  test("are needed for one provider at least", () => {
    const text =
      "no provider has a key: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or providers.openai.api_key or providers.anthropic.api_key";
    expect(complaints("", { env: {} })).toEqual([`arouter.toml:1:1: error: ${text}`]);
    expect(complaints("\n[providers.openai]", { env: {} })).toEqual([`arouter.toml:2:2: error: ${text}`]);
    expect(load({ env: {}, requireKey: false }).ok).toBe(true);
  });
});

describe("the command line", () => {
  test("wins over the file, with paths from the working folder", () => {
    const config = configOf('listen_addr = "127.0.0.1:1"\nrouter.policy_file = "/p.yaml"', {
      overrides: { listenAddr: "127.0.0.1:2", policyFile: "../q.yaml" },
    });
    expect([config.listenAddr, config.router.policyFile]).toEqual(["127.0.0.1:2", "/etc/q.yaml"]);
  });
  test("is judged too", () => {
    expect(complaints("", { overrides: { listenAddr: "8080" } })).toEqual([
      '--listen:1:1: error: must be "HOST:PORT" or "unix:/path"',
    ]);
  });
});

describe("values", () => {
  test("of one provider fall back to the general table, then to the default", () => {
    const { providers, retry } = configOf(
      '[retry]\nmax = 1\nbase = "1s"\n[providers.openai.retry]\nmax = 0\n[providers.openai.limits]\nprovider_in_flight = 7\n[limits]\nprovider_in_flight = 9',
    );
    expect([providers.openai.retry.max, providers.openai.retry.baseMs, providers.openai.retry.capMs]).toEqual([
      0, 1000, 5000,
    ]);
    expect([providers.anthropic.retry.max, retry.max]).toEqual([1, 1]);
    expect([providers.openai.providerInFlight, providers.anthropic.providerInFlight]).toEqual([7, 9]);
  });
  test("that are paths start at the folder of the file", () => {
    const config = configOf('router.policy_file = "p.yaml"\nledger.file = "../l.jsonl"\nlog.file = "/var/log/a"');
    expect([config.router.policyFile, config.ledger.file, config.log.file]).toEqual([
      "/etc/app/p.yaml",
      "/etc/l.jsonl",
      "/var/log/a",
    ]);
  });
  test("that are durations are milliseconds", () => {
    const config = configOf('[timeout]\ntotal = "1.5m"\nttft = "250ms"\nidle = "0s"\n[hedge]\nafter = "800ms"');
    expect([config.timeout.totalMs, config.timeout.ttftMs, config.timeout.idleMs, config.hedge.after]).toEqual([
      90_000, 250, 0, 800,
    ]);
  });
  test("take variables within a string, once, also in lists and tables", () => {
    const config = configOf(
      '[providers.openai]\nbase_url = "https://${HOST}:${PORT}/v1"\nmodels = ["${M}", "o*"]\n[telemetry.otlp_headers]\nx = "${M}"',
      { env: { HOST: "h.example", PORT: "81", M: "gpt-${HOST}", OPENAI_API_KEY: "sk-12345" } },
    );
    expect(config.providers.openai.baseUrl).toBe("https://h.example:81/v1");
    expect(config.providers.openai.models).toEqual(["gpt-${HOST}", "o*"]);
    expect(config.telemetry.otlpHeaders).toEqual({ x: "gpt-${HOST}" });
  });
  test("of unset keys are null, and an empty string unsets", () => {
    const config = configOf('[ledger]\nfile = ""\n[hedge]\nmodel = ""');
    expect([config.ledger.file, config.hedge.model, config.limits.rssBytes, config.server.tls]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
  test("of TLS come together", () => {
    expect(configOf('server.tls = { cert_file = "c.pem", key_file = "/k.pem" }').server.tls).toEqual({
      certFile: "/etc/app/c.pem",
      keyFile: "/k.pem",
    });
    expect(complaints('server.tls = { cert_file = "c.pem" }')).toEqual([
      "arouter.toml:1:14: error: server.tls: lacks key_file",
    ]);
  });
  test("take both kinds of one key", () => {
    expect(
      configOf('router.overrides = ["model", "rule"]\ndashboard.enabled = false\nrouter.upstream_auth_status = 401'),
    ).toMatchObject({
      router: { overrides: ["model", "rule"], upstreamAuthStatus: 401 },
      dashboard: { enabled: false },
    });
  });
  test("listen where they are told", () => {
    for (const address of ["unix:/run/a.sock", "[::1]:80", ":8080", "localhost:0", "0.0.0.0:65535"]) {
      expect(configOf(`listen_addr = "${address}"`).listenAddr).toBe(address);
    }
  });
});

describe("the catalog", () => {
  test("is the built-in one under a file under single entries", () => {
    const result = load({
      files: {
        [FILE]: '[catalog]\nfile = "m.json"\n[catalog.models."gpt-4.1"]\ncontext_tokens = 3',
        "/etc/app/m.json":
          '{"as_of": "2026-12", "models": {"gpt-4.1": {"context_tokens": 2, "max_output_tokens": 2}, "own": {"like": "o3"}}}',
      },
    });
    if (!result.ok) throw new Error(inspect(result.diagnostics));
    const model = result.catalog.find("gpt-4.1");
    expect([model.contextTokens, model.maxOutputTokens]).toEqual([3, 2]);
    expect(result.catalog.find("own").capabilities).toEqual(builtInCatalog.find("o3").capabilities);
    expect(result.files).toContainEqual({ kind: "config", path: "/etc/app/m.json" });
  });
  test.each([
    ['[catalog.models."a.b"]\nvision = true', 'arouter.toml:2:1: error: catalog.models."a.b".vision: unknown key'],
    [
      '[catalog.models."a.b".capabilities]\nvision = 1',
      'arouter.toml:2:10: error: catalog.models."a.b".capabilities.vision: must be true or false',
    ],
    ['catalog.file = "m.json"', "arouter.toml:1:16: error: catalog.file: cannot be read: no such file"],
    [
      'catalog.file = "bad.json"',
      'bad.json:1:1: error: must be JSON: { "models": { "NAME": { … } } }, as arouter models --json prints it',
    ],
    ['catalog.file = "wrong.json"', "wrong.json:1:1: error: models.x.kind: must be one of chat, responses, embedding"],
  ])("reports what is wrong in %p", (text, complaint) => {
    const files = { "/etc/app/bad.json": "{", "/etc/app/wrong.json": '{"models": {"x": {"kind": 1}}}' };
    expect(complaints(text, { files })).toEqual([complaint]);
  });
});
