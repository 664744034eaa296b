/** The coding agents of both vendors as their npm packages bring them, with the gateway as their provider. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** An agent that hangs is ended, and its test fails. */
const limitMs = 60_000;

export type AgentName = "claude-code" | "codex";

const manifests = join(import.meta.dir, "agents-npm");
const MANIFESTS = ["package.json", "package-lock.json"] as const;

/** Where the agents are installed: anew when their versions change. */
const installed = ((): string => {
  const hash = createHash("sha256");
  for (const name of MANIFESTS) hash.update(readFileSync(join(manifests, name)));
  return join(root, ".cache/agents", hash.digest("hex").slice(0, 12));
})();

const LAUNCHERS: Readonly<Record<AgentName, string>> = {
  "claude-code": join(installed, "node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs"),
  codex: join(installed, "node_modules/@openai/codex/bin/codex.js"),
};

/** Installs both agents if need be, 600 MB, apart from the project's own packages. @returns why they are missing, or null */
export async function ensureAgents(): Promise<string | null> {
  if (Object.values(LAUNCHERS).every((launcher) => existsSync(launcher))) return null;
  mkdirSync(installed, { recursive: true });
  for (const name of MANIFESTS) copyFileSync(join(manifests, name), join(installed, name));
  const run = Bun.spawn(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: installed,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  return (await run.exited) === 0 ? null : "the coding agents cannot be installed (npm ci in test/support/agents-npm)";
}

/** Why the agent cannot run on this machine; null when it can. */
export function agentMissing(name: AgentName): string | null {
  const launcher = LAUNCHERS[name];
  if (!existsSync(launcher)) return `${name} is not installed; npm test installs it`;
  const home = mkdtempSync(join(tmpdir(), "arouter-agent-"));
  try {
    const { exitCode } = Bun.spawnSync([process.execPath, launcher, "--version"], {
      env: { PATH: process.env["PATH"] ?? "", HOME: home },
      timeout: limitMs,
    });
    return exitCode === 0 ? null : `${name} has no program for this machine`;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export interface AgentTask {
  readonly agent: AgentName;
  readonly gateway: string;
  readonly model: string;
  readonly prompt: string;
  /** Names of files to read from the working folder afterwards. */
  readonly reads: readonly string[];
}

export interface AgentOutcome {
  readonly exitCode: number;
  /** Both streams: events as JSON lines, and what went wrong. */
  readonly output: string;
  /** Contents of the files asked for; null for one that is not there. */
  readonly files: readonly (string | null)[];
}

/** Lets an agent do one task without a terminal, in an empty folder and with an empty home. */
export async function runAgent({ agent, gateway, model, prompt, reads }: AgentTask): Promise<AgentOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-agent-"));
  const home = mkdtempSync(join(tmpdir(), "arouter-agent-"));
  try {
    const setup = agent === "codex" ? prepareCodex(home, gateway, model) : prepareClaudeCode(gateway, model);
    const child = Bun.spawn([process.execPath, LAUNCHERS[agent], ...setup.args, prompt], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, ...setup.environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: limitMs,
    });
    const [out, error, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    const read = (name: string): string | null =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : null;
    return { exitCode, output: out + error, files: reads.map(read) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  }
}

interface Setup {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** As docs/agents.md says, and nothing reported elsewhere. */
function prepareCodex(home: string, gateway: string, model: string): Setup {
  const config = `model_provider = "arouter"
model_providers.arouter = { name = "ARouter", base_url = "${gateway}/v1", wire_api = "responses", env_key = "AROUTER_KEY" }
check_for_update_on_startup = false

[analytics]
enabled = false
`;
  writeFileSync(join(home, "config.toml"), config);
  return {
    args: ["exec", "--model", model, "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"],
    environment: { CODEX_HOME: home, AROUTER_KEY: "sk-client" },
  };
}

function prepareClaudeCode(gateway: string, model: string): Setup {
  return {
    args: ["--model", model, "--output-format", "stream-json", "--verbose", "--allowedTools=Bash", "--print"],
    environment: {
      ANTHROPIC_BASE_URL: gateway,
      ANTHROPIC_AUTH_TOKEN: "sk-client",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
  };
}
