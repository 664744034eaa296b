/** `arouter demo`: the whole gateway with both providers simulated in the same process. No key, no network. */
import shippedPolicy from "../../policies/default.yaml" with { type: "text" };
import type { ConfigFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import type { LoadOptions } from "../config/run.ts";
import { parsePolicy } from "../policy/parse.ts";
import { systemClock } from "../base/clock.ts";
import { renderDiagnostic } from "../base/diagnostic.ts";
import { createSimulator } from "../simulator/simulator.ts";
import { neededEnvironment, startAgain } from "./capacity.ts";
import { renderSavings, startTraffic } from "./demo-traffic.ts";
import { EXIT } from "./exit.ts";
import { runFailover } from "./failover.ts";
import type { CliIo } from "./io.ts";
import { runGateway } from "./run-gateway.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter demo: run the gateway with simulated providers

  arouter demo [--listen ADDR] [--traffic] [--requests N]
  arouter demo --failover

  --listen ADDR  HOST:PORT; default 127.0.0.1:8080
  --traffic      send a mix of requests, some eight a second, until it is stopped; then print what each rule saved
  --requests N   send N of them, then stop
  --failover     take a provider down under streaming load, print what the clients saw of it, and stop

Both providers are simulated in this process, so no key and no network is needed. The example policy is in force.
Prints calls to paste. /dashboard shows what happens. Stop it with Ctrl-C.
`;

/** Between the pieces of a stream, so that a person sees it stream. */
const STREAM_DELAY_MS = 15;
const DEFAULT_LISTEN = "127.0.0.1:8080";
const POLICY_NAME = "policies/default.yaml";

export async function runDemo(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("demo", args, io, {
    help: HELP,
    options: {
      listen: { type: "string" },
      traffic: { type: "boolean" },
      requests: { type: "string" },
      failover: { type: "boolean" },
    },
  });
  if ("exit" in line) return line.exit;
  if (line.values.failover === true) return runFailover(io);
  const requests = line.values.requests === undefined ? null : Number(line.values.requests);
  if (requests !== null && (!Number.isInteger(requests) || requests < 1)) {
    io.stderr("arouter demo: --requests takes a whole number from 1\n");
    return EXIT.usage;
  }
  const hasTraffic = line.values.traffic === true || requests !== null;
  const listenAddr = line.values.listen ?? DEFAULT_LISTEN;
  const simulator = createSimulator({ delayMs: STREAM_DELAY_MS });
  const providers = simulator.listen();
  const options: LoadOptions = {
    overrides: { listenAddr, configFile: "demo.toml" },
    env: {},
    cwd: io.cwd,
    files: demoFiles(providers.openaiUrl, providers.anthropicUrl),
  };
  const reloadConfig = () => loadConfig(options);
  const loaded = reloadConfig();
  const policy = parsePolicy([{ name: POLICY_NAME, text: shippedPolicy }]);
  if (!loaded.ok || !policy.ok) {
    const diagnostics = [...(loaded.ok ? [] : loaded.diagnostics), ...(policy.ok ? [] : policy.diagnostics)];
    for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    await providers.stop();
    return EXIT.usage;
  }
  const again = neededEnvironment(io.env, loaded.config);
  if (again !== null) {
    await providers.stop();
    return startAgain(again);
  }
  let stopTraffic = (): Promise<void> => Promise.resolve();
  return runGateway({
    io,
    loaded,
    policy: policy.policy,
    reloadConfig,
    loadPolicy: () => policy,
    reusePort: false,
    access: false,
    onListening: (app) => {
      const { address, url } = app.server;
      io.stdout(
        `arouter listening · ${address} · providers ready\n\n${hasTraffic ? trafficNote(url) : demoCalls(url)}`,
      );
      // The gateway waits for a signal, as always; the last answer gives it.
      const onDone = (): void => void process.kill(process.pid, "SIGINT");
      if (hasTraffic) stopTraffic = startTraffic({ clock: systemClock, url, requests, onDone });
    },
    onStopped: async (live) => {
      await stopTraffic();
      await providers.stop();
      if (hasTraffic) io.stdout(`\n${renderSavings(live.totalsBy("rule"))}`);
    },
  });
}

/** The demo's configuration, as if it stood in a file. The policy is handed over as it is, so no reload looks for one. */
function demoFiles(openaiUrl: string, anthropicUrl: string): ConfigFiles {
  const text = `
[reload]
watch = false
[drain]
delay = "0s"
[providers.openai]
api_key = "demo-openai"
base_url = "${openaiUrl}"
[providers.anthropic]
api_key = "demo-anthropic"
base_url = "${anthropicUrl}"
`;
  return { read: () => ({ ok: true, text, mode: 0o600 }) };
}

function trafficNote(url: string): string {
  return `Both providers are simulated in this process, and a mix of requests is on its way: what they cost and save is at

  ${url}/dashboard

Ctrl-C stops it and prints what each rule saved.
`;
}

/** What a person pastes; each works as printed. */
function demoCalls(url: string): string {
  return `Both providers are simulated in this process: no key and no network is needed.

An OpenAI call, answered by Claude:

  curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"claude-sonnet-5-5","messages":[{"role":"user","content":"Hello!"}]}'

An Anthropic call, answered by GPT, streamed:

  curl -N ${url}/v1/messages -H 'content-type: application/json' \\
    -d '{"model":"gpt-5.6","max_tokens":256,"stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

The official SDK (pip install openai), with nothing changed but base_url:

  from openai import OpenAI
  client = OpenAI(base_url="${url}/v1", api_key="unused")
  answer = client.chat.completions.create(
      model="claude-sonnet-5-5", messages=[{"role": "user", "content": "Hello!"}])
  print(answer.choices[0].message.content)

What happens, and what it saves, is at ${url}/dashboard (with \`arouter demo --traffic\` it is busy there).
Add -i to a curl call to see the x-arouter-* headers: which rule matched, which model answered, what it cost and saved.
Ctrl-C stops it.
`;
}
