/** Runs a compiled gateway from an empty folder against the simulated providers: one request each way, and a health check. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulatedGateway } from "../test/support/simulated.ts";

/** One request of the smoke run: the caller's format and the model that the other provider serves. */
interface Probe {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Field that only this format's answer has. */
  readonly expects: string;
}

const messages = [{ role: "user", content: "Say hello." }];
const chatHeaders = { "content-type": "application/json" };
const messagesHeaders = { ...chatHeaders, "anthropic-version": "2023-06-01" };

const probes: readonly Probe[] = [
  {
    path: "/v1/chat/completions",
    headers: chatHeaders,
    body: { model: "claude-sonnet-5-5", messages },
    expects: "choices",
  },
  {
    path: "/v1/messages",
    headers: messagesHeaders,
    body: { model: "gpt-4.1", max_tokens: 64, messages },
    expects: "stop_reason",
  },
  { path: "/v1/chat/completions", headers: chatHeaders, body: { model: "gpt-4.1", messages }, expects: "choices" },
  {
    path: "/v1/messages",
    headers: messagesHeaders,
    body: { model: "claude-sonnet-5-5", max_tokens: 64, messages },
    expects: "stop_reason",
  },
];

/**
 * Runs `command` as the gateway.
 * @throws Error naming the first probe that was not answered as its format promises
 */
export async function smoke(command: readonly string[]): Promise<void> {
  const gateway = await startSimulatedGateway({ command });
  try {
    for (const probe of probes) {
      const response = await fetch(gateway.url + probe.path, {
        method: "POST",
        headers: probe.headers,
        body: JSON.stringify(probe.body),
      });
      const text = await response.text();
      const answer: unknown = JSON.parse(text);
      if (response.status !== 200 || typeof answer !== "object" || answer === null || !(probe.expects in answer)) {
        throw new Error(`POST ${probe.path} ${JSON.stringify(probe.body)}: ${response.status} ${text}`);
      }
    }
    await checkHealth(command, new URL(gateway.url).host);
  } finally {
    await gateway.stop();
  }
}

/** @throws Error with what `healthcheck` printed when it does not find the gateway ready */
async function checkHealth(command: readonly string[], address: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-smoke-"));
  try {
    const child = Bun.spawn([...command, "healthcheck", "--ready", "--listen", address], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, error, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`healthcheck ended with ${code}: ${out}${error}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
