/** `arouter demo --failover`: a provider goes down under streaming load; says what the clients saw of it. */
import { renderDiagnostic } from "../base/diagnostic.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { startApp } from "../app/app.ts";
import { loadConfig } from "../config/load.ts";
import { parsePolicy } from "../policy/parse.ts";
import { createSimulator } from "../simulator/simulator.ts";
import { EXIT } from "./exit.ts";
import { type FailoverCounts, startClients } from "./failover-load.ts";
import type { CliIo } from "./io.ts";
import { renderTable } from "./table.ts";
import { VERSION } from "./version.ts";

export interface FailoverTimes {
  /** Before the provider goes down, while it is down, and after it is back; ms. */
  readonly calmMs: number;
  readonly outageMs: number;
  readonly clients: number;
}

const DEMO_TIMES: FailoverTimes = { calmMs: 1000, outageMs: 2000, clients: 24 };

type Hold = "off" | "full";

/** The rule under which the outage is met: a chain into the other provider. */
function policyText(hold: Hold): string {
  return `version: 1
rules:
  - name: openai_then_claude
    when: { model: "gpt-*" }
    then: { fallback_chain: [claude-sonnet-5-5], heal: { hold: ${hold} } }
`;
}

/** Between the pieces of a stream. */
const STREAM_DELAY_MS = 15;

/** Runs the outage once. @throws Error when the demonstration's own files do not load */
export async function runOutage(clock: Clock, hold: Hold, times: FailoverTimes): Promise<FailoverCounts> {
  const simulator = createSimulator({ delayMs: STREAM_DELAY_MS, maxLog: 1 });
  const providers = simulator.listen();
  const text = `
listen_addr = "127.0.0.1:0"
[reload]
watch = false
[providers.openai]
api_key = "demo-openai"
base_url = "${providers.openaiUrl}"
[providers.anthropic]
api_key = "demo-anthropic"
base_url = "${providers.anthropicUrl}"
`;
  const reloadConfig = () =>
    loadConfig({
      overrides: { configFile: "demo.toml" },
      env: {},
      cwd: "/",
      files: { read: () => ({ ok: true, text, mode: 0o600 }) },
    });
  const loaded = reloadConfig();
  const policy = parsePolicy([{ name: "failover.yaml", text: policyText(hold) }]);
  if (!loaded.ok || !policy.ok) {
    const diagnostics = [...(loaded.ok ? [] : loaded.diagnostics), ...(policy.ok ? [] : policy.diagnostics)];
    throw new Error(diagnostics.map(renderDiagnostic).join("\n"));
  }
  const app = startApp({
    clock,
    version: VERSION,
    loaded,
    policy: policy.policy,
    reloadConfig,
    loadPolicy: () => policy,
    emit: () => undefined,
    metrics: () => Promise.resolve(""),
    reusePort: false,
  });
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const stop = startClients(clock, app.server.url, times.clients);
  await wait(times.calmMs);
  await simulator.refuse("openai");
  await wait(times.outageMs);
  await simulator.accept("openai");
  await wait(times.calmMs);
  const counts = await stop();
  await app.close();
  await providers.stop();
  return counts;
}

const HEADING = ["heal.hold", "requests", "whole answers", "by the other", "errors", "cut after flush", "lost"];

/** Runs it with streams handed on as they come, and with whole answers held; exit 1 when a client saw an error it need not have. */
export async function runFailover(io: CliIo, clock: Clock = systemClock, times = DEMO_TIMES): Promise<number> {
  const seconds = (ms: number): string => `${ms / 1000} s`;
  io.stdout(
    `${times.clients} clients stream from gpt-5.6. After ${seconds(times.calmMs)} OpenAI goes down for ${seconds(times.outageMs)}: its port is closed, open\n` +
      `connections are reset. The rule has a chain into the other provider: fallback_chain: [claude-sonnet-5-5].\n\n`,
  );
  const handedOn = await runOutage(clock, "off", times);
  const held = await runOutage(clock, "full", times);
  const row = (name: string, { requests, whole, moved, errors, cut, lost }: FailoverCounts): readonly string[] =>
    [name, requests, whole, moved, errors, cut, lost].map(String);
  io.stdout(renderTable([HEADING, row("off", handedOn), row("full", held)], new Set(HEADING.slice(1))));
  io.stdout(
    `\nerrors: what clients saw for requests of which nothing had reached them. cut after flush: streams that had begun when\n` +
      `OpenAI went down; they end with an error in the stream, and are never continued by another model.\n`,
  );
  const isFine = handedOn.errors + handedOn.lost + held.errors + held.lost + held.cut === 0;
  return isFine ? EXIT.fine : EXIT.no;
}
