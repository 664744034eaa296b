/** `scripts/install.sh`, with a real release served on loopback. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createRelease } from "../../scripts/release.ts";
import { readVersion } from "../../scripts/release/lock.ts";
import { findTarget } from "../../scripts/release/targets.ts";
import { missingProgram } from "../support/shipping.ts";

setDefaultTimeout(60_000);

const root = resolve(import.meta.dir, "../..");
const script = join(root, "scripts/install.sh");
const version = readVersion();
const TARGET = "linux-x64";
const archive = `arouter-${version}-${TARGET}.tar.gz`;
/** What a user of no name may do here is what a user without root may do. */
const isLinux = process.platform === "linux" && process.arch === "x64";

let release: string;
let scratch: string;
let server: Bun.Server<unknown>;
/** Serves other bytes than the release's for these names. */
const changed = new Map<string, Uint8Array>();

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "arouter-install-"));
  release = join(scratch, "release");
  await createRelease({
    outdir: release,
    targets: [findTarget(TARGET)],
    commit: "0123456789ab",
    seconds: 1_700_000_000,
  });
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const name = basename(new URL(request.url).pathname);
      const bytes = changed.get(name);
      if (bytes !== undefined) return new Response(bytes.slice());
      return existsSync(join(release, name))
        ? new Response(Bun.file(join(release, name)))
        : new Response("", { status: 404 });
    },
  });
}, 120_000);
afterAll(async () => {
  await server.stop(true);
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** Runs the script, or `text` in its place, as `sh` does; with PATH alone in the environment, and what is given. */
async function install(
  args: readonly string[],
  options: { readonly path?: string; readonly text?: string; readonly prefix?: readonly string[] } = {},
): Promise<Ended> {
  const child = Bun.spawn([...(options.prefix ?? []), "sh", "-s", "--", ...args], {
    cwd: scratch,
    env: { PATH: options.path ?? process.env["PATH"] ?? "", HOME: scratch },
    stdin: Buffer.from(options.text ?? readFileSync(script, "utf8")),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, said: out + error };
}

/** A folder that does not exist yet. */
const newFolder = (): string => join(mkdtempSync(join(scratch, "to-")), "bin");

/** A folder of programs to be put before, or in place of, those of the system. */
function programs(texts: Readonly<Record<string, string>>, links: readonly string[] = []): string {
  const folder = mkdtempSync(join(scratch, "programs-"));
  for (const [name, text] of Object.entries(texts))
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const name of links) {
    const found = Bun.which(name);
    if (found !== null) symlinkSync(found, join(folder, name));
  }
  return folder;
}

describe.skipIf(!isLinux)("install.sh", () => {
  test("installs what runs on this machine, from an address", async () => {
    const to = newFolder();
    const { code, said } = await install(["--from", server.url.href, "--to", to]);
    expect(said).toContain(`arouter ${version} (commit 0123456789ab`);
    expect(said).toContain(`in ${to}/arouter\n${to} is not in PATH`);
    expect(code).toBe(0);
    expect(readdirSync(to)).toEqual(["arouter"]);
    const { stdout } = Bun.spawnSync([join(to, "arouter"), "version", "--json"]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ version, target: TARGET });
  });

  test("installs from a folder", async () => {
    const to = newFolder();
    expect(await install(["--from", release, "--to", to])).toMatchObject({ code: 0 });
    expect(readdirSync(to)).toEqual(["arouter"]);
  });

  const isRoot = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
  test.skipIf(!isRoot)("needs no root, and says what to do where it may not write", async () => {
    const home = mkdtempSync(join(scratch, "home-"));
    for (const folder of [scratch, home]) chmodSync(folder, 0o777);
    const prefix = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--"];
    const refused = await install(["--from", server.url.href, "--to", "/usr/bin"], { prefix });
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('without root: --to "$HOME/.local/bin"') });
    expect(existsSync("/usr/bin/arouter")).toBe(false);
    const to = join(home, ".local/bin");
    expect(await install(["--from", server.url.href, "--to", to], { prefix })).toMatchObject({ code: 0 });
    expect(readdirSync(to)).toEqual(["arouter"]);
  });

  test("replaces the program in one step, while the old one runs", async () => {
    const to = newFolder();
    mkdirSync(to);
    const old = join(to, "arouter");
    writeFileSync(old, "#!/bin/sh\nread line\n", { mode: 0o755 });
    const running = Bun.spawn([old], { stdin: "pipe" });
    expect(await install(["--from", release, "--to", to])).toMatchObject({ code: 0 });
    expect(readdirSync(to)).toEqual(["arouter"]);
    expect(running.exitCode).toBeNull();
    void running.stdin.write("\n");
    void running.stdin.end();
    expect(await running.exited).toBe(0);
  });

  test("refuses an archive that is not what its checksum says, and leaves what is there", async () => {
    const bytes = readFileSync(join(release, archive));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    changed.set(archive, bytes);
    try {
      const to = newFolder();
      mkdirSync(to);
      writeFileSync(join(to, "arouter"), "the old one");
      const { code, said } = await install(["--from", server.url.href, "--to", to]);
      expect(said).toContain(`${archive} is not what SHA256SUMS says`);
      expect(code).toBe(1);
      expect(readdirSync(to)).toEqual(["arouter"]);
      expect(readFileSync(join(to, "arouter"), "utf8")).toBe("the old one");
    } finally {
      changed.delete(archive);
    }
  });

  test("refuses an archive that ends early", async () => {
    changed.set(archive, readFileSync(join(release, archive)).subarray(0, 100_000));
    try {
      const to = newFolder();
      expect(await install(["--from", server.url.href, "--to", to])).toMatchObject({ code: 1 });
      expect(existsSync(join(to, "arouter"))).toBe(false);
    } finally {
      changed.delete(archive);
    }
  });

  test("leaves nothing of a program that does not start", async () => {
    const to = newFolder();
    const path = `${programs({ uname: 'case "$1" in -s) echo Linux ;; *) echo x86_64 ;; esac', cp: 'cat "$1" > /dev/null; printf "#!/bin/sh\\necho no such library; exit 127\\n" > "$2"' })}:${process.env["PATH"] ?? ""}`;
    const { code, said } = await install(["--from", server.url.href, "--to", to], { path });
    expect(said).toContain("no such library\ninstall.sh: it does not start; it needs glibc 2.17 or newer");
    expect(code).toBe(1);
    expect(readdirSync(to)).toEqual([]);
  });

  test.each([
    ["Linux", "x86_64", "ldd (Debian GLIBC 2.36)", "linux-x64"],
    ["Linux", "aarch64", "ldd (GNU libc) 2.17", "linux-arm64"],
    ["Linux", "x86_64", "musl libc (x86_64)", "linux-x64-musl"],
    ["Linux", "arm64", "musl libc (aarch64)", "linux-arm64-musl"],
    ["Darwin", "arm64", "", "darwin-arm64"],
    ["Darwin", "x86_64", "", "darwin-x64"],
  ])("on %s, %s, %s asks for %s", async (system, machine, ldd, target) => {
    const folder = programs({
      uname: `case "$1" in -s) echo ${system} ;; *) echo ${machine} ;; esac`,
      // musl's tells its name on standard error, and fails.
      ldd: `echo '${ldd}' >&2; exit 1`,
      sysctl: "exit 1",
    });
    const name = `arouter-1.2.3-rc.1-${target}.tar.gz`;
    const from = mkdtempSync(join(scratch, "from-"));
    // Others lie beside it, with names that begin or end alike.
    const others = ["linux-x64", "linux-x64-musl", "linux-arm64", "linux-arm64-musl", "darwin-x64", "darwin-arm64"];
    const sums = others.map((each) => `${"0".repeat(64)}  arouter-1.2.3-rc.1-${each}.tar.gz\n`);
    writeFileSync(join(from, "SHA256SUMS"), sums.join(""));
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const { code, said } = await install(["--from", from, "--to", newFolder()], { path });
    expect(said).toContain(`cannot get ${name} from`);
    expect(code).toBe(1);
  });

  test("takes an Apple processor for what it is, from a shell that is translated", async () => {
    const folder = programs({ uname: 'case "$1" in -s) echo Darwin ;; *) echo x86_64 ;; esac', sysctl: "echo 1" });
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const { said } = await install(["--from", server.url.href, "--to", newFolder()], { path });
    expect(said).toContain("the release has no archive for darwin-arm64");
  });

  test.each([
    ["MINGW64_NT-10.0", "x86_64", "on Linux and macOS, not on MINGW64_NT-10.0"],
    ["Linux", "riscv64", "there is no program for Linux on riscv64"],
  ])("on %s, %s says so", async (system, machine, expected) => {
    const folder = programs({ uname: `case "$1" in -s) echo ${system} ;; *) echo ${machine} ;; esac` });
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const { code, said } = await install(["--from", server.url.href, "--to", newFolder()], { path });
    expect(said).toContain(expected);
    expect(code).not.toBe(0);
  });

  test.each([
    [["--from", "http://example.com/files"], 1, "only https:// can be trusted"],
    [["--from", "ftp://example.com/files"], 1, "only https:// can be trusted"],
    [["--from", "/no/such/folder"], 1, "no such folder"],
    [["--from", "https://127.0.0.1:1/"], 1, "cannot get SHA256SUMS"],
    [["--from", ".", "--target", "../../etc"], 1, "there is no target ../../etc"],
    [[], 2, "usage:"],
    [["--from"], 2, "usage:"],
    [["--form", "."], 2, "usage:"],
  ])("refuses %j", async (args, code, said) => {
    expect(await install([...args])).toMatchObject({ code, said: expect.stringContaining(said) });
  });

  const TOOLS = [
    "sh",
    "cat",
    "cut",
    "grep",
    "uname",
    "mktemp",
    "rm",
    "cp",
    "chmod",
    "mv",
    "mkdir",
    "ls",
    "tar",
    "gzip",
    "ldd",
  ];
  for (const names of [
    ["wget", "sha256sum"],
    ["curl", "openssl"],
    ["curl", "shasum", "perl"],
  ]) {
    const lacking = names.filter((name) => Bun.which(name) === null);
    const reason = lacking.length === 0 ? "" : `: ${lacking.join(", ")} is not installed`;
    test.skipIf(lacking.length > 0)(`makes do with ${names.join(", ")}${reason}`, async () => {
      const path = programs({}, [...TOOLS, ...names]);
      const { code, said } = await install(["--from", server.url.href, "--to", newFolder()], { path });
      expect(said).toContain(`arouter ${version}`);
      expect(code).toBe(0);
    });
  }

  test("follows nobody from https:// to http://: without curl it does not begin", async () => {
    const to = newFolder();
    const folder = programs({ wget: "echo asked" }, [...TOOLS, "sha256sum"]);
    const { code, said } = await install(["--from", "https://127.0.0.1:1/", "--to", to], { path: folder });
    expect(said).toContain("curl is not here to download with");
    expect(said).not.toContain("asked");
    expect(code).toBe(1);
    expect(existsSync(to)).toBe(false);
  });

  test("trusts nothing that it cannot check", async () => {
    const to = newFolder();
    const path = programs({}, [...TOOLS, "curl"]);
    const { code, said } = await install(["--from", server.url.href, "--to", to], { path });
    expect(said).toContain("none of sha256sum, shasum and openssl is here");
    expect(code).toBe(1);
    expect(existsSync(to)).toBe(false);
  });

  test("does nothing when it is cut on its way", async () => {
    const text = readFileSync(script, "utf8");
    const from = text.indexOf("main() {");
    for (let part = 1; part < 20; part++) {
      const to = newFolder();
      const cut = text.slice(
        0,
        part < 10 ? Math.floor((from * part) / 10) : from + Math.floor(((text.length - from) * (part - 10)) / 10),
      );
      await install(["--from", release, "--to", to], { text: cut });
      expect(existsSync(to)).toBe(false);
    }
  });
});

const scripts = readdirSync(join(root, "scripts")).filter((name) => name.endsWith(".sh"));
const lacking = missingProgram("shellcheck");
test.skipIf(lacking !== null && process.env["CI"] === undefined).each(scripts)(
  `%s is plain sh, without a doubt (shellcheck)${lacking === null ? "" : `: ${lacking}`}`,
  (name) => {
    const how = ["--shell=sh", "--enable=quote-safe-variables"];
    const { exitCode, stdout } = Bun.spawnSync(["shellcheck", ...how, join(root, "scripts", name)]);
    expect(stdout.toString()).toBe("");
    expect(exitCode).toBe(0);
  },
);
