import { describe, expect, test } from "bun:test";
import { complaints } from "./support.ts";

describe("a mistake is told with its place and what to do", () => {
  test.each<[string, string, string]>([
    ["a misspelled key", "[log]\n\n  levle = 1", '3:3: error: log.levle: unknown key; did you mean "level"?'],
    [
      "a misspelled table",
      "[providers.opnai]\nx = 1",
      '1:12: error: providers.opnai: unknown key; did you mean "openai"?',
    ],
    [
      "a misspelled provider's key",
      '[providers.openai]\n\n\n\napi_kye = "x"',
      '5:1: error: providers.openai.api_kye: unknown key; did you mean "api_key"?',
    ],
    [
      "a key of another table",
      'policy_file = "p"',
      '1:1: error: policy_file: unknown key; did you mean "router.policy_file"?',
    ],
    ["a key of two tables", "watch = false\nfile = 1", '1:1: error: watch: unknown key; did you mean "reload.watch"?'],
    ["a key like no other", "[log]\nxyzzy_plugh_foo = 1", "2:1: error: log.xyzzy_plugh_foo: unknown key"],
    ["a key after a dot", "log.levle = 1", '1:5: error: log.levle: unknown key; did you mean "level"?'],
    [
      "a key in an inline table",
      "log = { access = true, levle = 1 }",
      '1:24: error: log.levle: unknown key; did you mean "level"?',
    ],
    ["a quoted key", '[log]\n"lev.el" = 1', '2:1: error: log."lev.el": unknown key; did you mean "level"?'],
    ["__proto__", "[log]\n__proto__ = 1", "2:1: error: log.__proto__: unknown key"],
    ["constructor", "constructor.x = 1", "1:1: error: constructor: unknown key"],
    ["a table that is a value", "log = 3", "1:7: error: log: must be a table"],
    ["a table that is a date", "log = 1979-05-27", "1:7: error: log: must be a table"],
    ["a table that is a list", "[[log]]\nlevel = 'info'", "1:3: error: log: must be a table"],
    [
      "a value that is a table",
      "[log.level]",
      '1:6: error: log.level: must be one of "debug", "info", "warn", "error"',
    ],
    [
      "a number for a string",
      "[telemetry]\nservice_name = 3",
      "2:16: error: telemetry.service_name: must be a string that is not empty",
    ],
    [
      "a string for a number",
      'limits.max_attempts = "6"',
      "1:23: error: limits.max_attempts: must be a whole number, 1 or more",
    ],
    [
      "a fraction for a count",
      "limits.max_attempts = 1.5",
      "1:23: error: limits.max_attempts: must be a whole number, 1 or more",
    ],
    ["a count out of range", "retry.max = 6", "1:13: error: retry.max: must be a whole number from 0 to 5"],
    [
      "a ratio out of range",
      "breaker.failure_rate = 1.1",
      "1:24: error: breaker.failure_rate: must be a number from 0 to 1",
    ],
    [
      "a ratio that is no number",
      "breaker.failure_rate = nan",
      "1:24: error: breaker.failure_rate: must be a number from 0 to 1",
    ],
    [
      "a number for a duration",
      "retry.base = 200",
      '1:14: error: retry.base: must be a duration such as "250ms", "2s" or "5m", at most 24h',
    ],
    [
      "a duration without unit",
      'retry.base = "200"',
      '1:14: error: retry.base: must be a duration such as "250ms", "2s" or "5m", at most 24h',
    ],
    [
      "a duration too long",
      'timeout.client_idle = "256s"',
      '1:23: error: timeout.client_idle: must be a duration such as "250ms", "2s" or "5m", at most 255s',
    ],
    [
      "a word for a duration",
      'hedge.after = "p99"',
      '1:15: error: hedge.after: must be "off", "p95" or a duration such as "800ms"; did you mean "p95"?',
    ],
    ["a string for a flag", 'log.access = "yes"', "1:14: error: log.access: must be true or false"],
    [
      "a word that is not one",
      'log.level = "warning"',
      '1:13: error: log.level: must be one of "debug", "info", "warn", "error"',
    ],
    [
      "a misspelled word",
      'log.level = "wran"',
      '1:13: error: log.level: must be one of "debug", "info", "warn", "error"; did you mean "warn"?',
    ],
    [
      "a wrong item",
      'router.passthrough = [\n  "files",\n  "embedings", # x\n]',
      '3:3: error: router.passthrough: must be a list of "embeddings", "moderations", "audio", "images", "files", "batches", "message_batches", "completions", "stored_completions"; did you mean "embeddings"?',
    ],
    ["a string for a list", 'auth.public = "/x"', "1:15: error: auth.public: must be a list of strings"],
    ["an item that is no string", 'auth.public = ["/x", 3]', "1:22: error: auth.public: must be a list of strings"],
    [
      "a number in a table of strings",
      "telemetry.otlp_headers = { a = 1 }",
      "1:26: error: telemetry.otlp_headers: must be a table of strings",
    ],
    ["an address", 'listen_addr = "8080"', '1:15: error: listen_addr: must be "HOST:PORT" or "unix:/path"'],
    ["a port", 'listen_addr = "a:65536"', '1:15: error: listen_addr: must be "HOST:PORT" or "unix:/path"'],
    [
      "a URL",
      'providers.openai.base_url = "api.openai.com"',
      "1:29: error: providers.openai.base_url: must be an http:// or https:// URL without query",
    ],
    [
      "a URL's scheme",
      'telemetry.otlp_endpoint = "file:///x"',
      "1:27: error: telemetry.otlp_endpoint: must be an http:// or https:// URL without query",
    ],
    [
      "a status",
      "router.upstream_auth_status = 500",
      "1:31: error: router.upstream_auth_status: must be one of 502, 401",
    ],
    ["workers", "server.workers = 0", '1:18: error: server.workers: must be a whole number, 1 or more, or "auto"'],
    [
      "workers on a socket in the file system",
      'listen_addr = "unix:/run/a"\nserver.workers = 2',
      "2:18: error: server.workers: more than 1 cannot share the socket of listen_addr; listen on HOST:PORT, or leave it at 1",
    ],
    [
      "workers with metrics on one",
      'server.workers = 2\nmetrics.listen_addr = "unix:/run/m"',
      "1:18: error: server.workers: more than 1 cannot share the socket of metrics.listen_addr; listen on HOST:PORT there, or leave it at 1",
    ],
    [
      "metrics where the calls come in",
      'listen_addr = "127.0.0.1:9000"\nmetrics.listen_addr = "127.0.0.1:9000"',
      "2:23: error: metrics.listen_addr: 127.0.0.1:9000 is taken by listen_addr; give it another port, or leave it out: /metrics is there too",
    ],
    [
      "an unset variable",
      'x = 1\nlog.file = "a${NOPE}b"',
      "2:12: error: log.file: names the environment variable NOPE, which is not set",
    ],
    [
      "a misspelled variable",
      'log.file = "${OPENAI_API_KYE}"',
      '1:12: error: log.file: names the environment variable OPENAI_API_KYE, which is not set; did you mean "OPENAI_API_KEY"?',
    ],
    [
      "a variable that is none",
      'log.file = "${a-b}"',
      "1:12: error: log.file: has a ${ that does not begin a variable: write ${NAME}",
    ],
    [
      "a variable left open",
      'log.file = "${HOME"',
      "1:12: error: log.file: has a ${ that does not begin a variable: write ${NAME}",
    ],
    [
      "a variable in a list",
      'auth.public = ["/x", "${NOPE}"]',
      "1:22: error: auth.public.1: names the environment variable NOPE, which is not set",
    ],
    [
      "a caller's digest",
      '[auth.keys]\nbob = "sha256:12"',
      "2:7: error: auth.keys.bob: must be sha256: and 64 hex digits",
    ],
    [
      "a caller's name",
      '[auth.keys]\n"b b" = "${OPENAI_API_KEY}"',
      '2:9: error: auth.keys."b b": the name must be 1 to 64 of the characters A-Z a-z 0-9 . _ @ -',
    ],
    ["a caller without key", '[auth.keys]\nbob = ""', "2:7: error: auth.keys.bob: the key is empty"],
    [
      "bounds in the wrong order",
      'hedge.after_min = "11s"',
      "1:19: error: hedge.after_min: must not be over hedge.after_max",
    ],
    ["TOML", "a = 1\nb = = 2", "2:5: error: not valid TOML: "],
    [
      "a key given twice",
      "[log]\nlevel = 'info'\nlevel = 'warn'",
      "3:1: error: not valid TOML: trying to redefine an already defined table or value",
    ],
  ])("%s", (_, text, complaint) => {
    const line = complaints(text).find((candidate) => candidate.startsWith(`arouter.toml:${complaint}`));
    expect(line ?? complaints(text)).toBe(complaint.endsWith("TOML: ") ? (line ?? "") : `arouter.toml:${complaint}`);
  });

  test("all of them at once, in order", () => {
    const text = '[retry]\nmax = 9\nbsae = "1s"\n[log]\nlevel = 1\n[nope]\nx = "${Y}"\n[auth]\nkeys_file = "k"';
    expect(
      complaints(text, { env: {}, files: { "/etc/app/k": "a = sha256:1\nb\n" } }).map((line) =>
        line.replace(/error:.*/, ""),
      ),
    ).toEqual([
      "arouter.toml:2:7: ",
      "arouter.toml:3:1: ",
      "arouter.toml:5:9: ",
      "arouter.toml:6:2: ",
      "k:1:1: ",
      "k:2:1: ",
    ]);
  });

  test("once: a value under an unknown key, or a missing provider's key that another mistake explains, is not told of", () => {
    expect(complaints('[nope]\nx = "${Y}"', { env: {} })).toEqual(["arouter.toml:1:2: error: nope: unknown key"]);
  });
});

describe("a warning", () => {
  test("is given for an address that others reach while anyone may call", () => {
    for (const address of ["0.0.0.0:80", "[::]:80", ":80", "10.0.0.1:80", "127.0.0.1.example.com:80"]) {
      expect(complaints(`listen_addr = "${address}"`)).toEqual([
        `arouter.toml:1:15: warning: listen_addr: ${address} is reached from other machines, and [auth] has no keys: anyone there can spend your tokens`,
      ]);
    }
    for (const address of ["localhost:80", "[::1]:80", "127.1.2.3:80", "unix:/x"])
      expect(complaints(`listen_addr = "${address}"`)).toEqual([]);
    expect(complaints('listen_addr = ":80"\nauth.keys = { a = "${OPENAI_API_KEY}" }')).toEqual([]);
  });
  test("is given for a dashboard that others reach while anyone may call", () => {
    expect(complaints('listen_addr = ":80"\ndashboard.enabled = true')).toHaveLength(2);
  });
  test.each([0o644, 0o640, 0o604])("is given for keys in a file of mode %o", (mode) => {
    const warning = 'a key stands in a file that others can read; use "${NAME}" or a key file, or chmod 600';
    expect(complaints('providers.openai.api_key = "sk-literal"\nauth.keys."a.b" = "plain"', { mode })).toEqual([
      `arouter.toml:1:28: warning: providers.openai.api_key: ${warning}`,
      `arouter.toml:2:19: warning: auth.keys."a.b": ${warning}`,
    ]);
  });
  test("is not given where no key stands in the file, or only its owner reads it", () => {
    expect(complaints('providers.openai.api_key = "sk-literal"', { mode: 0o600 })).toEqual([]);
    expect(
      complaints(`providers.openai.api_key = "\${OPENAI_API_KEY}"\nauth.keys.a = "sha256:${"0".repeat(64)}"`, {
        mode: 0o644,
      }),
    ).toEqual([]);
  });
});

describe("metrics on an address of their own", () => {
  test.each([
    ["127.0.0.1:9000", "127.0.0.1:9000", false],
    ["127.0.0.1:9000", "0.0.0.0:9000", false],
    ["0.0.0.0:9000", "127.0.0.1:9000", false],
    ["[::]:9000", "127.0.0.1:9000", false],
    ["[::1]:9000", "[::]:9000", false],
    ["unix:/run/a", "unix:/run/a", false],
    ["127.0.0.1:9000", "127.0.0.1:9001", true],
    ["127.0.0.1:0", "127.0.0.1:0", true],
    ["127.0.0.1:9000", "127.0.0.2:9000", true],
    ["0.0.0.0:9000", "[::1]:9000", true],
    ["unix:/run/a", "127.0.0.1:9000", true],
  ])("calls on %s, metrics on %s: fine is %p", (calls, metrics, isFine) => {
    const said = complaints(`listen_addr = "${calls}"\nmetrics.listen_addr = "${metrics}"`);
    expect(said.some((text) => text.includes("is taken by listen_addr"))).toBe(!isFine);
  });

  test("may be anywhere while they are off", () => {
    const text = 'listen_addr = "127.0.0.1:9000"\nmetrics = { enabled = false, listen_addr = "127.0.0.1:9000" }';
    expect(complaints(text)).toEqual([]);
  });

  test("are held to the address of the command line, too", () => {
    const overrides = { listenAddr: "127.0.0.1:9000" };
    expect(complaints('metrics.listen_addr = "127.0.0.1:9000"', { overrides })).toHaveLength(1);
  });
});
