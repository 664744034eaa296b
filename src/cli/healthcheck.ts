/** `arouter healthcheck`: asks a running gateway how it is; for containers, which have no curl. */
import { loadConfig } from "../config/load.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter healthcheck: ask a running gateway whether it is well

  arouter healthcheck [--ready | --live] [--config FILE] [--listen ADDR] [--json]

  --ready        ask /readyz: may it get traffic
  --live         ask /livez: does the process run
  --config FILE  the gateway's configuration, for its address
  --listen ADDR  its address; https://HOST:PORT where it speaks TLS and its configuration is not at hand

Asks /healthz, which probes the providers, unless told otherwise. Exit 0 when the answer is yes, 1 when it is no or there is
none.
`;

const TIMEOUT_MS = 10_000;
const TLS_PREFIX = /^https:\/\//;

export async function runHealthcheck(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("healthcheck", args, io, {
    help: HELP,
    options: {
      ready: { type: "boolean" },
      live: { type: "boolean" },
      json: { type: "boolean" },
      config: { type: "string" },
      listen: { type: "string" },
    },
  });
  if ("exit" in line) return line.exit;
  const { ready, live, json, config: configFile, listen } = line.values;
  const listenAddr = listen?.replace(TLS_PREFIX, "");
  const loaded = loadConfig({
    overrides: {
      ...(configFile === undefined ? {} : { configFile }),
      ...(listenAddr === undefined ? {} : { listenAddr }),
    },
    env: io.env,
    cwd: io.cwd,
    requireKey: false,
  });
  // Its configuration may be broken by now: the gateway that runs has the last good one, at the address given or usual.
  const address = loaded.ok ? loaded.config.listenAddr : (listenAddr ?? "127.0.0.1:8080");
  const isTls = listen !== listenAddr || (loaded.ok && loaded.config.server.tls !== null);
  const path = ready === true ? "/readyz" : live === true ? "/livez" : "/healthz";
  try {
    const response = await fetch(...requestFor(address, isTls ? "https" : "http", path));
    const text = await response.text();
    io.stdout(
      json === true ? `${JSON.stringify({ path, status: response.status, body: text.trim() })}\n` : `${text.trim()}\n`,
    );
    return response.ok ? EXIT.fine : EXIT.no;
  } catch (error) {
    io.stderr(
      `arouter healthcheck: no answer from ${address}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return EXIT.no;
  }
}

/** Where a listener on every address is asked: on loopback. */
function requestFor(address: string, scheme: string, path: string): [string, BunFetchRequestInit] {
  const init: BunFetchRequestInit = { signal: AbortSignal.timeout(TIMEOUT_MS), proxy: false, redirect: "manual" };
  if (address.startsWith("unix:")) return [`http://localhost${path}`, { ...init, unix: address.slice("unix:".length) }];
  const host = address.replace(/^(?:0\.0\.0\.0|\[::\]|)(?=:\d+$)/, "127.0.0.1");
  // The certificate is made out to the name that clients use, not to the loopback address asked here, and may be signed by
  // a house's own authority that only clients know. Nothing that is secret is sent.
  return [`${scheme}://${host}${path}`, scheme === "https" ? { ...init, tls: { rejectUnauthorized: false } } : init];
}
