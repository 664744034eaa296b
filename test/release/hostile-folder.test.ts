/** The binary, started in a folder full of files that other programs on its runtime would read, and without much else. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../../scripts/build.ts";

setDefaultTimeout(60_000);

let folder: string;
let binary: string;
let trace: string;

/** Everything that the runtime looks for where it starts. */
function plant(at: string): void {
  const evil = `require("node:fs").appendFileSync(${JSON.stringify(trace)}, "ran\\n");`;
  const files: Readonly<Record<string, string>> = {
    "evil.js": evil,
    ".env": "OPENAI_API_KEY=sk-from-dotenv\nBUN_OPTIONS=--preload ./evil.js\n",
    ".env.local": "ANTHROPIC_API_KEY=sk-ant-from-dotenv\n",
    ".env.production": "OPENAI_API_KEY=sk-from-dotenv\n",
    "bunfig.toml": 'preload = ["./evil.js"]\n[run]\npreload = ["./evil.js"]\n[serve.static]\nplugins = ["./evil.js"]\n',
    ".bunfig.toml": 'preload = ["./evil.js"]\n',
    "package.json":
      '{ "name": "evil", "type": "commonjs", "imports": { "#x": "./evil.js" }, "exports": "./evil.js" }\n',
    "tsconfig.json":
      '{ "compilerOptions": { "paths": { "elysia": ["./evil.js"], "yaml": ["./evil.js"], "*": ["./evil.js"] } } }\n',
    "node_modules/elysia/index.js": evil,
    "node_modules/elysia/package.json": '{ "name": "elysia", "main": "index.js" }\n',
    "node_modules/yaml/index.js": evil,
    "index.js": evil,
    "main.ts": evil,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(at, path, ".."), { recursive: true });
    writeFileSync(join(at, path), text);
  }
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs the binary in the folder, with nothing in the environment but what is given. */
async function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = Bun.spawn([binary, ...args], {
    cwd: folder,
    env: { ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  return { code, output: out + error };
}

/** Starts `serve`, and stops it once it listens. */
async function serveOnce(command: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: { ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  let output = "";
  // Once: a second signal means at once, and ends it with 1.
  let isStopped = false;
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) {
      output += Buffer.from(chunk).toString();
      if (isStopped || !output.includes("listening")) continue;
      isStopped = true;
      child.kill("SIGINT");
    }
  };
  const [, , code] = await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
  clearTimeout(timer);
  return { code, output };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "arouter-hostile-"));
  binary = join(mkdtempSync(join(tmpdir(), "arouter-bin-")), "arouter");
  trace = join(mkdtempSync(join(tmpdir(), "arouter-trace-")), "ran");
  await buildBinary({ outfile: binary });
  plant(folder);
}, 120_000);
afterAll(() => {
  for (const path of [folder, join(binary, ".."), join(trace, "..")]) rmSync(path, { recursive: true, force: true });
});

describe("the binary in a hostile folder", () => {
  test("runs nothing that lies there", async () => {
    for (const args of [["version"], ["--help"], ["models"], ["check"]]) await start(args);
    expect(existsSync(trace)).toBe(false);
  });

  test("takes no keys from a .env there", async () => {
    const { code, output } = await start(["serve", "--listen", "127.0.0.1:0"]);
    expect(output).toContain("no provider has a key");
    expect(code).toBe(2);
  });

  test("serves there, and runs nothing", async () => {
    const { code, output } = await serveOnce([binary, "serve", "--listen", "127.0.0.1:0"], {
      OPENAI_API_KEY: "sk-real",
    });
    expect(output).toContain("listening");
    expect(output).not.toContain("anthropic ready");
    expect(code).toBe(0);
    expect(existsSync(trace)).toBe(false);
  });

  test("gives its arguments to none but itself", async () => {
    const { code, output } = await start(["run", "evil.js"]);
    expect(output).toContain('unknown command "run"');
    expect(code).toBe(2);
    expect((await start(["evil.js"])).code).toBe(2);
    expect(existsSync(trace)).toBe(false);
  });

  test("drops variables that open doors before it serves", async () => {
    const environment = { OPENAI_API_KEY: "sk-real", BUN_INSPECT: "ws://127.0.0.1:0/door" };
    const { output } = await serveOnce([binary, "serve", "--listen", "127.0.0.1:0"], environment);
    const [, afterStart = ""] = output.split("listening");
    expect(output).toContain("listening");
    expect(afterStart).not.toContain("inspect");
  });

  const isRoot = process.platform === "linux" && process.getuid?.() === 0 && Bun.which("setpriv") !== null;
  test.skipIf(!isRoot)("serves as a user of no name, without a home, where it may write nothing", async () => {
    chmodSync(folder, 0o555);
    chmodSync(join(binary, ".."), 0o755);
    const user = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--"];
    const { code, output } = await serveOnce([...user, binary, "serve", "--listen", "127.0.0.1:0"], {
      PATH: process.env["PATH"] ?? "",
      OPENAI_API_KEY: "sk-real",
      HOME: "/nonexistent",
      TMPDIR: "/nonexistent",
    });
    expect(output).toContain("listening");
    expect(code).toBe(0);
  });

  test("is hostile: the runtime's own program runs what lies there", async () => {
    await Bun.spawn([process.execPath, "-e", "0"], { cwd: folder, env: {}, stdout: "ignore", stderr: "ignore" }).exited;
    expect(existsSync(trace)).toBe(true);
  });
});
