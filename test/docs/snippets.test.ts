/**
 * Runs every command and snippet of README and docs in the order of its page, against a demo gateway. CONTRIBUTING.md says
 * how a block is marked that cannot be run, is a file, or is an output.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import type { ProviderName } from "../../src/base/names.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { runTests } from "../../src/policy/run-tests.ts";
import { configOf } from "../config/support.ts";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { findPython, type PythonEnvironment } from "../support/python.ts";
import { PAGES, readPage, readSnippets, root, type Snippet } from "./pages.ts";

// Frameworks in Python take long to load where other work shares the cores.
setDefaultTimeout(90_000);

/** What the pages call the gateway. */
const ADDRESS = "127.0.0.1:8080";

let gateway: GatewayProcess;
let scratch: string;

beforeAll(async () => {
  gateway = await startGateway({ config: "", args: ["demo", "--listen", "127.0.0.1:0"] });
  scratch = mkdtempSync(join(tmpdir(), "arouter-docs-"));
  // Inside the repository, where the SDKs resolve.
  mkdirSync(join(root, ".cache/docs"), { recursive: true });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(scratch, { recursive: true, force: true });
  rmSync(join(root, ".cache/docs"), { recursive: true, force: true });
});

/** The environment that has what a snippet imports. */
function pythonFor(text: string): PythonEnvironment {
  return findPython(/^(?:from|import) (?:langchain|instructor)/m.test(text) ? "frameworks" : "newest");
}

/** Runs a command to its end; @throws Error with what it printed when it fails */
async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd,
    env: {
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
      HOME: scratch,
      OPENAI_API_KEY: "sk-docs-openai",
      ANTHROPIC_API_KEY: "sk-ant-docs",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`exit ${code}\n${out}${errors}`);
  return out + errors;
}

/** Runs lines of shell as a person would paste them, and refuses an answer of curl's that is an error. */
async function runShell(text: string, cwd: string): Promise<string> {
  const script = `arouter() { bun "${join(root, "src/main.ts")}" "$@"; }\nset -e\n${text}`;
  const output = await run(["bash", "-c", script], cwd);
  if (/^curl /m.test(text)) expect(output).not.toMatch(/^HTTP\/1\.1 [45]|^\{"error"|"type":"error"/m);
  return output;
}

function checkPolicy(text: string): void {
  const isWhole = /^version:/m.test(text);
  const indented = text.replace(/^(?=.)/gm, "    ");
  const fragment = `version: 1\nrules:\n  - name: fragment\n${indented}    then: { model: gpt-6-sol }\n`;
  const parsed = parsePolicy([{ name: "policies.yaml", text: isWhole ? text : fragment }]);
  if (!parsed.ok) throw new Error(parsed.diagnostics.map(renderDiagnostic).join("\n"));
  const providerOf = (model: string): ProviderName => (model.startsWith("claude") ? "anthropic" : "openai");
  const results = runTests(parsed.policy, { providerOf, wallMs: 0 });
  expect(results.flatMap(({ ok, test: { name }, failures }) => (ok ? [] : [name, ...failures]))).toEqual([]);
}

function checkConfig(text: string): void {
  const env = { OPENAI_API_KEY: "sk-docs-openai", ANTHROPIC_API_KEY: "sk-ant-docs" };
  expect(configOf(text, { env }).listenAddr).toBeDefined();
}

function expectOutput(expected: string, actual: string): void {
  for (const line of expected.trimEnd().split("\n")) {
    const pattern = line.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    // Header names are written small on the pages, and as the server likes on the wire.
    expect(actual).toMatch(new RegExp(`^\\s*${pattern.join(".*")}\\s*$`, "im"));
  }
}

/** Does with one block what its language asks for; the output of a command, or null. */
async function exercise({ language, text, file }: Snippet, cwd: string): Promise<string | null> {
  const local = text.replaceAll(ADDRESS, new URL(gateway.url).host);
  if (file !== null) writeFileSync(join(cwd, file), text);
  switch (language) {
    case "sh":
      return runShell(local, cwd);
    case "python": {
      const python = pythonFor(text);
      return "missing" in python ? null : run([python.python, "-c", local], cwd);
    }
    case "ts": {
      const path = join(root, ".cache/docs", `snippet-${Bun.hash(text).toString(36)}.ts`);
      writeFileSync(path, local);
      return run([process.execPath, path], root);
    }
    case "toml":
      checkConfig(text);
      return null;
    case "yaml":
      checkPolicy(text);
      return null;
    case "json":
      JSON.parse(text);
      return null;
    default:
      return null;
  }
}

/** Languages of blocks that are shown and not done. */
const SHOWN = new Set(["text", ""]);
const DONE = new Set(["sh", "python", "ts", "toml", "yaml", "json"]);

for (const path of PAGES) {
  const snippets = readSnippets(readPage(path));
  if (snippets.length === 0) continue;
  describe(path, () => {
    let cwd: string;
    let output: string | null = null;
    beforeAll(() => {
      const isAboutTheSource = path.startsWith("docs/decisions/") || path === "CONTRIBUTING.md";
      cwd = isAboutTheSource ? root : mkdtempSync(join(scratch, "page-"));
    });

    for (const snippet of snippets) {
      const { line, language, text, notRun, isOutput } = snippet;
      const first = text.split("\n")[0]?.slice(0, 50) ?? "";
      const title = `line ${line}: ${language || "block"} \`${first}\``;
      if (notRun !== null) {
        test(`${title} is not run: ${notRun}`, () => expect(notRun.length).toBeGreaterThan(10));
      } else if (isOutput) {
        test(`${title} is what the command before it prints`, () => expectOutput(text, output ?? ""));
      } else if (DONE.has(language)) {
        const python = language === "python" ? pythonFor(text) : null;
        const lacking = python !== null && "missing" in python ? ` (${python.missing})` : "";
        test.skipIf(lacking !== "")(`${title} works${lacking}`, async () => {
          output = await exercise(snippet, cwd);
        });
      } else {
        test(`${title} is only shown`, () => expect(SHOWN).toContain(language));
      }
    }
  });
}
